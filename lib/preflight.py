"""Preflight: what must hold before a backfill may start."""

from __future__ import annotations

from datetime import date

from lib.audit import keep_stage, refusals
from lib.blocking import blocked_dates
from lib.coverage import Judge, holdings
from lib.registry import Registry, registry
from lib.settings import Settings
from lib.verdicts import AMBER, GREEN, RED, Finding, Verdict, verdict_of
from lib.warehouse import Session, Warehouse


def warehouse_verdict(warehouse: Warehouse) -> Verdict:
    """Reachable, writable, on a local disk with room to spare."""
    findings = [Finding(RED, warehouse.place, trouble) for trouble in warehouse.trouble()]
    if findings:
        return verdict_of("warehouse", "The warehouse cannot be written.", findings)
    facts = warehouse.meta()
    about = {"as_of": facts.get("as_of"), "kind": facts.get("kind"), "engine": warehouse.engine}
    return Verdict(
        "warehouse",
        GREEN,
        f"The warehouse can be read and written; it speaks for {facts.get('as_of', 'today')}.",
        about=about,
    )


def contracts_verdict(session: Session, tables: Registry, settings: Settings) -> Verdict:
    """Every table has the contract's columns; no table of a managed dataset is without a contract."""
    findings = [
        f for table in tables.tables.values() for f in _column_faults(session, table.name, table.contract.column_names)
    ]
    managed = {*settings.datasets, "runbook"}
    unknown = [name for name in session.tables if name.partition(".")[0] in managed and name not in tables.tables]
    findings += [
        Finding(AMBER, name, "no contract names this table", "drop it, or give it a contract in lib/tables")
        for name in unknown
    ]
    return verdict_of("contracts", f"{len(tables.tables)} tables compared with their contracts.", findings)


def _column_faults(session: Session, name: str, wanted: tuple[str, ...]) -> list[Finding]:
    held = session.tables.get(name)
    if held is None:
        return [Finding(RED, name, "the table is not in the warehouse", _mend(name, "creates and computes it"))]
    gone, added = [c for c in wanted if c not in held], [c for c in held if c not in wanted]
    lost = [Finding(RED, name, f"column {c} is gone", _mend(name, "adds it and computes the dates anew")) for c in gone]
    return lost + [
        Finding(RED, name, f"column {c} is not in the contract", "drop it, or add it to the contract") for c in added
    ]


def _mend(name: str, what: str) -> str:
    return f"runbook run {what}" if registry().tables[name].select else "load the warehouse anew"


def sample_verdict(judge: Judge, phase: int, first: date, last: date) -> Verdict:
    """The latest expected date of each table of the phase is computed and audited, and nothing is published."""
    lines = []
    findings = []
    day = judge.calendar.expected_dates(first, last)[-1]
    for table in judge.registry.computed:
        if judge.settings.phase_of(table.name) != phase:
            continue
        fault = _sample_fault(judge, table.name, day)
        lines.append({"table": table.name, "date": str(day), "audit": fault or "clean"})
        mend = f"load the raw data of {day} anew, then runbook run --phase {phase}"
        findings += [Finding(AMBER if fault.startswith("blocked") else RED, table.name, fault, mend)] if fault else []
    return verdict_of(
        "sample", f"{len(lines)} tables computed for {day} without publishing.", findings, table=tuple(lines)
    )


def _sample_fault(judge: Judge, name: str, day: date) -> str:
    table = judge.registry.tables[name]
    session, start = judge.session, judge.calendar.season_start(day)
    blocked = blocked_dates(session, judge.settings, judge.registry, table, judge.calendar, [day])
    if blocked:
        return blocked[day]
    staged = keep_stage(session, judge.settings, table, [day], start)
    held = holdings(session, judge.settings, table, staged.relation, day, day, start)
    return refusals(session, staged, held).get(day, "")
