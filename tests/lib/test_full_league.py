"""What the full simulated league promises: the calendar to the day, real proportions."""

from __future__ import annotations

import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path

import pytest

from lib.league import full_league
from lib.league.__main__ import markdown
from lib.league.calibrate import figures
from tests.lib.raw_league import (
    ALL_STAR_FRIDAYS,
    DARK,
    EXPECTED,
    SEASON_STARTS,
    Raw,
    digest,
)


@pytest.fixture(scope="module")
def full() -> Raw:
    return Raw(full_league())


@pytest.mark.full
def test_full_has_918_expected_dates_of_which_70_are_bootstrap(full: Raw) -> None:
    dates = {row[0] for row in full.rows(f"SELECT DISTINCT game_date FROM nbac_schedule WHERE {EXPECTED}")}
    bootstrap = {start + timedelta(days=n) for start in SEASON_STARTS for n in range(14)}
    assert (len(dates), min(dates), max(dates)) == (918, date(2021, 10, 19), date(2026, 1, 3))
    assert len(dates & bootstrap) == 70


@pytest.mark.full
def test_full_has_no_games_on_dark_days(full: Raw) -> None:
    dates = {row[0] for row in full.rows(f"SELECT DISTINCT game_date FROM nbac_schedule WHERE {EXPECTED}")}
    breaks = [friday + timedelta(days=n) for friday in ALL_STAR_FRIDAYS for n in range(6)]
    assert dates.isdisjoint([*DARK, *breaks])


@pytest.mark.full
def test_full_closed_seasons_have_1230_games_and_82_a_team(full: Raw) -> None:
    seasons = full.rows(
        """SELECT season_year, count(DISTINCT game_id), count(DISTINCT game_date) FROM nbac_schedule
        WHERE game_status = 3 AND is_regular_season AND season_year < 2025 GROUP BY 1 ORDER BY 1"""
    )
    assert [(row[0], row[1]) for row in seasons] == [(year, 1230) for year in range(2021, 2025)]
    assert all(160 <= row[2] <= 165 for row in seasons)
    teams = """SELECT season_year, team, count(DISTINCT game_id) AS n FROM (
        SELECT home_team_tricode AS team, * FROM nbac_schedule UNION ALL
        SELECT away_team_tricode, * FROM nbac_schedule)
        WHERE game_status = 3 AND is_regular_season AND season_year < 2025 GROUP BY ALL"""
    assert full.rows(f"SELECT DISTINCT n FROM ({teams})") == [(82,)]


@pytest.mark.full
def test_full_playoffs_are_best_of_seven(full: Raw) -> None:
    series = full.rows(
        """SELECT season_year, substr(game_id, 1, 9) AS series, count(*), max(wins) FROM (
        SELECT *, count(*) OVER (PARTITION BY substr(game_id, 1, 9), winning_team_tricode) AS wins
        FROM nbac_schedule WHERE game_id LIKE '004%') GROUP BY ALL"""
    )
    assert len(series) == 4 * 15
    assert all(4 <= row[2] <= 7 and row[3] == 4 for row in series)
    play_in = "SELECT season_year, count(*) FROM nbac_schedule WHERE game_id LIKE '005%' GROUP BY 1 ORDER BY 1"
    assert full.rows(play_in) == [(year, 6) for year in range(2021, 2025)]
    cup = "SELECT season_year, count(*) FROM nbac_schedule WHERE game_id LIKE '006%' GROUP BY 1 ORDER BY 1"
    assert full.rows(cup) == [(2023, 1), (2024, 1), (2025, 1)]


@pytest.mark.full
def test_full_next_days_are_scheduled_and_not_played(full: Raw) -> None:
    days = full.rows(
        """SELECT DISTINCT game_date FROM nbac_schedule WHERE game_status = 1 AND game_date > DATE '2026-01-03'
        ORDER BY 1"""
    )
    assert [row[0] for row in days] == [date(2026, 1, 4) + timedelta(days=n) for n in range(9)]
    assert full.one("SELECT max(game_date) FROM nbac_schedule WHERE game_status = 3") == date(2026, 1, 3)


@pytest.mark.full
def test_full_exhibitions_are_in_raw(full: Raw) -> None:
    kinds = full.rows(
        """SELECT is_all_star, count(DISTINCT s.game_id), count(*) FROM nbac_schedule s
        JOIN nbac_gamebook_player_stats g ON g.game_id = strftime(s.game_date, '%Y%m%d_') || away_team_tricode
        || '_' || home_team_tricode WHERE substr(s.game_id, 1, 3) IN ('001', '003') GROUP BY 1 ORDER BY 1"""
    )
    assert [(row[0], row[1]) for row in kinds] == [(False, 5 * 45), (True, 4 * 2)]


@pytest.mark.full
def test_full_postponed_games_keep_their_number(full: Raw) -> None:
    pairs = full.rows(
        """SELECT a.game_date, b.game_date FROM nbac_schedule a JOIN nbac_schedule b USING (game_id)
        WHERE a.game_status = 4 AND b.game_status = 3"""
    )
    assert len(pairs) >= 24
    assert all(new > old for old, new in pairs)


@pytest.mark.full
def test_full_sources_cover_what_the_real_ones_do(full: Raw) -> None:
    games = full.one(f"SELECT count(*) FROM nbac_schedule WHERE {EXPECTED}")
    second = full.one("SELECT count(DISTINCT game_id) FROM bdl_player_boxscores")
    assert 0.92 < second / (games + 233) < 0.96
    active = """SELECT count(*) AS n, count(o.player_lookup) AS o FROM (SELECT DISTINCT game_date, player_lookup
        FROM nbac_gamebook_player_stats WHERE player_status = 'active' AND season_year >= 2022) g LEFT JOIN
        (SELECT DISTINCT game_date, player_lookup FROM odds_api_player_points_props) o
        USING (game_date, player_lookup)"""
    players, offered = full.rows(active)[0]
    assert 0.36 < offered / players < 0.44
    assert full.one("SELECT min(game_date) FROM odds_api_player_points_props") == date(2022, 10, 18)
    lines = "SELECT count(*) FROM (SELECT DISTINCT game_date, home_team_abbr FROM odds_api_game_lines)"
    assert 0.985 < full.one(lines) / games < 0.996


@pytest.mark.full
def test_full_is_like_real_games(full: Raw) -> None:
    rows = figures(full.league)
    assert [f"{row.name}: {row.simulated:.3f}, real {row.real}" for row in rows if not row.fits] == []
    simulated = {row.name: row.simulated for row in rows}
    assert simulated["MAE, line"] < simulated["MAE, last 10, rows with a line"]
    table = Path(__file__).parents[2].joinpath("docs", "league.md").read_text().partition("<!-- figures -->")[2]
    assert table.strip() == markdown(rows)


@pytest.mark.full
def test_full_is_the_same_in_another_process_with_one_thread(full: Raw) -> None:
    code = "from tests.lib.raw_league import digest; from lib.league import full_league; print(digest(full_league()))"
    run = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
        env={"OMP_NUM_THREADS": "1", "ARROW_NUM_THREADS": "1", "PYTHONPATH": "."},
    )
    assert run.stdout.strip() == digest(full.league)
