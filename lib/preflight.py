"""Preflight: what must hold before a backfill may start."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

from lib.audit import keep_stage, refusals
from lib.blocking import ask_blocking, blocked_dates
from lib.checks import Scope, named
from lib.coverage import Judge, expected_sql, holdings
from lib.environment import environment_verdict
from lib.lease import Fence
from lib.monitor import runners_verdict
from lib.plan import Plan
from lib.raw_gate import CHAINS as RULES_OF_CHAINS
from lib.raw_gate import source_report
from lib.registry import Registry, Table, registry
from lib.settings import Settings
from lib.types import fits
from lib.verdicts import AMBER, GREEN, RED, Finding, Verdict, verdict_of
from lib.warehouse import Session, Warehouse
from lib.warehouse.interface import Row
from lib.wording import counted

# fallback chains: their sources in order
CHAINS: Mapping[str, tuple[str, ...]] = {
    "player_boxscores": ("gamebook", "bdl"),
    "team_boxscores": ("team_boxes", "gamebook"),
    "shot_zones": ("play_by_play",),
    "player_props": ("odds_api_props", "bettingpros_props"),
    "game_lines": ("game_lines",),
    "injury_reports": ("injury_reports",),
}
GATE_2 = "load what is missing; runbook gate 2 names the games"
NOTHING_DUE = "nothing is expected of it on that date yet: the sample proves nothing"
BRING_TOGETHER = "bring table and contract together: load the warehouse anew, or change the file in lib/tables"


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
    findings += [f for table in tables.tables.values() for f in _type_faults(session, table)]
    managed = {*settings.datasets, "runbook"}
    unknown = [name for name in session.tables if name.partition(".")[0] in managed and name not in tables.tables]
    findings += [
        Finding(AMBER, name, "no contract names this table", f"DROP TABLE {name}; or give it a contract in lib/tables")
        for name in unknown
    ]
    return verdict_of("contracts", f"{len(tables.tables)} tables compared with their contracts.", findings)


def _type_faults(session: Session, table: Table) -> list[Finding]:
    """Columns whose type is not the contract's. The engine is asked for no row, just for the types of an answer."""
    held = session.tables.get(table.name, ())
    columns = [column for column in table.contract.columns if column.name in held]
    if not columns:
        return []
    schema = session.arrow_schema(table.name)
    retyped = [(c, schema.field(c.name).type) for c in columns if not fits(schema.field(c.name).type, c.type)]
    return [
        Finding(RED, table.name, f"column {column.name} is {found}, the contract says {column.type}", BRING_TOGETHER)
        for column, found in retyped
    ]


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
    day = judge.calendar.expected_dates(first, last)[-1]
    tables = [table for table in judge.registry.computed if judge.settings.phase_of(table.name) == phase]
    if judge.session.jobs_are_dear:
        for table in tables:
            ask_blocking(judge.session, judge.settings, judge.registry, table, judge.calendar.season_start(day), [day])
    lines = [
        {"table": table.name, "date": str(day), "audit": _sample_fault(judge, table.name, day) or "clean"}
        for table in tables
    ]
    tried = [line for line in lines if line["audit"] != NOTHING_DUE]
    # a table that cannot begin yet is shown, and is no finding beside others that were computed
    findings = [_sample_finding(phase, line) for line in tried or lines if line["audit"] != "clean"]
    sentence = f"{counted(len(tried), 'table')} computed for {day} without publishing."
    return verdict_of("sample", sentence, findings, table=tuple(lines))


def _sample_finding(phase: int, line: Mapping[str, str]) -> Finding:
    fault = line["audit"]
    severity = AMBER if fault.startswith("blocked") or fault == NOTHING_DUE else RED
    return Finding(
        severity, line["table"], fault, f"load the raw data of {line['date']} anew, then runbook run --phase {phase}"
    )


def _sample_fault(judge: Judge, name: str, day: date) -> str:
    table = judge.registry.tables[name]
    session, start = judge.session, judge.calendar.season_start(day)
    blocked = blocked_dates(session, judge.settings, judge.registry, table, judge.calendar, [day])
    if day in blocked.why:
        return blocked.why[day]
    if day in blocked.emptied:
        return f"{blocked.emptied[day]}; the run takes the rows of the date away"
    staged = keep_stage(session, judge.settings, table, {start: [day]}, trial=True)
    held = holdings(session, judge.settings, table, staged.relation, day, day, start)
    fault = refusals(session, staged, held).get(day, "")
    if not fault and day not in held:
        return NOTHING_DUE
    return _of_upstream(judge, table, day, fault) if fault else ""


