"""``runbook check``: any set of checks, or one check, alone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import click

from lib import preflight
from lib.checks import SETS, Check, Scope, all_checks, named, run_checks, verdict_of_results
from lib.checks.offenders import write_offenders
from lib.coverage import Judge
from lib.errors import BadInput
from lib.lease import inherited
from lib.phase_gate import ML, phase_gate
from lib.show import table_of, verdict_text
from lib.verdicts import AMBER, RED, Verdict, worst
from runbook.options import Place, json_option, open_place, range_options, warehouse_option

PREFLIGHT, READINESS = "preflight", "readiness"


@click.command()
@click.argument("names", nargs=-1, metavar="[SET|NAME]...")
@click.option("--phase", type=int, help="Only this phase; else every computed one.")
@click.option("--list", "as_list", is_flag=True, help="Show every set and check, and run none.")
@click.option("--offenders", metavar="DIR", type=Path, help="Write the offending rows there, a CSV for each check.")
@range_options
@click.option("--strict", is_flag=True, help="Amber ends with exit code 1, too.")
@json_option
@warehouse_option
def check(
    names: tuple[str, ...],
    phase: int | None,
    as_list: bool,
    offenders: Path | None,
    start_date: date | None,
    end_date: date | None,
    strict: bool,
    as_json: bool,
    url: str | None,
) -> int:
    """Run checks alone: whole sets, or single ones by name; every set where none is named.

    \b
    preflight       may a backfill start?
    post-backfill   keys, rows a game, values, sums, results
    features        coverage and variance, per feature and season
    regression      the same days of the season before
    reconciliation  every game from raw data to the features
    unknowns        what nobody asked for
    receipts        rows against what was published
    readiness       may a model be trained? (runbook gate ml)

    docs/checks.md says what each means, where it comes from and what to do.

    \b
    Examples:
      runbook check features --phase 3
      runbook check two_sides_of_a_game --offenders offenders
    """
    place = open_place(url, start_date, end_date)
    if as_list:
        return _list(place, as_json)
    phases = _phases(place, phase)
    verdicts = list(_verdicts(place, names, _chosen(names, phases), phases, offenders))
    _show(place, verdicts, as_json)
    found = worst(verdict.verdict for verdict in verdicts)
    return 1 if found == RED or (strict and found == AMBER) else 0


def _phases(place: Place, phase: int | None) -> list[int]:
    if phase is not None and phase not in place.computed_phases:
        raise BadInput(f"no table is computed in phase {phase}: choose one of {_words(place.computed_phases)}")
    return [phase] if phase else list(place.computed_phases)


def _show(place: Place, verdicts: list[Verdict], as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({"verdicts": [verdict.as_json() for verdict in verdicts]}, indent=1))
        return
    for verdict in verdicts:
        place.console.print(verdict_text(verdict))


def _chosen(names: tuple[str, ...], phases: list[int]) -> list[Check]:
    """The checks that are named, each once; all of them where none is. BadInput for one that *phases* do not have."""
    if not names:
        return list(all_checks())
    asked = {name: named(name) for name in names if name not in (PREFLIGHT, READINESS)}
    for name, checks in asked.items():
        theirs = sorted({one.phase for one in checks if one.phase})
        if all(one.phase for one in checks) and not set(theirs) & set(phases):
            raise BadInput(
                f"{name} judges phase {_words(tuple(theirs))}, not {_words(tuple(phases))}: leave --phase out"
            )
    return list(dict.fromkeys(one for checks in asked.values() for one in checks))


def _verdicts(
    place: Place, names: tuple[str, ...], chosen: list[Check], phases: list[int], folder: Path | None
) -> Iterator[Verdict]:
    with place.judge() as (judge, first, last):
        for phase in phases:
            if PREFLIGHT in names:
                yield from _preflight(place, judge, phase, first, last)
            yield from _of_phase(Scope(judge, phase, first, last), chosen, folder)
        if READINESS in names:
            yield phase_gate(judge, ML, first, last)


def _of_phase(scope: Scope, chosen: list[Check], folder: Path | None) -> Iterator[Verdict]:
    for name in SETS:
        checks = [one for one in chosen if one.set == name and one.phase in (None, scope.phase)]
        if checks:
            results = run_checks(scope, checks)
            written = write_offenders(folder / f"phase_{scope.phase}", results) if folder else None
            yield verdict_of_results(f"phase {scope.phase} {name}", scope.phase, results, written)


def _preflight(place: Place, judge: Judge, phase: int, first: date, last: date) -> Iterator[Verdict]:
    yield preflight.ready_verdict(place.warehouse, phase, inherited(place.warehouse))
    yield preflight.tables_verdict(judge, phase, first, last)
    yield phase_gate(judge, phase - 1, first, last)
    yield preflight.sources_verdict(judge, first, last)
    yield preflight.sample_verdict(judge, phase, first, last)


def _list(place: Place, as_json: bool) -> int:
    rows = [
        {"set": one.set, "phase": one.phase or "each", "check": one.name, "severity": one.severity, "finds": one.means}
        for one in all_checks()
    ]
    if as_json:
        click.echo(json.dumps({"checks": rows}, indent=1))
    else:
        place.console.print(table_of(rows, "Checks; 'runbook check SET' or 'runbook check NAME' runs them"))
    return 0


def _words(phases: tuple[int, ...]) -> str:
    return ", ".join(map(str, phases))
