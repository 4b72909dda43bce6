"""A rehearsal: inject the fault, take the ordinary step, execute the printed command, look again."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from lib.settings import ROOT
from lib.verdicts import AMBER, Finding
from lib.warehouse import EmbeddedWarehouse
from runbook.drills.case import OTHERS, US, WATCHMAN, Case
from runbook.drills.ground import Ground, execute
from runbook.drills.mends import commands, statements
from runbook.drills.shell import Said, say

ROUNDS = 4  # a repair below makes the phase above due


@dataclass(frozen=True)
class Result:
    """What became of a case. ``repaired`` is None for what is impossible by construction: nothing was broken."""

    id: str
    title: str
    kind: str
    caught: bool
    caught_by: str
    seconds: float
    repaired: bool | None
    step: str = ""
    exit_code: int | None = None
    commands: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)  # findings that stayed after the repair

    @property
    def holds(self) -> bool:
        """Caught, and repaired where there was something to repair."""
        return self.caught and self.repaired is not False

    def as_json(self) -> dict[str, Any]:
        """The result for machines."""
        return asdict(self)


@dataclass
class Rehearsal:
    """Rehearses cases on copies of one ground. Controls, the same steps without the fault, are taken once each."""

    ground: Ground
    controls: dict[tuple[str, str], Said] = field(default_factory=dict)

    def rehearse(self, case: Case) -> Result:
        """The result of one case."""
        return self._drill(case) if case.is_drill else _impossible(case)

    def notice(self, case: Case) -> tuple[bool, Said]:
        """Injects the fault and takes the ordinary step: whether it was caught, and what was said."""
        with self._at(case) as (_, environment):
            said = _look(case.step, environment)
            return bool(self.news(case, said)), said

    def news(self, case: Case, said: Said) -> list[Finding]:
        """The findings that the control has not; none where the exit code calls it well, or too little is said."""
        known = {_name(finding) for finding in self.control(case.step, case.rows_by).findings}
        new = [finding for finding in said.findings if _name(finding) not in known]
        bad = [finding for finding in new if finding.severity != AMBER or "--strict" in case.step.split()]
        told = {finding.where for finding in new}
        return new if said.code in (1, 3) and bad and len(told) >= case.says else []

    def control(self, step: str = WATCHMAN, rows_by: str = US) -> Said:
        """The same step on the same warehouse without any fault."""
        if (step, rows_by) not in self.controls:
            with _folder() as folder, self.ground.copy(folder, rows_by=rows_by) as warehouse:
                self.controls[step, rows_by] = _look(step, self._environment(warehouse))
        return self.controls[step, rows_by]

    def control_faults(self) -> list[str]:
        """What the controls taken so far say against a warehouse that has no fault; rows of others are amber by right."""
        return [
            f"runbook {step}: {finding.severity} {finding.where}: {finding.what}"
            for (step, rows_by), said in self.controls.items()
            for finding in said.findings or [Finding("exit code", str(said.code), said.err)] * bool(said.code)
            if not (rows_by == OTHERS and finding.severity == AMBER and "written by something else" in finding.what)
        ]

    def _drill(self, case: Case) -> Result:
        started = time.monotonic()
        with self._at(case) as (warehouse, environment):
            said = _look(case.step, environment)
            news = self.news(case, said)
            done, left = self._repair(case, warehouse, environment, said) if news else ([], [])
        return Result(
            id=case.id,
            title=case.title,
            kind=case.kind,
            caught=bool(news),
            caught_by=_told(news),
            seconds=round(time.monotonic() - started, 1),
            repaired=bool(news) and not left,
            step=f"runbook {case.step}",
            exit_code=said.code,
            commands=done,
            left=left,
        )

    def _repair(
        self, case: Case, warehouse: EmbeddedWarehouse, environment: Mapping[str, str], said: Said
    ) -> tuple[list[str], list[str]]:
        """Executes the printed commands until the watchman says what the control says; gives them, and what is left."""
        self.ground.reload(warehouse, case.reload)
        environment = {
            **environment,
            "RUNBOOK_CONFIG": str(self.ground.settings_file),
        }  # without the fault's exclusions
        done: list[str] = []
        for _ in range(ROUNDS):
            command = _execute_next(said, warehouse, environment)
            if command is None:
                break
            done.append(command)
            said = _look(WATCHMAN, environment)
            if not self._left(case, said):
                return done, []
        return done, self._left(case, said) or ["no finding prints a command"]

    def _left(self, case: Case, said: Said) -> list[str]:
        known = {_name(finding) for finding in self.control(WATCHMAN, case.rows_by).findings}
        new = [f"{f.severity} {f.where}: {f.what}" for f in said.findings if _name(f) not in known]
        return new or ([f"exit code {said.code}"] if said.code else [])

    @contextmanager
    def _at(self, case: Case) -> Iterator[tuple[EmbeddedWarehouse, Mapping[str, str]]]:
        with _folder() as folder, self.ground.copy(folder, case) as warehouse:
            settings = self.ground.settings_of(case, warehouse.path.parent)
            yield warehouse, self._environment(warehouse) | {"RUNBOOK_CONFIG": str(settings)}

    def _environment(self, warehouse: EmbeddedWarehouse) -> dict[str, str]:
        return {
            "RUNBOOK_CONFIG": str(self.ground.settings_file),
            "RUNBOOK_WAREHOUSE": warehouse.absolute_url,
            "RUNBOOK_RUNS": str(warehouse.path.parent / "runs"),
            "OMP_NUM_THREADS": "1",
        }


def _look(step: str, environment: Mapping[str, str]) -> Said:
    return say([*step.split(), "--json"], environment)


def _execute_next(said: Said, warehouse: EmbeddedWarehouse, environment: Mapping[str, str]) -> str | None:
    """Executes the first command or statement that a finding prints, and gives it; None where none prints any."""
    for finding in said.findings:
        for words in commands(finding.mend):
            say(words, environment)
            return "runbook " + " ".join(words)
        for sql in statements(finding.mend):
            execute(warehouse, sql)
            return sql
    return None


def _name(finding: Finding) -> tuple[str, str, str]:
    """A finding without its figures: rows that something else wrote are the same finding on fewer dates."""
    kind = finding.what.partition(" ")[0]
    return finding.severity, finding.where, "" if kind.isdigit() else kind


def _told(news: list[Finding]) -> str:
    names = list(dict.fromkeys(f"{finding.severity} {finding.where}" for finding in news))
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _impossible(case: Case) -> Result:
    return Result(case.id, case.title, case.kind, is_written(case.test), case.test, 0.0, None)


def is_written(name: str) -> bool:
    """Whether ``tests/file.py::test_name`` is written."""
    path, _, function = name.partition("::")
    file = ROOT / path
    return file.is_file() and f"\ndef {function}(" in file.read_text()


@contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="drill-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)
