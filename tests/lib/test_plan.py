"""The plan: a set difference against the warehouse, which is shown, kept and walked as one list."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from lib.backfill import Backfill
from lib.calendar import closed_range
from lib.checks import Scope, named, run_checks
from lib.coverage import Judge
from lib.errors import BadInput
from lib.plan import Wish, make_plan, read_plan, reason_counts
from lib.registry import Registry, Table, registry
from lib.settings import Exclusion, Settings
from lib.warehouse import EmbeddedWarehouse
from tests.lib.at_work import (
    PHASE_3,
    PLAYERS,
    TEAM_DEFENSE,
    TEAM_OFFENSE,
    UPCOMING_PLAYER,
    UPCOMING_TEAM,
    ask,
    carry_out,
    change,
    contents,
    due,
    game_dates,
    gate_3,
    judging,
    planned,
    run,
    said,
)

SEASON_STARTS = (date(2023, 10, 24), date(2024, 10, 22))


def _later_in_season(warehouse: EmbeddedWarehouse, settings: Settings, day: date) -> list[date]:
    return [
        d for d in game_dates(warehouse, settings) if d > day and (d < SEASON_STARTS[1]) == (day < SEASON_STARTS[1])
    ]


def by_season(settings: Settings, chunk_dates: int = 1) -> Settings:
    """The settings with chunks of so many dates at most, by default of a season each."""
    return settings.model_copy(update={"backfill": settings.backfill.model_copy(update={"chunk_dates": chunk_dates})})


def _lose(warehouse: EmbeddedWarehouse, table: str, *days: date) -> None:
    for day in days:
        change(warehouse, f"DELETE FROM {table} WHERE game_date = $1", day)


def test_a_failed_date_below_the_latest_success_is_planned_again(
    warehouse: EmbeddedWarehouse, settings: Settings
) -> None:
    days = game_dates(warehouse, settings)
    _lose(warehouse, UPCOMING_TEAM, days[5], days[50])
    assert due(planned(warehouse, settings)) == {UPCOMING_TEAM: [days[5], days[50]]}


def test_a_warehouse_that_is_whole_is_not_begun_again(warehouse: EmbeddedWarehouse, settings: Settings) -> None:
    plan = planned(warehouse, settings)
    assert (plan.chunks, plan.groups, plan.dates) == ((), (), 0)


def test_a_later_failure_makes_no_date_forgotten(warehouse: EmbeddedWarehouse, settings: Settings) -> None:
    day = game_dates(warehouse, settings)[30]
    change(
        warehouse,
        "INSERT INTO runbook.attempts SELECT * REPLACE ('failed' AS outcome, 'x' AS attempt, now() AS finished_at)"
        " FROM runbook.attempts WHERE day = $1",
        day,
    )
    assert planned(warehouse, settings).chunks == ()


def test_the_range_that_was_asked_for_last_time_does_not_matter(
    warehouse: EmbeddedWarehouse, settings: Settings
) -> None:
    days = game_dates(warehouse, settings)
    with judging(warehouse, settings) as judge:
        first, last = closed_range(judge.calendar, settings, None, None)
        plans = [make_plan(judge, [3], first, end) for end in (last, days[-1], days[60])]
    assert all(plan.chunks == () for plan in plans)


def test_an_empty_warehouse_needs_every_date_of_every_table(raw_only: EmbeddedWarehouse, settings: Settings) -> None:
    plan = planned(raw_only, settings)
    days = game_dates(raw_only, settings)
    assert due(plan) == dict.fromkeys(PHASE_3, days)
    assert reason_counts(plan.chunks) == {"absent": 5 * len(days)}
    assert sorted(chunk.table for chunk in plan.chunks) == sorted(PHASE_3)  # both seasons in one chunk


def test_tables_come_after_those_they_read(raw_only: EmbeddedWarehouse, settings: Settings) -> None:
    groups = planned(raw_only, settings).groups
    wave = {table: number for number, group in enumerate(groups) for table in group}
    assert wave[TEAM_OFFENSE] < wave[PLAYERS]
    assert {wave[t] for t in PHASE_3} == set(range(len(groups)))


def test_what_reads_a_date_that_is_computed_anew_is_computed_as_well(
    warehouse: EmbeddedWarehouse, settings: Settings
) -> None:
    day = game_dates(warehouse, settings)[40]
    _lose(warehouse, TEAM_OFFENSE, day)
    plan = planned(warehouse, settings)
    later = _later_in_season(warehouse, settings, day)
    assert due(plan) == {TEAM_OFFENSE: [day], PLAYERS: [day], UPCOMING_PLAYER: later}
    (players,) = plan.chunks_of(PLAYERS)
    assert players.reasons[day] == "outdated: its input has changed"


def test_a_wish_for_dates_is_passed_on_to_what_reads_them(warehouse: EmbeddedWarehouse, settings: Settings) -> None:
    day = game_dates(warehouse, settings)[40]
    plan = planned(warehouse, settings, days=frozenset({day}), tables=frozenset({TEAM_OFFENSE}), force=True)
    later = _later_in_season(warehouse, settings, day)
    assert due(plan) == {TEAM_OFFENSE: [day], PLAYERS: [day], UPCOMING_PLAYER: later}
    (players,) = plan.chunks_of(PLAYERS)
    assert players.reasons[day] == "reads team_offense_game_summary, which is computed anew"


def test_only_the_dates_that_are_wished_for_are_planned(warehouse: EmbeddedWarehouse, settings: Settings) -> None:
    days = game_dates(warehouse, settings)
    _lose(warehouse, TEAM_DEFENSE, *days[10:20])
    assert due(planned(warehouse, settings, days=frozenset(days[12:14]))) == {TEAM_DEFENSE: days[12:14]}


def test_an_excluded_date_is_never_planned(warehouse: EmbeddedWarehouse, settings: Settings) -> None:
    day = game_dates(warehouse, settings)[40]
    _lose(warehouse, TEAM_DEFENSE, day)
    rule = Exclusion(
        tables=(TEAM_DEFENSE,), first=day, last=day, reason="lost", owner="ann", added=day, expires=date(2027, 1, 1)
    )
    excluding = settings.model_copy(update={"exclusions": (rule,)})
    assert planned(warehouse, excluding, force=True, days=frozenset({day})).chunks_of(TEAM_DEFENSE) == []


def test_doubled_keys_without_a_receipt_are_planned(warehouse: EmbeddedWarehouse, settings: Settings) -> None:
    day = game_dates(warehouse, settings)[40]
    change(warehouse, f"INSERT INTO {UPCOMING_TEAM} SELECT * FROM {UPCOMING_TEAM} WHERE game_date = $1", day)
    change(warehouse, "DELETE FROM runbook.receipts WHERE table_name = $1", UPCOMING_TEAM)
    assert due(planned(warehouse, settings)) == {UPCOMING_TEAM: [day]}


def test_found_dates_are_computed_only_on_request(warehouse: EmbeddedWarehouse, settings: Settings) -> None:
    days = game_dates(warehouse, settings)
    change(warehouse, "DELETE FROM runbook.receipts WHERE table_name = $1", UPCOMING_TEAM)
    plan = planned(warehouse, settings)
    assert (plan.chunks, plan.found) == ((), {UPCOMING_TEAM: tuple(days)})
    anew = planned(warehouse, settings, recompute_found=True)
    assert (due(anew), anew.found) == ({UPCOMING_TEAM: days}, {})


def test_a_range_without_its_seasons_beginning_is_planned_with_the_whole_history(
    raw_only: EmbeddedWarehouse, settings: Settings
) -> None:
    days = game_dates(raw_only, settings)
    with judging(raw_only, settings) as judge:
        plan = make_plan(judge, [3], days[70], days[80])
    assert {chunk.history_from for chunk in plan.chunks} == {date(2024, 10, 22)}
    assert set(due(plan)[TEAM_OFFENSE]) == set(days[70:81])


def test_a_written_plan_is_read_back_as_it_was(raw_only: EmbeddedWarehouse, settings: Settings, tmp_path: Path) -> None:
    plan = planned(raw_only, settings)
    plan.write(tmp_path / "runs" / "plan.json")
    assert read_plan(tmp_path / "runs" / "plan.json") == plan


@pytest.mark.parametrize("key", ["first", "last"])
def test_a_plan_that_was_changed_is_refused(
    raw_only: EmbeddedWarehouse, settings: Settings, tmp_path: Path, key: str
) -> None:
    path = tmp_path / "plan.json"
    planned(raw_only, settings).write(path)
    path.write_text(json.dumps(json.loads(path.read_text()) | {key: "2024-11-01"}))
    with pytest.raises(BadInput, match="is not the plan it says it is"):
        read_plan(path)


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"as_of": "2024-01-01"}', "no JSON"])
def test_a_file_that_is_no_plan_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "plan.json"
    path.write_text(text)
    with pytest.raises(BadInput, match="is no plan"):
        read_plan(path)


def _with_other_sql(name: str) -> Registry:
    """The registry with one table's SELECT changed, to the same rows."""
    tables: dict[str, Table] = dict(registry().tables)
    select = tables[name].select or ""
    tables[name] = replace(tables[name], select=f"SELECT * FROM ({select}) WHERE TRUE")
    return Registry(tables.values())


