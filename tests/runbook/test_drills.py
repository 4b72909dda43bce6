"""Drills: every incident stands in the list, is caught by the ordinary steps and repaired by the printed command."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from lib.checks import all_checks
from lib.settings import ROOT, load_settings
from lib.verdicts import AMBER, RED, Finding
from runbook.cli import answer
from runbook.drills.case import FOLDER, Case, case_of, cases
from runbook.drills.ground import Ground, pocket_settings
from runbook.drills.mends import commands, statements
from runbook.drills.page import page
from runbook.drills.rehearse import Rehearsal, is_written
from runbook.drills.shell import Said, say
from runbook.verbs.drill import _left

DRILLS = [case for case in cases() if case.is_drill]
OTHERS = [case for case in cases() if not case.is_drill]
NUMBERED = [f"{letter}{n}" for letter, last in (("I", 20), ("C", 8), ("V", 9)) for n in range(1, last + 1)]


@pytest.fixture(scope="module")
def ground(whole_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Ground:
    folder = tmp_path_factory.mktemp("ground")
    shutil.copy(whole_file, folder / "ground.duckdb")
    return Ground(folder / "ground.duckdb", pocket_settings(folder))


@pytest.fixture(scope="module")
def rehearsal(ground: Ground) -> Rehearsal:
    return Rehearsal(ground)


def test_every_incident_and_every_defect_stands_in_the_list() -> None:
    assert set(NUMBERED) <= {case.id for case in cases()}


def test_the_list_is_discovered_and_in_order() -> None:
    assert len(cases()) == len(list(FOLDER.glob("*.toml")))
    assert [case.id for case in cases() if case.id in NUMBERED] == NUMBERED


@pytest.mark.parametrize("case", OTHERS, ids=lambda case: case.id)
def test_what_is_impossible_names_a_test_that_is_written(case: Case) -> None:
    assert is_written(case.test), case.test


@pytest.mark.full
def test_what_is_impossible_names_tests_that_are_collected() -> None:
    names = sorted({case.test for case in OTHERS})
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:xdist", "-o", "addopts=", *names]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
    collected = {line.partition("[")[0] for line in ended.stdout.splitlines()}
    assert ended.returncode == 0, ended.stdout
    assert set(names) <= collected


def test_a_drill_calls_no_check_by_name() -> None:
    names = {check.name for check in all_checks()}
    assert names
    for path in FOLDER.glob("*.toml"):
        words = set(path.read_text().replace('"', " ").replace(",", " ").split())
        assert not words & names, path


def test_the_page_of_drills_is_what_the_command_prints() -> None:
    assert (ROOT / "docs" / "drills.md").read_text() == page(cases()), (
        "run: runbook drill list --markdown > docs/drills.md"
    )


def test_pocket_settings_are_the_projects_but_for_the_size(tmp_path: Path) -> None:
    settings, own = load_settings(pocket_settings(tmp_path)), load_settings(ROOT / "runbook.toml")
    assert settings.gates == own.gates
    assert settings.start_date.year == 2023
    assert {name: facts.expected for name, facts in settings.tables.items()} == {
        name: facts.expected for name, facts in own.tables.items()
    }


def test_a_warehouse_without_a_fault_is_green(rehearsal: Rehearsal) -> None:
    rehearsal.control("watchman --days 40 --strict")
    rehearsal.control(rows_by="something else")
    assert rehearsal.control_faults() == []


@pytest.mark.full
def test_a_torn_date_is_caught_repaired_as_printed_and_the_warehouse_left_alone(ground: Ground) -> None:
    before = ground.warehouse.read_bytes()
    result = Rehearsal(ground).rehearse(case_of("i4"))
    assert (result.caught, result.repaired, result.exit_code) == (True, True, 1)
    assert result.commands == ["runbook run --phase 3"]
    assert "team_offense_game_summary" in result.caught_by
    assert ground.warehouse.read_bytes() == before


@pytest.mark.full
def test_a_fault_that_nothing_notices_is_not_caught(rehearsal: Rehearsal) -> None:
    harmless = case_of("I4").model_copy(update={"fault": "SELECT 1"})
    result = rehearsal.rehearse(harmless)
    assert (result.caught, result.repaired, result.holds) == (False, False, False)


@pytest.mark.full
def test_a_fault_that_the_printed_command_does_not_mend_is_not_repaired(
    rehearsal: Rehearsal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runbook.drills.rehearse.ROUNDS", 1)
    # raw data that nobody loads anew: what is printed cannot help
    raw = case_of("C8").model_copy(update={"reload": (), "step": "watchman --days 40", "computed": True})
    news = rehearsal.rehearse(raw)
    assert news.caught
    assert not news.repaired
    assert news.left


def test_amber_alone_is_no_catch_where_nobody_asked_to_be_strict(rehearsal: Rehearsal) -> None:
    said = Said(("watchman",), 1, json.dumps([Finding(AMBER, "somewhere", "something").as_json()]), "")
    assert rehearsal.news(case_of("I4"), said) == []
    assert rehearsal.news(case_of("I4").model_copy(update={"step": "watchman --days 40 --strict"}), said)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("runbook run --phase 3", [("run", "--phase", "3")]),
        ("load the raw data, then runbook run --phase 4.", [("run", "--phase", "4")]),
        ("runbook run --phase 3 takes stock of them; --recompute-found replaces them", [("run", "--phase", "3")]),
        ("create it with 'runbook run'", [("run",)]),
        ("runbook run --tables a,b --dates 2024-01-01,2024-01-02, then look", [("run", "--tables", "a,b", "--dates", "2024-01-01,2024-01-02")]),
        ("runbook gate 2 says more", [("gate", "2")]),
        ("runbook run --phase 3; then runbook run --phase 4", [("run", "--phase", "3"), ("run", "--phase", "4")]),
        ("look at the SELECT of the runbook", []),
    ],
)  # fmt: skip
def test_commands_are_taken_out_of_prose_as_they_are_printed(text: str, found: list[tuple[str, ...]]) -> None:
    assert commands(text) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("DROP TABLE nba_analytics.a_copy; or give it a contract in lib/tables", ["DROP TABLE nba_analytics.a_copy"]),
        ("DROP TABLE a.b; DROP TABLE c.d; or give it a contract", ["DROP TABLE a.b", "DROP TABLE c.d"]),
        ("drop it: ALTER TABLE a.b DROP COLUMN c", []),
        ("runbook run --phase 3", []),
    ],
)
def test_statements_are_taken_out_of_prose_as_they_are_printed(text: str, found: list[str]) -> None:
    assert statements(text) == found


def test_the_exclusions_of_a_drill_are_those_of_its_settings_and_of_no_other(ground: Ground, tmp_path: Path) -> None:
    settings = load_settings(ground.settings_of(case_of("K8"), tmp_path))
    assert [(str(rule.first), rule.reason) for rule in settings.exclusions] == [("2024-12-18", "arena closed")]
    assert ground.settings_of(case_of("I4"), tmp_path) == ground.settings_file
    assert ground.settings.exclusions == ()


def test_an_unknown_drill_is_bad_input() -> None:
    assert say(["drill", "run", "I99"], {}).code == 2
    assert answer(["drill", "run"]) == 2


def test_the_list_as_json_and_for_a_person() -> None:
    told = json.loads(say(["drill", "list", "--json"], {}).out)
    assert [drill["id"] for drill in told["drills"]] == [case.id for case in cases()]
    assert {drill["kind"] for drill in told["drills"]} == {"drill", "impossible by construction"}
    assert "I20" in say(["drill", "list"], {}).out


def test_an_impossible_one_is_run_without_a_warehouse() -> None:
    told = json.loads(say(["drill", "run", "V5", "--json"], {}).out)["drills"][0]
    assert told.keys() >= {"id", "title", "kind", "caught", "caught_by", "seconds", "repaired"}
    assert (told["caught"], told["repaired"]) == (True, None)
    assert told["caught_by"].startswith("tests/")


@pytest.mark.torture
@pytest.mark.timeout(3600)
def test_every_drill_is_caught_and_repaired() -> None:
    said = say(["drill", "run", "--all", "--json"], {})
    told = json.loads(said.out)
    failed = [drill for drill in told["drills"] if not drill["caught"] or drill["repaired"] is False]
    assert not failed
    assert told["control"] == {"green": True, "findings": []}
    assert said.code == 0


def test_a_long_rehearsal_says_how_far_it_is_and_how_long_it_takes() -> None:
    drill, other = case_of("I4"), case_of("V5")
    chosen = [drill, other, drill, drill, drill]
    assert _left(chosen, 1, 60.0) == " [1 of 5, about 3 min left]"
    assert _left(chosen, 3, 180.0) == " [3 of 5, about 3 min left]"
    assert _left(chosen, 5, 240.0) == " [5 of 5]"
    assert _left([other, drill], 1, 1.0) == " [1 of 2]"
    assert _left([drill], 1, 60.0) == ""


def test_what_is_red_is_mended_first() -> None:
    unknown = {"phase": 4, "error": "gone: runbook run"}
    said = Said(("watchman",), 3, json.dumps([unknown, Finding(RED, "a", "b", "runbook run --phase 3").as_json()]), "")
    assert [finding.severity for finding in said.findings] == ["red", "unknown"]
