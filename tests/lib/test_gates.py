"""The gate of Phase 3: 806 of 848 is green and 805 is red, and nothing that is wrong hides behind a percentage."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from lib.backfill import Backfill
from lib.blocking import red_dates
from lib.calendar import closed_range
from lib.errors import CannotJudge
from lib.gates import coverage_gate
from lib.plan import make_plan
from lib.registry import Registry, registry
from lib.settings import Exclusion, Settings
from lib.verdicts import Verdict
from lib.warehouse import EmbeddedWarehouse, connect
from tests.lib.at_work import (
    PHASE_3,
    PLAYERS,
    TEAM_DEFENSE,
    TEAM_OFFENSE,
    UPCOMING_TEAM,
    ask,
    change,
    contents,
    game_dates,
    gate_3,
    judging,
    line,
    made,
    run,
    said,
)
from tests.lib.raw_rows import RawRows

# season start -> days with a game; the first 14 of each are bootstrap
HISTORY = {
    date(2021, 10, 19): 214,
    date(2022, 10, 18): 214,
    date(2023, 10, 24): 214,
    date(2024, 10, 22): 202,
    date(2025, 10, 21): 74,
}
ONE_TABLE = Registry([*registry().raw, registry().tables[UPCOMING_TEAM]])
AS_OF = date(2026, 1, 5)


@pytest.fixture(scope="module")
def whole(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Settings]:
    """848 dates and 70 of bootstrap, a game a day; upcoming_team_game_context is full on each of them."""
    rows = RawRows()
    for start, days in HISTORY.items():
        for number in range(days):
            rows.scheduled(start + timedelta(days=number), *(("BOS", "LAL") if number % 2 else ("MIA", "UTA")))
    path = tmp_path_factory.mktemp("history") / "warehouse.duckdb"
    whole_settings = settings.model_copy(update={"start_date": date(2021, 10, 19)})
    warehouse = made(path, rows, AS_OF)
    with judging(warehouse, whole_settings, ONE_TABLE) as judge:
        plan = make_plan(judge, [3], *closed_range(judge.calendar, whole_settings, None, None))
    Backfill(warehouse, whole_settings, tables=ONE_TABLE).run_chunks(plan.chunks)
    return path, whole_settings


@pytest.fixture
def history(whole: tuple[Path, Settings], tmp_path: Path) -> tuple[EmbeddedWarehouse, Settings]:
    """A copy of one's own."""
    path = Path(shutil.copy(whole[0], tmp_path / "history.duckdb"))
    return connect(f"duckdb:///{path}"), whole[1]


def _judged(
    warehouse: EmbeddedWarehouse, settings: Settings, first: date | None = None, last: date | None = None
) -> Verdict:
    with judging(warehouse, settings, ONE_TABLE) as judge:
        return coverage_gate(judge, 3, *closed_range(judge.calendar, settings, first, last))


def _lose(warehouse: EmbeddedWarehouse, dates: int) -> None:
    """Takes the latest *dates* away, rows and receipts."""
    lost = f"(SELECT DISTINCT game_date FROM nba_raw.nbac_schedule ORDER BY 1 DESC LIMIT {dates})"
    change(warehouse, f"DELETE FROM {UPCOMING_TEAM} WHERE game_date IN {lost}")
    change(warehouse, f"DELETE FROM runbook.receipts WHERE day IN {lost}")


def test_everything_full_is_848_of_848_and_70_of_70(history: tuple[EmbeddedWarehouse, Settings]) -> None:
    verdict = _judged(*history)
    figures = line(verdict, UPCOMING_TEAM)
    assert (figures["covered"], figures["expected"], figures["bootstrap"]) == (848, 848, "70/70")
    assert verdict.verdict == "green"
    assert not verdict.findings


def test_gate_is_green_at_806_of_848_and_names_what_is_missing(history: tuple[EmbeddedWarehouse, Settings]) -> None:
    _lose(history[0], 42)
    verdict = _judged(*history)
    figures = line(verdict, UPCOMING_TEAM)
    assert (verdict.verdict, figures["covered"], figures["missing"], figures["absent"]) == ("green", 806, 42, 42)
    assert "missing 42 dates: 2025-11-22..2026-01-02 (42)" in said(verdict, "amber")


def test_gate_is_red_at_805_of_848(history: tuple[EmbeddedWarehouse, Settings]) -> None:
    _lose(history[0], 43)
    verdict = _judged(*history)
    assert (verdict.verdict, line(verdict, UPCOMING_TEAM)["covered"]) == ("red", 805)
    assert "805 of 848 expected dates are full (94.9 %, needed 95 %)" in said(verdict, "red")
    assert "runbook run --phase 3" in said(verdict, "red")


