"""What a watcher sees: the coverage as it was judged, with everything laid over it that running work has noted since."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from lib.calendar import closed_range, read_calendar
from lib.coverage import Judge
from lib.grid import look_of
from lib.lease import Lease, as_rows
from lib.live.progress import FAILED, FULL, RUNNING, Progress, all_lines, read_progress
from lib.live.work import LAUNCH, RUN, Work, all_work
from lib.monitor import LATEST_ATTEMPTS
from lib.registry import registry
from lib.settings import Settings
from lib.states import TableCoverage
from lib.warehouse import EmbeddedWarehouse, Warehouse

LEASES_EVERY_SECONDS = 20.0
SETTLED = {"full", "bootstrap", "excluded"}
States = Mapping[date, str]


@dataclass(frozen=True)
class Base:
    """The coverage of every computed table at one moment, and the dates whose latest attempt failed, with reasons."""

    as_of: str
    covered: Mapping[str, TableCoverage]
    failed: Mapping[tuple[str, date], str]
    judged: int = 0  # when one began to look, nanoseconds since 1970


@dataclass(frozen=True)
class TableView:
    """One table now: its dates by state, and how far the launch is that works on it.

    ``covered`` are the full dates of the denominator, those that are outdated among them. ``now`` are the dates that those
    who are at work have gone through, None where none of them is going to compute the table.
    """

    table: str
    states: States
    covered: int
    expected: int
    progress: Progress | None = None
    running: bool = False
    now: int | None = None

    @property
    def counts(self) -> dict[str, int]:
        """Dates by state, without those that are settled."""
        names = ("absent", "partial", "outdated", "failed", "running")
        found = {name: sum(state == name for state in self.states.values()) for name in names}
        return {name: count for name, count in found.items() if count}


@dataclass(frozen=True)
class View:
    """One look: the tables, who is or was at work, what failed and why. ``live`` are the states laid over the base."""

    place: str
    as_of: str
    at: datetime
    tables: tuple[TableView, ...]
    works: tuple[Work, ...]
    failures: Mapping[tuple[str, date], str]
    live: Mapping[tuple[str, date], str]
    covered: Mapping[str, TableCoverage] = field(repr=False, default_factory=dict)
    leases: tuple[Lease, ...] = ()  # of whoever left no note here, for instance on another machine

    @property
    def over(self) -> bool:
        """Whether nobody is at work."""
        return not self.leases and not any(work.alive for work in self.works)

    def as_json(self) -> dict[str, Any]:
        """The view for machines."""
        return {
            "warehouse": self.place,
            "as_of": self.as_of,
            "at": self.at.isoformat(timespec="seconds"),
            "over": self.over,
            "work": [work_json(work) for work in self.works],
            "leases": as_rows(self.leases),
            "tables": [_table_json(table, self.at) for table in self.tables],
            "failures": [{"table": t, "date": str(day), "why": why} for (t, day), why in sorted(self.failures.items())],
        }


def work_json(work: Work) -> dict[str, Any]:
    """One work for machines."""
    names = ("kind", "title", "pid", "host", "user", "since", "run", "ended")
    return {name: getattr(work, name) for name in names} | {"state": outcome_of(work), "alive": work.alive}


def base_of(judge: Judge, phases: Iterable[int], first: date, last: date, judged: int) -> Base:
    """The coverage of *phases* as *judge* sees it, whose look began at *judged*, nanoseconds since 1970.

    A failed attempt counts while its date still needs one.
    """
    attempted = judge.session.ask(LATEST_ATTEMPTS, first=first, last=last)
    covered = judge.cover(phases, first, last)
    todo = {(name, state.day) for name, coverage in covered.items() for state in coverage.days if state.todo}
    failed = {
        (t, day): why or outcome for t, day, outcome, why in attempted() if outcome == FAILED and (t, day) in todo
    }
    return Base(str(judge.calendar.as_of), covered, failed, judged)


def outcome_of(work: Work) -> str:
    """running, or how it ended; a run's own word stands in its manifest."""
    if work.kind == RUN and work.ended and work.outcome == "done":
        return str(_beside(work, "manifest.json").get("outcome") or work.outcome)
    return work.state


