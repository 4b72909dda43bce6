"""Features: how many rows of a season hold a value, whether it varies, and whether it holds less than a season before."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from lib.checks.model import FEATURES, REGRESSION, Check, Offenders, Scope
from lib.registry import registry
from lib.settings import CheckFacts
from lib.verdicts import AMBER, RED

STAGE_DAYS = 30  # what is compared with the same days of the season before
VALUES = 50  # fewer say nothing about whether a feature varies
# a rate over minutes can be asked only of those who played some
ASKED_OF = {("nba_analytics.player_game_summary", "usage_rate"): "minutes_played > 0"}
IMPROVED, HELD, DEGRADED, REGRESSED = "IMPROVEMENT", "OK", "DEGRADATION", "REGRESSION"


@dataclass(frozen=True)
class Share:
    """One feature over some dates of a season: rows that could hold a value, rows that do, lowest and highest.

    ``days`` are those dates, as the first and last day of the season that they are.
    """

    table: str
    column: str
    season: int
    days: tuple[int, int]
    rows: int
    held: int
    lowest: Any
    highest: Any

    @property
    def percent(self) -> float:
        """Rows that hold a value, percent."""
        return 100 * self.held / self.rows if self.rows else 0.0


def compared(percent: float, baseline: float, facts: CheckFacts) -> str:
    """A coverage against that of the baseline, both in percent: REGRESSION, DEGRADATION, OK or IMPROVEMENT."""
    if 100 * percent < facts.regression_pct * baseline:
        return REGRESSED
    if 100 * percent < facts.degradation_pct * baseline:
        return DEGRADED
    return IMPROVED if 100 * percent >= facts.improvement_pct * baseline and percent > baseline else HELD


def daily(scope: Scope) -> list[Share]:
    """Every feature of the phase by date, from one scan of each table."""
    asked = ask_daily(scope)
    return scope.once("daily", lambda: [share for name in asked for share in _shares(scope, name, asked[name]())])


def ask_daily(scope: Scope) -> dict[str, Callable[[], list[tuple[Any, ...]]]]:
    """The same, asked: the rows of each table's scan."""
    return {name: scope.ask(_scan(scope, name)) for name in _tables(scope)}


def yearly(scope: Scope) -> list[Share]:
    """The same by season."""
    return scope.once("yearly", lambda: [_summed(shares) for shares in _by_season(scope).values()])


def _by_season(scope: Scope) -> dict[tuple[str, str, int], list[Share]]:
    return scope.once("by season", lambda: _grouped(scope))


def _grouped(scope: Scope) -> dict[tuple[str, str, int], list[Share]]:
    seasons: dict[tuple[str, str, int], list[Share]] = {}
    for share in daily(scope):
        seasons.setdefault((share.table, share.column, share.season), []).append(share)
    return seasons


def _tables(scope: Scope) -> list[str]:
    settings = scope.judge.settings
    return [name for name in settings.features.asked if settings.phase_of(name) == scope.phase]


def _scan(scope: Scope, name: str) -> str:
    columns = scope.judge.settings.features.asked[name]
    day = registry().tables[name].date_column
    asked = ", ".join(
        f"COALESCE(COUNTIF({ASKED_OF.get((name, c), 'TRUE')}), 0) AS {c}_rows,"
        f" COALESCE(COUNTIF({c} IS NOT NULL AND {ASKED_OF.get((name, c), 'TRUE')}), 0) AS {c}_held,"
        f" MIN({c}) AS {c}_lowest, MAX({c}) AS {c}_highest"
        for c in columns
    )
    return (
        f"SELECT season_year, {day} AS day, {asked} FROM {name} WHERE {day} BETWEEN @first AND @last"
        " GROUP BY season_year, day"
    )


def _shares(scope: Scope, name: str, rows: list[tuple[Any, ...]]) -> Iterator[Share]:
    columns, calendar = scope.judge.settings.features.asked[name], scope.judge.calendar
    for season, at, *figures in sorted(rows, key=lambda row: row[:2]):
        nth = (at - calendar.season_start(at)).days
        for place, column in enumerate(columns):
            yield Share(name, column, season, (nth, nth), *figures[4 * place : 4 * place + 4])


def _summed(shares: Sequence[Share]) -> Share:
    lows = [share.lowest for share in shares if share.lowest is not None]
    highs = [share.highest for share in shares if share.highest is not None]
    rows, held, days = sum(s.rows for s in shares), sum(s.held for s in shares), [s.days[0] for s in shares]
    one = shares[0]
    span = (min(days), max(days))
    return Share(one.table, one.column, one.season, span, rows, held, min(lows, default=None), max(highs, default=None))


