"""The command lines that the documentation prints."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click

from lib.settings import ROOT
from runbook.cli import cli
from runbook.docs.command_line import verbs

PAGES = sorted(path for path in (ROOT / "docs").rglob("*.md") if path.name != "command-line.md") + [ROOT / "README.md"]
INLINE = re.compile(r"`(runbook [a-z][^`]*)`")
BLOCK = re.compile(r"^```\w*\n(.*?)^```", re.MULTILINE | re.DOTALL)


def printed_commands(text: str) -> Iterator[str]:
    """Every ``runbook VERB ...`` of a page, in its blocks and in its text; a verb named in the text may stand alone."""
    for block in BLOCK.findall(text):
        for line in block.replace("\\\n", " ").splitlines():
            if match := re.match(r"\s*(?:\$ )?(?:\w+=\S+ )*(runbook [a-z].*)", line):
                yield match[1]
    yield from (line for line in INLINE.findall(BLOCK.sub("", text)) if not _is_a_name(line))


def _is_a_name(line: str) -> bool:
    """Whether *line* only names a verb whose arguments the text leaves out."""
    return line in dict(verbs())


def refusal(line: str) -> str:
    """What the command line has against *line*, which is not executed; empty where it would run."""
    words = shlex.split(re.split(r"\s(?:#|>|\||&&|;)|;\s|  ", line)[0])[1:]
    command: click.Command = cli
    try:
        context = click.Context(command, info_name="runbook")
        while isinstance(command, click.Group):
            if not words:
                return f"'{line}' names no verb"
            _, child, words = command.resolve_command(context, words)
            assert child is not None
            command, context = child, click.Context(child, parent=context, info_name=child.name)
        command.make_context(command.name, list(words), resilient_parsing=False)
    except click.UsageError as error:
        if "does not exist" in error.format_message():
            return ""  # a file that the reader makes
        return f"'{line}': {error.format_message()}"
    return ""


def relative(path: Path) -> str:
    """A page's name from the project's folder."""
    return str(path.relative_to(ROOT))
