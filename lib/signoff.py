"""The sign-off checklist: the six boxes of the incident report, each computed."""

from __future__ import annotations

import getpass
from collections.abc import Iterable, Sequence

from lib.errors import GateFailed
from lib.verdicts import GREEN, RED, Finding, Verdict, verdict_of, worst

BOXES = ("tables", "validator", "attempts", "quality", "dependencies", "signer")  # of a phase that computes tables
MODEL_BOXES = ("readiness", "artefact", "model", "signer")  # of the model, at its closing


def tables_verdict(coverage: Verdict) -> Verdict:
    """First box: every table of the phase reaches its threshold, one line each."""
    threshold = coverage.about["threshold_pct"]
    short = [line for line in coverage.table if line["coverage_pct"] is not None and line["coverage_pct"] < threshold]
    findings = [Finding(RED, line["table"], f"{line['covered']} of {line['expected']} dates") for line in short]
    held = len(coverage.table) - len(short)
    return verdict_of(
        "tables", f"{held} of {len(coverage.table)} tables reach {threshold:g} %.", findings, table=coverage.table
    )


def dependencies_verdict(upstream: Verdict, contracts: Verdict) -> Verdict:
    """Fifth box: the phase below holds, and the tables are those of the contracts."""
    findings = (*upstream.findings, *contracts.findings)
    verdict = worst([upstream.verdict, contracts.verdict])
    return Verdict("dependencies", verdict, f"{upstream.sentence} {contracts.sentence}", findings)


def signer_verdict(name: str) -> Verdict:
    """Sixth box: somebody is named who answers for the phase; red where nobody is."""
    signer = name.strip() or _user()
    if not signer:
        return verdict_of(
            "signer", "Nobody signs.", [Finding(RED, "signer", "nobody is named", "give the parameter 'signer'")]
        )
    return Verdict("signer", GREEN, f"{signer} answers for this phase.", about={"signer": signer})


def ready_sentence(phase: int | str, boxes: Sequence[str], verdicts: Iterable[Verdict], notes: str) -> str:
    """What the checklist comes to, once each of its *boxes* is closed by the latest of the *verdicts* on it.

    Raises GateFailed, naming the boxes that are open: red, or not asked.
    """
    latest = {verdict.gate: verdict for verdict in verdicts}
    if still := [f"{box} is {_open(latest.get(box))}" for box in boxes if _open(latest.get(box))]:
        raise GateFailed(f"phase {phase} is not ready to sign: {', '.join(still)}; close each box by its own cell")
    amber = [finding.where for box in boxes for finding in latest[box].findings]
    said = f" To be acknowledged: {', '.join(dict.fromkeys(amber))}." if amber else ""
    return f"Phase {phase} is ready to sign: {len(boxes)} boxes closed.{said}" + (f" Notes: {notes}" if notes else "")


def _open(verdict: Verdict | None) -> str:
    """Why a box is open; empty where it is closed."""
    return "not asked" if verdict is None else RED if verdict.red else ""


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return ""
