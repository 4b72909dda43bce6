"""ML readiness: is the very matrix that is trained on worth training on? Judged per season, so that no season hides."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np

from lib.coverage import Judge
from lib.errors import CannotJudge
from lib.features import TRAINING_21
from lib.gates import coverage_gate
from lib.ml.matrix import Matrix, read_matrix
from lib.phase4_gate import STORE
from lib.settings import MlFacts
from lib.verdicts import AMBER, GREEN, RED, Finding, Verdict, worst

GAMES = "nba_analytics.player_game_summary"
MEND_DATA = "load the raw data it comes from, then runbook run"

# what a value may be at all; a rate may leave 0 to 100 after a stint of seconds, a mean of ten games hardly
POSSIBLE: Mapping[str, tuple[float, float]] = {
    "points_avg_last_5": (0, 80), "points_avg_last_10": (0, 80), "points_avg_season": (0, 80),
    "points_std_last_10": (0, 40), "minutes_avg_last_10": (0, 60), "fatigue_score": (0, 100),
    "shot_zone_mismatch_score": (-10, 10), "pace_score": (-3, 3), "usage_spike_score": (-3, 3),
    "opponent_def_rating_last_15": (50, 180), "opponent_pace_last_15": (20, 160), "is_home": (0, 1),
    "days_rest": (0, 365), "back_to_back": (0, 1), "paint_rate_last_10": (0, 100),
    "mid_range_rate_last_10": (0, 100), "three_pt_rate_last_10": (0, 100), "assisted_rate_last_10": (0, 100),
    "team_pace_last_10": (20, 160), "team_off_rating_last_10": (50, 180), "usage_rate_last_10": (0, 9999.9),
}  # fmt: skip

FILLED = f"""
SELECT
  season_year, COUNT(*) AS held, COUNT(minutes_played) AS with_minutes, COUNTIF(minutes_played > 0) AS played,
  COUNTIF(minutes_played > 0 AND usage_rate IS NOT NULL) AS with_usage,
  COUNTIF(points < 0 OR points > 120 OR minutes_played < 0 OR minutes_played > 75 OR fg_makes > fg_attempts) AS impossible,
  COUNT(*) - COUNT(DISTINCT CONCAT(CAST(game_date AS STRING), player_lookup)) AS doubled
FROM {GAMES}
WHERE game_date BETWEEN @first AND @last AND points IS NOT NULL
GROUP BY season_year
"""
STORED = f"""
SELECT
  season_year, COUNT(*) AS held, COUNT(*) - COUNT(DISTINCT CONCAT(CAST(game_date AS STRING), player_lookup)) AS doubled
FROM {STORE}
WHERE game_date BETWEEN @first AND @last
GROUP BY season_year
"""
Line = dict[str, Any]


def season_name(year: int) -> str:
    """For instance 2021-22."""
    return f"{year}-{(year + 1) % 100:02d}"


@dataclass(frozen=True)
class Readiness:
    """What is judged: the matrix, and what its two tables hold."""

    judge: Judge
    first: date
    last: date

    @property
    def rules(self) -> MlFacts:
        """The limits, from the settings."""
        return self.judge.settings.ml

    @cached_property
    def matrix(self) -> Matrix:
        """The very matrix that is trained on."""
        return read_matrix(self.judge.session, self.first, self.last)

    @cached_property
    def games(self) -> list[tuple[Any, ...]]:
        """Per season what the players' games hold; CannotJudge where there is none."""
        rows = self._rows(FILLED)
        if not rows:
            raise CannotJudge(f"{GAMES} holds no row from {self.first} to {self.last}: run 'runbook run --phase 3'")
        return rows

    @cached_property
    def stored(self) -> dict[int, tuple[int, int]]:
        """Per season the feature rows, and those that are doubled."""
        return {season: (rows, doubled) for season, rows, doubled in self._rows(STORED)}

    @cached_property
    def features(self) -> list[Line]:
        """Per feature and season, percent: defaults of all rows and of those that could know it, NULLs, commonest value."""
        seasons = sorted(set(self.matrix.seasons.tolist()))
        return [self._feature(name, season) for name in TRAINING_21 for season in seasons]

    def _feature(self, name: str, season: int) -> Line:
        of_season, at = self.matrix.seasons == season, TRAINING_21.index(name)
        values, defaults = self.matrix.features[of_season, at], self.matrix.defaults[of_season, at]
        knowable = self.matrix.knowable[of_season, at]
        told = values[~np.isnan(values) & ~defaults]
        line = {
            "feature": name,
            "season": season_name(season),
            "default_pct": _percent(defaults.sum(), len(values)),
            "avoidable_pct": _percent((defaults & knowable).sum(), knowable.sum()),
            "limit_pct": self.judge.settings.features.limit_pct(name),
            "null_pct": _percent(np.isnan(values).sum(), len(values)),
            "commonest_pct": _percent(np.unique(told, return_counts=True)[1].max(initial=0), len(told)),
            "spread": round(float(told.std()), 3) if len(told) else None,
        }
        return line | {"verdict": worst(finding.severity for finding in _feature_findings(name, [line], self.rules))}

    def verdict(self) -> Verdict:
        """The phases below are not red, and the matrix is big, filled, varied, possible and in order."""
        self.judge.cover((3, 4), self.first, self.last)  # both gates from one look
        below = [finding for phase in (3, 4) for finding in _upstream(self.judge, phase, self.first, self.last)]
        results = [rule(self) for rule in RULES]
        findings = (*below, *(finding for _, found in results for finding in found))
        return Verdict(
            gate="readiness",
            verdict=worst(finding.severity for finding in findings),
            sentence=_sentence(self.matrix, findings),
            findings=findings,
            table=tuple(line for line, _ in results),
            about=_about(self),
        )

    def _rows(self, sql: str) -> list[tuple[Any, ...]]:
        return sorted(self.judge.session.ask(sql, first=self.first, last=self.last)())


