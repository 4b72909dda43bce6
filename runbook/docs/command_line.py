"""The reference of the command line, read off the verbs."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

import click

from runbook.cli import cli
from runbook.docs.markdown import table
from runbook.lazy import LazyGroup

EXIT_CODES = (
    ("0", "green or amber; with `--strict` green alone"),
    ("1", "a gate is red, or something does not verify"),
    ("2", "bad usage or input"),
    ("3", "could not be judged or executed: a table is missing, a query failed, a notebook was not proven"),
    ("130", "interrupted"),
)
KEPT = "\b"  # click's mark of a paragraph whose lines are kept


def verbs(command: click.Command = cli, path: tuple[str, ...] = ("runbook",)) -> Iterator[tuple[str, click.Command]]:
    """Every verb with its full name, for instance ``runbook keys new``; groups are walked, not given."""
    if not isinstance(command, click.Group):
        yield " ".join(path), command
        return
    for name, child in (command.loaded() if isinstance(command, LazyGroup) else command.commands).items():
        yield from verbs(child, (*path, name))


def command_line_page() -> str:
    """The page as Markdown."""
    known = dict(verbs())
    parts = [
        "# The command line",
        "This page is made from the code by `make docs`. `python -m runbook VERB` is the same as `runbook VERB`.",
        table(
            ("verb", "what it does"),
            [(f"[`{name}`](#{_anchor(name)})", _summary(verb)) for name, verb in known.items()],
        ),
        "## Exit codes",
        table(("code", "meaning"), EXIT_CODES),
        *(_section(name, verb) for name, verb in known.items()),
    ]
    return "\n\n".join(parts) + "\n"


def examples(verb: click.Command) -> list[str]:
    """The command lines that a verb's help gives as examples."""
    shown = [part.removeprefix(KEPT).strip() for part in _paragraphs(verb) if _is_example(part)]
    return [line.strip() for part in shown for line in part.splitlines()[1:]]


def _section(name: str, verb: click.Command) -> str:
    context = click.Context(verb, info_name=name)
    usage = f"```\n{' '.join((name, *verb.collect_usage_pieces(context)))}\n```"
    told = [_told(part) for part in _paragraphs(verb) if not _is_example(part)]
    records = [record for option in verb.params if (record := option.get_help_record(context)) and record[1]]
    options = (
        [table(("option", "meaning"), [(f"`{option}`", meaning) for option, meaning in records])] if records else []
    )
    shown = [f"```\n{chr(10).join(examples(verb))}\n```"] if examples(verb) else []
    return "\n\n".join([f"## {name}", usage, *told, *options, *shown])


def _paragraphs(verb: click.Command) -> list[str]:
    return [part.strip("\n") for part in inspect.cleandoc(verb.help or "").split("\n\n")]


def _is_example(paragraph: str) -> bool:
    return paragraph.removeprefix(KEPT).strip().startswith(("Example:", "Examples:"))


def _told(paragraph: str) -> str:
    """Running text as it stands; lines that are kept together, as a list or a table, as a block."""
    kept = paragraph.startswith(KEPT)
    text = paragraph.removeprefix(KEPT).strip("\n")
    columns = kept and any("  " in line.strip() for line in text.splitlines())
    return f"```\n{inspect.cleandoc(text)}\n```" if columns else " ".join(text.split())


def _summary(verb: click.Command) -> str:
    return verb.get_short_help_str(limit=200)


def _anchor(name: str) -> str:
    return name.replace(" ", "-")