def test_a_missing_bootstrap_date_is_red_and_leaves_the_denominator_alone(
    history: tuple[EmbeddedWarehouse, Settings],
) -> None:
    change(history[0], f"DELETE FROM {UPCOMING_TEAM} WHERE game_date = '2021-11-01'")
    verdict = _judged(*history)
    figures = line(verdict, UPCOMING_TEAM)
    assert (verdict.verdict, figures["covered"], figures["bootstrap"]) == ("red", 848, "69/70")
    assert "bootstrap dates that are not full: 2021-11-01" in said(verdict)


def test_day_14_is_in_the_denominator(history: tuple[EmbeddedWarehouse, Settings]) -> None:
    change(history[0], f"DELETE FROM {UPCOMING_TEAM} WHERE game_date = '2021-11-02'")
    verdict = _judged(*history)
    assert (verdict.verdict, line(verdict, UPCOMING_TEAM)["covered"]) == ("green", 847)


def test_a_range_inside_bootstrap_is_green_with_nothing_to_do(history: tuple[EmbeddedWarehouse, Settings]) -> None:
    verdict = _judged(*history, date(2023, 10, 24), date(2023, 11, 6))
    assert verdict.verdict == "green"
    assert line(verdict, UPCOMING_TEAM)["coverage_pct"] is None
    assert "nothing for Phase 4 to do" in verdict.sentence


def test_a_range_inside_bootstrap_is_red_when_a_date_of_it_is_missing(
    history: tuple[EmbeddedWarehouse, Settings],
) -> None:
    change(history[0], f"DELETE FROM {UPCOMING_TEAM} WHERE game_date = '2023-11-06'")
    assert _judged(*history, date(2023, 10, 24), date(2023, 11, 6)).red


def test_a_range_without_any_game_cannot_be_judged(history: tuple[EmbeddedWarehouse, Settings]) -> None:
    with pytest.raises(CannotJudge, match="no expected date"):
        _judged(*history, date(2022, 8, 1), date(2022, 8, 31))


def test_a_torn_date_is_red_although_coverage_is_above_the_threshold(
    warehouse: EmbeddedWarehouse, settings: Settings
) -> None:
    day = game_dates(warehouse, settings)[-1]
    change(
        warehouse,
        f"DELETE FROM {TEAM_DEFENSE} WHERE game_date = ? AND defending_team_abbr = (SELECT min(defending_team_abbr) FROM {TEAM_DEFENSE} WHERE game_date = ?)",
        day,
        day,
    )
    verdict = gate_3(warehouse, settings)
    figures = line(verdict, TEAM_DEFENSE)
    assert (figures["verdict"], figures["covered"], figures["expected"], figures["partial"]) == ("red", 71, 72, 1)
    assert figures["coverage_pct"] > 95
    assert f"torn on 1 date: {day}" in said(verdict, "red")


def test_a_doubled_row_is_red(warehouse: EmbeddedWarehouse, settings: Settings) -> None:
    day = game_dates(warehouse, settings)[-1]
    change(warehouse, f"INSERT INTO {TEAM_OFFENSE} SELECT * FROM {TEAM_OFFENSE} WHERE game_date = ? LIMIT 1", day)
    verdict = gate_3(warehouse, settings)
    assert line(verdict, TEAM_OFFENSE)["verdict"] == "red"
    assert f"extra or doubled keys on 1 date: {day}" in said(verdict, "red")


def test_a_key_that_nothing_expects_is_red(warehouse: EmbeddedWarehouse, settings: Settings) -> None:
    day = game_dates(warehouse, settings)[-1]
    change(
        warehouse,
        f"INSERT INTO {PLAYERS} SELECT * REPLACE ('nobody' AS player_lookup) FROM {PLAYERS} WHERE game_date = ? LIMIT 1",
        day,
    )
    assert f"extra or doubled keys on 1 date: {day}" in said(gate_3(warehouse, settings), "red")


def test_rows_on_a_day_without_games_are_red_and_go_only_when_somebody_says_so(
    warehouse: EmbeddedWarehouse, settings: Settings
) -> None:
    change(warehouse, f"INSERT INTO {PLAYERS} SELECT * REPLACE (DATE '2024-08-01' AS game_date) FROM {PLAYERS} LIMIT 1")
    verdict = gate_3(warehouse, settings)
    assert "extra or doubled keys on 1 date: 2024-08-01" in said(verdict, "red")
    assert "look at them; runbook run --phase 3 --recompute-found deletes them" in said(verdict, "red")


