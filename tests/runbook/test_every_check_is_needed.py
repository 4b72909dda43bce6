"""No check is there for show: whichever is switched off, a drill that was caught is caught no longer."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from lib.checks import Check, all_checks, checks_of
from runbook.drills.case import Case, cases
from runbook.drills.ground import Ground, pocket_settings
from runbook.drills.rehearse import Rehearsal

pytestmark = [pytest.mark.full, pytest.mark.timeout(1500)]


@pytest.fixture(scope="module")
def rehearsal(whole_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Rehearsal:
    folder = tmp_path_factory.mktemp("ground")
    shutil.copy(whole_file, folder / "ground.duckdb")
    return Rehearsal(Ground(folder / "ground.duckdb", pocket_settings(folder)))


@pytest.fixture(scope="module")
def named(rehearsal: Rehearsal) -> dict[str, list[Case]]:
    """The drills by what was said about them: those first in which it is hardest to do without."""
    found: dict[str, list[tuple[int, Case]]] = {}
    for case in cases():
        if case.is_drill:
            _, said = rehearsal.notice(case)
            told = {finding.where for finding in rehearsal.news(case, said)}
            for name in told:
                found.setdefault(name, []).append((len(told) - case.says, case))
    return {name: [case for _, case in sorted(told, key=lambda pair: pair[0])] for name, told in found.items()}


@pytest.mark.parametrize("check", all_checks(), ids=lambda check: check.name)
def test_a_drill_fails_when_the_check_is_switched_off(
    check: Check, rehearsal: Rehearsal, named: dict[str, list[Case]], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert check.name in named, "no drill is caught by it"
    case = named[check.name][0]

    def without(phase: int, *sets: tuple[str, ...]) -> tuple[Check, ...]:
        return tuple(one for one in checks_of(phase, *sets) if one.name != check.name)

    monkeypatch.setattr("lib.checks.run.checks_of", without)
    caught, said = rehearsal.notice(case)
    assert not caught, f"{case.id} is caught without it: {[finding.where for finding in rehearsal.news(case, said)]}"
