"""Exclusions by rule: named, resolved against the schedule and raw data, counted apart, held to the same floors."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

import lib.basis
from lib.calendar import closed_range
from lib.errors import BadInput
from lib.exclusions import days_of, told
from lib.gates import coverage_gate
from lib.grid import grid_tables
from lib.settings import EXCLUSION_RULES, Exclusion, Settings, load_settings
from lib.standing import Standing, standing
from lib.waivers import waivers
from lib.warehouse import EmbeddedWarehouse
from tests.lib.at_work import TEAM_DEFENSE, TEAM_OFFENSE, change, covered, gate_3, judging, line, said
from tests.lib.test_settings import EXCLUSION, _written

PLAY_IN, CUP_FINAL = date(2023, 12, 23), date(2023, 12, 9)
PLAYOFFS = [date(2023, 12, 27), date(2023, 12, 30), date(2024, 1, 1), date(2024, 1, 4), date(2024, 1, 6)]
LOST = date(2024, 12, 3)
BY_RULE = EXCLUSION.replace("first = 2024-01-03\nlast = 2024-01-04", 'rule = "play_in"')
BOXES = ("nbac_gamebook_player_stats", "bdl_player_boxscores", "nbac_team_boxscore")


def by_rule(settings: Settings, name: str, *more: Exclusion, **facts: Any) -> Settings:
    """The settings with an exclusion by rule of one table, and *more*."""
    known: dict[str, Any] = {"tables": (TEAM_DEFENSE,), "reason": "not wanted", "owner": "ann"}
    dated = {"added": date(2024, 2, 1), "expires": date(2030, 1, 1)}
    rule = Exclusion.model_validate(known | dated | {"rule": name} | facts)
    return settings.model_copy(update={"exclusions": (rule, *more)})


def _without_boxes(warehouse: EmbeddedWarehouse, day: date) -> None:
    for table in (*(f"nba_raw.{name}" for name in BOXES), TEAM_DEFENSE):
        change(warehouse, f"DELETE FROM {table} WHERE game_date = ?", day)
    change(warehouse, "DELETE FROM runbook.receipts WHERE day = ? AND table_name = ?", day, TEAM_DEFENSE)


def _standing(warehouse: EmbeddedWarehouse, settings: Settings, last: date | None = None) -> Standing:
    with judging(warehouse, settings) as judge:
        first, until = closed_range(judge.calendar, settings, None, last)
        return standing(judge, "3", first, until, coverage_gate(judge, 3, first, until))


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ('"play_in"', '"play-in"', "'play-in' is no rule of exclusion; there are: play_in, playoffs, cup_final, no_box_score"),
        ('"play_in"', '"all_star"', "All-Star, preseason and bootstrap dates are outside the denominator without one"),
        ('"play_in"', '"play_in"\ndates = [2024-01-03]', "either a rule or dates; first and last narrow a rule"),
        ('"play_in"', '"no_box_score"', "no_box_score needs first and last: else a load that failed would exclude itself"),
        ('"play_in"', '"no_box_score"\nlast = 2024-01-04', "no_box_score needs first and last"),
        ('"play_in"', '"play_in"\nfirst = 2024-02-01\nlast = 2024-01-04', "first 2024-02-01 is after last 2024-01-04"),
    ],
)  # fmt: skip
def test_a_bad_rule_is_refused_by_name(tmp_path: Path, old: str, new: str, named: str) -> None:
    with pytest.raises(BadInput, match="exclusion") as refused:
        load_settings(_written(tmp_path, more=BY_RULE.replace(old, new)))
    assert named in str(refused.value)


def test_one_rule_twice_is_refused_and_two_rules_are_not(tmp_path: Path) -> None:
    twice = BY_RULE + BY_RULE.replace("arena closed", "storm")
    with pytest.raises(BadInput, match="'arena closed' and 'storm' overlap"):
        load_settings(_written(tmp_path, more=twice))
    assert len(load_settings(_written(tmp_path, more=twice.replace("play_in", "playoffs", 1))).exclusions) == 2


@pytest.mark.parametrize(("name", "days"), [("play_in", [PLAY_IN]), ("playoffs", PLAYOFFS), ("cup_final", [CUP_FINAL])])
def test_a_rule_is_resolved_against_the_schedule(
    warehouse: EmbeddedWarehouse, settings: Settings, name: str, days: list[date]
) -> None:
    with judging(warehouse, by_rule(settings, name)) as judge:
        (rule,) = judge.settings.exclusions
        found = days_of(rule, judge.calendar)
        narrow = rule.model_copy(update={"first": days[-1]})
        assert [day for day in found if day < date(2024, 7, 1)] == days
        assert days_of(narrow, judge.calendar)[0] == days[-1]


def test_a_date_with_another_game_is_no_date_of_the_rule(warehouse: EmbeddedWarehouse, settings: Settings) -> None:
    change(warehouse, f"UPDATE nba_raw.nbac_schedule SET game_date = '{PLAYOFFS[0]}' WHERE game_id = '0052300101'")
    with judging(warehouse, by_rule(settings, "playoffs")) as judge:
        assert days_of(judge.settings.exclusions[0], judge.calendar) == PLAYOFFS[1:]
    with judging(warehouse, by_rule(settings, "play_in")) as judge:
        assert days_of(judge.settings.exclusions[0], judge.calendar) == []
    finding = (
        f"amber exclusion 'not wanted': no game counts on any of its dates: {TEAM_DEFENSE} by rule play_in: no date"
    )
    assert finding in said(gate_3(warehouse, by_rule(settings, "play_in")))


def test_every_rule_of_the_reference_is_resolved(warehouse: EmbeddedWarehouse, settings: Settings) -> None:
    _without_boxes(warehouse, LOST)
    for name in EXCLUSION_RULES:
        with judging(warehouse, by_rule(settings, name, first=date(2023, 10, 24), last=date(2024, 12, 20))) as judge:
            assert days_of(judge.settings.exclusions[0], judge.calendar), name


def test_dates_by_rule_are_counted_apart_shown_grey_and_named_with_their_rule(
    warehouse: EmbeddedWarehouse, settings: Settings
) -> None:
    excluding = by_rule(settings, "playoffs")
    verdict = gate_3(warehouse, excluding)
    figures = line(verdict, TEAM_DEFENSE)
    assert (figures["covered"], figures["expected"], figures["missing"], figures["excluded"]) == (67, 67, 0, 5)
    assert line(verdict, TEAM_OFFENSE)["excluded"] == 0
    dates = f"{TEAM_DEFENSE} by rule playoffs: 2023-12-27..2024-01-06 (5): not wanted (ann, expires 2030-01-01)"
    assert verdict.about["exclusions"] == [dates]
    assert dates in verdict.sentence
    grid = next(table for table in grid_tables(covered(warehouse, excluding)) if table.table == TEAM_DEFENSE)
    assert [run.told for run in grid.runs if run.state == "excluded"] == [
        "2023-12-27 to 2024-01-06: excluded, 5 game dates"
    ]


def test_what_has_no_box_score_is_excluded_until_the_box_score_is_loaded(
    warehouse: EmbeddedWarehouse, settings: Settings
) -> None:
    excluding = by_rule(settings, "no_box_score", first=date(2024, 12, 1), last=date(2024, 12, 10))
    before = _rows_of_boxes(warehouse)
    _without_boxes(warehouse, LOST)
    without = line(gate_3(warehouse, settings), TEAM_DEFENSE)
    assert (without["expected"], without["missing"], without["excluded"]) == (72, 1, 0)
    figures = line(gate_3(warehouse, excluding), TEAM_DEFENSE)
    assert (figures["expected"], figures["missing"], figures["excluded"]) == (71, 0, 1)
    warehouse.load(before)
    figures = line(gate_3(warehouse, excluding), TEAM_DEFENSE)
    assert (figures["expected"], figures["missing"], figures["excluded"]) == (72, 1, 0)


def _rows_of_boxes(warehouse: EmbeddedWarehouse) -> dict[str, Any]:
    with warehouse.reading() as session:
        return {f"nba_raw.{name}": session.arrow(f"SELECT * FROM nba_raw.{name}") for name in BOXES}


def test_a_lost_date_outside_what_narrows_the_rule_counts(warehouse: EmbeddedWarehouse, settings: Settings) -> None:
    _without_boxes(warehouse, LOST)
    excluding = by_rule(settings, "no_box_score", first=date(2024, 12, 4), last=date(2024, 12, 10))
    figures = line(gate_3(warehouse, excluding), TEAM_DEFENSE)
    assert (figures["missing"], figures["excluded"]) == (1, 0)


def test_floors_hold_for_dates_by_rule(warehouse: EmbeddedWarehouse, settings: Settings) -> None:
    excluding = by_rule(settings, "playoffs")
    needed = waivers(excluding, "3", covered(warehouse, excluding).values())
    assert needed == [
        f"{TEAM_DEFENSE} excludes 5 dates with raw data, the first 2023-12-27",
        f"{TEAM_DEFENSE} excludes 5 of 50 dates of season 2023",
    ]
    _without_boxes(warehouse, LOST)
    lost = by_rule(settings, "no_box_score", first=LOST, last=LOST)
    assert waivers(lost, "3", covered(warehouse, lost).values()) == [
        f"{TEAM_DEFENSE} excludes 1 of 46 dates of season 2024"
    ]


def test_dates_that_two_exclusions_name_are_amber_by_name(warehouse: EmbeddedWarehouse, settings: Settings) -> None:
    storm = (
        by_rule(settings, "play_in", reason="storm")
        .exclusions[0]
        .model_copy(update={"rule": None, "dates": (PLAY_IN,)})
    )
    verdict = gate_3(warehouse, by_rule(settings, "play_in", storm))
    assert f"amber {TEAM_DEFENSE}: exclusions 'not wanted', 'storm' overlap on {PLAY_IN}" in said(verdict)
    assert line(verdict, TEAM_DEFENSE)["excluded"] == 1


def test_a_sign_off_names_the_rule_and_its_dates_within_the_range(
    warehouse: EmbeddedWarehouse, settings: Settings
) -> None:
    excluding = by_rule(settings, "playoffs")
    assert _standing(warehouse, excluding).exclusions == [
        f"{TEAM_DEFENSE} by rule playoffs: 2023-12-27..2024-01-06 (5): not wanted (ann, expires 2030-01-01)"
    ]
    until = _standing(warehouse, excluding, date(2023, 12, 30)).exclusions
    assert until == [
        f"{TEAM_DEFENSE} by rule playoffs: 2023-12-27..2023-12-30 (2): not wanted (ann, expires 2030-01-01)"
    ]


def test_the_basis_of_a_plan_names_the_dates_and_says_when_they_are_others(
    warehouse: EmbeddedWarehouse, settings: Settings
) -> None:
    excluding = by_rule(settings, "no_box_score", first=date(2024, 12, 1), last=date(2024, 12, 10))
    bounds = (date(2024, 10, 22), date(2024, 12, 20))
    with judging(warehouse, excluding) as judge:
        basis = lib.basis.make_basis(judge, "", [3], False, *bounds)
        assert lib.basis.changed_rules(basis, judge, *bounds) == []
        assert basis.exclusions == (told(excluding.exclusions[0], judge.calendar),)
    _without_boxes(warehouse, LOST)
    with judging(warehouse, excluding) as judge:
        moved = lib.basis.changed_rules(basis, judge, *bounds)
    assert [text.partition(": nba")[0] for text in moved] == ["exclusion added", "exclusion removed"]
    assert f"by rule no_box_score: {LOST}: not wanted" in moved[0]
    assert "by rule no_box_score: no date" in moved[1]
