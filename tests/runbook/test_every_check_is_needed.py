"""No check is there for show: whichever is switched off, a drill that was caught is caught no longer.

That each finds its own fault is in tests/lib/test_checks.py and test_check_sets.py, which everybody runs.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from lib.checks import Check, all_checks, checks_of
from lib.verdicts import Finding
from runbook.drills.case import Case, cases
from runbook.drills.ground import Ground, pocket_settings
from runbook.drills.rehearse import Rehearsal
from runbook.drills.shell import Said

pytestmark = [pytest.mark.timeout(1500), pytest.mark.torture]


@pytest.fixture(scope="module")
def rehearsal(whole_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Rehearsal:
    folder = tmp_path_factory.mktemp("ground")
    shutil.copy(whole_file, folder / "ground.duckdb")
    return Rehearsal(Ground(folder / "ground.duckdb", pocket_settings(folder)))


Told = list[tuple[Case, Said]]


@dataclass(frozen=True)
class Without(Said):
    """What was said, but for one check."""

    check: str = ""

    @property
    def findings(self) -> list[Finding]:
        return [finding for finding in super().findings if finding.where != self.check]


@pytest.fixture(scope="module")
def named(rehearsal: Rehearsal) -> dict[str, Told]:
    """The drills by what was said about them: those first in which it is hardest to do without."""
    found: dict[str, list[tuple[int, Case, Said]]] = {}
    for case in cases():
        if case.is_drill:
            _, said = rehearsal.notice(case)
            told = {finding.where for finding in rehearsal.news(case, said)}
            for name in told:
                found.setdefault(name, []).append((len(told) - case.says, case, said))
    return {name: [(case, said) for _, case, said in sorted(told, key=lambda t: t[0])] for name, told in found.items()}


@pytest.mark.parametrize("check", all_checks(), ids=lambda check: check.name)
def test_without_what_the_check_says_a_drill_is_not_caught(
    check: Check, rehearsal: Rehearsal, named: dict[str, Told]
) -> None:
    assert check.name in named, "no drill is caught by it"
    case, said = named[check.name][0]
    rest = Without(**vars(said), check=check.name)
    assert rehearsal.news(case, said), f"{case.id} is not caught"
    assert not rehearsal.news(case, rest), f"{case.id} is caught without it"


@pytest.mark.parametrize("check", all_checks(), ids=lambda check: check.name)
def test_a_drill_fails_when_the_check_is_switched_off(
    check: Check, rehearsal: Rehearsal, named: dict[str, Told], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert check.name in named, "no drill is caught by it"
    case, _ = named[check.name][0]

    def without(phase: int, *sets: tuple[str, ...]) -> tuple[Check, ...]:
        return tuple(one for one in checks_of(phase, *sets) if one.name != check.name)

    monkeypatch.setattr("lib.checks.run.checks_of", without)
    caught, said = rehearsal.notice(case)
    assert not caught, f"{case.id} is caught without it: {[finding.where for finding in rehearsal.news(case, said)]}"
