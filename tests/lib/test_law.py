"""The law: after any sequence of raw edits, deletions and partial runs, a last run equals a build from nothing."""

from __future__ import annotations

import shutil
import tempfile
from datetime import date
from pathlib import Path

import pytest
from hypothesis import Phase, example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from lib.coverage import key_parts
from lib.league import League
from lib.registry import registry
from lib.sandbox import load_raw
from lib.settings import Settings
from lib.warehouse import EmbeddedWarehouse, connect
from tests.lib.at_work import PHASE_3, change, contents, game_dates, planned, run

LAST, AS_OF = date(2023, 11, 9), date(2023, 11, 30)
RAW_EDITS = (
    "UPDATE nba_raw.nbac_gamebook_player_stats SET points = points + 3 WHERE game_date = $1 AND player_status = 'active'",
    "DELETE FROM nba_raw.nbac_team_boxscore WHERE game_date = $1",
    "DELETE FROM nba_raw.bigdataball_play_by_play WHERE game_date = $1",
    "UPDATE nba_raw.nbac_gamebook_player_stats SET player_status = 'dnp' WHERE game_date = $1 AND minutes LIKE '1%'",
    "UPDATE nba_raw.nbac_gamebook_player_stats SET player_status = 'active' WHERE game_date = $1",
    "DELETE FROM nba_raw.nbac_gamebook_player_stats WHERE game_date = $1",
    "DELETE FROM nba_raw.bdl_player_boxscores WHERE game_date = $1",
    "UPDATE nba_raw.nbac_schedule SET home_team_score = home_team_score + 40 WHERE game_date = $1",
    "UPDATE nba_raw.nbac_schedule SET game_status = 4 WHERE game_date = $1",
    "UPDATE nba_raw.nbac_schedule SET game_status = 1 WHERE game_date = $1",
    "UPDATE nba_raw.nbac_schedule SET game_status = 3 WHERE game_date = $1",
    "UPDATE nba_raw.nbac_schedule SET game_date = game_date + 20 WHERE game_date = $1",
    "INSERT INTO nba_raw.nbac_gamebook_player_stats SELECT * FROM nba_raw.nbac_gamebook_player_stats WHERE game_date = $1",
    "DELETE FROM nba_raw.nbac_injury_report WHERE game_date = $1",
    "UPDATE nba_raw.odds_api_game_lines SET outcome_point = outcome_point + 0.5 WHERE game_date = $1",
    "UPDATE nba_static.travel_distances SET distance_miles = distance_miles + 1 WHERE $1 IS NOT NULL",
)
KINDS = ("raw", "raw", "rows", "some rows", "receipts", "dates run", "partial run", "forced run", "run")
NUMBER = st.integers(0, 10**4)
ACTS = st.lists(st.tuples(st.sampled_from(KINDS), NUMBER, NUMBER), min_size=1, max_size=5)


@pytest.fixture(scope="module")
def short_file(league: League, settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first two weeks of the pocket league, computed."""
    path = tmp_path_factory.mktemp("short") / "warehouse.duckdb"
    warehouse = connect(f"duckdb:///{path}", wait=20)
    load_raw(warehouse, league.tables, AS_OF, "sandbox")
    for name, table in league.tables.items():
        if "game_date" in table.column_names:
            change(warehouse, f"DELETE FROM {name} WHERE game_date > $1", LAST)
    run(warehouse, settings)
    return path


def act(warehouse: EmbeddedWarehouse, settings: Settings, kind: str, which: int, when: int) -> None:
    """One thing that may happen to a warehouse."""
    days = game_dates(warehouse, settings)
    day = days[when % len(days)]
    table = PHASE_3[which % len(PHASE_3)]
    match kind:
        case "raw":
            change(warehouse, RAW_EDITS[which % len(RAW_EDITS)], day)
        case "rows":
            change(warehouse, f"DELETE FROM {table} WHERE game_date = $1", day)
        case "some rows":
            entity = key_parts(registry().tables[table].contract)[1]
            change(warehouse, f"DELETE FROM {table} WHERE game_date = $1 AND hash({entity}) % 2 = 0", day)
        case "receipts":
            change(warehouse, f"DELETE FROM {table} WHERE game_date = $1", day)
            change(warehouse, "DELETE FROM runbook.receipts WHERE table_name = $1 AND day = $2", table, day)
        case "dates run":
            run(warehouse, settings, days=frozenset({day}))
        case "partial run":
            run(warehouse, settings, days=frozenset({day}), tables=frozenset({table}))
        case "forced run":
            run(warehouse, settings, days=frozenset({day}), tables=frozenset({table}), force=True)
        case _:
            run(warehouse, settings)


def obeys_the_law(computed: Path, settings: Settings, acts: list[tuple[str, int, int]]) -> None:
    """Carries *acts* out on a copy and compares a last run with a build from nothing."""
    with tempfile.TemporaryDirectory() as folder:
        lived = connect(f"duckdb:///{shutil.copy(computed, Path(folder) / 'lived.duckdb')}", wait=20)
        for kind, which, when in acts:
            act(lived, settings, kind, which, when)
        run(lived, settings)
        assert planned(lived, settings).chunks == ()
        fresh = connect(f"duckdb:///{shutil.copy(lived.path, Path(folder) / 'fresh.duckdb')}", wait=20)
        for table in (*PHASE_3, "runbook.receipts", "runbook.attempts"):
            change(fresh, f"DELETE FROM {table}")
        run(fresh, settings)
        assert contents(lived) == contents(fresh)


def _edit(words: str) -> int:
    return next(number for number, sql in enumerate(RAW_EDITS) if words in sql)


@hypothesis_settings(deadline=None, phases=[Phase.explicit])
@given(acts=ACTS)
@example(acts=[("raw", _edit("game_status = 1"), 5)])
@example(acts=[("raw", _edit("game_date + 20"), 3), ("partial run", 2, 4)])
@example(acts=[("receipts", 0, 4), ("partial run", 2, 6), ("partial run", 3, 7)])
def test_a_last_run_equals_a_build_from_nothing(
    acts: list[tuple[str, int, int]], short_file: Path, settings: Settings
) -> None:
    obeys_the_law(short_file, settings, acts)


@pytest.mark.full
@pytest.mark.timeout(900)
@hypothesis_settings(max_examples=4, deadline=None, print_blob=True)
@given(acts=ACTS)
def test_the_law_holds_for_some_lives(acts: list[tuple[str, int, int]], short_file: Path, settings: Settings) -> None:
    obeys_the_law(short_file, settings, acts)


@pytest.mark.torture
@hypothesis_settings(max_examples=500, deadline=None, print_blob=True)
@given(acts=ACTS)
def test_the_law_holds_for_many_lives(acts: list[tuple[str, int, int]], short_file: Path, settings: Settings) -> None:
    obeys_the_law(short_file, settings, acts)


@pytest.mark.torture
@hypothesis_settings(max_examples=50, deadline=None, print_blob=True)
@given(acts=ACTS)
def test_the_law_holds_for_two_seasons(
    acts: list[tuple[str, int, int]], computed_file: Path, settings: Settings
) -> None:
    obeys_the_law(computed_file, settings, acts)