def test_a_changed_select_makes_its_table_and_its_readers_due(warehouse: EmbeddedWarehouse, settings: Settings) -> None:
    days = game_dates(warehouse, settings)
    changed = _with_other_sql(TEAM_OFFENSE)
    with judging(warehouse, settings, changed) as judge:
        plan = make_plan(judge, [3], *closed_range(judge.calendar, settings, None, None))
    with_history = [day for day in days if day not in SEASON_STARTS]
    assert due(plan) == {TEAM_OFFENSE: days, PLAYERS: days, UPCOMING_PLAYER: with_history}
    assert plan.chunks_of(TEAM_OFFENSE)[0].reasons[days[0]] == "outdated: its SQL has changed"
    Backfill(warehouse, settings, tables=changed).run_chunks(plan.chunks)
    with judging(warehouse, settings, changed) as judge:
        assert make_plan(judge, [3], *closed_range(judge.calendar, settings, None, None)).chunks == ()


def test_the_digest_tells_plans_apart_and_changes_with_the_sql(
    raw_only: EmbeddedWarehouse, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, part = planned(raw_only, settings), planned(raw_only, settings, tables=frozenset({UPCOMING_TEAM}))
    assert whole.digest == planned(raw_only, settings).digest
    assert whole.digest != part.digest
    before = whole.digest
    monkeypatch.setattr("lib.plan.registry", lambda: _with_other_sql(UPCOMING_PLAYER))
    assert whole.digest != before


def test_estimates_come_from_the_ledger(warehouse: EmbeddedWarehouse, settings: Settings) -> None:
    change(
        warehouse,
        "UPDATE runbook.attempts SET finished_at = started_at + INTERVAL 480 SECOND WHERE table_name = $1",
        UPCOMING_TEAM,
    )
    plan = planned(warehouse, by_season(settings), force=True, tables=frozenset({UPCOMING_TEAM}))
    assert plan.seconds == pytest.approx(480, rel=0.1)
    assert plan.chunks_of(UPCOMING_TEAM)[0].seconds == pytest.approx(240, rel=0.3)


def test_a_chunk_is_of_whole_seasons_up_to_so_many_dates(raw_only: EmbeddedWarehouse, settings: Settings) -> None:
    days = game_dates(raw_only, settings)
    of_first = sum(day < SEASON_STARTS[1] for day in days)
    apart, together = by_season(settings, len(days) - 1), by_season(settings, len(days))
    chunks = planned(raw_only, apart).chunks_of(UPCOMING_TEAM)
    assert [(chunk.history_from, len(chunk.days)) for chunk in chunks] == [
        (SEASON_STARTS[0], of_first),
        (SEASON_STARTS[1], len(days) - of_first),
    ]
    (chunk,) = planned(raw_only, together).chunks_of(UPCOMING_TEAM)
    assert (chunk.history_from, chunk.days) == (SEASON_STARTS[0], tuple(days))


def test_rows_are_the_same_from_chunks_of_one_season(raw_only: EmbeddedWarehouse, settings: Settings) -> None:
    carry_out(raw_only, settings, planned(raw_only, settings))
    together = contents(raw_only)
    for table in PHASE_3:
        change(raw_only, f"DELETE FROM {table}")
    apart = planned(raw_only, by_season(settings), force=True)
    assert len(apart.chunks) == 2 * len(PHASE_3)
    carry_out(raw_only, settings, apart)
    assert contents(raw_only) == together


def test_a_plan_that_was_carried_out_leaves_nothing_due(warehouse: EmbeddedWarehouse, settings: Settings) -> None:
    days = game_dates(warehouse, settings)
    for table in PHASE_3:
        _lose(warehouse, table, *days[-2:])
    outcomes = carry_out(warehouse, settings, planned(warehouse, settings))
    assert not any(o.failed or o.blocked for o in outcomes)
    assert planned(warehouse, settings).chunks == ()
    assert run(warehouse, settings) == []


def test_a_wish_for_nothing_plans_nothing(warehouse: EmbeddedWarehouse, settings: Settings) -> None:
    with judging(warehouse, settings) as judge:
        assert isinstance(judge, Judge)
        plan = make_plan(judge, [3], settings.start_date, judge.calendar.as_of, Wish(days=frozenset(), force=True))
    assert plan.dates == 0


def test_the_ledger_is_history_and_never_says_what_is_there(warehouse: EmbeddedWarehouse, settings: Settings) -> None:
    change(warehouse, "DELETE FROM runbook.attempts")
    assert planned(warehouse, settings).chunks == ()
    assert ask(warehouse, "SELECT COUNT(*) FROM runbook.attempts") == [(0,)]


def test_a_plan_keeps_what_the_warehouse_held_when_it_was_made(
    warehouse: EmbeddedWarehouse, settings: Settings
) -> None:
    days = game_dates(warehouse, settings)
    _lose(warehouse, UPCOMING_TEAM, days[40], days[41])
    held = {table.table: table for table in planned(warehouse, settings).grid}
    assert set(held) == set(PHASE_3)
    assert (held[UPCOMING_TEAM].covered, held[UPCOMING_TEAM].count("absent")) == (held[PLAYERS].covered - 2, 2)


def test_what_something_else_wrote_is_replaced_on_request_also_after_stock_was_taken_of_it(
    warehouse: EmbeddedWarehouse, settings: Settings
) -> None:
    before = contents(warehouse)
    day = game_dates(warehouse, settings)[-1]
    change(warehouse, f"UPDATE {PLAYERS} SET points = points + 1 WHERE game_date = $1", day)
    change(warehouse, f"INSERT INTO {PLAYERS} SELECT * REPLACE (DATE '2024-08-01' AS game_date) FROM {PLAYERS} LIMIT 1")
    change(warehouse, "DELETE FROM runbook.receipts")
    run(warehouse, settings)  # takes stock
    assert contents(warehouse) != before
    run(warehouse, settings, recompute_found=True)
    assert contents(warehouse) == before


def test_rows_of_games_to_come_are_not_replaced(warehouse: EmbeddedWarehouse, settings: Settings) -> None:
    pending = f"SELECT * REPLACE (DATE '2024-12-20' AS game_date) FROM {PLAYERS} LIMIT 1"
    change(warehouse, "INSERT INTO nba_raw.nbac_schedule BY NAME SELECT * REPLACE (DATE '2024-12-20' AS game_date, 1 AS game_status, '0022499999' AS game_id) FROM nba_raw.nbac_schedule WHERE game_id LIKE '002%' LIMIT 1")  # fmt: skip
    change(warehouse, f"INSERT INTO {PLAYERS} {pending}")
    planned_days = {day for days in due(planned(warehouse, settings, recompute_found=True)).values() for day in days}
    assert date(2024, 12, 20) not in planned_days


def _tonight(warehouse: EmbeddedWarehouse) -> date:
    """The last game date of the pocket league is being played: one game more of it is to come."""
    ((last,),) = ask(warehouse, "SELECT max(game_date) FROM nba_raw.nbac_schedule WHERE game_status = 3")
    change(warehouse, "DELETE FROM nba_raw.nbac_schedule WHERE game_date > $1", last)
    game = "SELECT * REPLACE (1 AS game_status, '0022499999' AS game_id, 'AAA' AS home_team_tricode) FROM nba_raw.nbac_schedule"
    change(warehouse, f"INSERT INTO nba_raw.nbac_schedule BY NAME {game} WHERE game_date = $1 LIMIT 1", last)
    return last


def test_a_date_of_which_some_games_are_still_played_is_left_alone(
    warehouse: EmbeddedWarehouse, settings: Settings
) -> None:
    """Its rows were prepared for tonight: a publish replaces the date whole, and would take them away."""
    last = _tonight(warehouse)
    change(warehouse, f"DELETE FROM {UPCOMING_TEAM} WHERE game_date = $1 AND home_game", last)
    assert planned(warehouse, settings).chunks == ()
    assert gate_3(warehouse, settings).verdict == "green"  # up to the day before
    asked_for = gate_3(warehouse, settings, last=last)
    assert asked_for.verdict == "amber"
    assert f"nothing is expected on {last} [load the schedule once they are over" in said(asked_for)
    with judging(warehouse, settings) as judge:
        (result,) = run_checks(Scope(judge, 3, settings.start_date, last), named("game_is_lost"))
    assert not result.failed
    change(warehouse, "UPDATE nba_raw.nbac_schedule SET game_status = 5 WHERE game_status = 1")
    assert last in due(planned(warehouse, settings))[UPCOMING_TEAM]


def test_what_follows_a_date_that_is_still_played_waits_for_it(
    warehouse: EmbeddedWarehouse, settings: Settings
) -> None:
    """Its windows would count one game less."""
    last = _tonight(warehouse)
    next_day = last + timedelta(days=1)
    game = "SELECT * REPLACE (game_date + 1 AS game_date, game_id || '9' AS game_id) FROM nba_raw.nbac_schedule"
    change(
        warehouse, f"INSERT INTO nba_raw.nbac_schedule BY NAME {game} WHERE game_date = $1 AND game_status = 3", last
    )
    change(warehouse, "UPDATE runbook.meta SET value = $1 WHERE name = 'as_of'", str(next_day))
    with judging(warehouse, settings) as judge:
        assert judge.calendar.open == {last, next_day}
        assert judge.calendar.closed_until == last - timedelta(days=1)
    assert planned(warehouse, settings).chunks == ()
