"""``python -m runbook.signing.derive URL RUN FIRST LAST PHASE...``: every verdict and fingerprint anew, in a fresh process.

A sign-off believes this and no cell's output.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

from lib.ahead import ask_ahead
from lib.calendar import read_calendar
from lib.checks import run_set
from lib.coverage import Judge
from lib.errors import CannotJudge, RunbookError
from lib.garbage import look_seldom
from lib.phase_gate import ML, phase_gate
from lib.settings import ROOT, load_settings
from lib.standing import standing
from lib.verdicts import Verdict
from lib.warehouse import connect
from lib.warehouse.threads import share
from runbook.prints import prints_of
from runbook.signing.evidence import closing_step, read_manifest

SECONDS = 1800


def derived(url: str, run: Path, first: str, last: str, phases: list[str]) -> dict[str, Any]:
    """Standing, verdicts and fingerprints by phase, from processes side by side; CannotJudge where one cannot say.

    *run* is the folder of the run that is signed, which holds the model. Each process judges its phases from one look, so
    that what two phases stand on is looked at once.
    """
    workers = min(len(phases), load_settings().backfill.workers)
    parts = [phases[at::workers] for at in range(workers)]
    with ThreadPoolExecutor(max(1, workers)) as pool:
        found = list(pool.map(partial(_derived, url, run, first, last, workers), parts))
    return {phase: verdicts for part in found for phase, verdicts in part.items()}


def _derived(url: str, run: Path, first: str, last: str, side_by_side: int, phases: list[str]) -> dict[str, Any]:
    command = [sys.executable, "-m", "runbook.signing.derive", url, str(run.resolve()), first, last, *phases]
    env = os.environ | share(side_by_side)
    try:
        done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired as error:
        raise CannotJudge(
            f"the verdicts could not be derived again within {SECONDS} s: try when less is going on"
        ) from error
    if done.returncode:
        raise CannotJudge(
            f"the verdicts could not be derived again: {(done.stderr.strip().splitlines() or ['no message'])[-1]}"
        )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def derive(url: str, run: Path, first: date, last: date, phases: list[str]) -> dict[str, Any]:
    """The same by phase, in this process, from one look."""
    settings = load_settings()
    with connect(url, settings.backfill.wait_seconds).reading() as session:
        judge = Judge(session, settings, read_calendar(session, settings))
        return {phase: _of_phase(judge, run, phase, first, last) for phase in phases}


def _of_phase(judge: Judge, run: Path, phase: str, first: date, last: date) -> dict[str, Any]:
    if phase != ML:
        ask_ahead("50_signoff", judge, int(phase), first, last)
    verdict = phase_gate(judge, phase, first, last)
    stands = standing(judge, phase, first, last, verdict)
    others = _model(judge, run) if phase == ML else run_set(judge, int(phase), first, last)
    verdicts = [verdict, others]
    tables = [t for t in judge.registry.computed if t.name in stands.contracts]
    return {
        "standing": stands.model_dump(mode="json"),
        "verdicts": [_summary(v) for v in verdicts],
        "fingerprints": {table.name: prints_of(judge.session, table, judge.calendar, first, last) for table in tables},
    }


def _model(judge: Judge, run: Path) -> Verdict:
    """The gate of the model that the run's closing step judged last."""
    from lib.ml.artefact import open_artefact
    from lib.ml.worth import model_verdict

    closing = read_manifest(run).latest[closing_step(ML)].verdicts
    name = next(verdict["model"] for verdict in closing if verdict["gate"] == "artefact")
    return model_verdict(open_artefact(run / name), judge.settings.ml)


def _summary(verdict: Verdict) -> dict[str, Any]:
    findings = [finding.as_json() for finding in verdict.findings]
    return {"gate": verdict.gate, "verdict": verdict.verdict, "sentence": verdict.sentence, "findings": findings}


def main() -> None:
    """Prints the JSON; a sentence on standard error and exit code 3 where it cannot."""
    look_seldom()
    url, run, first, last, *phases = sys.argv[1:]
    try:
        print(json.dumps(derive(url, Path(run), date.fromisoformat(first), date.fromisoformat(last), phases)))
    except RunbookError as error:
        print(error, file=sys.stderr)
        sys.exit(3)


if __name__ == "__main__":
    main()
