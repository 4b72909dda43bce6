"""Fingerprints: the same for equal rows however they were written, another one for any change."""

from __future__ import annotations

import pytest

from lib.calendar import read_calendar
from lib.fingerprint import Fingerprint, fingerprints
from lib.registry import registry
from lib.settings import Settings
from lib.warehouse import EmbeddedWarehouse
from tests.lib.at_work import PLAYERS, TEAM_OFFENSE, change, with_threads

Seasons = dict[str, Fingerprint]


def taken(warehouse: EmbeddedWarehouse, settings: Settings, table: str = TEAM_OFFENSE) -> Seasons:
    with warehouse.reading() as session:
        calendar = read_calendar(session, settings)
        return fingerprints(session, registry().tables[table], calendar, settings.start_date, calendar.as_of)


def test_twenty_rewrites_in_any_order_and_by_any_threads_change_nothing(
    warehouse: EmbeddedWarehouse, settings: Settings
) -> None:
    before = taken(warehouse, settings)
    assert list(before) == ["2023-10-24", "2024-10-22"]
    for seed in range(20):
        change(warehouse, f"CREATE OR REPLACE TEMP TABLE kept AS FROM {TEAM_OFFENSE} ORDER BY hash(game_id, team_abbr, {seed}); DELETE FROM {TEAM_OFFENSE}; INSERT INTO {TEAM_OFFENSE} FROM kept")  # fmt: skip
        assert taken(with_threads(warehouse, (1, 2, 8)[seed % 3]), settings) == before


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE {t} SET points_scored = points_scored + 1 WHERE {one}",
        "UPDATE {t} SET win_flag = NOT win_flag WHERE {one}",
        "UPDATE {t} SET offensive_rating = NULL WHERE {one}",
        "UPDATE {t} SET quality_issues = list_append(quality_issues, 'x') WHERE {one}",
        "INSERT INTO {t} FROM {t} WHERE {one}",
        "DELETE FROM {t} WHERE {one}",
        "INSERT INTO {t} FROM {t} WHERE {one} UNION ALL FROM {t} WHERE {one}",
    ],
)
def test_any_change_of_one_row_is_seen_in_its_season_alone(
    warehouse: EmbeddedWarehouse, settings: Settings, damage: str
) -> None:
    before = taken(warehouse, settings)
    one = f"(game_id, team_abbr) = (SELECT min((game_id, team_abbr)) FROM {TEAM_OFFENSE} WHERE game_date > '2024-06-01') AND game_date > '2024-06-01'"  # fmt: skip
    change(warehouse, damage.format(t=TEAM_OFFENSE, one=one))
    after = taken(warehouse, settings)
    assert after["2023-10-24"] == before["2023-10-24"]
    assert after["2024-10-22"].digest != before["2024-10-22"].digest


def test_two_rows_that_swap_a_value_are_seen(warehouse: EmbeddedWarehouse, settings: Settings) -> None:
    before = taken(warehouse, settings, PLAYERS)
    pair = (
        f"(SELECT game_id FROM {PLAYERS} GROUP BY game_id HAVING count(DISTINCT points) > 1 ORDER BY game_id LIMIT 1)"
    )
    change(warehouse, f"UPDATE {PLAYERS} SET points = CASE points WHEN (SELECT min(points) FROM {PLAYERS} WHERE game_id = {pair}) THEN (SELECT max(points) FROM {PLAYERS} WHERE game_id = {pair}) WHEN (SELECT max(points) FROM {PLAYERS} WHERE game_id = {pair}) THEN (SELECT min(points) FROM {PLAYERS} WHERE game_id = {pair}) ELSE points END WHERE game_id = {pair}")  # fmt: skip
    assert taken(warehouse, settings, PLAYERS) != before


def test_when_a_row_was_computed_is_no_part_of_it(warehouse: EmbeddedWarehouse, settings: Settings) -> None:
    before = taken(warehouse, settings)
    change(warehouse, f"UPDATE {TEAM_OFFENSE} SET processed_at = TIMESTAMPTZ '2030-01-01 00:00:00Z'")
    assert taken(warehouse, settings) == before


def test_a_day_after_the_range_is_no_part_of_it(warehouse: EmbeddedWarehouse, settings: Settings) -> None:
    with warehouse.reading() as session:
        calendar = read_calendar(session, settings)
        table, last = registry().tables[TEAM_OFFENSE], sorted(calendar.games)[-2]
        before = fingerprints(session, table, calendar, settings.start_date, last)
    change(warehouse, f"DELETE FROM {TEAM_OFFENSE} WHERE game_date > ?", last)
    with warehouse.reading() as session:
        assert fingerprints(session, table, calendar, settings.start_date, last) == before
