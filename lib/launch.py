"""A launch: one table's chunks are run, noted while they run, and judged after."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path

from lib.backfill import Backfill, Outcome
from lib.live.progress import FILE, Notes, Progress
from lib.live.work import LAUNCH, at_work
from lib.plan import Plan
from lib.verdicts import AMBER, RED, Finding, Verdict, verdict_of
from lib.wording import counted


def run_launch(
    backfill: Backfill, plan: Plan, table: str, run: Path | None, seen: Callable[[Progress], None]
) -> Verdict:
    """Runs what *plan* holds for *table*; whoever watches reads the notes, in the folder of the *run* where there is one.

    An interrupt ends it in order: what was published stays, the chunk at work is as before.
    """
    chunks, found = plan.chunks_of(table), plan.found.get(table, ())
    with at_work(backfill.warehouse, LAUNCH, table, run and run / FILE, backfill.run or "") as work:
        notes = Notes(work.progress, table, chunks, seen)
        if found:
            backfill.take_stock({table: found})
        outcomes = backfill.run_chunks(notes.begun(), notes.ended)
        verdict = launch_verdict(table, outcomes, found)
        if run is None:
            notes.came_to(verdict.as_json())
    return verdict


def launch_verdict(table: str, outcomes: Sequence[Outcome], found: Sequence[date] = ()) -> Verdict:
    """Red where a date failed, amber where one was blocked; names each with its reason and what retries it."""
    failed = {day: why for outcome in outcomes for day, why in outcome.failed.items()}
    blocked = {day: why for outcome in outcomes for day, why in outcome.blocked.items()}
    published = {day: rows for outcome in outcomes for day, rows in outcome.published.items()}
    retry = f"runbook run --tables {table.partition('.')[2]} --dates " + ",".join(map(str, sorted(failed)))
    findings = [Finding(RED, f"{table} {day}", why, retry) for day, why in sorted(failed.items())]
    findings += [Finding(AMBER, f"{table} {day}", why) for day, why in sorted(blocked.items())]
    emptied = {day: why for outcome in outcomes for day, why in outcome.emptied.items()}
    findings += [
        Finding(AMBER, f"{table} {day}", f"its rows were taken away: {why}") for day, why in sorted(emptied.items())
    ]
    stock = f", {len(found)} found dates taken stock of" if found else ""
    sentence = f"{counted(len(published), 'date')} published, {counted(sum(published.values()), 'row')}, {len(failed)} failed, {len(blocked)} blocked{stock}."
    lines = tuple(_line(outcome) for outcome in outcomes)
    return verdict_of("published", sentence, findings, table=lines, about={"table": table})


def _line(outcome: Outcome) -> dict[str, object]:
    days = outcome.chunk.days
    counts = {"published": len(outcome.published), "failed": len(outcome.failed), "blocked": len(outcome.blocked)}
    return {
        "from": str(days[0]),
        "to": str(days[-1]),
        **counts,
        "rows": sum(outcome.published.values()),
        "seconds": round(outcome.seconds, 2),
    }