def test_rows_of_a_game_that_is_still_to_come_are_no_finding_and_are_left_alone(
    warehouse: EmbeddedWarehouse, settings: Settings
) -> None:
    ((day,),) = ask(
        warehouse,
        "SELECT MIN(game_date) FROM nba_raw.nbac_schedule WHERE game_status = 1 AND game_date > DATE '2024-12-18'",
    )
    change(
        warehouse,
        f"INSERT INTO {UPCOMING_TEAM} SELECT * REPLACE (?::DATE AS game_date) FROM {UPCOMING_TEAM} LIMIT 1",
        day,
    )
    before = contents(warehouse)
    assert gate_3(warehouse, settings).verdict == "green"
    run(warehouse, settings, force=True, tables=frozenset({UPCOMING_TEAM}))
    assert contents(warehouse) == before


def test_a_full_date_without_a_receipt_is_full_and_amber_by_name(
    warehouse: EmbeddedWarehouse, settings: Settings
) -> None:
    day = game_dates(warehouse, settings)[-1]
    change(warehouse, "DELETE FROM runbook.receipts WHERE day = ? AND table_name = ?", day, TEAM_OFFENSE)
    verdict = gate_3(warehouse, settings)
    figures = line(verdict, TEAM_OFFENSE)
    assert (verdict.verdict, figures["covered"], figures["found"]) == ("amber", 72, 1)
    assert f"found on 1 date, written by something else: {day}" in said(verdict, "amber")


def test_an_outdated_date_is_red(warehouse: EmbeddedWarehouse, settings: Settings) -> None:
    day = game_dates(warehouse, settings)[-1]
    change(warehouse, "UPDATE nba_raw.nbac_team_boxscore SET assists = assists + 1 WHERE game_date = ?", day)
    verdict = gate_3(warehouse, settings)
    assert line(verdict, TEAM_OFFENSE)["outdated"] == 1
    assert line(verdict, TEAM_OFFENSE)["verdict"] == "red"
    assert f"outdated on 1 date: {day}; its input has changed" in said(verdict, "red")


def test_a_date_that_waits_for_raw_data_is_missing_with_its_reason_and_not_torn(
    warehouse: EmbeddedWarehouse, settings: Settings
) -> None:
    day = game_dates(warehouse, settings)[-1]
    for source in ("nbac_gamebook_player_stats", "bdl_player_boxscores", "nbac_team_boxscore"):
        change(warehouse, f"DELETE FROM nba_raw.{source} WHERE game_date = ?", day)
    run(warehouse, settings)
    verdict = gate_3(warehouse, settings)
    assert verdict.verdict == "green"
    assert f"missing 1 date (no box score): {day} [load the raw data that is missing" in said(verdict, "amber")
    assert not ask(warehouse, f"SELECT 1 FROM {PLAYERS} WHERE game_date = @day", day=day)


def test_a_bootstrap_date_that_waits_for_raw_data_is_amber_by_name(
    warehouse: EmbeddedWarehouse, settings: Settings
) -> None:
    day = game_dates(warehouse, settings)[0]
    for source in ("nbac_gamebook_player_stats", "bdl_player_boxscores"):
        change(warehouse, f"DELETE FROM nba_raw.{source} WHERE game_date = ?", day)
    run(warehouse, settings)
    verdict = gate_3(warehouse, settings)
    assert line(verdict, PLAYERS)["bootstrap"] == "23/24"
    assert verdict.verdict == "amber"
    assert f"bootstrap dates that wait for raw data: {day}; no box score" in said(verdict, "amber")


def test_bootstrap_dates_that_wait_for_raw_data_are_red_where_they_are_many(
    warehouse: EmbeddedWarehouse, settings: Settings
) -> None:
    """Every window of the season begins with them: two of 48 dates are 4.2 %, three are 6.3."""
    days = game_dates(warehouse, settings)[:3]
    verdicts, closed = [], []
    for day in days:
        for source in ("nbac_gamebook_player_stats", "bdl_player_boxscores"):
            change(warehouse, f"DELETE FROM nba_raw.{source} WHERE game_date = ?", day)
        run(warehouse, settings)
        verdicts.append(gate_3(warehouse, settings).verdict)
        with judging(warehouse, settings) as judge:
            covered = judge.cover([3], days[0], judge.calendar.as_of).values()
            closed.append(red_dates(judge, covered, mended=True))
    assert verdicts == ["amber", "amber", "red"]
    assert max(closed[-1]) < date(2024, 7, 1)
    assert closed[:2] == [{}, {}]  # nothing is kept back beneath a gate that is not red


@pytest.mark.parametrize("table", [*PHASE_3, "nba_raw.nbac_gamebook_player_stats", "nba_raw.nbac_schedule"])
def test_a_table_that_is_gone_cannot_be_judged(warehouse: EmbeddedWarehouse, settings: Settings, table: str) -> None:
    change(warehouse, f"DROP TABLE {table}")
    with pytest.raises(CannotJudge, match=f"{table} is not in the warehouse"):
        gate_3(warehouse, settings)


