"""States: COMPLETE while what was signed is what is there; STALE, and why, from the moment it is not."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from lib.errors import BadInput
from lib.settings import Exclusion, Settings, load_settings
from lib.warehouse import EmbeddedWarehouse
from runbook.options import Place
from runbook.signing.signers import make_sandbox_key, sandbox_files
from runbook.verbs.gate import phase_states
from tests.lib.at_work import TEAM_OFFENSE, UPCOMING_TEAM, change, game_dates
from tests.runbook.crashes import runbook
from tests.runbook.signing.conftest import LAST, Archive, person


def changed(settings: Settings, section: str, **values: Any) -> Settings:
    facts = getattr(settings, section).model_copy(update=values)
    return settings.model_copy(update={section: facts})


def test_signed_and_unchanged_is_complete_to_its_last_date(archive: Archive) -> None:
    name, says = archive.state()
    assert name == "COMPLETE"
    assert "signed by sandbox on " in says
    since = [day for day in game_dates(archive.warehouse, archive.settings) if day > LAST]
    assert says.endswith(f"to 2024-12-01; {len(since)} dates since not signed"), says


def test_one_changed_value_is_stale_by_table_and_season_and_undone_it_is_complete(archive: Archive) -> None:
    where = f"{TEAM_OFFENSE} SET points_scored = points_scored {{}} 1 WHERE game_date = '2023-12-05' AND home_game"
    change(archive.warehouse, f"UPDATE {where.format('+')}")
    name, says = archive.state()
    assert name == "STALE"
    assert f"{TEAM_OFFENSE}, season from 2023-10-24: its rows are other ones than were signed" in says
    assert "2024-10-22" not in says
    change(archive.warehouse, f"UPDATE {where.format('-')}")
    assert archive.state()[0] == "COMPLETE"


def test_a_change_after_the_range_leaves_it_complete(archive: Archive) -> None:
    change(archive.warehouse, f"DELETE FROM {UPCOMING_TEAM} WHERE game_date > '2024-12-01'")
    assert archive.state()[0] == "COMPLETE"


def test_a_new_day_after_the_range_leaves_it_complete_to_its_date(archive: Archive) -> None:
    before = len(game_dates(archive.warehouse, archive.settings))
    new = "game_date + 1 AS game_date, game_id || '9' AS game_id"
    last = "(SELECT max(game_date) FROM nba_raw.nbac_schedule WHERE game_status = 3)"
    change(archive.warehouse, f"DELETE FROM nba_raw.nbac_schedule WHERE game_date > {last}")  # all of the day is over
    change(archive.warehouse, f"INSERT INTO nba_raw.nbac_schedule BY NAME SELECT * REPLACE ({new}) FROM nba_raw.nbac_schedule WHERE game_date = {last}")  # fmt: skip
    change(archive.warehouse, "UPDATE runbook.meta SET value = CAST(CAST(value AS DATE) + 1 AS VARCHAR) WHERE name = 'as_of'")  # fmt: skip
    name, says = archive.state()
    assert name == "COMPLETE"
    days = game_dates(archive.warehouse, archive.settings)
    assert len(days) == before + 1
    assert says.endswith(f"to 2024-12-01; {sum(day > LAST for day in days)} dates since not signed"), says


def test_raw_data_that_is_short_only_after_the_range_blocks_nothing_that_was_signed(archive: Archive) -> None:
    for table in ("nbac_gamebook_player_stats", "bdl_player_boxscores"):
        change(archive.warehouse, f"DELETE FROM nba_raw.{table} WHERE game_date > '2024-12-01'")
    assert archive.state(2)[0] == "INCOMPLETE"
    assert archive.state(3)[0] == "COMPLETE"
    change(archive.warehouse, "UPDATE nba_raw.nbac_schedule SET game_status = 1 WHERE game_date = '2024-11-20'")
    assert archive.state(3)[0] in ("STALE", "BLOCKED")


def test_a_row_gone_or_an_expected_key_more_is_stale(archive: Archive) -> None:
    change(archive.warehouse, f"DELETE FROM {UPCOMING_TEAM} WHERE game_date = '2023-12-05' AND home_game")
    assert f"{UPCOMING_TEAM}, season from 2023-10-24" in archive.state()[1]
    assert archive.state()[0] == "STALE"


def test_changed_input_under_the_same_rows_is_stale(archive: Archive) -> None:
    change(
        archive.warehouse, "UPDATE nba_raw.nbac_team_boxscore SET points = points + 1 WHERE game_date = '2023-12-05'"
    )
    name, says = archive.state()
    assert name == "STALE"
    assert "outdated on 1 date" in says


def test_a_stricter_gate_is_stale_by_name(archive: Archive) -> None:
    name, says = archive.state(settings=changed(archive.settings, "gates", analytics_coverage_pct=96.0))
    assert name == "STALE"
    assert "rule gates.analytics_coverage_pct has changed: 95.0 when signed, 96.0 now" in says


def test_an_exclusion_more_is_stale_by_name(archive: Archive) -> None:
    day = date(2023, 12, 5)
    rule = Exclusion(tables=(UPCOMING_TEAM,), first=day, last=day, reason="hall closed", owner="ada", added=day, expires=date(2099, 1, 1))  # fmt: skip
    name, says = archive.state(settings=archive.settings.model_copy(update={"exclusions": (rule,)}))
    assert name == "STALE"
    assert "exclusion: " in says
    assert "hall closed" in says


def test_without_the_sign_off_it_is_proven_and_no_more(archive: Archive) -> None:
    person(archive).revoke("0001-sign-off-phase-3.json", "signed by mistake")
    assert archive.state()[0] == "PROVEN"
    with pytest.raises(BadInput, match=r"no sign-off is called nothing\.json"):
        person(archive, "bob").revoke("nothing.json", "x")


def test_a_revocation_needs_its_reason(archive: Archive) -> None:
    with pytest.raises(BadInput, match="needs its reason"):
        person(archive).revoke("0001-sign-off-phase-3.json", " ")


def test_a_log_that_was_touched_makes_nothing_complete(archive: Archive) -> None:
    log = archive.signoffs / "log.jsonl"
    log.write_text(log.read_text().replace('"phase":"3"', '"phase":"4"'))
    assert archive.state()[0] == "PROVEN"


def test_where_two_must_sign_one_is_not_enough(archive: Archive) -> None:
    archive.settings = changed(archive.settings, "signing", second_person=("3",))
    name, says = archive.state()
    assert (name, "a second person is needed" in says) == ("PROVEN", True)
    person(archive).sign(archive.run)
    name, says = archive.state()
    assert (name, "signed by ada and sandbox" in says) == ("COMPLETE", True)


def test_a_lowered_floor_is_a_waiver_and_needs_two(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    config = archive.runs.parent / "lowered.toml"
    text = (
        Path(os.environ["RUNBOOK_CONFIG"])
        .read_text()
        .replace("analytics_coverage_pct = 95", "analytics_coverage_pct = 90")
    )
    config.write_text(text)
    monkeypatch.setenv("RUNBOOK_CONFIG", str(config))
    lowered = changed(archive.settings, "gates", analytics_coverage_pct=90.0)
    archive.settings = lowered
    person(archive).sign(archive.run)
    name, says = archive.state()
    assert name == "PROVEN"
    assert "a second person is needed for the waiver of gates.analytics_coverage_pct = 90, the floor is 95" in says
    person(archive, "grace").sign(archive.run)
    assert archive.state()[0] == "COMPLETE WITH WAIVER"


def test_a_sign_off_that_starts_late_completes_nothing(archive: Archive) -> None:
    early = archive.settings.model_copy(update={"start_date": date(2023, 10, 1)})
    name, says = archive.state(settings=early)
    assert name == "PROVEN"
    assert "but only from 2023-10-24: COMPLETE begins 2023-10-01" in says


@pytest.mark.full
@pytest.mark.timeout(600)
def test_what_moves_in_phase_3_makes_4_and_ml_stale_and_undone_all_is_complete(
    whole: EmbeddedWarehouse, whole_environment: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("RUNBOOK_SIGNERS", str(tmp_path / "signers.toml"))
    make_sandbox_key(whole, whole.meta()["id"])
    ended = runbook(whole, "run")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    archive = Archive(whole, whole_environment, "", load_settings())
    # a league so small teaches no model more than the averages say, and nobody was there to acknowledge it
    assert "PROVEN, phase ml not signed: amber, and not acknowledged: model" in ended.stdout
    assert _states(archive) == {3: "COMPLETE", 4: "COMPLETE", "ml": "PROVEN"}
    (run,) = (path.parent.name for path in whole_environment.glob("*/manifest.json"))
    words = ("--phase", "ml", "--acknowledge", "model", "--key", str(sandbox_files(whole)[0]))
    assert runbook(whole, "sign", run, *words).returncode == 0
    assert _states(archive) == {3: "COMPLETE", 4: "COMPLETE", "ml": "COMPLETE"}
    where = f"{TEAM_OFFENSE} SET points_scored = points_scored {{}} 1 WHERE game_date = '2023-12-05' AND home_game"
    change(whole, f"UPDATE {where.format('+')}")
    assert _states(archive) == {3: "STALE", 4: "STALE", "ml": "STALE"}
    assert f"{TEAM_OFFENSE}, season from 2023-10-24" in archive.state(3)[1]
    change(whole, f"UPDATE {where.format('-')}")
    assert _states(archive) == {3: "COMPLETE", 4: "COMPLETE", "ml": "COMPLETE"}
    stricter = changed(archive.settings, "gates", precompute_coverage_pct=90.0)
    assert archive.state(4, stricter)[0] == "STALE"
    assert "rule gates.precompute_coverage_pct has changed: 88.0 when signed, 90.0 now" in archive.state(4, stricter)[1]


def _states(archive: Archive) -> dict[int | str, str]:
    place = Place(archive.warehouse, archive.settings)
    found = {line["phase"]: line["state"] for line in phase_states(place, archive.runs)}
    return {phase: found[phase] for phase in (3, 4, "ml")}
