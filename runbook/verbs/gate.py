"""``runbook gate`` and ``runbook status``: what the warehouse proves now."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import click

from lib.errors import BadInput, CannotJudge
from lib.lease import as_rows
from lib.phase_gate import phase_gate
from lib.show import PHASE_TITLES, table_of, verdict_text
from lib.verdicts import AMBER, Verdict
from runbook.options import (
    PhaseName,
    Place,
    json_option,
    open_place,
    range_options,
    runs_folder,
    runs_option,
    warehouse_option,
)
from runbook.signing.check import read_book
from runbook.signing.log import cut_faults
from runbook.signing.signers import trusted
from runbook.signing.state import UNKNOWN, Asked, State, as_line, state_of


@click.command()
@click.argument("phase", type=PhaseName())
@range_options
@click.option("--strict", is_flag=True, help="Amber ends with exit code 1, too.")
@json_option
@warehouse_option
def gate(
    phase: int | str, start_date: date | None, end_date: date | None, strict: bool, as_json: bool, url: str | None
) -> int:
    """Judge PHASE: 2 raw data, 3 analytics, 4 precompute, ml readiness to train, 5 predictions.

    Every table of the phase against the keys it must hold, counted on the schedule and the raw data. Names the missing
    dates and the command that mends them. Exit code 1 where the gate is red.

    \b
    Examples:
      runbook gate 3
      runbook gate 4 --start-date 2024-10-22 --end-date 2025-06-22 --json
    """
    place = open_place(url, start_date, end_date)
    if phase not in place.phases:
        raise BadInput(f"there is no phase {phase}: choose one of {', '.join(map(str, place.phases))}")
    verdict = place.verdict(phase)
    if as_json:
        click.echo(json.dumps(verdict.as_json(), indent=1))
    else:
        place.console.print(verdict_text(verdict))
        _show_sources(place, verdict)
    return 1 if verdict.red or (strict and verdict.verdict == AMBER) else 0


def _show_sources(place: Place, verdict: Verdict) -> None:
    sources = verdict.about.get("sources")
    if sources:
        place.console.print(table_of(sources, "Expected games a season, and how many of them each raw source knows"))


@click.command()
@range_options
@json_option
@runs_option
@warehouse_option
def status(start_date: date | None, end_date: date | None, as_json: bool, runs: str | None, url: str | None) -> int:
    """Show every phase and its state, derived from the warehouse and the sign-offs now.

    \b
    UNKNOWN     could not be judged
    BLOCKED     the phase below is not green
    INCOMPLETE  the gate is red
    PROVEN      the gate is green, and nobody has signed
    COMPLETE    signed, and still what was signed; WITH WAIVER where a floor was lowered, by two people
    STALE       signed, and something has changed since: it is named

    Exit code 3 where a phase is UNKNOWN, else 0, whatever the states are: the gates and the watchman judge.

    \b
    Example:
      runbook status
    """
    place = open_place(url, start_date, end_date)
    phases = phase_states(place, runs_folder(runs, place.settings))
    if as_json:
        click.echo(json.dumps({"phases": phases, "runners": as_rows(place.warehouse.leases())}, indent=1))
        return _code(phases)
    rows = [
        {"phase": PHASE_TITLES.get(p["phase"], str(p["phase"])), "state": p["state"], "says": p["says"]} for p in phases
    ]
    place.console.print(table_of(rows, f"State of {place.warehouse.url}"))
    for lease in place.warehouse.leases():
        place.console.print(f"{lease}.")
    for note in place.warehouse.notes():
        place.console.print(note)
    return _code(phases)


def _code(phases: list[dict[str, Any]]) -> int:
    return CannotJudge.exit_code if any(phase["state"] == UNKNOWN for phase in phases) else 0


def phase_states(place: Place, runs: Path) -> list[dict[str, Any]]:
    """State of every phase, lowest first; a phase above one that is not green is BLOCKED, above a stale one STALE."""
    book = read_book(runs, trusted(place.warehouse), roles=place.settings.signing.roles)
    warehouse_id = place.warehouse.meta().get("id", "")
    states: list[State] = []
    lines: list[dict[str, Any]] = []
    with place.judge() as (judge, first, last):
        with suppress(CannotJudge):  # all tables from one look; a phase that cannot be judged says so below
            judge.cover(place.computed_phases, first, last)
        book = replace(book, faults=(*book.faults, *cut_faults(judge.session, [line.entry for line in book.lines])))
        for phase in place.phases:
            verdict: Verdict | None = None
            try:
                verdict = phase_gate(judge, phase, first, last)
                state = state_of(judge, book, Asked(warehouse_id, str(phase), first, last), verdict, states)
            except CannotJudge as error:
                state = State(UNKNOWN, str(error))
            states.append(replace(state, phase=str(phase)))
            lines.append(as_line(phase, state, verdict))
    return lines
