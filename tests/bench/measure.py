"""Rounds, medians and ratios."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from lib.settings import ROOT


@dataclass(frozen=True)
class Figure:
    """One measured thing: seconds of every round, and what else is known of it (MB, dates, an aim)."""

    name: str
    seconds: tuple[float, ...]
    about: dict[str, Any] = field(default_factory=dict)

    @property
    def median(self) -> float:
        """Median of the rounds, seconds."""
        return median(self.seconds)

    def as_json(self) -> dict[str, Any]:
        """The figure for machines."""
        return {"name": self.name, "median_seconds": round(self.median, 3), "rounds": list(self.seconds), **self.about}


@dataclass(frozen=True)
class Ratio:
    """One figure over another, and what it should be at most (``aim``) or at least (``at_least``)."""

    name: str
    value: float
    aim: float | None = None
    at_least: float | None = None

    @property
    def held(self) -> bool | None:
        """Whether the aim is reached; None where there is none."""
        if self.aim is not None:
            return self.value <= self.aim
        return self.value >= self.at_least if self.at_least is not None else None

    def as_json(self) -> dict[str, Any]:
        """The ratio for machines."""
        aim = {"at_most": self.aim} if self.aim is not None else {}
        least = {"at_least": self.at_least} if self.at_least is not None else {}
        return {"name": self.name, "value": round(self.value, 3), **aim, **least, "held": self.held}


def row_of(ratio: Ratio) -> dict[str, object]:
    """The ratio for a table, with its aim and whether that is held."""
    aim = f"<= {ratio.aim:g}" if ratio.aim is not None else f">= {ratio.at_least:g}" if ratio.at_least else ""
    held = {True: "held", False: "MISSED", None: ""}[ratio.held]
    return {"ratio": ratio.name, "value": f"{ratio.value:.2f}", "aim": aim, "": held}


def rounds(name: str, count: int, work: Callable[[], object], prepare: Callable[[], object] = lambda: None) -> Figure:
    """*work* timed *count* times; *prepare* comes before each round and is not timed."""
    seconds = []
    for _ in range(count):
        prepare()
        started = time.perf_counter()
        work()
        seconds.append(round(time.perf_counter() - started, 4))
    return Figure(name, tuple(seconds))


def yardstick(count: int) -> Figure:
    """A loop of 20 million steps: how fast one core of the machine is while the rest is measured."""
    return rounds("yardstick: 20 million steps of a Python loop", count, _loop)


def _loop() -> int:
    total = 0
    for step in range(20_000_000):
        total += step
    return total


def command(words: Sequence[str], env: dict[str, str] | None = None, accept: Sequence[int] = (0,)) -> str:
    """Runs ``python -m WORDS`` and gives its output; RuntimeError with its last lines where it ends badly."""
    done = subprocess.run(
        [sys.executable, "-m", *words],
        cwd=ROOT,
        env=os.environ | (env or {}),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode not in accept:
        raise RuntimeError(f"{' '.join(words)} ended with {done.returncode}: {(done.stdout + done.stderr)[-2000:]}")
    return done.stdout


def peak_megabytes(words: Sequence[str], env: dict[str, str] | None = None) -> float:
    """Highest resident memory of one command and all its children together, sampled, in MB."""
    import psutil

    with (Path(os.devnull)).open("w") as nothing:
        child = subprocess.Popen([sys.executable, "-m", *words], cwd=ROOT, env=os.environ | (env or {}), stdout=nothing)
        highest, process = 0, psutil.Process(child.pid)
        while child.poll() is None:
            highest = max(highest, _resident(process))
            time.sleep(0.05)
    if child.returncode:
        raise RuntimeError(f"{' '.join(words)} ended with {child.returncode}")
    return round(highest / 1e6, 1)


def _resident(process: Any) -> int:
    import psutil

    total = 0
    for one in [process, *process.children(recursive=True)]:
        try:
            total += one.memory_info().rss - one.memory_info().shared
        except psutil.Error:
            continue
    return total