def ask_readiness(judge: Judge, first: date, last: date) -> None:
    """Asks early what the gate will ask of the two tables that the matrix is made of."""
    for sql in (FILLED, STORED):
        judge.session.ask(sql, first=first, last=last)


def readiness_gate(judge: Judge, first: date, last: date) -> Verdict:
    """The gate ``ml`` over a range."""
    return Readiness(judge, first, last).verdict()


def _about(ready: Readiness) -> dict[str, Any]:
    return {
        "phase": "ml",
        "first": str(ready.first),
        "last": str(ready.last),
        "as_of": str(ready.judge.calendar.as_of),
        "rows": len(ready.matrix),
        "fingerprint": ready.matrix.fingerprint,
        "features": ready.features,
    }


def _upstream(judge: Judge, phase: int, first: date, last: date) -> Iterator[Finding]:
    verdict = coverage_gate(judge, phase, first, last)
    if verdict.red:
        yield Finding(RED, f"phase {phase}", verdict.sentence, f"runbook run --phase {phase}")


def _sentence(matrix: Matrix, findings: Iterable[Finding]) -> str:
    red = list(dict.fromkeys(finding.where for finding in findings if finding.severity == RED))
    seasons = ", ".join(season_name(year) for year in sorted(set(matrix.seasons.tolist())))
    if red:
        return f"Not ready to train on: {', '.join(red)}."
    return f"Ready: {len(matrix)} rows with all {len(TRAINING_21)} features, seasons {seasons}."


def _percent(part: float, whole: float) -> float:
    return round(100 * float(part) / float(whole), 2) if whole else 0.0


Rule = Callable[[Readiness], tuple[Line, list[Finding]]]


def _line(rule: str, value: str, limit: str, findings: list[Finding]) -> tuple[Line, list[Finding]]:
    return {"rule": rule, "value": value, "limit": limit, "verdict": worst(f.severity for f in findings)}, findings


def _volume(ready: Readiness) -> tuple[Line, list[Finding]]:
    rows, needed = len(ready.matrix), ready.rules.minimum_rows
    short = [Finding(RED, "volume", f"{rows} rows, {needed} are needed", MEND_DATA)] if rows < needed else []
    return _line("rows to train on", str(rows), f">= {needed}", short)


def _filled(ready: Readiness, column: str, counts: Mapping[int, tuple[int, int]]) -> tuple[Line, list[Finding]]:
    limit = ready.judge.settings.features.needed_pct(GAMES, column)
    shares = {season: 100 * known / due if due else 0.0 for season, (known, due) in counts.items()}
    findings = [
        Finding(RED, f"{GAMES}.{column}", f"{share:.1f} % of the rows of {season_name(season)} hold it, needed {limit:g} %", MEND_DATA)
        for season, share in shares.items()
        if share < limit
    ]  # fmt: skip
    value = ", ".join(f"{season_name(season)} {share:.1f}" for season, share in shares.items())
    return _line(f"{column}, % of rows, per season", value, f">= {limit:g}", findings)


def _minutes(ready: Readiness) -> tuple[Line, list[Finding]]:
    counts = {season: (known, rows) for season, rows, known, *_ in ready.games}
    return _filled(ready, "minutes_played", counts)


