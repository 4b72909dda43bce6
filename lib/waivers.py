"""Floors: what may not be loosened by one person alone. Below a floor, or past one, a phase stands on a waiver."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from lib.settings import Settings
from lib.states import TableCoverage
from lib.wording import counted

EXCLUDED_PCT = 2  # of a season's dates
FLOORS = {"3": ("analytics_coverage_pct", 95), "4": ("precompute_coverage_pct", 88)}
PLAYERS = "nba_analytics.player_game_summary"
FILLED = {"minutes_played": 99, "usage_rate": 95}  # percent of a season's rows; floors of phase 3 and of the model


def waivers(settings: Settings, phase: str, covered: Iterable[TableCoverage]) -> list[str]:
    """What the phase stands on that needs a second signer, each with its figures."""
    return [*_lowered(settings, phase), *(waiver for coverage in covered for waiver in _excluded(coverage))]


def _lowered(settings: Settings, phase: str) -> Iterator[str]:
    gates = {FLOORS[phase][0]: FLOORS[phase][1]} if phase in FLOORS else {}
    for name, floor in gates.items():
        if getattr(settings.gates, name) < floor:
            yield f"gates.{name} = {getattr(settings.gates, name):g}, the floor is {floor}"
    for name, floor in FILLED.items() if phase in ("3", "ml") else ():
        if settings.features.needed_pct(PLAYERS, name) < floor:
            yield f"features.coverage.{name} = {settings.features.needed_pct(PLAYERS, name):g}, the floor is {floor}"


def _excluded(coverage: TableCoverage) -> Iterator[str]:
    played = [state.day for state in coverage.days if state.excluded and state.holding.computable]
    if played:
        yield f"{coverage.table} excludes {counted(len(played), 'date')} with raw data, the first {played[0]}"
    seasons = Counter(_season(state.day.year, state.day.month) for state in coverage.days)
    excluded = Counter(_season(state.day.year, state.day.month) for state in coverage.days if state.excluded)
    for season, count in excluded.items():
        if 100 * count > EXCLUDED_PCT * seasons[season]:
            yield f"{coverage.table} excludes {count} of {seasons[season]} dates of season {season}"


def _season(year: int, month: int) -> int:
    return year if month >= 9 else year - 1
