"""(g) A run that is watched, in a terminal and in the monitor notebook at once, beside the same run alone."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

from lib.live.work import RUN, all_work
from lib.settings import ROOT
from lib.warehouse import Warehouse, connect
from tests.bench.chain import incident
from tests.bench.leagues import Place
from tests.bench.measure import Figure, Ratio, command, rounds
from tests.lib.kernels import lab

LAST_STEP = "50_signoff.phase4"  # the model is trained by one process, and would hide what watching costs
SECONDS = 120


def watched(place: Place, folder: Path, count: int) -> Iterator[Figure | Ratio]:
    """The chain from the incident to phase 4, alone and watched, turn by turn."""
    broken = incident(place, folder)
    target, runs = folder / "watched.duckdb", folder / "watched-runs"
    words = ["runbook", "run", "--until", LAST_STEP, "--warehouse", f"duckdb:///{target}", "--runs", str(runs)]

    def again() -> None:
        shutil.rmtree(runs, ignore_errors=True)
        shutil.rmtree(target.with_name(f"{target.name}.work"), ignore_errors=True)
        shutil.copy(broken.path, target)

    def under_watch() -> None:
        with _watchers(connect(f"duckdb:///{target}")):
            command(words)

    turns = [
        (rounds("g: run", 1, lambda: command(words), again), rounds("g: run, watched", 1, under_watch, again))
        for _ in range(count)
    ]
    alone, seen = (Figure(turns[0][n].name, tuple(s for turn in turns for s in turn[n].seconds)) for n in (0, 1))
    yield alone
    yield seen
    yield Ratio("g: run watched / run", seen.median / alone.median, aim=1.1)


@contextmanager
def _watchers(warehouse: Warehouse) -> Iterator[None]:
    """``runbook watch`` and the live cell of the monitor notebook, both from the run's first moment to its end."""
    said: list[str] = []
    threads = [Thread(target=look, args=(warehouse, said), daemon=True) for look in (_terminal, _notebook)]
    for thread in threads:
        thread.start()
    yield
    for thread in threads:
        thread.join(SECONDS)
    if sorted(said) != ["notebook", "terminal"]:
        raise RuntimeError(f"a watcher failed or was still looking: {said}")


def _terminal(warehouse: Warehouse, said: list[str]) -> None:
    _wait_for_run(warehouse)
    words = [sys.executable, "-m", "runbook", "watch", "--warehouse", warehouse.absolute_url]
    # a terminal of its own, so that it draws what a person sees
    drawn = ["script", "--quiet", "--return", "--command", " ".join(words), "/dev/null"]
    ended = subprocess.run(drawn, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=False)
    said += ["terminal"] if ended.returncode == 0 else [f"watch ended with {ended.returncode}"]


def _notebook(warehouse: Warehouse, said: list[str]) -> None:
    with lab() as kernel:
        _wait_for_run(warehouse)
        opened = f"from lib.step import open_step; open_step('30_monitor', 3, {warehouse.absolute_url!r}).watch()"
        asked = kernel.start(opened)
        while all(not work.ended for work in all_work(warehouse) if work.kind == RUN):
            time.sleep(1)
        reply, _ = kernel.finish(asked)
    said += ["notebook"] if reply["status"] == "ok" else [str(reply["evalue"])]


def _wait_for_run(warehouse: Warehouse) -> None:
    deadline = time.monotonic() + SECONDS
    while not any(work.kind == RUN for work in all_work(warehouse)):
        if time.monotonic() > deadline:
            raise RuntimeError("no run was noted")
        time.sleep(0.1)