def test_an_emptied_schedule_cannot_be_judged(warehouse: EmbeddedWarehouse, settings: Settings) -> None:
    change(warehouse, "DELETE FROM nba_raw.nbac_schedule")
    with pytest.raises(CannotJudge, match="an empty one is never a pass"):
        gate_3(warehouse, settings)


def test_a_query_that_fails_is_an_error_and_never_0_percent(warehouse: EmbeddedWarehouse, settings: Settings) -> None:
    change(warehouse, f"ALTER TABLE {TEAM_OFFENSE} DROP COLUMN assists")
    with pytest.raises(CannotJudge, match=r"could not answer.*assists"):
        gate_3(warehouse, settings)


def _exclusion(day: date, table: str) -> Exclusion:
    return Exclusion(
        tables=(table,), first=day, last=day, reason="lost for good", owner="ann", added=day, expires=date(2027, 1, 1)
    )


def _without(warehouse: EmbeddedWarehouse, day: date) -> None:
    change(warehouse, f"DELETE FROM {TEAM_DEFENSE} WHERE game_date = ?", day)
    change(warehouse, "DELETE FROM runbook.receipts WHERE day = ? AND table_name = ?", day, TEAM_DEFENSE)


def test_an_excluded_date_is_counted_apart_and_never_missing(warehouse: EmbeddedWarehouse, settings: Settings) -> None:
    day = game_dates(warehouse, settings)[-1]
    _without(warehouse, day)
    excluding = settings.model_copy(update={"exclusions": (_exclusion(day, TEAM_DEFENSE),)})
    figures = line(gate_3(warehouse, excluding), TEAM_DEFENSE)
    assert (figures["covered"], figures["expected"], figures["missing"], figures["excluded"]) == (71, 71, 0, 1)


def test_the_gate_names_the_exclusions_in_force(warehouse: EmbeddedWarehouse, settings: Settings) -> None:
    day = game_dates(warehouse, settings)[-1]
    verdict = gate_3(warehouse, settings.model_copy(update={"exclusions": (_exclusion(day, TEAM_DEFENSE),)}))
    assert verdict.verdict == "green"
    assert "Exclusions in force: nba_analytics.team_defense_game_summary" in verdict.sentence
    assert "lost for good (ann, expires 2027-01-01)" in verdict.about["exclusions"][0]
    assert gate_3(warehouse, settings).about["exclusions"] == []


@pytest.mark.parametrize(
    ("change_of", "words"),
    [
        ({"expires": date(2024, 12, 19)}, "expired 2024-12-19, its dates count again"),
        ({"first": date(2024, 7, 1), "last": date(2024, 7, 2)}, "no game counts on any of its dates"),
        ({"dates": (date(2024, 12, 3), date(2024, 7, 4))}, "no game counts on 2024-07-04"),
    ],
)
def test_an_exclusion_that_says_nothing_is_amber_by_name(
    warehouse: EmbeddedWarehouse, settings: Settings, change_of: dict[str, object], words: str
) -> None:
    rule = _exclusion(game_dates(warehouse, settings)[-1], TEAM_DEFENSE).model_copy(update=change_of)
    verdict = gate_3(warehouse, settings.model_copy(update={"exclusions": (rule,)}))
    assert verdict.verdict == "amber"
    assert f"amber exclusion 'lost for good': {words}" in said(verdict)


def test_an_exclusion_that_has_expired_excludes_nothing(warehouse: EmbeddedWarehouse, settings: Settings) -> None:
    day = game_dates(warehouse, settings)[-1]
    _without(warehouse, day)
    over = _exclusion(day, TEAM_DEFENSE).model_copy(update={"expires": date(2024, 12, 19)})
    figures = line(gate_3(warehouse, settings.model_copy(update={"exclusions": (over,)})), TEAM_DEFENSE)
    assert (figures["covered"], figures["expected"], figures["excluded"]) == (71, 72, 0)


def test_no_threshold_is_taken_from_the_table_under_judgement(warehouse: EmbeddedWarehouse, settings: Settings) -> None:
    change(warehouse, f"DELETE FROM {UPCOMING_TEAM}")
    figures = line(gate_3(warehouse, settings), UPCOMING_TEAM)
    assert (figures["covered"], figures["expected"], figures["absent"], figures["verdict"]) == (0, 72, 72, "red")


def test_a_phase_without_tables_cannot_be_judged(warehouse: EmbeddedWarehouse, settings: Settings) -> None:
    with judging(warehouse, settings) as judge, pytest.raises(CannotJudge, match="no table is registered for phase 5"):
        coverage_gate(judge, 5, settings.start_date, judge.calendar.as_of)


def test_threads_do_not_change_the_verdict(warehouse: EmbeddedWarehouse, settings: Settings) -> None:
    assert gate_3(replace(warehouse, threads=1), settings) == gate_3(replace(warehouse, threads=4), settings)
