"""Random corruptions of Phases 3 and 4 behind the runbook's back: receipts find all of them; without receipts, how many?

The corrupted rows are those of the pocket league. What is printed is the table of ``docs/limits.md``.
"""

from __future__ import annotations

import os
import random
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest

from lib.calendar import read_calendar
from lib.checks import SETS, run_set
from lib.checks.model import RECEIPTS
from lib.contract import Column
from lib.coverage import Judge, key_parts
from lib.gates import coverage_gate
from lib.registry import Table, registry
from lib.settings import Settings, load_settings
from lib.warehouse import EmbeddedWarehouse, connect
from runbook.drills.ground import pocket_settings
from tests.lib.at_work import change

COUNT = int(os.environ.get("MUTATIONS", "240"))
PHASES = (3, 4)
HASH = "rows_fit_their_hash"
Seen = set[tuple[str, str]]


@dataclass(frozen=True)
class Mutation:
    """One corruption: what kind, where, and the statements that do it."""

    kind: str
    table: Table
    day: date
    column: str
    sql: str


class Mutator:
    """Makes mutations of one warehouse, each of a date of its own as far as there are dates."""

    def __init__(self, warehouse: EmbeddedWarehouse, chance: random.Random, settings: Settings) -> None:
        self._chance = chance
        with warehouse.reading() as session:
            calendar = read_calendar(session, settings)
            days = calendar.expected_dates(settings.start_date, calendar.as_of)
            self._game_dates = days
        with warehouse.writing() as connection:
            self._tables = [t for t in registry().computed if settings.phase_of(t.name) in PHASES]
            self._rows = {
                t.name: connection.execute(
                    f"SELECT rowid, {t.date_column} FROM {t.name} ORDER BY {', '.join(t.contract.key)}"
                ).fetchall()
                for t in self._tables
            }
        self._used: set[tuple[str, date]] = set()

    def make(self, kind: str) -> Mutation:
        """One mutation of *kind*, of a table and date that no other one touches."""
        while True:
            table = self._chance.choice(self._tables)
            row, day = self._chance.choice(self._rows[table.name])
            if (table.name, day) not in self._used:
                self._used.add((table.name, day))
                column, sql = getattr(self, f"_{kind.replace(' ', '_')}")(table, row, day)
                return Mutation(kind, table, day, column, sql)

    def _columns(self, table: Table, fits: Callable[[Column], bool]) -> list[Column]:
        fixed = {*table.contract.key, table.date_column, "data_hash", "season_year"}
        business = set(table.contract.business_columns) - fixed
        return [column for column in table.contract.columns if column.name in business and fits(column)]

    def _value_changed(self, table: Table, row: int, day: date) -> tuple[str, str]:
        column = self._chance.choice(self._columns(table, lambda c: not c.type.startswith("ARRAY")))
        return column.name, f"UPDATE {table.name} SET {column.name} = {_other(column)} WHERE rowid = {row}"

    def _null(self, table: Table, row: int, day: date) -> tuple[str, str]:
        # an array is never NULL where it is stored: GoogleSQL takes NULL for the empty one, and so does the hash
        column = self._chance.choice(self._columns(table, lambda c: not (c.required or c.type.startswith("ARRAY"))))
        return column.name, f"UPDATE {table.name} SET {column.name} = NULL WHERE rowid = {row}"

    def _row_doubled(self, table: Table, row: int, day: date) -> tuple[str, str]:
        return "", f"INSERT INTO {table.name} SELECT * FROM {table.name} WHERE rowid = {row}"

    def _row_gone(self, table: Table, row: int, day: date) -> tuple[str, str]:
        return "", f"DELETE FROM {table.name} WHERE rowid = {row}"

    def _keys_swapped(self, table: Table, row: int, day: date) -> tuple[str, str]:
        entity = key_parts(table.contract)[1]
        here = f"(SELECT {entity} FROM {table.name} WHERE rowid = {row})"
        there = f"SELECT min(rowid) FROM {table.name} WHERE {table.date_column} = DATE '{day}' AND {entity} != {here}"
        return entity, (
            f"CREATE OR REPLACE TEMP TABLE pair AS SELECT rowid AS id, {entity} AS name FROM {table.name}"
            f" WHERE rowid = {row} OR rowid = ({there});"
            f"UPDATE {table.name} SET {entity} = (SELECT name FROM pair WHERE id != {table.name}.rowid)"
            f" WHERE rowid IN (SELECT id FROM pair)"
        )

    def _date_shifted(self, table: Table, row: int, day: date) -> tuple[str, str]:
        place = self._game_dates.index(day)
        other = self._game_dates[place - 1 if place else 1]
        return table.date_column, f"UPDATE {table.name} SET {table.date_column} = DATE '{other}' WHERE rowid = {row}"


KINDS = ("value changed", "null", "row doubled", "row gone", "keys swapped", "date shifted")


def _other(column: Column) -> str:
    """Another value of the column's type, NULL or not before."""
    name = column.name
    if column.type == "BOOL":
        return f"NOT COALESCE({name}, FALSE)"
    if column.type == "STRING":
        return f"concat(COALESCE({name}, ''), 'x')"
    if column.type == "TIMESTAMP":
        return f"COALESCE({name}, TIMESTAMP '2024-01-01') + INTERVAL 1 HOUR"
    return f"COALESCE({name}, 0) + (CASE WHEN abs(COALESCE({name}, 0)) > 2 THEN 1 ELSE 0.1 END)::{_numeric(column)}"


