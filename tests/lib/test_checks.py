"""The checks: green on the pocket league, and each fails, alone and by name, when its fault is planted."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from lib.checks import Check, all_checks, checks_of, named, read, run_checks, run_set
from lib.checks.model import FEATURES, NOTHING, POST_BACKFILL, REGRESSION, Scope
from lib.checks.rules.features import compared
from lib.checks.scan import GROUPS, ROWS, shape_of
from lib.errors import BadInput, CannotJudge
from lib.settings import CheckFacts, Settings
from lib.verdicts import Verdict
from lib.warehouse import EmbeddedWarehouse
from tests.lib.at_work import PLAYERS, TEAM_DEFENSE, TEAM_OFFENSE, UPCOMING_PLAYER, UPCOMING_TEAM, change, judging, said
from tests.lib.check_faults import ARRAY_AT, FAULTS, STORE

FIRST, LAST = date(2023, 10, 24), date(2024, 12, 20)
IN_SQL = (POST_BACKFILL, FEATURES, REGRESSION)
WELL = ("green", NOTHING)


def verdicts(warehouse: EmbeddedWarehouse, settings: Settings, *phases: int) -> list[Verdict]:
    """What the checks of the phases say over the whole history."""
    with judging(warehouse, settings) as judge:
        return [run_set(judge, phase, FIRST, LAST, IN_SQL) for phase in phases]


def failing(found: list[Verdict]) -> dict[str, str]:
    """The checks that fail, with their verdicts."""
    return {r["check"]: r["verdict"] for verdict in found for r in verdict.table if r["verdict"] not in WELL}


def test_every_check_is_tried_with_its_fault() -> None:
    assert set(FAULTS) == {check.name for check in all_checks() if check.set in IN_SQL}


def test_a_clean_league_gives_no_finding_at_all(whole: EmbeddedWarehouse, whole_settings: Settings) -> None:
    for phase, verdict in zip((3, 4), verdicts(whole, whole_settings, 3, 4), strict=True):
        count = len(checks_of(phase, (POST_BACKFILL, FEATURES)))
        assert (verdict.verdict, said(verdict)) == ("green", "")
        # a season of 22 games has too few rows a month to be compared with the one before
        assert verdict.sentence.startswith(f"{count} of {count} checks pass. 2 found nothing to judge.")
        assert all(row["pass"] == row["units"] for row in verdict.table)
        for row in verdict.table:
            compares = named(row["check"])[0].set == REGRESSION
            assert (row["units"], row["verdict"]) == (0, NOTHING) if compares else row["units"] > 0


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_is_found_by_its_check_alone(
    whole: EmbeddedWarehouse, whole_settings: Settings, name: str
) -> None:
    fault, (check,) = FAULTS[name], named(name)
    for sql in fault.sql:
        change(whole, sql)
    found = verdicts(whole, _fitting(whole_settings, check), 3, 4)
    assert failing(found).get(name) == check.severity
    assert set(failing(found)) - fault.also == {name}
    assert f"{check.severity} {name}: " in "\n".join(map(said, found))
    assert "for instance" in "\n".join(map(said, found))
    sample = next(s for v in found for s in v.about["offending"] if s["check"] == name)
    assert 1 <= len(sample["rows"]) <= 5
    assert all(len(row) == len(sample["columns"]) for row in sample["rows"])


def test_a_window_that_reads_its_own_date_is_found_also_where_every_table_tells_the_same(
    whole: EmbeddedWarehouse, whole_settings: Settings
) -> None:
    """What ``<=`` does: every row counts one game more, and so does the cache that is copied from it."""
    for table in (UPCOMING_PLAYER, "nba_precompute.player_daily_cache"):
        change(whole, f"UPDATE {table} SET games_played_season = games_played_season + 1")
    assert failing(verdicts(whole, whole_settings, 3, 4))["context_is_the_history"] == "red"


def _fitting(settings: Settings, check: Check) -> Settings:
    """The pocket league is too small for a baseline: there one feature of the players is enough."""
    if check.set != REGRESSION:
        return settings
    features = settings.features.model_copy(update={"coverage": {PLAYERS: {"paint_attempts": 40}}, "wished": {}})
    return settings.model_copy(update={"features": features, "checks": CheckFacts(baseline_rows=300)})


def test_without_its_fault_the_baseline_is_green(whole: EmbeddedWarehouse, whole_settings: Settings) -> None:
    with judging(whole, _fitting(whole_settings, named("feature_regression")[0])) as judge:
        (result,) = run_checks(Scope(judge, 3, FIRST, LAST), named("feature_regression"))
    assert (result.failed, result.offenders.units) == (0, 2)


def test_an_optional_feature_regresses_in_amber(whole: EmbeddedWarehouse, whole_settings: Settings) -> None:
    settings = _fitting(whole_settings, named("feature_regression")[0])
    features = settings.features.model_copy(update={"coverage": {}, "wished": settings.features.coverage})
    change(whole, FAULTS["feature_regression"].sql[0])
    found = verdicts(whole, settings.model_copy(update={"features": features}), 3)
    assert failing(found) == {"feature_degradation": "amber"}
    assert "REGRESSION" in said(found[0])


def test_overtime_minutes_and_tiny_stints_pass(whole: EmbeddedWarehouse, whole_settings: Settings) -> None:
    change(whole, f"UPDATE {TEAM_OFFENSE} SET overtime_periods = 3 WHERE game_date = '2024-12-03'")
    row = f"(SELECT max(rowid) FROM {PLAYERS} WHERE game_date = '2024-12-03')"
    other = f"(SELECT min(rowid) FROM {PLAYERS} WHERE game_date = '2024-12-03')"
    change(whole, f"UPDATE {PLAYERS} SET minutes_played = 62.9, usage_rate = NULL WHERE rowid = {row}")
    change(whole, f"UPDATE {PLAYERS} SET minutes_played = 0.0, usage_rate = 2602.1 WHERE rowid = {other}")
    failed = failing(verdicts(whole, whole_settings, 3))
    assert not {"minutes_fit_the_game", "player_counts_are_possible"} & set(failed)


def test_a_game_that_waits_for_its_player_boxes_is_no_fault_of_the_rows(
    whole: EmbeddedWarehouse, whole_settings: Settings
) -> None:
    """Coverage names it: the team's box came, the players' did not."""
    game = "(SELECT max(game_id) FROM nba_analytics.team_offense_game_summary WHERE game_date = '2024-12-03')"
    change(whole, f"DELETE FROM {PLAYERS} WHERE game_id = {game}")
    assert "players_of_a_team_game" not in failing(verdicts(whole, whole_settings, 3))


def test_a_date_that_is_excluded_says_nothing_of_the_rest_after_it(
    whole: EmbeddedWarehouse, whole_settings: Settings
) -> None:
    change(whole, f"DELETE FROM {UPCOMING_TEAM} WHERE game_date = '2024-12-03'")
    assert "rest_is_counted" not in failing(verdicts(whole, whole_settings, 3))


ENTRIES = {
    "store_is_the_context": (9, 10, 17),
    "features_are_25": (18, 19, 20, 21, 24),
}


@pytest.mark.parametrize(("check", "entry"), [(name, n) for name, entries in ENTRIES.items() for n in entries])
def test_an_entry_of_the_feature_array_in_another_unit_is_found(
    whole: EmbeddedWarehouse, whole_settings: Settings, check: str, entry: int
) -> None:
    """Percent for a fraction, or what nobody wrote."""
    other = ARRAY_AT.format(n=entry, value=f"100 * features[{entry + 1}] + 7")
    change(whole, f"UPDATE {STORE} SET features = {other} WHERE rowid = (SELECT max(rowid) FROM {STORE})")
    with judging(whole, whole_settings) as judge:
        (result,) = run_checks(Scope(judge, 4, FIRST, LAST), named(check))
    assert result.failed == 1


@pytest.mark.parametrize(("minutes", "found"), [(6, False), (7, True)])
def test_players_minutes_may_be_rounded_and_not_lost(
    whole: EmbeddedWarehouse, whole_settings: Settings, minutes: int, found: bool
) -> None:
    """Ten players of a box in whole minutes were seen to miss 240 by 4."""
    team = f"game_date = '2024-12-03' AND team_abbr = (SELECT min(team_abbr) FROM {PLAYERS} WHERE game_date = '2024-12-03')"
    exact = f"240 + 25 * (SELECT any_value(overtime_periods) FROM {TEAM_OFFENSE} WHERE {team}) - {minutes}"
    change(whole, f"UPDATE {PLAYERS} SET minutes_played = ({exact}) / (SELECT count(*) FROM {PLAYERS} WHERE {team}) WHERE {team}")  # fmt: skip
    assert ("players_minutes_are_the_games" in failing(verdicts(whole, whole_settings, 3))) is found


def test_a_fault_outside_the_range_is_not_seen(warehouse: EmbeddedWarehouse, settings: Settings) -> None:
    change(warehouse, FAULTS["two_sides_of_a_game"].sql[0])
    with judging(warehouse, settings) as judge:
        assert run_set(judge, 3, FIRST, date(2024, 1, 31), (POST_BACKFILL,)).verdict == "green"
        assert run_set(judge, 3, FIRST, LAST, (POST_BACKFILL,)).red


def test_the_summer_and_the_break_are_no_gaps(warehouse: EmbeddedWarehouse, settings: Settings) -> None:
    """Between the two seasons of the pocket league lie ten months without a game."""
    with judging(warehouse, settings) as judge:
        (result,) = run_checks(Scope(judge, 3, FIRST, LAST), named("no_gap_in_a_season"))
    assert (result.failed, result.offenders.units) == (0, 480)


@pytest.mark.parametrize(
    ("percent", "outcome"), [(85.4, "REGRESSION"), (85.6, "DEGRADATION"), (90.3, "OK"), (99.8, "IMPROVEMENT")]
)
def test_coverage_against_a_baseline_of_95(percent: float, outcome: str) -> None:
    assert compared(percent, 95.0, CheckFacts()) == outcome


def test_a_check_that_cannot_be_asked_is_an_error_and_never_a_pass(
    warehouse: EmbeddedWarehouse, settings: Settings
) -> None:
    change(warehouse, f"ALTER TABLE {TEAM_DEFENSE} DROP COLUMN points_allowed")
    with pytest.raises(CannotJudge, match="could not answer"):
        verdicts(warehouse, settings, 3)


def test_a_check_with_nothing_to_judge_did_not_pass(warehouse: EmbeddedWarehouse, settings: Settings) -> None:
    change(warehouse, f"DELETE FROM {TEAM_OFFENSE}")
    with pytest.raises(CannotJudge, match="found nothing to judge in nba_analytics"):
        verdicts(warehouse, settings, 3)


def test_checks_of_one_table_are_counted_in_one_scan() -> None:
    scans = {shape_of(check).scan for check in checks_of(3) if check.sql and shape_of(check).kind in (ROWS, GROUPS)}
    counted = [check for check in checks_of(3) if check.sql and shape_of(check).kind in (ROWS, GROUPS)]
    assert len([scan for scan in scans if scan[:2] == (ROWS, PLAYERS)]) == 1
    assert len(scans) < len(counted)


def test_a_phase_without_checks_cannot_be_judged(warehouse: EmbeddedWarehouse, settings: Settings) -> None:
    with judging(warehouse, settings) as judge, pytest.raises(CannotJudge, match="no check is written for phase 9"):
        run_set(judge, 9, FIRST, LAST, ("readiness",))


def test_a_name_that_no_check_bears_is_refused() -> None:
    with pytest.raises(BadInput, match="called 'two_sides'; 'runbook check --list'"):
        named("two_sides")
    assert {check.set for check in named("features")} == {FEATURES}


@pytest.mark.parametrize("text", ["-- severity: blue\nSELECT 1", "-- set: features\n-- severity: red\nSELECT 1"])
def test_a_check_without_its_head_is_refused_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    folder = tmp_path / "phase_9"
    folder.mkdir()
    (folder / "headless.sql").write_text(text)
    monkeypatch.setattr(read, "FOLDER", tmp_path)
    with pytest.raises(CannotJudge, match=r"headless\.sql"):
        read.all_checks.__wrapped__()


def test_a_set_that_found_nothing_to_judge_is_no_pass(whole: EmbeddedWarehouse, whole_settings: Settings) -> None:
    with judging(whole, whole_settings) as judge:
        verdict = run_set(judge, 3, FIRST, LAST, (REGRESSION,))
    assert verdict.verdict == "amber"
    assert "none of its 2 checks found anything to judge" in said(verdict)