def _of_upstream(judge: Judge, table: Table, day: date, fault: str) -> str:
    """The fault; it stops nothing where an upstream table holds doubled or extra keys that the run replaces before."""
    start = judge.calendar.season_start(day)
    for name in table.upstream:
        if name in judge.settings.tables:
            source = judge.registry.tables[name]
            held = holdings(judge.session, judge.settings, source, name, day, day, start).get(day)
            if held and held.rows != held.present:
                return f"blocked by {name} {day}, whose extra or doubled keys are replaced first: {fault}"
    return fault


def ready_verdict(warehouse: Warehouse, phase: int, ours: Mapping[str, Fence]) -> Verdict:
    """The warehouse can be written, nobody else is at work on it, and the environment is that of the lock."""
    parts = [warehouse_verdict(warehouse), environment_verdict()]
    if not parts[0].red:
        parts.insert(1, runners_verdict(warehouse, phase, ours))
    return together("warehouse", parts)


def tables_verdict(judge: Judge, phase: int, first: date, last: date) -> Verdict:
    """The tables are those of the contracts, and no key is doubled before a run begins."""
    contracts = contracts_verdict(judge.session, judge.registry, judge.settings)
    if contracts.red:
        return contracts
    scope = Scope(judge, phase, first, last)
    (doubled,) = (check.look(scope) for check in named("keys_are_unique") if check.look)
    findings = [
        Finding(
            AMBER, str(table), f"{key} occurs {copies} times already", f"runbook run --phase {phase} replaces the date"
        )
        for table, key, copies in doubled.rows[:5]
    ]
    sentence = f"{len(doubled.rows)} keys are doubled before the run begins."
    return together("contracts", [contracts, verdict_of("doubled", sentence, findings)])


def sources_verdict(judge: Judge, first: date, last: date) -> Verdict:
    """Raw sources per season, and where each fallback chain stands: how many games each of its sources knows.

    Amber where games lie outside a chain that a phase cannot do without.
    """
    asked = ask_games_without(judge, first, last)
    sources = source_report(judge.session, first, last)
    without = {chain: Counter(judge.calendar.season_start(day) for day, _ in games()) for chain, games in asked.items()}
    lines = [_chain_line(chain, names, season, without) for chain, names in CHAINS.items() for season in sources]
    findings = [
        Finding(AMBER, line["chain"], f"season {line['season']}: {line['without']} games in no source of it", GATE_2)
        for line in lines
        if line["verdict"] == AMBER
    ]
    sentence = f"{len(CHAINS)} fallback chains over {counted(len(sources), 'season')}."
    return verdict_of("sources", sentence, findings, table=tuple(lines), about={"sources": sources})


def ask_games_without(judge: Judge, first: date, last: date) -> dict[str, Callable[[], list[Row]]]:
    """By chain the games, with their dates, that none of its sources knows."""
    bounds = {"first": first, "last": last, "history_from": first}
    kept = {chain: judge.session.keep_once(expected_sql(rule), **bounds) for chain, rule in RULES_OF_CHAINS.items()}
    wanted = "SELECT DISTINCT game_date, game_id FROM {} WHERE waiting IS NOT NULL"
    return {chain: judge.session.ask(wanted.format(name)) for chain, name in kept.items()}


def _chain_line(
    chain: str, names: Sequence[str], season: Mapping[str, Any], without: Mapping[str, Mapping[date, int]]
) -> dict[str, Any]:
    year, games = season["season_year"], season["games"]
    missing = next((n for start, n in without.get(chain, {}).items() if start.year == year), 0)
    return {
        "chain": chain,
        "season": year,
        "games": games,
        "sources": " -> ".join(f"{name} {season[name]}" for name in names),
        "without": missing if chain in without else games - max(season[name] for name in names),
        "needed": "yes" if chain in without else "no",
        "verdict": AMBER if missing else GREEN,
    }


def estimate(plan: Plan, workers: int) -> str:
    """How long the phase will take, in words; estimates come from earlier chunks of each table."""
    if not plan.dates:
        return "Nothing has to be computed."
    seconds = plan.seconds / max(1, workers)
    return (
        f"{plan.dates} table dates in {len(plan.chunks)} chunks have to be computed: about {seconds / 60:.1f} minutes."
    )


def together(gate: str, parts: Sequence[Verdict]) -> Verdict:
    """Several verdicts as that of one gate."""
    findings = [finding for part in parts for finding in part.findings]
    table = next((part.table for part in parts if part.table), ())
    about = {key: value for part in parts for key, value in part.about.items()}
    return verdict_of(
        gate, " ".join(part.sentence for part in parts if part.sentence), findings, table=table, about=about
    )
