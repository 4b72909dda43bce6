"""The gate of phase 4 on a small league, and what keeps a date of phase 4 from being computed."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from lib.backfill import Backfill, Outcome
from lib.calendar import read_calendar
from lib.coverage import Judge
from lib.errors import CannotJudge
from lib.gates import coverage_gate
from lib.launch import launch_verdict
from lib.league import pocket_league
from lib.plan import Chunk, Plan, Wish, make_plan, read_plan
from lib.registry import registry
from lib.sandbox import load_raw
from lib.settings import FeatureFacts, Settings, load_settings
from lib.states import FULL, TableCoverage
from lib.verdicts import AMBER, GREEN, RED, Verdict
from lib.warehouse import EmbeddedWarehouse, connect
from tests.lib.at_work import contents, said

SETTINGS = load_settings()
# in a season of 40 dates the first weeks weigh more
SMALL = SETTINGS.model_copy(
    update={
        "gates": SETTINGS.gates.model_copy(update={"precompute_coverage_pct": 50}),
        "features": FeatureFacts(default_limit_pct=60),
    }
)
START, AS_OF = date(2023, 10, 24), date(2024, 1, 10)
CACHE, FACTORS = "nba_precompute.player_daily_cache", "nba_precompute.player_composite_factors"
ZONES, DEFENCE = "nba_precompute.player_shot_zone_analysis", "nba_precompute.team_defense_zone_analysis"
STORE, CONTEXT = "nba_predictions.ml_feature_store_v2", "nba_analytics.upcoming_player_game_context"
PHASE_4 = (ZONES, DEFENCE, CACHE, FACTORS, STORE)
BOXES = ("nba_raw.nbac_gamebook_player_stats", "nba_raw.bdl_player_boxscores", "nba_raw.nbac_team_boxscore")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One season of the pocket league, computed up to phase 4."""
    path = tmp_path_factory.mktemp("built") / "warehouse.duckdb"
    warehouse = connect(f"duckdb:///{path}")
    load_raw(warehouse, season(), AS_OF, "test")
    run(warehouse, 3)
    run(warehouse, 4)
    return path


def season() -> dict[str, pa.Table]:
    tables = pocket_league().tables
    return {
        name: t.filter(pc.less(t["game_date"], pa.scalar(AS_OF))) if "game_date" in t.column_names else t
        for name, t in tables.items()
    }


@pytest.fixture
def warehouse(built: Path, tmp_path: Path) -> EmbeddedWarehouse:
    shutil.copy(built, tmp_path / "warehouse.duckdb")
    return connect(f"duckdb:///{tmp_path / 'warehouse.duckdb'}")


@contextmanager
def judging(warehouse: EmbeddedWarehouse, settings: Settings = SETTINGS) -> Iterator[Judge]:
    with warehouse.reading() as session:
        yield Judge(session, settings, read_calendar(session, settings))


def plan(warehouse: EmbeddedWarehouse, *phases: int, wish: Wish | None = None) -> Plan:
    with judging(warehouse) as judge:
        return make_plan(judge, phases, START, AS_OF, wish)


def run(warehouse: EmbeddedWarehouse, *phases: int) -> list[Outcome]:
    return Backfill(warehouse, SETTINGS).run_chunks(plan(warehouse, *phases).chunks)


def gate(warehouse: EmbeddedWarehouse, last: date = AS_OF) -> Verdict:
    with judging(warehouse, SMALL) as judge:
        return coverage_gate(judge, 4, START, last)


def covered(warehouse: EmbeddedWarehouse, table: str) -> TableCoverage:
    with judging(warehouse) as judge:
        return judge.cover([4], START, AS_OF)[table]


def change(warehouse: EmbeddedWarehouse, sql: str) -> None:
    with warehouse.writing() as connection:
        connection.execute(sql)


def lose_boxes(warehouse: EmbeddedWarehouse, day: date) -> str:
    """Takes every box of one game of *day* away; the game's home team."""
    with warehouse.reading() as session:
        home = session.rows(f"SELECT MIN(home_team_tricode) FROM nba_raw.nbac_schedule WHERE game_date = '{day}'")[0][0]
    for name in BOXES:
        change(warehouse, f"DELETE FROM {name} WHERE game_date = DATE '{day}' AND game_id LIKE '%{home}%'")
    return str(home)


def rows_on(warehouse: EmbeddedWarehouse, table: str, day: date) -> int:
    with warehouse.reading() as session:
        column = registry().table(table).date_column
        return int(session.rows(f"SELECT COUNT(*) FROM {table} WHERE {column} = '{day}'")[0][0])


def chunk(table: str, *days: date) -> Chunk:
    return Chunk(table, START, dict.fromkeys(days, "asked for"), 1)


