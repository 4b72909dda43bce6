"""How verdicts and plans look: in a terminal (rich) and in a notebook (HTML and plain text)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from html import escape
from io import StringIO
from itertools import zip_longest
from typing import Any

from rich.box import SIMPLE
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from lib.verdicts import Verdict

COLOURS = {"green": "green", "amber": "yellow", "red": "bold red"}
SIGNS = {"green": "●", "amber": "▲", "red": "■"}
HTML_COLOURS = {"green": "#1b7837", "amber": "#b35806", "red": "#b2182b"}
HEADINGS = {"covered": "full", "coverage_pct": "%"}
UNSHOWN = ("missing", "found")  # in the JSON, and in the findings where there are any
PHASE_TITLES: dict[int | str, str] = {
    2: "2 raw",
    3: "3 analytics",
    4: "4 precompute",
    "ml": "ml readiness",
    5: "5 predictions",
}
# a verb with options and their values, names of checks and folders; and the one statement that no verb executes
COMMAND = re.compile(
    r"(\brunbook [a-z]+(?: (?:--[a-z-]+|[A-Z][A-Z-]*\b|\d[\w,-]*|ml\b|\w+_[\w,]+))*|DROP TABLE \w+\.\w+)"
)
WIDTH = 150  # where nobody looks at a terminal


def verdict_text(verdict: Verdict, limit: int | None = None) -> RenderableType:
    """A verdict for the terminal: one table, the sentence, the findings, and below each run of them what mends them."""
    parts: list[RenderableType] = [_rich_table(verdict.table)] if verdict.table else []
    parts.append(
        Text(
            f"{SIGNS[verdict.verdict]} {verdict.gate}: {verdict.verdict.upper()}  {verdict.sentence}",
            COLOURS[verdict.verdict],
        )
    )
    shown = verdict.findings[:limit]
    for finding, following in zip_longest(shown, shown[1:]):
        parts.append(Text(f"  {SIGNS[finding.severity]} {finding.where}: {finding.what}", COLOURS[finding.severity]))
        last_of_its_kind = following is None or following.mend != finding.mend
        parts += [Text(f"      mend: {finding.mend}", "dim")] if finding.mend and last_of_its_kind else []
    return Group(*parts)


def plain(what: RenderableType, width: int = WIDTH) -> str:
    """The same without colours, for archives and logs."""
    # without a colour system not even bold is written, which a kernel would ask for (FORCE_COLOR)
    console = Console(width=width, color_system=None, file=StringIO(), force_jupyter=False, markup=False)
    with console.capture() as captured:
        console.print(what)
    return captured.get().rstrip()


def verdict_html(verdict: Verdict, docs: str = "") -> str:
    """A verdict for a notebook; *docs* is the way from it to the folder that ``docs/`` lies in."""
    colour = HTML_COLOURS[verdict.verdict]
    head = f'<p style="border-left:6px solid {colour};padding-left:8px"><b>{SIGNS[verdict.verdict]} {escape(verdict.gate)}: {verdict.verdict}</b> {escape(verdict.sentence)}</p>'
    shown = verdict.findings
    items = "".join(
        f'<li style="color:{HTML_COLOURS[f.severity]}">{SIGNS[f.severity]} <b>{escape(f.where)}</b>: {escape(f.what)}'
        + (f"<br>mend: {_mend_html(f.mend)}" if f.mend and (g is None or g.mend != f.mend) else "")
        + (f' <a href="{escape(docs + f.doc)}">what it means, where it comes from</a>' if f.doc else "")
        + "</li>"
        for f, g in zip_longest(shown, shown[1:])
    )
    samples = "".join(map(_sample_html, verdict.about.get("offending", ())))
    return head + rows_html(verdict.table) + (f"<ul>{items}</ul>" if items else "") + samples


def _mend_html(mend: str) -> str:
    """What mends: commands and statements as code, advice as words."""
    parts = COMMAND.split(mend)  # words, command, words, ...
    return "".join(f"<code>{escape(part)}</code>" if at % 2 else escape(part) for at, part in enumerate(parts))


def _sample_html(sample: Mapping[str, Any]) -> str:
    """The first offending rows of one check, and where all of them lie."""
    rows = [dict(zip(sample["columns"], row, strict=True)) for row in sample["rows"]]
    place = f", all of them in <code>{escape(sample['file'])}</code>" if "file" in sample else ""
    head = f"<p><b>{escape(sample['check'])}</b>: {len(rows)} of {sample['total']} offending rows{place}</p>"
    return head + rows_html(rows)


def rows_html(rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows of equal keys as an HTML table: text to the left, numbers to the right."""
    if not rows:
        return ""
    names = [name for name in rows[0] if name not in UNSHOWN]
    side = {name: "right" if isinstance(rows[0][name], (int, float)) else "left" for name in names}
    side |= {
        name: "left;white-space:nowrap" for name in ("phase", "table", "state", "verdict") if side.get(name) == "left"
    }
    head = "".join(f'<th style="text-align:{side[name]}">{escape(HEADINGS.get(name, name))}</th>' for name in names)
    body = "".join(
        "<tr>"
        + "".join(
            f'<td style="text-align:{side[name]}{_dot(name, row[name])}">{escape(_cell(name, row[name]))}</td>'
            for name in names
        )
        + "</tr>"
        for row in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _dot(name: str, value: Any) -> str:
    """The colour of a verdict's sign; its shape says the same in black and white."""
    return f";color:{HTML_COLOURS[value]}" if name == "verdict" and value in HTML_COLOURS else ""


def table_of(rows: Sequence[Mapping[str, Any]], title: str | None = None) -> RenderableType:
    """Rows of equal keys as a terminal table."""
    return _rich_table(rows, title)


def _rich_table(rows: Sequence[Mapping[str, Any]], title: str | None = None) -> Table:
    table = Table(title=title, title_justify="left", header_style="bold", box=SIMPLE, padding=(0, 1, 0, 0))
    names = [name for name in (rows[0] if rows else {}) if name not in UNSHOWN]
    for name in names:
        numeric = isinstance(rows[0][name], (int, float))
        table.add_column(
            HEADINGS.get(name, name), justify="right" if numeric else "left", no_wrap=name == "table" or numeric
        )
    for row in rows:
        table.add_row(*(Text(_cell(name, row[name]), COLOURS.get(str(row[name]), "")) for name in names))
    return table


def _cell(name: str, value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.1f}"
    if name == "table":
        return str(value).rpartition(".")[2]
    return f"{SIGNS[value]} {value}" if name == "verdict" and value in SIGNS else str(value)


def terminal() -> Console:
    """The console to print to: as wide as the terminal, wide where output is piped."""
    console = Console(highlight=False, markup=False)  # what is in brackets is a section or a mark, and no style
    return console if console.is_terminal else Console(highlight=False, markup=False, width=WIDTH)
