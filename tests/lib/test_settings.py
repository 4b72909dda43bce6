"""The settings: what is misspelt or contradicts itself is refused by name."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from lib.calendar import Calendar
from lib.errors import BadInput
from lib.exclusions import excluded_days
from lib.settings import ROOT, load_settings

EXCLUSION = """
[[exclusions]]
tables = ["nba_analytics.team_offense_game_summary"]
first = 2024-01-03
last = 2024-01-04
reason = "arena closed"
owner = "ann"
added = 2024-02-01
expires = 2025-02-01
"""
BOUNDS = "first = 2024-01-03\nlast = 2024-01-04"


def _written(folder: Path, old: str = "", new: str = "", more: str = "") -> Path:
    text = (ROOT / "runbook.toml").read_text()
    assert old in text
    path = folder / "runbook.toml"
    path.write_text(text.replace(old, new, 1) + more)
    return path


def test_the_projects_settings_are_valid() -> None:
    settings = load_settings(ROOT / "runbook.toml")
    assert settings.start_date == date(2021, 10, 19)
    assert (settings.coverage_pct(2), settings.coverage_pct(3), settings.coverage_pct(4)) == (95, 95, 88)
    assert settings.phase_of("nba_raw.nbac_schedule") == 2
    assert settings.phase_of("elsewhere.table") is None


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("start_date", "begin_date", "begin_date"),
        ("bootstrap_days", "bootstrap_day", "gates.bootstrap_day"),
        ('{ expected = "teams_with_boxes" }', '{ expected = "team_with_box" }', "'team_with_box' is no rule"),
        ('expected = "teams_with_boxes"', 'expects = "teams_with_boxes"', "expects"),
        ("analytics_coverage_pct = 95", "analytics_coverage_pct = 195", "gates.analytics_coverage_pct"),
        ("workers = 2", 'workers = "many"', "backfill.workers"),
        ("workers = 2", "workers = 0", "backfill.workers"),
        ("nba_precompute = 4", "nba_precompute = 6", "phase 6 has no threshold"),
        (
            "second_person = []",
            'second_person = ["ML"]',
            "signing.second_person: no phase that is signed is called 'ML'",
        ),
        ('ml = ["ml-lead"', 'model = ["ml-lead"', "signing.roles: no phase that is signed is called 'model'"),
        ("start_date = 2021-10-19", "start_date = 2021-13-19", "is no TOML"),
        (
            '"nba_analytics.team_offense_game_summary" =',
            '"nba_analytics.team_offence" =',
            "nba_analytics.team_offence",
        ),
        ("nba_analytics = 3", "nba_analytic = 3", "nba_analytic"),
    ],
)
def test_what_is_wrong_is_refused_by_name(tmp_path: Path, old: str, new: str, named: str) -> None:
    with pytest.raises(BadInput) as refused:
        load_settings(_written(tmp_path, old, new))
    assert named in str(refused.value)
    assert "runbook.toml" in str(refused.value)


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("last = 2024-01-04", "last = 2024-01-02", "first 2024-01-03 is after last 2024-01-02"),
        ('owner = "ann"', 'owner = ""', "owner"),
        ('reason = "arena closed"', 'reason = ""', "reason"),
        ("expires = 2025-02-01", "", "expires"),
        ("expires = 2025-02-01", "expires = 2024-01-31", "before it was added 2024-02-01"),
        ("first = 2024-01-03", "first = 2024-01-03\ndates = [2024-01-03]", "either dates, or first and last"),
        ("team_offense_game_summary", "team_offence", "team_offence"),
        (BOUNDS, "dates = 2024-01-03", "dates is a list of dates"),
        (BOUNDS, 'dates = "2024-01-03"', "dates is a list of dates"),
        (BOUNDS, 'dates = ["2024-01-03", 2024-01-04]', "all written alike"),
    ],
)
def test_a_bad_exclusion_is_refused_by_name(tmp_path: Path, old: str, new: str, named: str) -> None:
    with pytest.raises(BadInput, match="exclusion") as refused:
        load_settings(_written(tmp_path, more=EXCLUSION.replace(old, new)))
    assert named in str(refused.value)


@pytest.mark.parametrize("first", ["2024-01-04", "2023-12-01"])
def test_exclusions_that_overlap_are_refused_by_name(tmp_path: Path, first: str) -> None:
    other = EXCLUSION.replace("2024-01-03", first).replace("arena closed", "storm")
    with pytest.raises(BadInput, match="'arena closed' and 'storm' overlap"):
        load_settings(_written(tmp_path, more=EXCLUSION + other))


def test_exclusions_of_other_dates_or_tables_do_not_overlap(tmp_path: Path) -> None:
    dates = "dates = [2024-01-02, 2024-01-05]"
    other = EXCLUSION.replace("first = 2024-01-03\nlast = 2024-01-04", dates)
    rules = load_settings(_written(tmp_path, more=EXCLUSION + other)).exclusions
    assert [(rule.first, rule.last) for rule in rules][1] == (date(2024, 1, 2), date(2024, 1, 5))
    assert rules[1].names(date(2024, 1, 5))
    assert not rules[1].names(date(2024, 1, 3))


def test_an_exclusion_covers_its_tables_and_dates_until_it_expires(tmp_path: Path) -> None:
    settings = load_settings(_written(tmp_path, more=EXCLUSION))
    table, days = "nba_analytics.team_offense_game_summary", [date(2024, 1, number) for number in (2, 3, 4, 5)]
    last = Calendar(date(2025, 2, 1), {2023: days[0]}, dict.fromkeys(days, 1), frozenset(), 14)
    assert excluded_days(settings, last, table) == {date(2024, 1, 3), date(2024, 1, 4)}
    assert not excluded_days(settings, last, "nba_analytics.player_game_summary")
    assert not excluded_days(settings, replace(last, as_of=date(2025, 2, 2)), table)


def test_a_settings_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="there is no settings file"):
        load_settings(tmp_path / "none.toml")


def test_a_settings_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = _written(tmp_path)
    path.write_bytes(path.read_bytes().replace(b"# --warehouse", b"# \xfcber --warehouse"))
    with pytest.raises(BadInput, match=r"runbook\.toml is no UTF-8 text: save it as UTF-8"):
        load_settings(path)


def test_the_environment_says_which_settings_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUNBOOK_CONFIG", str(_written(tmp_path, "workers = 2", "workers = 7")))
    assert load_settings().backfill.workers == 7