@dataclass
class Watcher:
    """Looks at a warehouse and at the notes beside it. Only ``judge`` asks the warehouse, and never keeps it waiting."""

    warehouse: Warehouse
    settings: Settings
    first: date | None = None
    last: date | None = None
    phases: tuple[int, ...] = ()
    without_run: str = ""  # the run of whoever looks is no work to wait for
    began: datetime = field(default_factory=lambda: datetime.now(UTC).replace(microsecond=0))
    base: Base | None = None
    _asked: float = -1e9
    _leases: tuple[Lease, ...] = ()
    _seen: tuple[object, View] | None = None  # what the last view was made of, and the view

    def judge(self) -> None:
        """Judges the coverage anew, on a copy where looking would keep writers waiting."""
        judged = time.time_ns()  # before a copy is taken: what is noted from now on may not be in it
        with _thrifty(self.warehouse).aside() as session:
            calendar = read_calendar(session, self.settings)
            first, last = closed_range(calendar, self.settings, self.first, self.last)
            self.base = base_of(Judge(session, self.settings, calendar), self._phases(), first, last, judged)

    def look(self) -> View:
        """What is to be seen now; of the warehouse only what was judged before."""
        if self.base is None:
            self.judge()
        works, leases = self._works(), self._unnoted()
        seen = works, leases, [_stamp(work.progress) for work in works], [work.alive for work in works], id(self.base)
        if self._seen is None or self._seen[0] != seen:
            self._seen = seen, self._laid_over(works)
        return replace(self._seen[1], at=datetime.now(UTC), leases=leases)

    def _laid_over(self, works: tuple[Work, ...]) -> View:
        base = self.base
        assert base is not None
        now = _noted(works, base)
        live = dict.fromkeys(base.failed, FAILED) | now.states
        failures = {key: why for key, why in base.failed.items() if live.get(key) == FAILED} | now.failures
        tables = tuple(_table(c, live, now) for c in base.covered.values())
        return View(self.warehouse.place, base.as_of, datetime.now(UTC), tables, works, failures, live, base.covered)

    def _phases(self) -> list[int]:
        every = {self.settings.phase_of(table.name) for table in registry().computed}
        return list(self.phases) or sorted(phase for phase in every if phase)

    def _unnoted(self) -> tuple[Lease, ...]:
        """Leases of whoever left no note; an engine that has to be asked over a network is asked now and then."""
        every = 0.0 if isinstance(self.warehouse, EmbeddedWarehouse) else LEASES_EVERY_SECONDS
        if time.monotonic() - self._asked >= every:
            self._asked, self._leases = time.monotonic(), tuple(self.warehouse.leases())
        noted = {(work.host, work.pid) for work in all_work(self.warehouse) if not work.lost}
        return tuple(lease for lease in self._leases if (lease.owner.host, lease.owner.pid) not in noted)

    def _works(self) -> tuple[Work, ...]:
        """Who is at work, or ended while one looked; else the last that was."""
        found = [work for work in all_work(self.warehouse) if not self.without_run or work.run != self.without_run]
        shown = [work for work in found if work.alive or (work.ended and _instant(work.ended) >= self.began)]
        if not shown and found:
            latest = max(found, key=lambda work: (work.ended or work.since, work.kind == RUN))
            shown = [work for work in found if work == latest or (latest.run and work.run == latest.run)]
        return tuple(shown)


@dataclass
class _Noted:
    """What the notes of several works come to."""

    states: dict[tuple[str, date], str] = field(default_factory=dict)
    failures: dict[tuple[str, date], str] = field(default_factory=dict)
    progress: dict[str, Progress] = field(default_factory=dict)
    running: set[str] = field(default_factory=set)
    now: dict[str, int] = field(default_factory=dict)  # dates that those at work have gone through, by table


