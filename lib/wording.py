"""How counts and lists are put in sentences."""

from __future__ import annotations

from collections.abc import Sequence


def some(names: Sequence[str], most: int = 3) -> str:
    """The first few of *names*, and how many more there are."""
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more:,} more" if more > 0 else "")


def counted(count: int, word: str) -> str:
    """``1 game``, ``2,460 games``."""
    return f"{count:,} {word}" if count == 1 else f"{count:,} {word}s"
