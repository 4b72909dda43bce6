"""The audit: a date is published whole or not at all, and what is wrong is named with key and value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date

import pytest

from lib.backfill import Backfill, Outcome
from lib.calendar import closed_range
from lib.plan import Wish, make_plan
from lib.registry import Registry, Table, registry
from lib.settings import Settings
from lib.warehouse import EmbeddedWarehouse
from tests.lib.at_work import PLAYERS, TEAM_OFFENSE, ask, contents, failures, game_dates, judging

BAD = date(2024, 11, 20)


@pytest.fixture
def bad_day(warehouse: EmbeddedWarehouse, settings: Settings) -> date:
    """The game date on which the spoiled SELECTs go wrong."""
    return next(day for day in game_dates(warehouse, settings) if day >= BAD)


def _spoiled(name: str, outer: str) -> Registry:
    """The registry with one SELECT wrapped in another; ``{inner}`` is the real one."""
    tables: dict[str, Table] = dict(registry().tables)
    inner = f"({(tables[name].select or '').strip()})"
    tables[name] = replace(tables[name], select=outer.replace("{inner}", inner))
    return Registry(tables.values())


def _week(days: list[date]) -> list[date]:
    """The bad day and the six game dates after it."""
    return [day for day in days if day >= BAD][:7]


def _run(warehouse: EmbeddedWarehouse, settings: Settings, tables: Registry, name: str) -> list[Outcome]:
    with judging(warehouse, settings, tables) as judge:
        wish = Wish(days=frozenset(_week(list(judge.calendar.games))))
        plan = make_plan(judge, [3], *closed_range(judge.calendar, settings, None, None), wish)
    return Backfill(warehouse, settings, tables=tables).run_chunks(plan.chunks_of(name))


def _changed(name: str, changes: Mapping[str, str], day: date) -> str:
    """A SELECT that gives every column, some changed on *day*."""
    columns = registry().tables[name].contract.column_names
    terms = [f"IF(game_date = DATE '{day}', {changes[c]}, {c}) AS {c}" if c in changes else c for c in columns]
    return f"SELECT {', '.join(terms)} FROM {{inner}}"


def _assert_only(
    warehouse: EmbeddedWarehouse, settings: Settings, outcomes: list[Outcome], name: str, day: date, *words: str
) -> None:
    """*day* alone failed, its reason holds *words*, and every other date was published."""
    why = failures(outcomes)
    assert set(why) == {(name, day)}
    for word in words:
        assert word in why[name, day]
    assert sorted(d for o in outcomes for d in o.published) == _week(game_dates(warehouse, settings))[1:]
    noted = ask(warehouse, "SELECT detail FROM runbook.attempts WHERE outcome = 'failed' AND table_name = @t", t=name)
    assert noted == [(why[name, day],)]


def test_a_value_too_large_for_its_type_is_named_and_left_as_it_was(
    warehouse: EmbeddedWarehouse, settings: Settings, bad_day: date
) -> None:
    before = [row for row in contents(warehouse)[TEAM_OFFENSE] if bad_day in row]
    tables = _spoiled(TEAM_OFFENSE, _changed(TEAM_OFFENSE, {"possessions": "12345678901234567890"}, bad_day))
    outcomes = _run(warehouse, settings, tables, TEAM_OFFENSE)
    _assert_only(warehouse, settings, outcomes, TEAM_OFFENSE, bad_day, "possessions 12345678901234567890 does not fit")
    assert [row for row in contents(warehouse)[TEAM_OFFENSE] if bad_day in row] == before


def test_a_required_value_too_large_for_its_type_is_named_by_its_value_not_as_null(
    warehouse: EmbeddedWarehouse, settings: Settings, bad_day: date
) -> None:
    wide = _changed(TEAM_OFFENSE, {"season_year": "12345678901234567890"}, bad_day)
    outcomes = _run(warehouse, settings, _spoiled(TEAM_OFFENSE, wide), TEAM_OFFENSE)
    _assert_only(warehouse, settings, outcomes, TEAM_OFFENSE, bad_day, "season_year 12345678901234567890 does not fit")


def test_a_required_value_that_is_missing_is_named(
    warehouse: EmbeddedWarehouse, settings: Settings, bad_day: date
) -> None:
    tables = _spoiled(TEAM_OFFENSE, _changed(TEAM_OFFENSE, {"season_year": "NULL"}, bad_day))
    outcomes = _run(warehouse, settings, tables, TEAM_OFFENSE)
    _assert_only(warehouse, settings, outcomes, TEAM_OFFENSE, bad_day, "season_year is NULL", f"{bad_day:%Y%m%d}_")


def test_a_query_that_breaks_on_one_date_is_halved_until_that_date_stands_alone(
    warehouse: EmbeddedWarehouse, settings: Settings, bad_day: date
) -> None:
    breaks = _changed(TEAM_OFFENSE, {"assists": "CAST(CONCAT('not a number ', team_abbr) AS INT64)"}, bad_day)
    outcomes = _run(warehouse, settings, _spoiled(TEAM_OFFENSE, breaks), TEAM_OFFENSE)
    _assert_only(warehouse, settings, outcomes, TEAM_OFFENSE, bad_day, "not a number")


def test_an_expected_key_that_was_not_computed_is_refused(
    warehouse: EmbeddedWarehouse, settings: Settings, bad_day: date
) -> None:
    ((team,),) = ask(warehouse, f"SELECT MIN(team_abbr) FROM {TEAM_OFFENSE} WHERE game_date = @d", d=bad_day)
    drops = f"SELECT * FROM {{inner}} WHERE NOT (game_date = DATE '{bad_day}' AND team_abbr = '{team}')"
    outcomes = _run(warehouse, settings, _spoiled(TEAM_OFFENSE, drops), TEAM_OFFENSE)
    _assert_only(warehouse, settings, outcomes, TEAM_OFFENSE, bad_day, "1 of ", f"for instance {team}")


def test_a_key_that_comes_twice_is_refused_by_name(
    warehouse: EmbeddedWarehouse, settings: Settings, bad_day: date
) -> None:
    doubles = f"SELECT * FROM {{inner}} UNION ALL SELECT * FROM {{inner}} WHERE game_date = DATE '{bad_day}'"
    outcomes = _run(warehouse, settings, _spoiled(TEAM_OFFENSE, doubles), TEAM_OFFENSE)
    _assert_only(warehouse, settings, outcomes, TEAM_OFFENSE, bad_day, "game_id=", "team_abbr=", "occurs 2 times")


def test_a_key_that_nothing_expects_is_refused_by_name(
    warehouse: EmbeddedWarehouse, settings: Settings, bad_day: date
) -> None:
    stranger = _changed(PLAYERS, {"player_lookup": "CONCAT('not', player_lookup)"}, bad_day)
    extra = f"SELECT * FROM {{inner}} UNION ALL {stranger} WHERE game_date = DATE '{bad_day}'"
    outcomes = _run(warehouse, settings, _spoiled(PLAYERS, extra), PLAYERS)
    _assert_only(warehouse, settings, outcomes, PLAYERS, bad_day, "keys that nothing expects, for instance not")
