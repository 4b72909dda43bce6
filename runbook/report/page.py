"""The page of a run: static, of one file, without a script, and forbidden by its own policy to ask for anything."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from lib.charts import Picture
from lib.files import write_whole
from lib.settings import load_settings
from lib.show import HEADINGS, SIGNS, UNSHOWN
from lib.warehouse import Warehouse
from runbook.report.cells import parts_of
from runbook.report.facts import Facts, now
from runbook.signing.check import Book, read_book, subject_faults
from runbook.signing.evidence import faults_of, read_manifest
from runbook.signing.signers import trusted

HERE = Path(__file__).parent
INDEX = "index.html"
# archives keep keys in alphabetical order; a person reads what it is first, then how much, then the verdict
FIRST = (
    "table",
    "rule",
    "check",
    "system",
    "feature",
    "name",
    "from",
    "to",
    "covered",
    "expected",
    "eligible",
    "coverage_pct",
)
LAST = ("verdict",)


def write_report(folder: Path, warehouse: Warehouse, book: Book | None = None) -> Path:
    """Writes ``index.html`` into a run's folder, from what lies there; nothing that is evidence is touched.

    Raises CannotJudge where the folder holds no manifest.
    """
    known = book or read_book(folder.parent, trusted(warehouse), roles=load_settings().signing.roles)
    facts = Facts(folder.resolve(), read_manifest(folder), known, _faults(folder, known))
    notebooks = [(record, parts_of(folder / record.archive)) for record in facts.manifest.steps]
    page = rendered("run.html.jinja", facts=facts, manifest=facts.manifest, notebooks=notebooks, made=now())
    write_whole(folder / INDEX, page.encode(), "page")
    return folder / INDEX


def _faults(folder: Path, book: Book) -> list[str]:
    signed = [
        line.envelope for line in book.lines if line.entry.run == folder.name and line.predicate and line.envelope
    ]
    found = [*faults_of(folder), *(fault for envelope in signed for fault in subject_faults(folder, envelope))]
    return list(dict.fromkeys(found))


def rendered(template: str, **values: Any) -> str:
    """A page from its template, with the one style sheet and the policy that allows it and nothing else."""
    style = (HERE / "style.css").read_text()
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; img-src data:; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    return _environment().get_template(template).render(style=Markup(style), policy=policy, **values)


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"cell": _cell, "figure": _figure, "moment": lambda t: f"{t:%Y-%m-%d %H:%M:%S} UTC"}
    environment.globals |= {"SIGNS": SIGNS, "columns": _columns, "is_number": _is_number}
    return environment


def _columns(rows: Any) -> list[tuple[str, str]]:
    """Key and heading of each column of a gate's figures."""
    first = rows[0] if isinstance(rows, list) and rows and isinstance(rows[0], Mapping) else {}
    place = {key: at for at, key in enumerate(FIRST)} | dict.fromkeys(LAST, 999)
    keys = sorted((str(key) for key in first if key not in UNSHOWN), key=lambda key: place.get(key, len(FIRST)))
    return [(key, HEADINGS.get(key, key.replace("_", " "))) for key in keys]


def _cell(value: Any, key: str = "") -> str:
    if key == "table":
        return str(value).rpartition(".")[2]
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:,.2f}".rstrip("0").rstrip(".")
    if isinstance(value, int):
        return f"{value:,}"
    return f"{SIGNS[value]} {value}" if isinstance(value, str) and value in SIGNS else str(value)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float))


def _figure(picture: Picture) -> Markup:
    """A picture of ours in the page itself, so that its bars tell what they are when the mouse rests on them."""
    return Markup(picture.svg())
