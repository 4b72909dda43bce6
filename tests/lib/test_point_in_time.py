"""No figure of a date knows anything of that date or of later ones.

The pocket league is computed as it is, and again in worlds in which the future is another one.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterable
from datetime import date
from functools import cache
from typing import Any

import pytest

from lib.dialect import to_duckdb
from lib.league import pocket_league
from lib.registry import Table, registry
from tests.lib.memory import Memory, bounds
from tests.lib.raw_rows import season_of
from tests.lib.varied import game_days

Row = dict[str, Any]
World = dict[str, list[Row]]

SEASON = 2023
PREPARED = [t.name for t in registry().computed if "upcoming_" in t.name or not t.name.startswith("nba_analytics.")]
OUTCOMES = [t.name for t in registry().computed if t.name not in PREPARED]  # what Phase 3 makes of a game
PLAYER_BOXES = ("nba_raw.nbac_gamebook_player_stats", "nba_raw.bdl_player_boxscores")
BOXES = (*PLAYER_BOXES, "nba_raw.nbac_team_boxscore", "nba_raw.bigdataball_play_by_play")
KEYS = ("season_year", "event_id", "is_home", "player_2_role", "event_type")  # what a row is about, not what happened
BEFORE = re.compile(r"(\w+\.game_date) < (\w+\.(?:game_date|analysis_date|cache_date|due_date))")
CONTEXT = "nba_analytics.upcoming_player_game_context"
# who is eligible is counted on the schedule; who is reported out has no game that day
HARMLESS = ("played.game_date < due_dates.game_date", "history.game_date < injured.game_date")
MINIMUM_GAMES = {"minimum_games": 5}


@cache
def raw() -> World:
    """One season of the pocket league."""
    tables = {name: table.to_pylist() for name, table in pocket_league().tables.items()}
    return {name: [row for row in rows if _in_season(row)] for name, rows in tables.items()}


def _in_season(row: Row) -> bool:
    return "game_date" not in row or season_of(row["game_date"]) == SEASON


@cache
def season_days() -> tuple[date, ...]:
    return tuple(game_days(raw()))


@cache
def drawn_days() -> tuple[date, ...]:
    """Two dates, late enough for every window to be full."""
    return tuple(sorted(random.Random(20240105).sample(season_days()[25:], 2)))


def prepared(world: World, day: date, without_outcome: bool = False) -> Memory:
    """*world* computed up to *day*; *without_outcome*: before the games of *day* are in Phase 3."""
    memory = Memory(world)
    start, days = season_days()[0], [d for d in season_days() if d <= day]
    for name in OUTCOMES:
        held = [d for d in days if d < day or not without_outcome]
        memory.insert(registry().table(name), memory.select(name, bounds(held, start)))
    for name in PREPARED:
        memory.insert(registry().table(name), memory.select(name, bounds([day], start) | MINIMUM_GAMES))
    return memory


def rows_of(memory: Memory, table: Table, day: date, sql: str | None = None) -> list[Row]:
    """The rows of *day* in *table*, without what changes from run to run; *sql*: by another SELECT than its own."""
    text = f"SELECT * FROM {table.name}"
    parameters: dict[str, object] = {}
    if sql:
        text, parameters = to_duckdb(sql, table.contract), bounds([day], season_days()[0]) | MINIMUM_GAMES
    rows = memory.query(text, parameters)
    return sorted(({name: row[name] for name in table.contract.business_columns} for row in rows), key=str)


def changed(day: date, chance: random.Random) -> World:
    """Another outcome: every figure in the boxes and the play-by-play of *day* is another one."""
    return raw() | {name: [_changed(row, day, chance) for row in raw()[name]] for name in BOXES}


def _changed(row: Row, day: date, chance: random.Random) -> Row:
    if row["game_date"] != day:
        return row
    return {name: value if name in KEYS else _another(value, chance) for name, value in row.items()}


def _another(value: Any, chance: random.Random) -> Any:
    if isinstance(value, bool):
        return not value
    if isinstance(value, (int, float)):
        return type(value)(value + chance.randint(1, 9))
    if isinstance(value, str) and re.fullmatch(r"\d+:\d\d", value):
        return f"{chance.randint(3, 40)}:{chance.randint(10, 59)}"
    return value


def without_later_games(day: date) -> World:
    """The world as it stands on the evening of *day*."""
    return {
        name: [row for row in rows if row.get("game_date", day) <= day and row.get("report_date", day) <= day]
        for name, rows in raw().items()
    }


@pytest.fixture(scope="module", params=drawn_days(), ids=str)
def day(request: pytest.FixtureRequest) -> date:
    drawn: date = request.param
    return drawn


@cache
def as_it_was(day: date) -> Memory:
    return prepared(raw(), day)


@cache
def with_another_outcome(day: date) -> Memory:
    return prepared(changed(day, random.Random(day.toordinal())), day)


@cache
def without_its_outcome(day: date) -> Memory:
    return prepared(raw(), day, without_outcome=True)


def differing(day: date, other: Memory) -> list[str]:
    """The tables whose rows of *day* are other ones in another world."""
    tables = [registry().table(name) for name in PREPARED]
    return [t.name for t in tables if rows_of(as_it_was(day), t, day) != rows_of(other, t, day)]


def test_every_prepared_table_holds_rows_to_compare(day: date) -> None:
    assert [name for name in PREPARED if not rows_of(as_it_was(day), registry().table(name), day)] == []


def test_what_happens_on_a_date_changes_nothing_in_its_rows(day: date) -> None:
    assert differing(day, with_another_outcome(day)) == []


def test_games_after_a_date_change_nothing_in_its_rows(day: date) -> None:
    assert differing(day, prepared(without_later_games(day), day)) == []


def test_the_outcome_of_a_date_need_not_be_computed_for_its_rows(day: date) -> None:
    assert differing(day, without_its_outcome(day)) == []


def test_what_happened_in_the_last_game_before_does_change_rows(day: date) -> None:
    eve = max(d for d in season_days() if d < day and teams_of(d) & teams_of(day))
    moved = differing(day, prepared(changed(eve, random.Random(1)), day))
    # the team's context is made of the schedule, which stays as it is
    assert set(PREPARED) - set(moved) == {"nba_analytics.upcoming_team_game_context"}


def teams_of(day: date) -> set[str]:
    rows = [row for row in raw()["nba_raw.nbac_team_boxscore"] if row["game_date"] == day]
    return {row["team_abbr"] for row in rows}


# --- a leak planted into the SQL is found


def planted() -> Iterable[tuple[str, str]]:
    """Each SELECT with one of its ``<`` turned into ``<=``, and one with a window that ends a row too late."""
    for name in PREPARED:
        # six teams are too few for a league average: without this the leak would not show
        select = (registry().table(name).select or "").replace(">= 10, DIV", ">= 1, DIV")
        for match in BEFORE.finditer(select):
            if match[0] not in HARMLESS:
                yield name, f"{select[: match.start()]}{match[1]} <= {match[2]}{select[match.end() :]}"
    frame = "RANGE BETWEEN 5 PRECEDING AND"
    select = registry().table(CONTEXT).select or ""
    yield CONTEXT, select.replace(f"{frame} 1 PRECEDING", f"{frame} CURRENT ROW")


PLANTED = list(planted())


def test_leaks_are_planted_in_every_table_that_reads_outcomes() -> None:
    reading = {name for name in PREPARED if set(registry().table(name).upstream) & set(OUTCOMES)}
    assert {name for name, _ in PLANTED} == reading


@pytest.mark.parametrize(
    ("name", "sql"), PLANTED, ids=[f"{name.partition('.')[2]}-{n}" for n, (name, _) in enumerate(PLANTED)]
)
def test_a_planted_leak_is_found(name: str, sql: str) -> None:
    day, table = drawn_days()[-1], registry().table(name)
    worlds = (as_it_was(day), with_another_outcome(day), without_its_outcome(day))
    first, *others = (rows_of(memory, table, day, sql) for memory in worlds)
    assert any(rows != first for rows in others)
