"""A correction: files whose rows take the place of the raw rows that a warehouse holds for the same tables and dates.

What would change is worked out by key first, and what does not fit is refused; then all of it is written, or nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path

import duckdb
import pyarrow as pa

from lib.contract import VOLATILE
from lib.errors import BadInput, CannotJudge
from lib.ingest.files import column_names
from lib.ingest.findings import no_source, strangers
from lib.ingest.fits import refuse_what_does_not_fit
from lib.ingest.folder import SELECTS, read_folder
from lib.ingest.kinds import recognise
from lib.ingest.model import Change, Correction
from lib.ingest.query import first_row, rows
from lib.ingest.raw_files import read_raw_files
from lib.registry import Table, registry
from lib.warehouse import EmbeddedWarehouse

SCHEDULE = "nba_raw.nbac_schedule"
LAST_FINAL = f"SELECT max(game_date) FROM {SCHEDULE} WHERE game_status = 3"


class _Rehearsed(Exception):
    """Ends a transaction of which nothing is to be kept."""


def read_correction(folder: Path) -> tuple[dict[str, pa.Table], tuple[str, ...]]:
    """The rows of *folder* by raw table, and the findings of those that came in the shapes of stats.nba.com.

    A file with the columns of a raw table is taken as it is. BadInput where nothing can be read.
    """
    own = read_raw_files(folder)
    if own.files and not any(recognise(column_names(path)) for path in own.others):
        return own.tables, tuple(strangers([path.name for path in own.others]))
    found = read_folder(folder, own.files)
    tables = {name: table for name, table in found.tables.items() if table.num_rows}
    for name, table in own.tables.items():
        tables[name] = pa.concat_tables([table, *([tables[name]] if name in tables else [])])
    empty = no_source(SELECTS)  # is said of a new warehouse; this one may have those tables from elsewhere
    return tables, tuple(finding for finding in found.findings if finding not in empty)


def correct(warehouse: EmbeddedWarehouse, folder: Path, *, rehearse: bool = False) -> Correction:
    """Replaces the raw rows of every table and date of *folder* in one transaction; *rehearse* keeps nothing of it.

    Dates whose rows are as they were are not written. Raises BadInput, with nothing changed, where the rows do not fit.
    """
    tables, findings = read_correction(folder)
    with warehouse.reading():  # refuses what is no warehouse, before anything is written
        pass
    done: list[Correction] = []
    try:
        with warehouse.writing() as connection:
            done.append(_correct(connection, tables, findings))
            if rehearse:
                raise _Rehearsed
    except _Rehearsed:
        pass
    except duckdb.Error as error:
        reason = str(error).strip().splitlines()[0]
        raise CannotJudge(f"{warehouse.place}: could not be written ({reason}). Nothing was changed") from error
    return done[0]


def _correct(
    connection: duckdb.DuckDBPyConnection, tables: Mapping[str, pa.Table], findings: tuple[str, ...]
) -> Correction:
    changes: list[Change] = []
    pairs = 0
    # the schedule first: the others are held to its games
    for name, incoming in sorted(tables.items(), key=lambda item: item[0] != SCHEDULE):
        table = registry().tables[name]
        _stage(connection, table, incoming)
        refuse_what_does_not_fit(connection, table)
        found = _differences(connection, table)
        changes += [change for change in found if change.added or change.gone or change.changed]
        pairs += len(found)
        _replace(connection, table, [change.day for change in changes if change.table == name])
    return Correction(tuple(changes), pairs - len(changes), _moved_as_of(connection), findings)


def _stage(connection: duckdb.DuckDBPyConnection, table: Table, incoming: pa.Table) -> None:
    """The folder's rows in the table's own types; NULLs are looked for afterwards, so that they can be named."""
    connection.execute(f"CREATE OR REPLACE TEMP TABLE incoming AS FROM {table.name} LIMIT 0")
    connection.register("read", incoming)
    connection.execute("INSERT INTO incoming BY NAME FROM read")
    connection.unregister("read")


def _differences(connection: duckdb.DuckDBPyConnection, table: Table) -> list[Change]:
    """One Change for every date of the folder; copies of one key are compared as a whole."""
    day, key = table.date_column, ", ".join(table.contract.key)
    values = ", ".join(name for name in table.contract.column_names if name not in VOLATILE)
    held = f"SELECT {day} AS day, row({key}) AS k, list_sort(list(hash(row({values})))) AS content"
    return [
        Change(table.name, *row)
        for row in rows(
            connection,
            f"""WITH fresh AS ({held} FROM incoming GROUP BY ALL),
            old AS ({held} FROM {table.name} WHERE {day} IN (SELECT {day} FROM incoming) GROUP BY ALL)
            SELECT coalesce(fresh.day, old.day) AS day, count(*) FILTER (old.k IS NULL),
              count(*) FILTER (fresh.k IS NULL), count(*) FILTER (fresh.content <> old.content)
            FROM fresh FULL JOIN old ON fresh.day = old.day AND fresh.k = old.k
            GROUP BY 1 ORDER BY 1""",
        )
    ]


def _replace(connection: duckdb.DuckDBPyConnection, table: Table, days: list[date]) -> None:
    chosen = f"{table.date_column} IN (SELECT unnest(?::DATE[]))"
    connection.execute(f"DELETE FROM {table.name} WHERE {chosen}", [days])
    connection.execute(f"INSERT INTO {table.name} FROM incoming WHERE {chosen}", [days])


def _moved_as_of(connection: duckdb.DuckDBPyConnection) -> date:
    """The warehouse speaks for the day after its last final game, and never for less than before."""
    noted = first_row(connection, "SELECT value FROM runbook.meta WHERE name = 'as_of'")
    last = first_row(connection, LAST_FINAL)
    if noted is None or last is None or last[0] is None:
        raise BadInput("the warehouse has no as-of or no final game: make a new one with 'runbook ingest DIR'")
    last_final: date = last[0]
    before, after = date.fromisoformat(noted[0]), last_final + timedelta(days=1)
    if after > before:
        connection.execute("UPDATE runbook.meta SET value = ? WHERE name = 'as_of'", [str(after)])
    return max(before, after)
