"""The commands that a finding prints, parsed out of its text as a person would copy them."""

from __future__ import annotations

import re
from collections.abc import Iterator

import click

ENDS = ".,;:)'\"`"


def commands(text: str) -> list[tuple[str, ...]]:
    """Every ``runbook VERB ...`` in *text* as words, without ``runbook``; prose behind a command is not taken for it."""
    from runbook.cli import cli

    found = []
    for match in re.finditer(r"\brunbook ([a-z]+)", text):
        verb = cli.get_command(None, match[1])
        if verb is not None:
            found.append((match[1], *_words(verb, text[match.end() :])))
    return found


def statements(text: str) -> list[str]:
    """Every ``DROP TABLE dataset.table`` in *text*: the one repair that no command of the runbook does."""
    return [match[0] for match in re.finditer(r"DROP TABLE \w+\.\w+", text)]


def _words(verb: click.Command, rest: str) -> Iterator[str]:
    options = {name: p for p in verb.params if isinstance(p, click.Option) for name in p.opts}
    arguments = [p for p in verb.params if isinstance(p, click.Argument)]
    takes_value = False
    if rest[:1] not in (" ", ""):
        return
    for word in rest.split():
        bare = word.rstrip(ENDS)
        if takes_value:
            takes_value = False
        elif bare in options:
            takes_value = not options[bare].is_flag
        elif arguments and not bare.startswith("-"):
            arguments.pop()
        else:
            return
        yield bare
        if bare != word:
            return
