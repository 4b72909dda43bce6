"""``runbook plan``: exactly what a run would compute, and why."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import click

from lib.errors import BadInput
from lib.plan import Plan, make_plan, reason_counts
from lib.show import table_of
from lib.verdicts import Verdict
from runbook.chain import make_chain
from runbook.options import (
    Place,
    json_option,
    open_place,
    phase_verdict,
    range_options,
    read_wish,
    warehouse_option,
    wish_options,
)

SECONDS_PER_NOTEBOOK = 3.5  # kernel, imports and one look at the warehouse


def plan_for(
    place: Place, phase: int | None, dates: str | None, tables: str | None, force: bool, recompute_found: bool
) -> tuple[Plan, list[Verdict]]:
    """The plan for the options of a verb and what the gates of its phases say, from one look at the warehouse.

    Raises BadInput where an option names what is not there.
    """
    if phase is not None and phase not in place.computed_phases:
        raise BadInput(f"phase {phase} is not computed: choose one of {', '.join(map(str, place.computed_phases))}")
    with place.judge() as (judge, first, last):
        wish = read_wish(dates, tables, force, recompute_found, judge.calendar, first, last)
        made = make_plan(judge, [phase] if phase else place.computed_phases, first, last, wish)
        return made, [phase_verdict(judge, number, first, last) for number in made.phases]


@click.command()
@click.option("--phase", type=int, help="Only this phase.")
@range_options
@wish_options
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Also write the plan to this file.")
@json_option
@warehouse_option
def plan(
    phase: int | None,
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
    """
    place = open_place(url, start_date, end_date)
    made, _ = plan_for(place, phase, dates, tables, force, recompute_found)
    if out:
        made.write(out)
    if as_json:
        click.echo(json.dumps(made.as_json(), indent=1))
    else:
        show_plan(place, made)
    return 0


def show_plan(place: Place, made: Plan) -> None:
    """The plan for a person."""
    if made.chunks:
        place.console.print(table_of([_line(made, name) for group in made.groups for name in group], "Plan"))
    counts = (
        ", ".join(f"{count} {reason}" for reason, count in reason_counts(made.chunks).items()) or "nothing to compute"
    )
    found = sum(len(days) for days in made.found.values())
    stock = f"; stock is taken of {found} found dates" if found else ""
    steps = make_chain(made, place.settings.phase_of).steps
    whole = made.seconds + SECONDS_PER_NOTEBOOK * len(steps)
    place.console.print(
        f"{made.dates} table-dates in {len(made.chunks)} chunks ({counts}){stock}. Digest {made.digest[:12]}."
    )
    place.console.print(f"Chain of {len(steps)} notebooks, about {whole:.0f} s, of it {made.seconds:.0f} s computing.")
    for name, days in made.waiting.items():
        day, why = min(days.items())
        place.console.print(f"{name}: {len(days)} dates wait for raw data, the first {day}: {why}.")


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
