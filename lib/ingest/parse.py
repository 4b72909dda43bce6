"""Strict parsing: each distinct text is read once, and the first row of one that is no value is placed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from lib.ingest.kinds import PARSERS, Field
from lib.ingest.query import arrow
from lib.ingest.teams import code_sql

_LEFT, _RIGHT = code_sql("split_part(x, ' ', 1)"), code_sql("split_part(x, ' ', 3)")
_AWAY = "split_part(x, ' ', 2) = '@'"
# Who plays whom, by the row's own matchup: ``A @ B`` says that B is at home, ``A vs. B`` that A is.
SIDES = {
    "said_home": f"CASE WHEN {_AWAY} THEN {_RIGHT} ELSE {_LEFT} END",
    "said_away": f"CASE WHEN {_AWAY} THEN {_LEFT} ELSE {_RIGHT} END",
}
# What each type of value is in Arrow; text where it is not named.
_ARROW = {
    "integer": pa.int64(),
    "number": pa.float64(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us"),
    "flag": pa.bool_(),
}


@dataclass(frozen=True)
class Parsed:
    """Typed columns by name, and per field that has one the place of the first text that is no value."""

    columns: dict[str, pa.Array]
    wrong: dict[Field, int]


def parse(con: duckdb.DuckDBPyConnection, fields: Sequence[Field], texts: pa.Table) -> Parsed:
    """Reads the columns of *texts* as *fields* say; a matchup also gives the two teams that it names."""
    columns: dict[str, pa.Array] = {}
    wrong: dict[Field, int] = {}
    for kind in dict.fromkeys(field.type for field in fields):
        alike = [field for field in fields if field.type == kind]
        parsed = _parse_alike(con, alike, texts) if texts.num_rows else _nothing(alike)
        columns |= parsed.columns
        wrong |= parsed.wrong
    return Parsed(columns, {field: wrong[field] for field in fields if field in wrong})


def _nothing(fields: Sequence[Field]) -> Parsed:
    names = [name for field in fields for name in (field.name, *_sides(field))]
    return Parsed({name: pa.array([], _ARROW.get(fields[0].type, pa.string())) for name in names}, {})


def _sides(field: Field) -> dict[str, str]:
    return SIDES if field.type == "matchup" else {}


def _parse_alike(con: duckdb.DuckDBPyConnection, fields: Sequence[Field], texts: pa.Table) -> Parsed:
    """Columns of one type share their distinct texts, so that these are read in one query."""
    chunks = [chunk for field in fields for chunk in texts[field.name].chunks]
    encoded = pc.dictionary_encode(pa.concat_arrays(chunks), null_encoding="encode")
    values = _read(con, fields[0], encoded.dictionary)
    columns: dict[str, pa.Array] = {}
    wrong: dict[Field, int] = {}
    for number, field in enumerate(fields):
        rows = values.take(encoded.indices.slice(number * texts.num_rows, texts.num_rows))
        columns |= {field.name: rows["value"], **{name: rows[name] for name in _sides(field)}}
        faults = rows["misfit"] if field.nullable else pc.or_(rows["misfit"], rows["empty"])
        if (place := pc.index(faults, True).as_py()) >= 0:
            wrong[field] = place
    return Parsed(columns, wrong)


def _read(con: duckdb.DuckDBPyConnection, field: Field, texts: pa.Array) -> pa.Table:
    con.register("texts", pa.table({"place": pa.array(range(len(texts))), "text": texts}))
    nothing = "('')" if field.type == "text" else "('', 'nan')"
    pattern, value = PARSERS[field.type]
    outputs = {"value": value.replace("{x}", "x"), **_sides(field)}
    listed = ", ".join(f"CASE WHEN fits THEN {sql} END AS {name}" for name, sql in outputs.items())
    return arrow(
        con,
        f"""WITH cleaned AS (
          SELECT place, CASE WHEN lower(trim(text)) NOT IN {nothing} THEN trim(text) END AS x FROM texts
        ), matched AS (SELECT *, coalesce(regexp_full_match(x, '{pattern}'), FALSE) AS fits FROM cleaned),
        parsed AS (SELECT *, {listed} FROM matched)
        SELECT {", ".join(outputs)}, x IS NULL AS empty, x IS NOT NULL AND (NOT fits OR value IS NULL) AS misfit
        FROM parsed ORDER BY place""",
    )