def _numeric(column: Column) -> str:
    return "DECIMAL(4, 1)" if column.base_type == "NUMERIC" else "DOUBLE" if column.type == "FLOAT64" else "INTEGER"


@pytest.fixture(scope="module")
def pocket_rules(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return load_settings(pocket_settings(tmp_path_factory.mktemp("settings")))


def _copy(source: Path, folder: Path) -> EmbeddedWarehouse:
    shutil.copy(source, folder / "mutated.duckdb")
    return connect(f"duckdb:///{folder / 'mutated.duckdb'}", wait=20)  # type: ignore[return-value]


def _damaged(warehouse: EmbeddedWarehouse, made: list[Mutation]) -> list[Mutation]:
    """Does the damage, all in one transaction, in which row ids stay; gives what changed anything, at most COUNT."""
    done: list[Mutation] = []
    with warehouse.writing() as connection:
        for mutation in made:
            rows = f"SELECT {', '.join(mutation.table.contract.business_columns)} FROM {mutation.table.name}"
            connection.execute(f"CREATE OR REPLACE TEMP TABLE before AS {rows}")
            connection.execute(mutation.sql)
            differ = (
                f"SELECT count(*) FROM ((({rows}) EXCEPT ALL FROM before) UNION ALL (FROM before EXCEPT ALL ({rows})))"
            )
            found = connection.execute(differ).fetchone()
            done += [mutation] if found and found[0] else []  # a NULL may have been NULL, a team alone on its date
            if len(done) == COUNT:
                break
    return done


def _seen(warehouse: EmbeddedWarehouse, settings: Settings) -> Seen:
    """What gates and checks say, without what only says that something else wrote the rows."""
    with warehouse.reading() as session:
        judge = Judge(session, settings, calendar := read_calendar(session, settings))
        first, last = settings.start_date, calendar.as_of
        sets = tuple(name for name in SETS if name != RECEIPTS)
        verdicts = [
            v for p in PHASES for v in (coverage_gate(judge, p, first, last), run_set(judge, p, first, last, sets))
        ]
    return {(f.severity, f.where) for v in verdicts for f in v.findings if "written by something else" not in f.what}


def _mutations(mutator: Mutator, count: int) -> Iterator[Mutation]:
    for number in range(count):
        yield mutator.make(KINDS[number % len(KINDS)])


@pytest.mark.torture
@pytest.mark.timeout(3600)
def test_receipts_find_every_corruption_and_the_rest_is_counted(
    whole_file: Path, pocket_rules: Settings, tmp_path: Path
) -> None:
    settings = pocket_rules
    seed = int(os.environ.get("SEED", random.randrange(10**6)))
    print(f"\nseed {seed}, {COUNT} corruptions")
    whole = _copy(whole_file, tmp_path)
    made = list(_mutations(Mutator(whole, random.Random(seed), settings), COUNT * 2))
    shutil.copy(whole_file, whole.path)
    done = _damaged(whole, made)
    with whole.reading() as session:
        judge = Judge(session, settings, calendar := read_calendar(session, settings))
        covered = judge.cover(PHASES, settings.start_date, calendar.as_of)
    ill = {
        (name, state.day)
        for name, coverage in covered.items()
        for state in coverage.days
        if state.todo and "has to be computed first" not in state.todo and "input" not in state.todo
    }
    unseen = [f"{m.kind} {m.table.name} {m.day} {m.column}" for m in done if (m.table.name, m.day) not in ill]
    assert len(done) == COUNT
    assert unseen == []
    _without_receipts(whole_file, whole, settings, done)


def _without_receipts(whole_file: Path, whole: EmbeddedWarehouse, settings: Settings, done: list[Mutation]) -> None:
    """One corruption at a time, in a warehouse that something else wrote; prints what was noticed, by kind.

    First by what checks derive, then with the hash that the program which wrote the rows left in them.
    """
    total = Counter(mutation.kind for mutation in done)
    derived: Counter[str] = Counter()
    noticed: Counter[str] = Counter()
    missed: Counter[str] = Counter()
    for mutation in done:
        shutil.copy(whole_file, whole.path)
        change(whole, "DELETE FROM runbook.receipts")
        change(whole, mutation.sql)
        told = {where for _, where in _seen(whole, settings)}
        noticed[mutation.kind] += bool(told)
        derived[mutation.kind] += bool(told - {HASH})
        if not told - {HASH}:
            name = mutation.table.name.partition(".")[2]
            missed[f"{mutation.kind}: {name} {mutation.column}{'' if told else ', not by its hash either'}"] += 1
    print(
        "| kind | corruptions | receipts find | checks derive | with the rows' hash |\n| --- | --- | --- | --- | --- |"
    )
    for kind in KINDS:
        print(
            f"| {kind} | {total[kind]} | {total[kind]} | {_share(derived, total, kind)} | {_share(noticed, total, kind)} |"
        )
    every = sum(total.values())
    print(f"| all | {every} | {every} | {_share(derived, total)} | {_share(noticed, total)} |")
    print("not derived:", *(f"{count} x {name}" for name, count in sorted(missed.items())), sep="\n  ")
    assert derived["row doubled"] == total["row doubled"]
    assert derived["row gone"] == total["row gone"]
    assert noticed["value changed"] == total["value changed"]
    assert noticed["null"] == total["null"]


def _share(found: Counter[str], total: Counter[str], kind: str = "") -> str:
    part, whole = (found[kind], total[kind]) if kind else (sum(found.values()), sum(total.values()))
    return f"{part} ({100 * part / whole:.0f} %)"
