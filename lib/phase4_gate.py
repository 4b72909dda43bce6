"""What the gate of phase 4 asks beyond coverage: why eligible dates are not full, and how often a feature is a default."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

from lib.blocking import red_dates, upstream_reason
from lib.calendar import as_ranges
from lib.coverage import Judge
from lib.features import ALL_FEATURES
from lib.states import FULL, DateState, TableCoverage
from lib.verdicts import AMBER, GREEN, RED, Finding
from lib.warehouse.interface import Row

STORE = "nba_predictions.ml_feature_store_v2"

Rows = Callable[[], list[Row]]
ROWS = f"SELECT COUNT(*) AS held FROM {STORE} WHERE game_date BETWEEN @first AND @last"
DEFAULTS = f"""
SELECT feature, COUNT(*) AS held
FROM (SELECT default_features FROM {STORE} WHERE game_date BETWEEN @first AND @last), UNNEST(default_features) AS feature
GROUP BY feature
"""


@dataclass(frozen=True)
class Roots:
    """Why dates of *phase* are not full. ``known`` is the coverage of it and of the phase below, from season start on."""

    judge: Judge
    known: Mapping[str, TableCoverage]
    phase: int

    def findings(self, coverage: TableCoverage) -> list[Finding]:
        """Amber for eligible dates that only wait for raw data, red for any other that is absent or partial."""
        waiting = self.waiting(coverage)
        others = [s for s in coverage.judged if s.state != FULL and not s.torn and s not in waiting]
        found = []
        if waiting:
            found.append(self._finding(AMBER, coverage, "blocked", waiting, "load the raw data, then runbook run"))
        if others:
            found.append(self._finding(RED, coverage, "absent or partial", others, "runbook run"))
        return found

    def waiting(self, coverage: TableCoverage) -> list[DateState]:
        """Its dates that no run can fill before raw data come in: those of their own keys, or of the phase below."""
        missing = (s for s in coverage.judged if s.state != FULL and not s.torn)
        return [s for s in missing if s.waits or s.day in self._shut]

    def why(self, table: str, state: DateState) -> str:
        """``blocked by <table> <date> <reason>``, or what the date itself lacks."""
        blocked = upstream_reason(self.judge.registry.tables[table], state.day, self._states)
        return blocked or self._shut.get(state.day) or self._red.get(state.day) or state.reason

    def _finding(
        self, severity: str, coverage: TableCoverage, what: str, states: list[DateState], mend: str
    ) -> Finding:
        dates = as_ranges((s.day for s in states), list(self.judge.calendar.games))
        why = self.why(coverage.table, states[0])
        return Finding(severity, coverage.table, f"{what} on {len(states)} eligible dates: {dates}; {why}", mend)

    @cached_property
    def _states(self) -> dict[str, dict[date, DateState]]:
        return {name: {state.day: state for state in coverage.days} for name, coverage in self.known.items()}

    @cached_property
    def _red(self) -> dict[date, str]:
        return red_dates(self.judge, self._below)

    @cached_property
    def _shut(self) -> dict[date, str]:
        """The dates to which the phase below stays red whatever is computed."""
        return red_dates(self.judge, self._below, mended=True)

    @property
    def _below(self) -> list[TableCoverage]:
        return [coverage for coverage in self.known.values() if coverage.phase == self.phase - 1]


def default_rates(judge: Judge, first: date, last: date) -> list[dict[str, Any]]:
    """Per feature the share of rows that hold a default, and its limit, both in percent; empty without rows."""
    asked, defaults = ask_defaults(judge, first, last)
    rows = asked()[0][0]
    counts: dict[str, int] = dict(defaults())
    limits = judge.settings.features
    return [_rate(name, 100 * counts.get(name, 0) / rows, limits.limit_pct(name)) for name in ALL_FEATURES if rows]


def ask_defaults(judge: Judge, first: date, last: date) -> tuple[Rows, Rows]:
    """Asks for the rows of the feature store, and for the defaults among them by feature."""
    return judge.session.ask(ROWS, first=first, last=last), judge.session.ask(DEFAULTS, first=first, last=last)


def _rate(feature: str, percent: float, limit: float) -> dict[str, Any]:
    verdict = RED if percent > limit else GREEN
    return {"feature": feature, "default_pct": round(percent, 2), "limit_pct": limit, "verdict": verdict}


def amber_at_most(rate: dict[str, Any]) -> dict[str, Any]:
    """The same rate over a part of the history, where it may be that nothing was known yet."""
    return rate | {"verdict": AMBER if rate["verdict"] == RED else rate["verdict"]}


def default_findings(rates: Sequence[Mapping[str, Any]]) -> list[Finding]:
    """One for every feature that is a default more often than its limit allows."""
    return [
        Finding(
            rate["verdict"],
            f"{STORE}.{rate['feature']}",
            f"a default in {rate['default_pct']:.1f} % of the rows, at most {rate['limit_pct']:g} % may be",
            "load the raw data it comes from, then runbook run --phase 4; limits stand in runbook.toml, [features]",
        )
        for rate in rates
        if rate["verdict"] != GREEN
    ]
