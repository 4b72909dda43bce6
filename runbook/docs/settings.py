"""The reference of ``runbook.toml``, read off the settings that validate it."""

from __future__ import annotations

import json
import types
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from lib.settings import EXCLUSION_RULES, EXPECTED, Settings
from lib.waivers import EXCLUDED_PCT, FILLED, FLOORS, PLAYERS
from runbook.docs.markdown import table

HEADS = ("key", "type", "default", "meaning", "floor")
WORDS: Mapping[Any, str] = {
    str: "text",
    int: "whole number",
    float: "number",
    bool: "true or false",
    date: "date",
    Path: "folder",
}
BOUNDS = {"Ge": "≥", "Gt": ">", "Le": "≤"}
REPEATED = {"tables": '[tables], a line `"dataset.table" = { … }` each', "exclusions": "[[exclusions]], one block each"}


def settings_page() -> str:
    """The page as Markdown."""
    own = {name: field for name, field in Settings.model_fields.items() if _section(field) is None}
    parts = [
        "# runbook.toml",
        "This page is made from the code by `make docs`. `runbook.toml` holds the few facts that SQL cannot say. It is checked"
        " when it is read: an unknown key, table, column or rule is refused by name, exit code 2. `RUNBOOK_CONFIG` names"
        " another file.",
        "A **floor** is what one person alone may not go below. Below it the gate stays as it is judged, but the phase needs"
        " two signers and its state reads COMPLETE WITH WAIVER. An exclusion needs the same where it covers dates that have"
        f" raw data, or more than {EXCLUDED_PCT} % of a season's dates.",
        "## At the top",
        _keys(own, ""),
        *(part for name, field in Settings.model_fields.items() if (part := _part(name, field))),
        "## Rules of exclusion",
        "A rule is resolved against the schedule, and against raw data where it says so, each time a gate judges. Gate and"
        " sign-off name the rule and the dates that it covers in their range. A date that comes under it, or no longer does,"
        " makes a signed phase STALE, and a reviewed plan is refused. Floors hold for dates by rule as for any other.",
        table(("rule", "which dates"), [(f"`{name}`", which) for name, which in EXCLUSION_RULES.items()]),
        "## Rules of expected keys",
        "A rule is a GoogleSQL file of `lib/expected`. It reads the schedule and the raw data, never the table it judges.",
        table(("rule", "which keys"), [(f"`{path.stem}`", _comment(path)) for path in sorted(EXPECTED.glob("*.sql"))]),
    ]
    return "\n\n".join(parts) + "\n"


def _part(name: str, field: FieldInfo) -> str | None:
    facts = _section(field)
    if facts is None:
        return None
    text = " ".join((facts.__doc__ or "").replace("``", "`").split())
    return f"## {REPEATED.get(name, f'[{name}]')}\n\n{text}\n\n{_keys(facts.model_fields, '' if name in REPEATED else name)}"


def _section(field: FieldInfo) -> type[BaseModel] | None:
    """The model of a field that is a section of its own, else None."""
    kinds = [field.annotation, *get_args(field.annotation)]
    return next((kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)), None)


def _keys(fields: Mapping[str, FieldInfo], section: str) -> str:
    rows = [
        (f"`{name}`", _type(field), _default(field), field.description or "", _floor(section, name))
        for name, field in fields.items()
    ]
    floors = any(row[-1] for row in rows)
    return table(HEADS, rows) if floors else table(HEADS[:-1], [row[:-1] for row in rows])


def _type(field: FieldInfo) -> str:
    bounds = {type(item).__name__: item for item in field.metadata}
    said = [f"{sign} {getattr(bounds[name], name.lower()):g}" for name, sign in BOUNDS.items() if name in bounds]
    return ", ".join([_word(field.annotation), *said])


def _word(kind: Any) -> str:
    inner = [part for part in get_args(kind) if part is not type(None) and part is not Ellipsis]
    origin = get_origin(kind)
    if origin is Literal:
        return " or ".join(f'"{choice}"' for choice in inner)
    if origin in (Union, types.UnionType):
        return _word(inner[0])
    if origin is tuple:
        return f"list of {_word(inner[0])}" if Ellipsis in get_args(kind) else f"{len(inner)} × {_word(inner[0])}"
    if origin is dict:
        return f"table: {_word(inner[0])} = {_word(inner[1])}"
    return WORDS[kind]


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "must be given"
    value = field.default
    if value in (None, {}, (), ""):
        return "none"
    return f"`{json.dumps(str(value) if isinstance(value, Path) else value)}`"


def _floor(section: str, name: str) -> str:
    if section == "gates":
        return ", ".join(f"{floor:g}" for key, floor in FLOORS.values() if key == name)
    if (section, name) == ("features", "coverage"):
        return f"{', '.join(f'{column} {floor:g}' for column, floor in FILLED.items())} in `{PLAYERS}`"
    return ""


def _comment(path: Path) -> str:
    """What a SQL file says at its top."""
    lines = path.read_text().splitlines()
    comment = [
        line.removeprefix("--").strip()
        for line in lines[: next(i for i, line in enumerate(lines) if not line.startswith("--"))]
    ]
    return " ".join(comment)
