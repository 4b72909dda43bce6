"""The plan: exactly what a run will compute, and why.

``runbook plan`` shows it, ``runbook run`` and the launch notebooks walk the same list.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path

from lib.basis import Basis, read_basis
from lib.blocking import FIRST_GATED_PHASE, red_dates, upstream_reason
from lib.calendar import Calendar
from lib.coverage import Judge
from lib.errors import BadInput
from lib.files import write_whole
from lib.grid import GridTable, grid_table, grid_tables
from lib.registry import HISTORY, Registry, Table, registry
from lib.states import DateState, TableCoverage
from lib.warehouse.interface import Row
from lib.wording import counted

SCHEMA = 2  # 1 did not say what the plan was made from
SECONDS_PER_CHUNK = 1.0  # where the ledger knows nothing yet


@dataclass(frozen=True)
class Chunk:
    """Dates of one table, of whole seasons, that are computed together, each with its reason."""

    table: str
    history_from: date
    reasons: Mapping[date, str]
    seconds: float

    @property
    def days(self) -> tuple[date, ...]:
        """The dates, in order."""
        return tuple(sorted(self.reasons))

    @property
    def title(self) -> str:
        """For instance ``upcoming_team_game_context 2021-10-19..2022-06-16, 160 dates``."""
        return f"{self.table.partition('.')[2]} {self.days[0]}..{self.days[-1]}, {counted(len(self.days), 'date')}"


@dataclass(frozen=True)
class Plan:
    """Ordered chunks, and the groups of tables that may run side by side."""

    as_of: date
    first: date
    last: date
    phases: tuple[int, ...]
    chunks: tuple[Chunk, ...]
    groups: tuple[tuple[str, ...], ...]
    found: Mapping[str, tuple[date, ...]]  # full dates without a receipt, of which stock is taken
    waiting: Mapping[str, Mapping[date, str]] = field(default_factory=dict)  # blocked by raw data, each with its reason
    grid: tuple[GridTable, ...] = ()  # what the warehouse held when the plan was made
    basis: Basis | None = None  # what it was made from, where it is to be reviewed

    @property
    def digest(self) -> str:
        """SHA-256 over chunks, reasons, their SQL or all they were made from; estimates and grid left out."""
        chunks = [
            (c.table, str(c.history_from), sorted((str(d), r) for d, r in c.reasons.items())) for c in self.chunks
        ]
        found = {name: [str(day) for day in days] for name, days in self.found.items()}
        made_from = self._sql if self.basis is None else asdict(self.basis)
        content = [str(self.first), str(self.last), chunks, made_from, found]
        return hashlib.sha256(json.dumps(content).encode()).hexdigest()

    @property
    def _sql(self) -> list[str]:
        known = registry().tables
        return [known[name].digest for group in self.groups for name in group if name in known]

    @property
    def mark(self) -> str:
        """What the names of its runs end with."""
        return self.digest[:8]

    @property
    def dates(self) -> int:
        """Table-dates to compute."""
        return sum(len(chunk.reasons) for chunk in self.chunks)

    @property
    def seconds(self) -> float:
        """Expected seconds of computing, one chunk after the other."""
        return sum(chunk.seconds for chunk in self.chunks)

    def chunks_of(self, table: str) -> list[Chunk]:
        """The chunks of one table."""
        return [chunk for chunk in self.chunks if chunk.table == table]

    def write(self, path: Path, **more: object) -> None:
        """Writes the plan as JSON, and *more* that is only for people."""
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, json.dumps(self.as_json() | more, indent=1).encode(), "plan")

    def as_json(self) -> dict[str, object]:
        """The plan for machines."""
        chunks = [
            asdict(c) | {"history_from": str(c.history_from), "reasons": {str(d): r for d, r in c.reasons.items()}}
            for c in self.chunks
        ]
        found = {name: [str(day) for day in days] for name, days in self.found.items()}
        about: dict[str, object] = {
            "schema": SCHEMA,
            "as_of": str(self.as_of),
            "first": str(self.first),
            "last": str(self.last),
            "phases": list(self.phases),
        }
        totals = {"digest": self.digest, "dates": self.dates, "seconds": round(self.seconds, 1)}
        waiting = {name: {str(day): why for day, why in days.items()} for name, days in self.waiting.items()}
        groups = [list(group) for group in self.groups]
        grid = [table.as_json() for table in self.grid]
        work = {"groups": groups, "chunks": chunks, "found": found, "waiting": waiting, "grid": grid}
        return about | totals | work | ({"basis": asdict(self.basis)} if self.basis else {})


def read_plan(path: Path) -> Plan:
    """A plan that was written; BadInput where the file is none, or it or the SQL was changed since."""
    plan, digest = plan_as_written(path)
    if plan.digest != digest:
        raise BadInput(f"{path} is not the plan it says it is: its content or the SQL has changed since; plan again")
    return plan


def plan_as_written(path: Path) -> tuple[Plan, str]:
    """A plan and the digest it had, to be looked at and not carried out; BadInput where the file is none."""
    try:
        raw = json.loads(path.read_text())
        if raw.get("schema", 1) not in (1, SCHEMA):
            raise BadInput(f"{path} is a plan of schema {raw['schema']}; this runbook reads {SCHEMA}: plan again")
        plan = Plan(
            as_of=date.fromisoformat(raw["as_of"]),
            first=date.fromisoformat(raw["first"]),
            last=date.fromisoformat(raw["last"]),
            phases=tuple(raw["phases"]),
            chunks=tuple(_chunk(item) for item in raw["chunks"]),
            groups=tuple(tuple(group) for group in raw["groups"]),
            found={name: tuple(map(date.fromisoformat, days)) for name, days in raw["found"].items()},
            waiting={name: _dated(days) for name, days in raw["waiting"].items()},
            grid=tuple(grid_table(item) for item in raw.get("grid", ())),
            basis=read_basis(raw["basis"]) if "basis" in raw else None,
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadInput(f"{path} is no plan: {error}") from error
    return plan, str(raw.get("digest"))


def _chunk(item: Mapping[str, object]) -> Chunk:
    reasons = _dated(dict(item["reasons"]))  # type: ignore[call-overload]
    return Chunk(
        str(item["table"]), date.fromisoformat(str(item["history_from"])), reasons, float(str(item["seconds"]))
    )


def _dated(texts: Mapping[str, str]) -> dict[date, str]:
    return {date.fromisoformat(day): str(reason) for day, reason in texts.items()}


@dataclass(frozen=True)
class Wish:
    """What a person asked for beyond the ordinary: these dates, these tables, whether or not they need it."""

    days: frozenset[date] | None = None
    tables: frozenset[str] | None = None
    force: bool = False
    recompute_found: bool = False


def make_plan(judge: Judge, phases: Iterable[int], first: date, last: date, wish: Wish | None = None) -> Plan:
    """What must be computed in *phases* from *first* to *last*: a set difference against the warehouse.

    A date that will be computed anew makes the dates that read it be computed anew as well.
    """
    wish = wish or Wish()
    phases = tuple(sorted(phases))
    spent = ask_seconds(judge)
    below = {phase - 1 for phase in phases if phase >= FIRST_GATED_PHASE}
    known = judge.cover({*phases, *below}, judge.calendar.season_start(first), last)
    covered = {name: c.between(first, date.max) for name, c in known.items() if c.phase in phases}
    closed = {phase: _closed(judge, known.values(), phase) for phase in phases}
    reasons: dict[str, dict[date, str]] = {}
    for name, coverage in covered.items():
        own = _own_reasons(coverage, wish, judge.calendar) if wish.tables is None or name in wish.tables else {}
        passed = _passed_on(judge.registry.tables[name], coverage, reasons, own, judge.calendar)
        kept_back = _kept_back(coverage, closed[coverage.phase])
        reasons[name] = {day: why for day, why in (own | passed).items() if day not in kept_back}
    seconds = {name: float(per_date) for name, per_date in spent()}
    chunks = [chunk for name, days in reasons.items() for chunk in _chunks(judge, name, days, seconds)]
    return Plan(
        as_of=judge.calendar.as_of,
        first=first,
        last=last,
        phases=phases,
        chunks=tuple(chunks),
        groups=_groups(judge.registry, reasons),
        found={name: days for name, c in covered.items() if (days := _found(c, reasons[name], wish))},
        waiting=_waiting(judge.registry, covered, known, reasons, closed),
        grid=tuple(grid_tables(covered)),
    )


def _closed(judge: Judge, known: Iterable[TableCoverage], phase: int) -> dict[date, str]:
    """The dates whose upstream phase stays red whatever is computed: planning them would never come to an end."""
    if phase < FIRST_GATED_PHASE:
        return {}
    return red_dates(judge, (coverage for coverage in known if coverage.phase == phase - 1), mended=True)


def _kept_back(coverage: TableCoverage, closed: Container[date]) -> set[date]:
    """The *closed* dates, but for those with published rows of raw data that went away: a run empties them."""
    return {
        s.day
        for s in coverage.days
        if s.day in closed and not (s.todo and s.holding.rows and s.receipt and not s.stocked)
    }


def _waiting(
    tables: Registry,
    covered: Mapping[str, TableCoverage],
    known: Mapping[str, TableCoverage],
    planned: Mapping[str, Mapping[date, str]],
    closed: Mapping[int, Mapping[date, str]],
) -> dict[str, dict[date, str]]:
    """The dates of phase 4 and above that no run can fill before raw data come in, each with its reason."""
    states = {name: {state.day: state for state in coverage.days} for name, coverage in known.items()}
    waiting: dict[str, dict[date, str]] = {}
    for name, coverage in covered.items():
        if coverage.phase < FIRST_GATED_PHASE:
            continue
        for state in coverage.judged:
            shut = closed[coverage.phase].get(state.day) if state.todo else None
            if state.day not in planned[name] and (shut or state.waits):
                why = upstream_reason(tables.tables[name], state.day, states) or shut
                waiting.setdefault(name, {})[state.day] = why or state.reason
    return waiting


def _own_reasons(coverage: TableCoverage, wish: Wish, calendar: Calendar) -> dict[date, str]:
    states = [state for state in coverage.days if wish.days is None or state.day in wish.days]
    return {state.day: reason for state in states if (reason := _why(state, wish, calendar))}


def _why(state: DateState, wish: Wish, calendar: Calendar) -> str | None:
    if state.excluded:
        return None
    if wish.recompute_found and state.foreign and state.day not in calendar.unplayed:
        return "found: written by something else"
    asked = wish.force and state.holding.computable > 0
    return state.todo or ("asked for" if asked else None)


def _passed_on(
    table: Table,
    coverage: TableCoverage,
    reasons: Mapping[str, Mapping[date, str]],
    own: Mapping[date, str],
    calendar: Calendar,
) -> dict[date, str]:
    passed: dict[date, str] = {}
    for source in table.sources:
        changed = reasons.get(source.table) or {}
        if not changed:
            continue
        for state in coverage.days:
            if state.day in own or state.day in passed or state.excluded or state.holding.computable == 0:
                continue
            start = calendar.season_start(state.day)
            hit = state.day in changed if source.window != HISTORY else any(start <= d < state.day for d in changed)
            if hit:
                passed[state.day] = f"reads {source.table.partition('.')[2]}, which is computed anew"
    return passed


def _chunks(judge: Judge, name: str, days: Mapping[date, str], seconds: Mapping[str, float]) -> list[Chunk]:
    per_date, calendar = seconds.get(name, SECONDS_PER_CHUNK / 160), judge.calendar
    seasons, most = calendar.by_season(days), judge.settings.backfill.chunk_dates
    counts = "@bootstrap_days" in (judge.registry.tables[name].select or "")  # from the start of the first season
    apart = {start for start, dates in seasons.items() if counts and calendar.is_bootstrap(dates[0])}
    return [
        Chunk(name, start, {d: days[d] for d in group}, round(0.2 + per_date * len(group), 2))
        for start, group in _together(seasons, most, apart)
    ]


def _together(
    seasons: Mapping[date, Sequence[date]], most: int, apart: Container[date]
) -> list[tuple[date, list[date]]]:
    """Seasons one after the other, up to *most* dates in a group, each with the start of its first season.

    One that is *apart* goes with none before it.
    """
    groups: list[tuple[date, list[date]]] = []
    for start, days in seasons.items():
        if groups and start not in apart and len(groups[-1][1]) + len(days) <= most:
            groups[-1][1].extend(days)
        else:
            groups.append((start, list(days)))
    return groups


def _groups(tables: Registry, reasons: Mapping[str, Mapping[date, str]]) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(group) for group in tables.groups(name for name, days in reasons.items() if days))


def _found(coverage: TableCoverage, planned: Mapping[date, str], wish: Wish) -> tuple[date, ...]:
    if wish.tables is not None and coverage.table not in wish.tables:
        return ()
    days = (state.day for state in coverage.days if state.found and state.day not in planned and not state.todo)
    return tuple(day for day in days if wish.days is None or day in wish.days)


def ask_seconds(judge: Judge) -> Callable[[], list[Row]]:
    """Seconds a date took per table, over the ledger's published attempts."""
    return judge.session.ask("""
SELECT table_name, SUM(seconds) / SUM(dates) AS seconds
FROM (
  SELECT table_name, attempt, COUNT(*) AS dates,
    MAX(UNIX_MICROS(finished_at) - UNIX_MICROS(started_at)) / 1000000 AS seconds
  FROM runbook.attempts
  WHERE outcome = 'published'
  GROUP BY table_name, attempt
)
GROUP BY table_name
""")


def reason_counts(chunks: Iterable[Chunk]) -> Counter[str]:
    """How many dates there are of each kind of reason: absent, partial, outdated, ..."""
    return Counter(reason.partition(":")[0].partition(",")[0] for chunk in chunks for reason in chunk.reasons.values())