def _noted(works: tuple[Work, ...], base: Base) -> _Noted:
    noted = _Noted(running={work.title for work in works if work.kind == LAUNCH and work.alive})
    for path in dict.fromkeys(path for work in works for path in all_lines(work.progress)):
        noted.progress |= _progress_in(path)
    for work in works:
        if work.alive:
            _take_living(work, noted)
    for table, progress in _since(works, base).items():
        settled = (
            {state.day for state in base.covered[table].days if state.excluded} if table in base.covered else set()
        )
        for day, state in progress.states.items():
            if day not in settled and (state in (FULL, FAILED) or (state == RUNNING and table in noted.running)):
                noted.states[table, day] = state
        noted.failures |= {(table, day): why for day, why in progress.failed.items()}
    return noted


def _take_living(work: Work, noted: _Noted) -> None:
    """What is going to be computed by *work*, and what it has gone through by now."""
    planned = _planned(work)
    for table, total in planned.items():
        noted.progress.setdefault(table, Progress(table, total=total))
    done = {table: progress.done for table, progress in _progress_in(work.progress).items()}
    noted.now |= dict.fromkeys(planned, 0) | done


def _since(works: tuple[Work, ...], base: Base) -> dict[str, Progress]:
    """What was noted by those at work, and since the coverage was judged: what came before stands in it, and may have moved."""
    new = (work.progress for work in works if work.alive or _stamp(work.progress)[1] >= base.judged)
    return {table: progress for path in dict.fromkeys(new) for table, progress in _progress_in(path).items()}


def _table(coverage: TableCoverage, live: Mapping[tuple[str, date], str], noted: _Noted) -> TableView:
    name, due, states, covered = coverage.table, {*coverage.due}, {}, 0
    for state in coverage.days:
        now = live.get((name, state.day))
        covered += state.day in due and (now or state.state) == FULL
        states[state.day] = "bootstrap" if now == FULL and state.bootstrap else now or look_of(state)
    progress, running = noted.progress.get(name), name in noted.running
    return TableView(name, states, covered, coverage.expected, progress, running, noted.now.get(name))


def _table_json(view: TableView, at: datetime) -> dict[str, Any]:
    progress = view.progress
    facts = {
        "table": view.table,
        "full": view.covered,
        "expected": view.expected,
        "running": view.running,
        **view.counts,
    }
    if progress is None:
        return facts
    rate = {
        "done": progress.done,
        "total": progress.total,
        "dates_per_second": progress.rate and round(progress.rate, 2),
    }
    left = progress.left(at.timestamp()) if view.running else None
    return facts | rate | {"eta_seconds": None if left is None else round(left, 1)}


def _planned(work: Work) -> dict[str, int]:
    """The dates that a run is going to compute, by table: also of tables whose turn has not come.

    Of its plan, those tables that a step of its chain launches: a run may be cut, or wait for a signature.
    """
    totals: dict[str, int] = {}
    if work.kind != RUN:
        return totals
    launched = {step["parameters"].get("table") for step in _beside(work, "manifest.json").get("chain", ())}
    for chunk in _beside(work, "plan.json").get("chunks", ()):
        if _short(chunk["table"]) in launched:
            totals[chunk["table"]] = totals.get(chunk["table"], 0) + len(chunk["reasons"])
    return totals


def _short(table: str) -> str:
    return table.rpartition(".")[2]


def _stamp(path: Path) -> tuple[int, int]:
    """Another one after every line."""
    try:
        found = path.stat()
    except OSError:
        return 0, 0
    return found.st_size, found.st_mtime_ns


def _beside(work: Work, name: str) -> dict[str, Any]:
    """A JSON file in the folder of a run; nothing where it is not there yet."""
    path = work.progress.parent / name
    return _read_json(path, _stamp(path))


@lru_cache(maxsize=8)
def _read_json(path: Path, stamp: tuple[int, int]) -> dict[str, Any]:
    """A file that is read again once it has another *stamp*: a manifest holds everything that was judged so far."""
    try:
        found: dict[str, Any] = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return found


def _progress_in(path: Path) -> dict[str, Progress]:
    return _read_lines(path, _stamp(path))


@lru_cache(maxsize=32)
def _read_lines(path: Path, stamp: tuple[int, int]) -> dict[str, Progress]:
    return read_progress(path)


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _thrifty(warehouse: Warehouse) -> Warehouse:
    """The same, which leaves the cores to those who compute."""
    return replace(warehouse, threads=1) if isinstance(warehouse, EmbeddedWarehouse) else warehouse