def _usage(ready: Readiness) -> tuple[Line, list[Finding]]:
    counts = {season: (known, played) for season, _, _, played, known, *_ in ready.games}
    return _filled(ready, "usage_rate", counts)


def _features(ready: Readiness) -> tuple[Line, list[Finding]]:
    by_name: dict[str, list[Line]] = defaultdict(list)
    for line in ready.features:
        by_name[line["feature"]].append(line)
    findings = [finding for name, lines in by_name.items() for finding in _feature_findings(name, lines, ready.rules)]
    good = sum(worst(line["verdict"] for line in lines) == GREEN for lines in by_name.values())
    return _line("features filled and varied in every season", f"{good} of {len(TRAINING_21)}", "all", findings)


def _feature_findings(name: str, lines: list[Line], rules: MlFacts) -> Iterator[Finding]:
    def told(faults: list[Line], key: str) -> str:
        return ", ".join(f"{line['season']} {line[key]:.1f} %" for line in faults)

    where = f"{STORE}.{name}"
    if empty := [line for line in lines if line["null_pct"] > 0]:
        yield Finding(RED, where, f"NULL in {told(empty, 'null_pct')} of the rows", "runbook run --phase 4 --force")
    if flat := [line for line in lines if line["commonest_pct"] > rules.commonest_value_pct]:
        yield Finding(RED, where, f"one value in {told(flat, 'commonest_pct')} of the rows", MEND_DATA)
    limit = lines[0]["limit_pct"]
    if most := [line for line in lines if line["avoidable_pct"] > limit]:
        yield Finding(RED, where, _defaulted(told(most, "avoidable_pct"), limit), MEND_DATA)
    if many := [line for line in lines if rules.default_pct < line["avoidable_pct"] <= limit]:
        yield Finding(AMBER, where, _defaulted(told(many, "avoidable_pct"), rules.default_pct), MEND_DATA)


def _defaulted(told: str, limit: float) -> str:
    return f"a default in {told} of the rows that could know it, at most {limit:g} % of a season may be"


def _duplicates(ready: Readiness) -> tuple[Line, list[Finding]]:
    doubled = {GAMES: sum(row[6] for row in ready.games), STORE: sum(d for _, d in ready.stored.values())}
    findings = [
        Finding(RED, name, f"{count} rows are doubled on their key", "runbook run")
        for name, count in doubled.items()
        if count
    ]
    return _line("doubled keys", str(sum(doubled.values())), "0", findings)


def _impossible(ready: Readiness) -> tuple[Line, list[Finding]]:
    counts = {name: _outside(ready.matrix, name) for name in POSSIBLE} | {GAMES: sum(row[5] for row in ready.games)}
    findings = [
        Finding(RED, name, f"{count} rows hold an impossible value{_span(name)}", MEND_DATA)
        for name, count in counts.items()
        if count
    ]
    return _line("impossible values", str(sum(counts.values())), "0", findings)


def _outside(matrix: Matrix, name: str) -> int:
    low, high = POSSIBLE[name]
    values = matrix.column(name)
    return int(((values < low) | (values > high)).sum())


def _span(name: str) -> str:
    return f" (outside {POSSIBLE[name][0]:g} to {POSSIBLE[name][1]:g})" if name in POSSIBLE else ""


def _splits(ready: Readiness) -> tuple[Line, list[Finding]]:
    sizes = {name: part.stop - part.start for name, part in ready.matrix.split.named().items()}
    needed = ready.rules.minimum_split_rows
    findings = [
        Finding(RED, f"split {name}", f"{size} rows, {needed} are needed", MEND_DATA)
        for name, size in sizes.items()
        if size < needed
    ]
    return _line("rows of train, validation, test", " / ".join(map(str, sizes.values())), f">= {needed}", findings)


def _in_order(ready: Readiness) -> tuple[Line, list[Finding]]:
    days, parts = ready.matrix.days, [p for p in ready.matrix.split.named().values() if p.stop > p.start]
    ends = [(days[part].min(), days[part].max()) for part in parts]
    ordered = all(before[1] < after[0] for before, after in pairwise(ends))
    findings = [] if ordered else [Finding(RED, "split", "a date lies in two parts, or a part looks back", "")]
    value = ", ".join(f"{first} to {last}" for first, last in ends)
    return _line("parts are strictly one after the other", value, "no date in two", findings)


RULES: tuple[Rule, ...] = (_volume, _minutes, _usage, _features, _duplicates, _impossible, _splits, _in_order)
