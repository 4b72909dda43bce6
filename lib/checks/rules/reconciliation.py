"""Reconciliation: every game of the schedule from raw data over Phase 3 and 4 to the features; which was lost where."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from lib.blocking import FIRST_GATED_PHASE
from lib.calendar import COUNTED, SCHEDULE
from lib.checks.model import RECONCILIATION, Check, Offenders, Scope
from lib.coverage import expected_sql, key_parts
from lib.registry import Table
from lib.verdicts import AMBER, RED

GAMES = f"""
SELECT game_date, away_team_tricode AS away, home_team_tricode AS home
FROM {SCHEDULE}
WHERE game_status = 3 AND {COUNTED}
"""
Rows = Callable[[], list[tuple[Any, ...]]]
RAW = {"player boxes": "players_with_boxes", "team boxes": "teams_with_boxes"}


@dataclass(frozen=True)
class Lost:
    """A game, the step it was lost on, and whether it only waits for raw data."""

    day: date
    game: str
    step: str
    why: str
    waits: bool


@dataclass(frozen=True)
class Way:
    """How many games reached each step, and those that did not reach the last."""

    reached: dict[str, int]
    lost: tuple[Lost, ...]


@dataclass(frozen=True)
class Asked:
    """What the way is read off: the games, those without boxes, and the sides that each table holds."""

    tables: list[Table]
    games: Rows
    without_boxes: dict[str, Rows]
    sides: dict[str, Rows]


def ask_way(scope: Scope) -> Asked:
    """Asks for all of it."""
    tables = [table for table in scope.judge.registry.computed if _holds_games(scope, table)]
    return Asked(
        tables,
        scope.ask(GAMES),
        {name: _ask_without_boxes(scope, rule) for name, rule in RAW.items()},
        {table.name: scope.ask(_sides(table)) for table in tables},
    )


def way_of(scope: Scope) -> Way:
    """The way of every game, asked once for all checks of the scope."""
    return scope.once("way", lambda: _way(scope))


def _way(scope: Scope) -> Way:
    asked = ask_way(scope)
    expected = scope.judge.calendar.games
    games = sorted((game for game in asked.games() if game[0] in expected), key=lambda game: (game[0], game[2]))
    raw = {name: {game for (game,) in without()} for name, without in asked.without_boxes.items()}
    tables, held = asked.tables, {name: set(sides()) for name, sides in asked.sides.items()}
    lost = [found for day, away, home in games if (found := _first_loss(scope, raw, tables, held, day, away, home))]
    steps = [*RAW, *held]
    late = {step: place for place, step in enumerate(steps)}
    reached = {step: len(games) - sum(late[entry.step] <= place for entry in lost) for step, place in late.items()}
    return Way({"schedule": len(games), **reached}, tuple(lost))


def _holds_games(scope: Scope, table: Table) -> bool:
    """Whether every game leaves rows of both its teams: the zone tables speak of teams and players, not of games."""
    phase = scope.judge.settings.phase_of(table.name)
    return phase is not None and phase <= scope.phase and "opponent_team_abbr" in table.contract.column_names


def _sides(table: Table) -> str:
    names, entity = table.contract.column_names, key_parts(table.contract)[1]
    team = "team_abbr" if "team_abbr" in names else entity
    day = table.date_column
    return f"SELECT {day}, {team} FROM {table.name} WHERE {day} BETWEEN @first AND @last GROUP BY {day}, {team}"


def _ask_without_boxes(scope: Scope, rule: str) -> Rows:
    bounds = {"first": scope.first, "last": scope.last, "history_from": scope.first}
    kept = scope.judge.session.keep_once(expected_sql(rule), **bounds)
    return scope.ask(f"SELECT DISTINCT game_id FROM {kept} WHERE waiting IS NOT NULL")


def _first_loss(
    scope: Scope, raw: dict[str, set[str]], tables: list[Table], held: dict[str, set[tuple[date, str]]],
    day: date, away: str, home: str,
) -> Lost | None:  # fmt: skip
    game = f"{day:%Y%m%d}_{away}_{home}"
    for name, without in raw.items():
        if game in without:
            return Lost(day, game, name, "no box score", True)
    for table in tables:
        absent = [team for team in (away, home) if (day, team) not in held[table.name]]
        if absent and not _exempt(scope, table, day):
            waits = day in _waiting(scope).get(table.name, ())
            why = "waits for raw data of the date or before" if waits else f"no row of {', '.join(absent)}"
            return Lost(day, game, table.name, why, waits)
    return None


def _exempt(scope: Scope, table: Table, day: date) -> bool:
    early = (scope.judge.settings.phase_of(table.name) or 0) >= FIRST_GATED_PHASE
    return (early and scope.judge.calendar.is_bootstrap(day)) or scope.judge.is_excluded(table.name, day)


def _waiting(scope: Scope) -> dict[str, set[date]]:
    """Dates that are not full for nothing but raw data; looked at only where a game was lost."""
    phases = range(3, scope.phase + 1)
    return scope.once(
        "waiting",
        lambda: {
            name: {state.day for state in coverage.days if state.waits}
            for name, coverage in scope.judge.cover(phases, scope.first, scope.last).items()
        },
    )


def _lost(scope: Scope, waits: bool, note: str = "") -> Offenders:
    way = way_of(scope)
    rows = [(lost.day, lost.game, lost.step, lost.why) for lost in way.lost if lost.waits == waits]
    return Offenders(way.reached["schedule"], ("date", "game", "lost_on", "why"), rows, note)


def _told(scope: Scope) -> Iterator[str]:
    for step, games in way_of(scope).reached.items():
        yield f"{step.rpartition('.')[2]} {games}"


CHECKS = (
    Check(
        "game_is_lost", RECONCILIATION, None, RED,
        "games of the schedule that were lost between raw data and the last table",
        "a step wrote nothing for them, or names the teams or the date otherwise",
        "runbook run; if they stay lost, look at game date and team names in the step that is named",
        look=lambda scope: _lost(scope, False, f"Games on each step: {', '.join(_told(scope))}."),
        asks=ask_way,
    ),
    Check(
        "game_waits_for_raw_data", RECONCILIATION, None, AMBER,
        "games of the schedule that have no box score, or wait for one of their date",
        "the source never gave it, or it was not loaded",
        "load the raw data that is missing, then runbook run",
        look=lambda scope: _lost(scope, True), asks=ask_way,
    ),
)  # fmt: skip
