"""Options that several verbs share, and what they open."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

import click
from rich.console import Console

from lib.calendar import Calendar, as_date, closed_range, read_calendar
from lib.coverage import Judge
from lib.errors import BadInput
from lib.phase4_gate import STORE
from lib.phase_gate import ML, PREDICTIONS_PHASE, RAW_PHASE, phase_gate
from lib.places import from_project, near, url_from_project
from lib.plan import Wish
from lib.registry import registry
from lib.settings import Settings, load_settings
from lib.show import terminal
from lib.verdicts import Verdict
from lib.warehouse import Warehouse, connect, in_place

IN_PLACE = "runbook.in_place"
F = TypeVar("F", bound=Callable[..., Any])


class DateText(click.ParamType):  # type: ignore[type-arg]
    """A date written YYYY-MM-DD."""

    name = "date"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        try:
            return date.fromisoformat(str(value))
        except ValueError:
            self.fail(f"'{value}' is no date: write YYYY-MM-DD", param, ctx)


class PhaseName(click.ParamType):  # type: ignore[type-arg]
    """A phase: its number, or ``ml`` for readiness and model."""

    name = "phase"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int | str:
        if str(value) == ML:
            return ML
        try:
            return int(value)
        except ValueError:
            self.fail(f"'{value}' is no phase: write its number, or {ML}", param, ctx)


def warehouse_option(command: F) -> F:
    """``--warehouse URL`` and ``--in-place``, which ``open_place`` heeds."""
    text = "Warehouse, for instance duckdb:///sandbox/warehouse.duckdb. Else RUNBOOK_WAREHOUSE, else runbook.toml."
    in_place = "BigQuery: production's own datasets instead of prefixed ones beside them; a table is kept as a snapshot"
    command = click.option(
        "--in-place",
        is_flag=True,
        expose_value=False,
        callback=_note_in_place,
        help=f"{in_place} before it is written, and refused where it has columns that no contract names.",
    )(command)
    return click.option("--warehouse", "url", metavar="URL", help=text)(command)


def _note_in_place(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    ctx.meta[IN_PLACE] = value


def runs_option(command: F) -> F:
    """``--runs DIR``."""
    return click.option("--runs", metavar="DIR", help="Where runs are archived. Else RUNBOOK_RUNS, else runbook.toml.")(
        command
    )


def range_options(command: F) -> F:
    """``--start-date`` and ``--end-date``."""
    command = click.option("--end-date", type=DateText(), help="Last date, included; else the warehouse's as-of.")(
        command
    )
    return click.option("--start-date", type=DateText(), help="First date; else start_date of runbook.toml.")(command)


def json_option(command: F) -> F:
    """``--json``."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON, for machines.")(command)


def wish_options(command: F) -> F:
    """``--dates``, ``--tables``, ``--force``, ``--recompute-found``."""
    command = click.option("--recompute-found", is_flag=True, help="Compute dates anew that something else wrote.")(
        command
    )
    command = click.option("--force", is_flag=True, help="Compute the dates anew, whether or not they need it.")(
        command
    )
    command = click.option("--tables", metavar="A,B", help="Only these tables.")(command)
    return click.option("--dates", metavar="A,B", help="Only these dates, YYYY-MM-DD.")(command)


@dataclass
class Place:
    """A warehouse with its settings, and the range a verb works on."""

    warehouse: Warehouse
    settings: Settings
    start_date: date | None = None
    end_date: date | None = None
    console: Console = field(default_factory=terminal)

    @contextmanager
    def judge(self) -> Iterator[tuple[Judge, date, date]]:
        """A judge and the range, on one consistent look at the warehouse."""
        with self.warehouse.reading() as session:
            calendar = read_calendar(session, self.settings)
            first, last = closed_range(calendar, self.settings, self.start_date, self.end_date)
            yield Judge(session, self.settings, calendar), first, last

    def verdict(self, phase: int | str) -> Verdict:
        """The gate of a phase over the range."""
        with self.judge() as (judge, first, last):
            return phase_gate(judge, phase, first, last)

    @property
    def computed_phases(self) -> tuple[int, ...]:
        """The phases that have computed tables."""
        found = {self.settings.phase_of(table.name) for table in registry().computed}
        return tuple(sorted(phase for phase in found if phase is not None))

    @property
    def has_model(self) -> bool:
        """Whether the settings know the feature store that a model is trained on."""
        return STORE in self.settings.tables

    @property
    def phases(self) -> tuple[int | str, ...]:
        """Every phase that can be judged, lowest first."""
        return (RAW_PHASE, *self.computed_phases, *((ML, PREDICTIONS_PHASE) if self.has_model else ()))


def open_place(
    url: str | None, start_date: date | None = None, end_date: date | None = None, writes: bool = False
) -> Place:
    """The warehouse a verb works on: the option, else the environment, else the settings, whose paths are the project's.

    Production's own tables are written by nobody who has not said ``--in-place``: BadInput for a verb that *writes*
    where the URL alone says so.
    """
    settings = load_settings()
    chosen = url or os.environ.get("RUNBOOK_WAREHOUSE") or url_from_project(settings.warehouse, near)
    said = _said_in_place()
    warehouse = connect(in_place(chosen) if said else chosen, settings.backfill.wait_seconds)
    if writes and warehouse.in_place and not said:
        raise BadInput(
            f"{chosen} is production itself: say --in-place to write it, or dataset_prefix=trial_ to work beside it"
        )
    return Place(warehouse, settings, start_date, end_date)


def _said_in_place() -> bool:
    context = click.get_current_context(silent=True)
    return bool(context and context.meta.get(IN_PLACE))


def runs_folder(runs: str | None, settings: Settings) -> Path:
    """Where runs are archived: the option, else the environment, else the settings."""
    return Path(runs or os.environ.get("RUNBOOK_RUNS") or near(from_project(settings.runs)))


def read_wish(
    dates: str | None,
    tables: str | None,
    force: bool,
    recompute_found: bool,
    calendar: Calendar,
    first: date,
    last: date,
) -> Wish:
    """What the options ask for; BadInput for a table that is not computed, or a date without games or out of range."""
    return Wish(
        days=None if dates is None else frozenset(_game_date(text, calendar, first, last) for text in dates.split(",")),
        tables=None if tables is None else computed_tables(tables),
        force=force,
        recompute_found=recompute_found,
    )


def computed_tables(text: str) -> frozenset[str]:
    """The tables that ``--tables`` names; BadInput for one that is not computed."""
    return frozenset(_computed_table(name) for name in text.split(","))


def _game_date(text: str, calendar: Calendar, first: date, last: date) -> date:
    day = as_date(text.strip())
    if day is None:
        raise BadInput("--dates holds an empty date: write them as 2024-01-01,2024-01-02")
    calendar.refuse_without_game(day)
    if not first <= day <= last:
        raise BadInput(f"{day} of --dates lies outside the range {first} to {last}")
    return day


def _computed_table(text: str) -> str:
    if not text.strip():
        raise BadInput("--tables holds an empty name: write them as player_game_summary,team_offense_game_summary")
    table = registry().table(text.strip())
    if table.select is None:
        raise BadInput(f"{table.name} is not computed but loaded; --tables takes computed tables")
    return table.name
