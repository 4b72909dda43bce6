"""``runbook plan``: exactly what a run would compute, and why."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import click

from lib.basis import make_basis
from lib.costs import TableCost, cost_findings, costs_of, in_all
from lib.errors import BadInput
from lib.phase_gate import ML, phase_gate
from lib.plan import Plan, make_plan, reason_counts
from lib.reviewed import left_of
from lib.show import table_of
from lib.verdicts import Verdict
from lib.wording import counted
from runbook.chain import Chain, make_chain
from runbook.estimates import estimated
from runbook.options import (
    PhaseName,
    Place,
    computed_tables,
    json_option,
    open_place,
    range_options,
    read_wish,
    warehouse_option,
    wish_options,
)


def plan_for(
    place: Place,
    phase: int | str | None,
    dates: str | None,
    tables: str | None,
    force: bool,
    recompute_found: bool,
    model: bool | None = None,
) -> tuple[Plan, list[Verdict]]:
    """The plan for the options of a verb and what the gates of its phases say, from one look at the warehouse.

    With *model*, whether the chain goes on to it, the plan says what it was made from, to be reviewed. Raises BadInput
    where an option names what is not there.
    """
    refuse_unknown_phase(place, phase)
    refuse_other_tables(place, phase, tables, dates, force, recompute_found)
    phases = place.computed_phases if phase is None else [phase] if isinstance(phase, int) else []
    with place.judge() as (judge, first, last):
        wish = read_wish(dates, tables, force, recompute_found, judge.calendar, first, last)
        made = make_plan(judge, phases, first, last, wish)
        if model is not None:
            made = replace(made, basis=make_basis(judge, place.warehouse.url, phases, model, first, last))
        return made, [phase_gate(judge, number, first, last) for number in made.phases]


def reviewed_plan(place: Place, reviewed: Plan) -> tuple[Plan, list[Verdict]]:
    """What is left of a reviewed plan, and what the gates of its phases say; BadInput where anything has moved."""
    place.start_date, place.end_date = reviewed.first, reviewed.last
    with place.judge() as (judge, first, last):
        left = left_of(reviewed, judge)
        return left, [phase_gate(judge, number, first, last) for number in left.phases]


def refuse_unknown_phase(place: Place, phase: int | str | None) -> None:
    """BadInput where *phase* is none that is computed."""
    choices = (*place.computed_phases, *((ML,) if place.has_model else ()))
    if phase is not None and phase not in choices:
        raise BadInput(f"phase {phase} is not computed: choose one of {', '.join(map(str, choices))}")


def refuse_other_tables(
    place: Place, phase: int | str | None, tables: str | None, dates: str | None, force: bool, recompute_found: bool
) -> None:
    """BadInput where *phase* computes none of what is asked for beside it: doing nothing would look like success."""
    if phase == ML and (tables is not None or dates is not None or force or recompute_found):
        raise BadInput(
            "--phase ml computes no table: leave out --tables, --dates, --force and --recompute-found, or name phase 3 or 4"
        )
    named = computed_tables(tables) if tables is not None and phase is not None else ()
    for name in sorted(name for name in named if place.settings.phase_of(name) != phase):
        raise BadInput(
            f"{name} is of phase {place.settings.phase_of(name)}, and --phase says {phase}: leave out one of them"
        )


@click.command()
@click.option("--phase", type=PhaseName(), help="Only this phase: 3, 4 or ml.")
@range_options
@wish_options
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Also write the plan to this file, to be reviewed and run with run --plan.",
)
@json_option
@warehouse_option
def plan(
    phase: int | str | None,
    start_date: date | None,
    end_date: date | None,
    dates: str | None,
    tables: str | None,
    force: bool,
    recompute_found: bool,
    out: Path | None,
    as_json: bool,
    url: str | None,
) -> int:
    """Show exactly what a run would compute: chunks, dates, reasons, estimates.

    A set difference against the warehouse: what is absent, partial or outdated now, and what reads it.

    \b
    Examples:
      runbook plan
      runbook plan --phase 3 --start-date 2025-10-21 --out plan.json
    """
    place = open_place(url, start_date, end_date)
    model = whole_model(place, phase, start_date, end_date, dates, tables)
    made, _ = plan_for(place, phase, dates, tables, force, recompute_found, model if out else None)
    chain = make_chain(made, place.settings.phase_of, model=model)
    times = estimated(made, chain.steps)
    if out:
        made.write(out, estimated=times)
    if as_json:
        costs = [cost.line(place.settings.bigquery) for cost in costs_of(place.warehouse, made, place.settings)]
        said = {"estimated": times} | ({"costs": costs} if costs else {})
        click.echo(json.dumps(made.as_json() | said, indent=1))
    else:
        show_plan(place, made, chain)
        place.console.print(f"To review: {out}; then 'runbook run --plan {out}' runs exactly that.") if out else None
    return 0


def whole_model(place: Place, phase: int | str | None, *restrictions: object) -> bool:
    """Whether the chain goes on to the model: asked for, or nothing restricts what is repaired and judged."""
    return place.has_model and (phase == ML or not any((phase, *restrictions)))


def show_costs(place: Place, costs: list[TableCost]) -> None:
    """What the engine will bill, per table and in all, and what of it is too much."""
    if not costs:
        return
    facts = place.settings.bigquery
    place.console.print(table_of([cost.line(facts) for cost in (*costs, in_all(costs))], "Costs, by dry run"))
    for finding in cost_findings(costs, facts):
        place.console.print(f"  ■ {finding.where}: {finding.what}; {finding.mend}")


def show_plan(place: Place, made: Plan, chain: Chain, costs: list[TableCost] | None = None) -> None:
    """The plan for a person, and how long its *chain* takes; *costs* where the engine bills."""
    costs = costs_of(place.warehouse, made, place.settings) if costs is None else costs
    if made.chunks:
        place.console.print(table_of([_line(made, name) for group in made.groups for name in group], "Plan"))
    counts = (
        ", ".join(f"{count} {reason}" for reason, count in reason_counts(made.chunks).items()) or "nothing to compute"
    )
    found = sum(len(days) for days in made.found.values())
    stock = f"; stock is taken of {found} found dates" if found else ""
    whole = estimated(made, chain.steps)["chain_seconds"]
    place.console.print(
        f"{counted(made.dates, 'table-date')} in {counted(len(made.chunks), 'chunk')} ({counts}){stock}. Digest {made.digest[:12]}."
    )
    place.console.print(
        f"Chain of {counted(len(chain.steps), 'notebook')}, about {whole:.0f} s, of it {made.seconds:.0f} s computing."
    )
    show_costs(place, costs)
    for name, days in made.waiting.items():
        day, why = min(days.items())
        place.console.print(f"{name}: {counted(len(days), 'date')} without raw data, the first {day}: {why}.")


def _line(made: Plan, name: str) -> dict[str, object]:
    chunks = made.chunks_of(name)
    days = [day for chunk in chunks for day in chunk.days]
    reasons = ", ".join(f"{count} {reason}" for reason, count in reason_counts(chunks).items())
    seconds = sum(chunk.seconds for chunk in chunks)
    return {
        "table": name,
        "chunks": len(chunks),
        "dates": len(days),
        "from": str(days[0]),
        "to": str(days[-1]),
        "reasons": reasons,
        "seconds": seconds,
    }
