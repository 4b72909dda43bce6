"""The calendar: what is expected, what is bootstrap, and which range may be asked for."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest

from lib.calendar import Calendar, as_ranges, closed_range, read_as_of, read_calendar
from lib.errors import BadInput, CannotJudge
from lib.settings import Settings
from tests.lib.at_work import change, made
from tests.lib.raw_rows import RawRows

STARTS = {
    2021: date(2021, 10, 19),
    2022: date(2022, 10, 18),
    2023: date(2023, 10, 24),
    2024: date(2024, 10, 22),
    2025: date(2025, 10, 21),
}


def _calendar(*days: date) -> Calendar:
    return Calendar(date(2026, 1, 5), STARTS, dict.fromkeys(days, 1), frozenset(), 14)


@pytest.mark.parametrize("start", STARTS.values(), ids=str)
def test_day_13_of_a_season_is_bootstrap_and_day_14_is_not(start: date) -> None:
    calendar = _calendar()
    assert calendar.is_bootstrap(start)
    assert calendar.is_bootstrap(start + timedelta(days=13))
    assert not calendar.is_bootstrap(start + timedelta(days=14))


@pytest.mark.parametrize(
    ("last", "first_after"),
    [
        ("2021-11-01", "2021-11-02"),
        ("2022-10-31", "2022-11-01"),
        ("2023-11-06", "2023-11-07"),
        ("2024-11-04", "2024-11-05"),
        ("2025-11-03", "2025-11-04"),
    ],
)
def test_bootstrap_ends_where_the_calendar_says(last: str, first_after: str) -> None:
    calendar = _calendar()
    assert calendar.is_bootstrap(date.fromisoformat(last))
    assert not calendar.is_bootstrap(date.fromisoformat(first_after))


def test_the_days_before_a_season_belong_to_the_one_before() -> None:
    calendar = _calendar()
    assert calendar.season_start(date(2022, 10, 17)) == STARTS[2021]
    assert not calendar.is_bootstrap(date(2022, 10, 17))
    assert calendar.season_start(date(2020, 1, 1)) == date(2020, 1, 1)


def test_dates_are_grouped_by_season_in_order() -> None:
    days = [date(2024, 1, 2), date(2022, 12, 1), date(2023, 10, 24)]
    assert _calendar().by_season(days) == {
        STARTS[2022]: [date(2022, 12, 1)],
        STARTS[2023]: [date(2023, 10, 24), date(2024, 1, 2)],
    }


def test_neighbouring_game_dates_become_one_range_across_days_without_games() -> None:
    known = [date(2024, 1, day) for day in (3, 4, 7, 9, 20)]
    assert as_ranges([known[0], known[1], known[2], known[4]], known) == "2024-01-03..2024-01-07 (3), 2024-01-20"
    assert as_ranges([], known) == ""
    assert as_ranges([date(2030, 1, 1)], known) == "2030-01-01"


def _schedule(path: Path, settings: Settings) -> Calendar:
    """One game of every kind and status, a day each from 24 October 2023."""
    rows = RawRows()
    kinds = ("002", "001", "003", "004", "005", "006")
    for number, kind in enumerate(kinds):
        day = STARTS[2023] + timedelta(days=number)
        rows.scheduled(day, "BOS", "LAL", game_id=f"{kind}2300001")
    for number, status in enumerate((1, 2, 4, 5)):
        day = date(2024, 1, 1) + timedelta(days=number)
        rows.scheduled(day, "BOS", "LAL", game_id=f"002230001{number}", game_status=status)
    with made(path, rows, date(2024, 2, 1)).reading() as session:
        return read_calendar(session, settings)


def test_preseason_and_all_star_games_are_never_expected(tmp_path: Path, settings: Settings) -> None:
    calendar = _schedule(tmp_path / "w.duckdb", settings)
    assert list(calendar.games) == [STARTS[2023] + timedelta(days=n) for n in (0, 3, 4, 5)]


def test_only_final_games_are_expected_and_only_open_ones_are_unplayed(tmp_path: Path, settings: Settings) -> None:
    calendar = _schedule(tmp_path / "w.duckdb", settings)
    assert not any(day.year == 2024 for day in calendar.games)
    assert calendar.unplayed == {date(2024, 1, 1), date(2024, 1, 2)}


def test_a_season_starts_with_its_first_game_that_was_not_put_off(tmp_path: Path, settings: Settings) -> None:
    rows = RawRows()
    rows.scheduled(date(2023, 10, 3), "BOS", "LAL", game_id="0012300001")
    rows.scheduled(date(2023, 10, 23), "BOS", "LAL", game_id="0022300001", game_status=4)
    rows.scheduled(date(2023, 10, 25), "BOS", "LAL", game_id="0022300001")
    with made(tmp_path / "w.duckdb", rows, date(2024, 2, 1)).reading() as session:
        assert read_calendar(session, settings).starts == {2023: date(2023, 10, 25)}


def test_of_two_copies_of_a_row_the_later_one_holds(tmp_path: Path, settings: Settings) -> None:
    rows = RawRows()
    rows.scheduled(date(2023, 10, 24), "BOS", "LAL", game_id="0022300001")
    rows.scheduled(date(2023, 10, 26), "BOS", "LAL", game_id="0022300002")
    warehouse = made(tmp_path / "w.duckdb", rows, date(2024, 2, 1))
    older = "INSERT INTO nba_raw.nbac_schedule SELECT * REPLACE (1 AS game_status, processed_at - INTERVAL 1 DAY AS processed_at) FROM nba_raw.nbac_schedule"
    change(warehouse, older)
    with warehouse.reading() as session:
        calendar = read_calendar(session, settings)
    assert list(calendar.games) == [date(2023, 10, 24), date(2023, 10, 26)]
    assert not calendar.unplayed


def test_an_empty_schedule_is_an_error(tmp_path: Path, settings: Settings) -> None:
    warehouse = made(tmp_path / "w.duckdb", RawRows(), date(2024, 2, 1))
    with warehouse.reading() as session, pytest.raises(CannotJudge, match="never a pass"):
        read_calendar(session, settings)


def test_a_schedule_on_which_nothing_was_played_yet_is_an_error(tmp_path: Path, settings: Settings) -> None:
    rows = RawRows()
    rows.scheduled(date(2023, 10, 25), "BOS", "LAL", game_id="0022300001", game_status=1)
    warehouse = made(tmp_path / "w.duckdb", rows, date(2024, 2, 1))
    with warehouse.reading() as session, pytest.raises(CannotJudge, match="no final games"):
        read_calendar(session, settings)


def test_a_schedule_table_that_is_gone_is_an_error(tmp_path: Path, settings: Settings) -> None:
    warehouse = made(tmp_path / "w.duckdb", RawRows(), date(2024, 2, 1))
    change(warehouse, "DROP TABLE nba_raw.nbac_schedule")
    with warehouse.reading() as session, pytest.raises(CannotJudge, match="nbac_schedule is not in the warehouse"):
        read_calendar(session, settings)


def test_as_of_is_the_warehouses_not_the_clocks(tmp_path: Path) -> None:
    with made(tmp_path / "w.duckdb", RawRows(), date(2024, 2, 1)).reading() as session:
        assert read_as_of(session) == date(2024, 2, 1)


def test_a_range_past_as_of_is_refused(settings: Settings) -> None:
    with pytest.raises(BadInput, match="past as-of 2026-01-05"):
        closed_range(_calendar(), settings, None, date(2026, 1, 6))


def test_a_range_that_ends_before_it_starts_is_refused(settings: Settings) -> None:
    with pytest.raises(BadInput, match="starts 2024-01-02, after its end 2024-01-01"):
        closed_range(_calendar(), settings, date(2024, 1, 2), date(2024, 1, 1))


def test_an_open_range_runs_from_the_settings_start_to_as_of(settings: Settings) -> None:
    assert closed_range(_calendar(), settings, None, None) == (settings.start_date, date(2026, 1, 5))