def full_day(warehouse: EmbeddedWarehouse, table: str = ZONES, place: int = -3) -> date:
    return covered(warehouse, table).in_state(FULL)[place].day


def test_everything_that_raw_data_suffice_for_is_full(warehouse: EmbeddedWarehouse) -> None:
    verdict = gate(warehouse)
    assert [line["table"] for line in verdict.table if line["verdict"] == RED] == []
    for line in verdict.table:
        assert line["covered"] + line["blocked"] == line["eligible"] <= line["expected"]
        assert line["partial"] == line["outdated"] == 0


def test_a_second_plan_finds_nothing_to_do(warehouse: EmbeddedWarehouse) -> None:
    assert plan(warehouse, 3, 4).chunks == ()


def test_bootstrap_dates_hold_nothing_and_are_green(warehouse: EmbeddedWarehouse) -> None:
    verdict = gate(warehouse, START + timedelta(days=13))
    assert verdict.verdict == GREEN
    assert verdict.sentence == "The range lies inside bootstrap: nothing for Phase 4 to do."


def test_weeks_in_which_little_is_eligible_yet_are_not_red_for_it(warehouse: EmbeddedWarehouse) -> None:
    due = covered(warehouse, DEFENCE).due
    with judging(warehouse) as judge:
        verdict = coverage_gate(judge, 4, due[0], due[6])
        assert coverage_gate(judge, 4, START, AS_OF).verdict == RED  # of the whole, 88 % is meant of all its dates
    assert verdict.verdict == AMBER
    defence = next(line for line in verdict.table if line["table"] == DEFENCE)
    assert (defence["expected"], defence["eligible"], defence["verdict"]) == (0, 0, GREEN)
    assert f"amber {STORE}.opponent_def_rating: a default in 100.0 % of the rows" in said(verdict)
    change(warehouse, f"DELETE FROM {STORE} WHERE game_date = DATE '{due[3]}'")
    with judging(warehouse) as judge:
        assert coverage_gate(judge, 4, due[0], due[6]).verdict == RED


def test_a_range_without_games_cannot_be_judged(warehouse: EmbeddedWarehouse) -> None:
    with judging(warehouse) as judge, pytest.raises(CannotJudge, match="holds no expected date"):
        coverage_gate(judge, 4, date(2023, 7, 1), date(2023, 7, 9))


def test_the_first_weeks_of_a_defence_are_not_eligible_and_not_planned(warehouse: EmbeddedWarehouse) -> None:
    defence = covered(warehouse, DEFENCE)
    early = [day for day in defence.due if day < defence.judged[0].day]
    assert defence.expected == defence.eligible + len(early)
    assert len(early) > 5
    assert plan(warehouse, 4, wish=Wish(days=frozenset(early), tables=frozenset([DEFENCE]), force=True)).chunks == ()


def test_a_date_taken_away_is_planned_and_names_what_it_blocks(warehouse: EmbeddedWarehouse) -> None:
    day = full_day(warehouse)
    change(warehouse, f"DELETE FROM {FACTORS} WHERE game_date = DATE '{day}'")
    verdict = gate(warehouse)
    assert verdict.verdict == RED
    assert any(f"absent or partial on 1 eligible dates: {day}" in finding.what for finding in verdict.findings)
    assert {c.table for c in plan(warehouse, 4).chunks} == {FACTORS, STORE}
    run(warehouse, 4)
    assert gate(warehouse).verdict != RED


def test_a_torn_upstream_date_blocks_by_name(warehouse: EmbeddedWarehouse) -> None:
    day = full_day(warehouse)
    change(warehouse, f"DELETE FROM {FACTORS} WHERE game_date = DATE '{day}'")
    outcome = Backfill(warehouse, SETTINGS).run_chunk(chunk(STORE, day))
    assert outcome.blocked == {day: f"blocked by {FACTORS} {day} absent"}
    assert outcome.published == {}


def test_a_red_gate_below_blocks_every_later_date(warehouse: EmbeddedWarehouse) -> None:
    table = "nba_analytics.team_offense_game_summary"
    torn, later, earlier = (full_day(warehouse, DEFENCE, place) for place in (-5, -2, 2))
    change(warehouse, f"DELETE FROM {table} WHERE game_date = DATE '{torn}' AND home_game")
    outcome = Backfill(warehouse, SETTINGS).run_chunk(chunk(DEFENCE, earlier, torn, later))
    assert list(outcome.published) == [earlier]
    assert set(outcome.blocked) == {torn, later}
    assert outcome.blocked[later].startswith(f"blocked by {table} {torn} partial")


