"""What a launch says about its chunks, while they run and after."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path

from lib.backfill import Outcome
from lib.plan import Chunk
from lib.verdicts import AMBER, RED, Finding, Verdict, verdict_of


def launch_verdict(table: str, outcomes: Sequence[Outcome], found: Sequence[date] = ()) -> Verdict:
    """Red where a date failed, amber where one was blocked; names each with its reason and what retries it."""
    failed = {day: why for outcome in outcomes for day, why in outcome.failed.items()}
    blocked = {day: why for outcome in outcomes for day, why in outcome.blocked.items()}
    published = {day: rows for outcome in outcomes for day, rows in outcome.published.items()}
    retry = f"runbook run --tables {table.partition('.')[2]} --dates " + ",".join(map(str, sorted(failed)))
    findings = [Finding(RED, f"{table} {day}", why, retry) for day, why in sorted(failed.items())]
    findings += [Finding(AMBER, f"{table} {day}", why) for day, why in sorted(blocked.items())]
    stock = f", {len(found)} found dates taken stock of" if found else ""
    sentence = f"{len(published)} dates published, {sum(published.values())} rows, {len(failed)} failed, {len(blocked)} blocked{stock}."
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


@contextmanager
def progress_into(run: Path | None, table: str, chunks: Sequence[Chunk]) -> Iterator[Callable[[Outcome], None]]:
    """Appends a line to the run folder for every chunk that is done, for whoever watches; without a run it prints."""
    total = sum(len(chunk.days) for chunk in chunks)
    done = 0
    started = time.monotonic()

    def on_done(outcome: Outcome) -> None:
        nonlocal done
        done += len(outcome.chunk.days)
        left = (time.monotonic() - started) / done * (total - done)
        if run is None:
            print(f"{table}: {done}/{total} dates, {left:.0f} s to go", flush=True)
        else:
            line = {
                "table": table,
                "done": done,
                "total": total,
                "failed": len(outcome.failed),
                "eta_seconds": round(left, 1),
            }
            _append(run / "progress.jsonl", line)

    yield on_done


def _append(path: Path, line: dict[str, object]) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    try:
        os.write(handle, (json.dumps(line) + "\n").encode())
    finally:
        os.close(handle)
