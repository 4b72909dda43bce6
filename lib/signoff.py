"""The sign-off checklist: the six boxes of the incident report, each computed."""

from __future__ import annotations

import getpass

from lib.verdicts import GREEN, RED, Finding, Verdict, verdict_of, worst


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


def ready_sentence(phase: int | str, verdicts: list[Verdict], notes: str) -> str:
    """What the checklist comes to, once every box is closed."""
    amber = [finding.where for verdict in verdicts for finding in verdict.findings]
    said = f" To be acknowledged: {', '.join(dict.fromkeys(amber))}." if amber else ""
    return f"Phase {phase} is ready to sign: {len(verdicts)} boxes closed.{said}" + (
        f" Notes: {notes}" if notes else ""
    )


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return ""