def test_the_gate_names_the_root_of_a_blocked_date(warehouse: EmbeddedWarehouse) -> None:
    day = full_day(warehouse)
    change(warehouse, f"DELETE FROM {CONTEXT} WHERE game_date = DATE '{day}'")
    change(warehouse, f"DELETE FROM {CACHE} WHERE cache_date = DATE '{day}'")
    finding = next(f for f in gate(warehouse).findings if f.where == CACHE and "absent or partial" in f.what)
    assert finding.severity == RED
    assert f"blocked by {CONTEXT} {day} absent" in finding.what


@pytest.fixture(scope="module")
def lost(built: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[EmbeddedWarehouse, date]:
    """The same after every box of one game of the date was lost, and phases 3 and 4 were run again."""
    path = tmp_path_factory.mktemp("lost") / "warehouse.duckdb"
    shutil.copy(built, path)
    warehouse = connect(f"duckdb:///{path}")
    day = full_day(warehouse)
    lose_boxes(warehouse, day)
    run(warehouse, 3)
    run(warehouse, 4)
    return warehouse, day


def test_a_date_whose_boxes_were_lost_is_emptied(lost: tuple[EmbeddedWarehouse, date]) -> None:
    warehouse, day = lost
    assert [rows_on(warehouse, table, day) for table in (ZONES, CACHE, FACTORS, STORE)] == [0, 0, 0, 0]


def test_a_date_that_waits_for_raw_data_is_not_planned_again(lost: tuple[EmbeddedWarehouse, date]) -> None:
    warehouse, day = lost
    made = plan(warehouse, 3, 4)
    assert made.chunks == ()
    assert made.waiting[STORE][day] == f"blocked by {CONTEXT} {day} no box score"
    finding = next(f for f in gate(warehouse).findings if f.where == STORE and str(day) in f.what)
    assert finding.severity == AMBER


def test_a_waiting_date_is_not_computed_when_asked_for(lost: tuple[EmbeddedWarehouse, date]) -> None:
    warehouse, day = lost
    wish = Wish(days=frozenset([day]), tables=frozenset([ZONES, CACHE, FACTORS, STORE]), force=True)
    assert plan(warehouse, 4, wish=wish).chunks == ()
    outcome = Backfill(warehouse, SETTINGS).run_chunk(chunk(STORE, day))
    assert outcome.blocked == {day: f"blocked by {CONTEXT} {day} no box score"}


def test_a_defence_is_prepared_on_a_date_whose_game_has_no_box(lost: tuple[EmbeddedWarehouse, date]) -> None:
    warehouse, day = lost
    assert day in {s.day for s in covered(warehouse, DEFENCE).in_state(FULL)}


def test_a_plan_keeps_what_waits(lost: tuple[EmbeddedWarehouse, date], tmp_path: Path) -> None:
    made = plan(lost[0], 3, 4)
    made.write(tmp_path / "plan.json")
    assert read_plan(tmp_path / "plan.json").waiting == made.waiting != {}


def test_phase_4_waits_where_phase_3_stays_red_for_want_of_raw_data(warehouse: EmbeddedWarehouse) -> None:
    with judging(warehouse) as judge:
        *lost, last = judge.calendar.expected_dates(START, AS_OF)[-8:]
    for day in lost:
        lose_boxes(warehouse, day)
    change(warehouse, f"DELETE FROM {DEFENCE} WHERE analysis_date = DATE '{last}'")
    run(warehouse, 3)
    made = plan(warehouse, 3, 4)
    assert last not in {day for chunk in made.chunks_of(DEFENCE) for day in chunk.days}
    assert made.waiting[DEFENCE][last].startswith("blocked by nba_analytics.")
    assert f"{last} gate red: " in made.waiting[DEFENCE][last]


def test_rows_of_raw_data_that_went_away_early_in_a_season_are_taken_away(
    warehouse: EmbeddedWarehouse, tmp_path: Path
) -> None:
    """To the 19th date one that waits keeps phase 3 red: a build from nothing would hold none of them."""
    with judging(warehouse) as judge:
        after_bootstrap = [d for d in judge.calendar.expected_dates(START, AS_OF) if not judge.calendar.is_bootstrap(d)]
    lost, later = after_bootstrap[3], after_bootstrap[12]
    before = contents(warehouse, PHASE_4)
    assert rows_on(warehouse, FACTORS, later) > 0
    lose_boxes(warehouse, lost)
    run(warehouse, 3)
    assert {later, lost} <= {day for chunk in plan(warehouse, 4).chunks_of(FACTORS) for day in chunk.days}
    said_of_it = launch_verdict(FACTORS, [outcome for outcome in run(warehouse, 4) if outcome.chunk.table == FACTORS])
    assert said_of_it.verdict == AMBER
    assert f"amber {FACTORS} {lost}: its rows were taken away: blocked by nba_analytics." in said(said_of_it)
    assert plan(warehouse, 3, 4).chunks == ()
    finding = next(f for f in gate(warehouse).findings if f.where == FACTORS and str(lost) in f.what)
    assert (finding.severity, "outdated" in said(gate(warehouse))) == (AMBER, False)
    anew = connect(f"duckdb:///{tmp_path / 'anew.duckdb'}")
    load_raw(anew, season(), AS_OF, "test")
    lose_boxes(anew, lost)
    run(anew, 3)
    run(anew, 4)
    assert rows_on(anew, FACTORS, later) == 0
    for table, rows in contents(anew, PHASE_4).items():
        held, built = set(map(str, contents(warehouse, PHASE_4)[table])), set(map(str, rows))
        assert built <= held
        assert held - built <= set(map(str, before[table]))  # dates that the lost game has no part in stay as they were


def test_rows_that_something_else_wrote_stay_where_they_cannot_be_computed_again(warehouse: EmbeddedWarehouse) -> None:
    with judging(warehouse) as judge:
        after_bootstrap = [d for d in judge.calendar.expected_dates(START, AS_OF) if not judge.calendar.is_bootstrap(d)]
    lost, later = after_bootstrap[3], after_bootstrap[12]
    before = rows_on(warehouse, FACTORS, later)
    change(warehouse, f"DELETE FROM runbook.receipts WHERE table_name = '{FACTORS}' AND day = DATE '{later}'")
    lose_boxes(warehouse, lost)
    run(warehouse, 3)
    assert later not in {day for chunk in plan(warehouse, 4).chunks_of(FACTORS) for day in chunk.days}
    outcome = Backfill(warehouse, SETTINGS).run_chunk(chunk(FACTORS, later))
    assert (list(outcome.blocked), outcome.emptied) == ([later], {})
    assert rows_on(warehouse, FACTORS, later) == before > 0


def test_rows_of_players_with_fewer_games_than_are_asked_for_now_are_taken_away(warehouse: EmbeddedWarehouse) -> None:
    facts = SETTINGS.tables[CACHE]
    more = facts.model_copy(update={"minimum_games": facts.minimum_games + 2})
    settings = SETTINGS.model_copy(update={"tables": {**SETTINGS.tables, CACHE: more}})
    with judging(warehouse, settings) as judge:
        made = make_plan(judge, [4], START, AS_OF)
    (reasons,) = (chunk.reasons.values() for chunk in made.chunks_of(CACHE))
    assert "outdated: it holds keys that nothing expects any more" in reasons
    Backfill(warehouse, settings).run_chunks(made.chunks)
    with judging(warehouse, settings) as judge:
        assert judge.cover([4], START, AS_OF)[CACHE].doubled(frozenset()) == []


def test_rows_of_a_later_bootstrap_are_taken_away(warehouse: EmbeddedWarehouse) -> None:
    longer = SETTINGS.model_copy(update={"gates": SETTINGS.gates.model_copy(update={"bootstrap_days": 21})})
    first = covered(warehouse, FACTORS).in_state(FULL)[0].day
    with judging(warehouse, longer) as judge:
        chunks = make_plan(judge, [4], START, AS_OF).chunks
    outcomes = Backfill(warehouse, longer).run_chunks(chunks)
    assert all(not outcome.failed for outcome in outcomes)
    assert rows_on(warehouse, FACTORS, first) == 0


@pytest.mark.parametrize("threads", ["1", "2"])
def test_the_bootstrap_of_a_later_season_is_its_own(
    whole: EmbeddedWarehouse, whole_settings: Settings, monkeypatch: pytest.MonkeyPatch, threads: str
) -> None:
    """Seasons are computed together, and each has days without enough games behind them."""
    monkeypatch.setenv("RUNBOOK_THREADS", threads)
    gates = whole_settings.gates.model_copy(update={"bootstrap_days": 21})
    longer = whole_settings.model_copy(update={"gates": gates})
    with whole.reading() as session:
        judge = Judge(session, longer, read_calendar(session, longer))
        made = make_plan(judge, [4], longer.start_date, judge.calendar.as_of)
        emptied = {day for chunk in made.chunks for day in chunk.days if judge.calendar.is_bootstrap(day)}
        assert len(judge.calendar.by_season(emptied)) == 2
    outcomes = Backfill(whole, longer).run_chunks(made.chunks)
    assert {reason for outcome in outcomes for reason in outcome.failed.values()} == set()
    assert sum(rows_on(whole, FACTORS, day) for day in emptied) == 0
