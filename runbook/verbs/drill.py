"""``runbook drill``: rehearse every incident, on a warehouse of one's own."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path

import click
from rich.console import Console

from lib.errors import BadInput
from lib.show import table_of, terminal
from runbook.drills.case import WATCHMAN, Case, case_of, cases
from runbook.drills.ground import Ground, make_ground
from runbook.drills.page import page
from runbook.drills.rehearse import Rehearsal, Result
from runbook.options import json_option

Rehearse = Callable[[Sequence[Case]], Iterator[Result]]


@click.group()
def drill() -> None:
    """Rehearse incidents: inject a fault into a small warehouse, see it caught, repair it by the printed command."""


@drill.command("list")
@click.option("--markdown", is_flag=True, help="Print the page docs/drills.md.")
@json_option
def list_drills(markdown: bool, as_json: bool) -> int:
    """List every incident and defect: which are drills, and which are impossible by construction.

    \b
    Example:
      runbook drill list
    """
    if markdown:
        click.echo(page(cases()), nl=False)
    elif as_json:
        click.echo(json.dumps({"drills": [case.model_dump(mode="json") for case in cases()]}, indent=1))
    else:
        lines = [{"id": c.id, "drill": c.title, "kind": c.kind, "step or test": c.test or c.step} for c in cases()]
        terminal().print(table_of(lines, f"{len(cases())} incidents and defects"))
    return 0


@drill.command("run")
@click.argument("identity", metavar="[ID]", required=False)
@click.option("--all", "everything", is_flag=True, help="Every drill.")
@click.option("--workers", type=click.IntRange(1, 64), default=2, show_default=True, help="Drills side by side.")
@json_option
def run_drills(identity: str | None, everything: bool, workers: int, as_json: bool) -> int:
    """Rehearse the drill ID, or all of them.

    Needs no sandbox: the pocket league's warehouse is built in a temporary folder, and every drill works on a copy of
    it. Exit code 1 where a drill is not caught or not repaired, or where a warehouse without a fault is not green.

    \b
    Examples:
      runbook drill run I4
      runbook drill run --all
    """
    if bool(identity) == everything:
        raise BadInput(
            "say which drill: runbook drill run ID, or runbook drill run --all; 'runbook drill list' names them"
        )
    chosen = cases() if identity is None else (case_of(identity),)
    started = time.monotonic()
    console = Console(stderr=True) if as_json else terminal()
    with tempfile.TemporaryDirectory(prefix="drills-", ignore_cleanup_errors=True) as folder:
        results, faults = _rehearse(chosen, Path(folder), min(workers, len(chosen)), console)
    if as_json:
        told = {
            "drills": [result.as_json() for result in results],
            "control": {"green": not faults, "findings": faults},
        }
        click.echo(json.dumps(told, indent=1))
    else:
        _show(console, results, faults, time.monotonic() - started)
    return int(bool(faults) or not all(result.holds for result in results))


def _rehearse(chosen: Sequence[Case], folder: Path, workers: int, console: Console) -> tuple[list[Result], list[str]]:
    if not any(case.is_drill for case in chosen):
        return [Rehearsal(Ground(folder, folder)).rehearse(case) for case in chosen], []
    console.print("Building the pocket league's warehouse ...")
    rehearsal = Rehearsal(make_ground(folder))
    for step, rows_by in sorted(
        {(WATCHMAN, c.rows_by) for c in chosen if c.is_drill} | {(c.step, c.rows_by) for c in chosen if c.is_drill}
    ):
        rehearsal.control(step, rows_by)
    results = []
    started = time.monotonic()
    with _rehearser(rehearsal, workers) as rehearse:
        for result in rehearse(chosen):
            results.append(result)
            console.print(_line(result) + _left(chosen, len(results), time.monotonic() - started))
    return results, rehearsal.control_faults()


def _left(chosen: Sequence[Case], done: int, seconds: float) -> str:
    """How far it is: cases done, and about how long the drills that are left will take."""
    drills, left = (sum(case.is_drill for case in part) for part in (chosen[:done], chosen[done:]))
    eta = f", about {seconds / drills * left / 60:.0f} min left" if drills and left else ""
    return f" [{done} of {len(chosen)}{eta}]" if len(chosen) > 1 else ""


@contextmanager
def _rehearser(rehearsal: Rehearsal, workers: int) -> Iterator[Rehearse]:
    if workers == 1:
        yield lambda chosen: map(rehearsal.rehearse, chosen)
        return
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        yield lambda chosen: pool.map(rehearsal.rehearse, chosen)


def _line(result: Result) -> str:
    if result.repaired is None:
        return f"{'●' if result.caught else '■'} {result.id} {result.title}: impossible by construction, {result.caught_by}"
    state = "NOT CAUGHT" if not result.caught else "NOT REPAIRED" if not result.repaired else "caught and repaired"
    return f"{'●' if result.holds else '■'} {result.id} {result.title}: {state}, {result.seconds:.1f} s; {result.caught_by}"


def _show(console: Console, results: Sequence[Result], faults: Sequence[str], seconds: float) -> None:
    lines = [_row(result) for result in results]
    held = sum(result.holds for result in results)
    console.print(table_of(lines, f"{held} of {len(results)} hold, in {seconds / 60:.1f} min"))
    for fault in faults:
        console.print(f"■ without any fault: {fault}")
    for result in results:
        for left in result.left:
            console.print(f"■ {result.id} after the repair: {left}")


def _row(result: Result) -> dict[str, str]:
    told = {True: "yes", False: "NO", None: ""}
    return {
        "id": result.id,
        "caught": told[result.caught],
        "repaired": told[result.repaired],
        "caught by": result.caught_by,
        "repair": "; ".join(result.commands),
        "seconds": f"{result.seconds:.1f}",
    }
