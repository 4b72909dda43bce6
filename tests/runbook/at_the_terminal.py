"""What a command said, and what a refusal looks like."""

from __future__ import annotations

from collections.abc import Callable

Said = tuple[int, str, str]
Say = Callable[..., Said]


def refused(said: Said, code: int, *words: str) -> None:
    """The command ended with *code*, printed nothing on standard output and one sentence on standard error."""
    got, out, err = said
    assert (got, out) == (code, ""), err
    lines = [line for line in err.splitlines() if line.strip() and not line.startswith(("Usage:", "Try "))]
    assert len(lines) == 1, err
    for word in words:
        assert word in lines[0]
