"""From text to typed rows: strict parsing, doubled rows and unknown teams.

Each kind becomes one table of that name in an in-memory DuckDB: ``file`` and ``row`` say where a row came from, then
the typed columns, then ``copy``: NULL, ``doubled`` or ``doubled, but different``.
"""

from __future__ import annotations

from collections.abc import Sequence

import duckdb
import numpy as np
import pyarrow as pa

from lib.errors import BadInput
from lib.ingest.files import Source
from lib.ingest.kinds import LINES, Field, Kind
from lib.ingest.parse import SIDES, parse
from lib.ingest.query import first_row
from lib.ingest.teams import known_sql

EXHIBITION = "left(game_id, 3) IN ('001', '003')"
DOUBLED, DIFFERENT = "doubled", "doubled, but different"
WORDS = {
    "integer": "whole number",
    "game": "10-digit game id of a known kind (001 to 006)",
    "person": "id",
    "team": "team code",
    "team_id": "team id",
    "result": "W or L",
    "side": "home or away",
    "flag": "0 or 1",
    "value": "2PT or 3PT",
    "minutes": "time (36:12, 36, 36.5 or PT36M12.00S)",
    "matchup": "matchup such as AAA @ BBB or AAA vs. BBB",
}


def stage(con: duckdb.DuckDBPyConnection, kind: Kind, sources: Sequence[Source]) -> None:
    """Makes the table of *kind* from its *sources*; BadInput names file, column, row and value of what is no value."""
    texts = _together(kind, sources)
    parsed = parse(con, kind.fields, texts)
    for field, place in parsed.wrong.items():
        _refuse(kind, field, texts.slice(place, 1).to_pylist()[0])
    columns = {"file": texts["file"], "row": texts["row"], "place": np.arange(texts.num_rows), **parsed.columns}
    con.register("typed", pa.table(columns))
    _mark_copies(con, kind)
    con.unregister("typed")
    _refuse_unknown_teams(con, kind)


def _together(kind: Kind, sources: Sequence[Source]) -> pa.Table:
    schema = pa.schema([*((name, pa.string()) for name in kind.columns), ("file", pa.string()), ("row", pa.int64())])
    parts = [schema.empty_table()]
    for source in sources:
        count = source.rows.num_rows
        part = source.rows.append_column("file", pa.repeat(source.file, count))
        parts.append(part.append_column("row", pa.array(np.arange(1, count + 1))).cast(schema))
    return pa.concat_tables(parts)


def _refuse(kind: Kind, field: Field, row: dict[str, str | None]) -> None:
    text = row[field.name]
    word = WORDS.get(field.type, field.type)
    said = f"holds '{text}', which is no {word}" if text and text.strip() else "is empty"
    shown = _shown(kind, field.name)
    raise BadInput(f"{row['file']}: column {shown}, row {row['row']} {said}; mend the file or pull it again")


def _shown(kind: Kind, column: str) -> str:
    return column if kind is LINES else column.upper()


def _mark_copies(con: duckdb.DuckDBPyConnection, kind: Kind) -> None:
    """The first row of a key stays, by file name and row; the others are copies, equal to it or different."""
    key = ", ".join(kind.key)
    if not first_row(con, f"SELECT {key} FROM typed GROUP BY ALL HAVING count(*) > 1 LIMIT 1"):
        con.execute(f"CREATE TABLE {kind.name} AS SELECT *, CAST(NULL AS TEXT) AS copy FROM typed")
        return
    content = f"hash(row({', '.join(kind.columns)}))"
    con.execute(
        f"""CREATE TABLE {kind.name} AS
        SELECT * EXCLUDE (nth, content, first_content), CASE
          WHEN nth = 1 THEN NULL WHEN content = first_content THEN '{DOUBLED}' ELSE '{DIFFERENT}' END AS copy
        FROM (
          SELECT *, {content} AS content, row_number() OVER same AS nth,
            first_value({content}) OVER same AS first_content
          FROM typed WINDOW same AS (PARTITION BY {key} ORDER BY place)
        )"""
    )


def _refuse_unknown_teams(con: duckdb.DuckDBPyConnection, kind: Kind) -> None:
    shown = {field.name: field.name for field in kind.fields if field.type in ("team", "team_id")}
    if any(field.type == "matchup" for field in kind.fields):
        shown |= dict.fromkeys(SIDES, "matchup")
    excused = f"AND NOT {EXHIBITION}" if "game_id" in kind.columns else ""
    for column, name in shown.items():
        found = first_row(
            con,
            f"""SELECT file, row, {column} FROM {kind.name} WHERE NOT ({known_sql(column)}) {excused}
            ORDER BY place LIMIT 1""",
        )
        if found:
            raise BadInput(
                f"{found[0]}: column {_shown(kind, name)}, row {found[1]} names the team '{found[2]}', which is none "
                "of the thirty; take the row out or correct its code"
            )