def _short(scope: Scope, wanted: dict[str, dict[str, float]]) -> Offenders:
    asked = [share for share in yearly(scope) if share.column in wanted.get(share.table, {})]
    short = [
        (s.table, s.column, s.season, round(s.percent, 2), wanted[s.table][s.column], s.rows - s.held)
        for s in asked
        if 100 * s.held < wanted[s.table][s.column] * s.rows
    ]
    return Offenders(len(asked), ("table", "feature", "season", "coverage_pct", "needed_pct", "rows_without"), short)


def _needed(scope: Scope) -> Offenders:
    return _short(scope, scope.judge.settings.features.coverage)


def _wished(scope: Scope) -> Offenders:
    return _short(scope, scope.judge.settings.features.wished)


def _flat(scope: Scope) -> Offenders:
    seasons = yearly(scope)
    flat = [
        (s.table, s.column, s.season, s.lowest, s.held) for s in seasons if s.held > VALUES and s.lowest == s.highest
    ]
    return Offenders(len(seasons), ("table", "feature", "season", "only_value", "rows"), flat)


def comparisons(scope: Scope) -> list[tuple[str, Share, Share]]:
    """Every thirty days of a season against the same days of the season before: never the off-season.

    Where a season is under way, or the range begins within one, just the days that both have are compared.
    """
    return scope.once("comparisons", lambda: list(_comparisons(scope)))


def _comparisons(scope: Scope) -> Iterator[tuple[str, Share, Share]]:
    facts, seasons = scope.judge.settings.checks, _by_season(scope)
    for (table, column, season), shares in seasons.items():
        before = seasons.get((table, column, season - 1), [])
        for stage in sorted({share.days[0] // STAGE_DAYS for share in shares}):
            new = _summed([share for share in shares if share.days[0] // STAGE_DAYS == stage])
            same = [share for share in before if new.days[0] <= share.days[0] <= new.days[1]]
            if same and min(new.rows, (base := _summed(same)).rows) >= facts.baseline_rows:
                yield compared(new.percent, base.percent, facts), new, base


def _worse(scope: Scope, wanted: Callable[[str, bool], bool], note: str = "") -> Offenders:
    """Comparisons whose outcome is *wanted* of a feature, which is needed or only wished for."""
    found, coverage = comparisons(scope), scope.judge.settings.features.coverage
    worse = [
        (new.table, new.column, new.season, "{} to {}".format(*new.days), said, _one_digit(new), _one_digit(base))
        for said, new, base in found
        if wanted(said, new.column in coverage.get(new.table, {}))
    ]
    columns = ("table", "feature", "season", "days_of_season", "outcome", "coverage_pct", "baseline_pct")
    return Offenders(len(found), columns, worse, note)


def _one_digit(share: Share) -> float:
    return round(share.percent, 1)


def _regressed(scope: Scope) -> Offenders:
    better = sorted({(new.column, new.season) for said, new, _ in comparisons(scope) if said == IMPROVED})
    told = ", ".join(f"{column} in season {season}" for column, season in better)
    return _worse(scope, lambda said, needed: needed and said == REGRESSED, f"IMPROVEMENT: {told}." if told else "")


def _degraded(scope: Scope) -> Offenders:
    return _worse(scope, lambda said, needed: said == DEGRADED or (not needed and said == REGRESSED))


CHECKS = (
    Check(
        "feature_coverage", FEATURES, None, RED,
        "features that too few rows of a season hold ([features.coverage] of runbook.toml)",
        "the text of a source changed its shape and is not parsed any more, or a join finds nothing",
        "look at the raw column it comes from, season by season; then runbook run --force over the season",
        look=_needed, asks=ask_daily,
    ),
    Check(
        "feature_coverage_wished", FEATURES, None, AMBER,
        "features of optional sources that too few rows of a season hold ([features.wished] of runbook.toml)",
        "an optional source is missing for the season, or names its players or games otherwise",
        "load the source, or look at how it names players; then runbook run",
        look=_wished, asks=ask_daily,
    ),
    Check(
        "feature_varies", FEATURES, None, RED,
        "features with one single value in a whole season",
        "the column was never computed, or is always its default",
        "look at the SELECT of its table, then runbook run --force over the season",
        look=_flat, asks=ask_daily,
    ),
    Check(
        "feature_regression", REGRESSION, None, RED,
        "stages of a season in which a needed feature is held by less than 90 % of what it was over the same days of the season before",
        "a source changed its shape or its names in the course of the season",
        "compare the raw column with that of the season before; then runbook run --force over it",
        look=_regressed, asks=ask_daily,
    ),
    Check(
        "feature_degradation", REGRESSION, None, AMBER,
        "stages of a season in which a feature is held by less than 95 % of what it was over the same days of the season before (an optional one: by less than 90 %, too)",
        "a source is thinner than it was",
        "compare the raw column with that of the season before",
        look=_degraded, asks=ask_daily,
    ),
)  # fmt: skip
