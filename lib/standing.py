"""What a phase stands on over a closed range: rows, expected keys, contracts, rules. Signed, and compared with later."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from pydantic import BaseModel, ConfigDict

from lib.checks import checks_of
from lib.coverage import Judge
from lib.exclusions import in_force, told
from lib.phase_gate import ML
from lib.settings import Settings
from lib.states import TableCoverage
from lib.verdicts import Verdict
from lib.waivers import waivers
from lib.wording import counted

MATRIX = "the training matrix"


class SeasonSums(BaseModel):
    """One table in one season: rows, expected keys, the sum of the rows' hashes, dates that are not as published."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    rows: int
    expected: int
    content: str
    outdated: int = 0


class Standing(BaseModel):
    """What a phase stands on. ``seasons`` is by table, then by the season's first date."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    phase: str
    first: date
    last: date
    as_of: date
    verdict: str
    rules: dict[str, Any]
    contracts: dict[str, str]
    seasons: dict[str, dict[str, SeasonSums]]
    exclusions: list[str]
    waivers: list[str] = []


def standing(judge: Judge, phase: str, first: date, last: date, verdict: Verdict) -> Standing:
    """What *phase* (3, 4, ml) stands on from *first* to *last*, where its gate said *verdict*."""
    tables = [table for table in judge.registry.computed if str(judge.settings.phase_of(table.name)) == phase]
    covered = _covered(judge, phase, first, last)
    return Standing(
        phase=phase,
        first=first,
        last=last,
        as_of=judge.calendar.as_of,
        verdict=verdict.verdict,
        rules=rules_of(judge.settings, phase),
        contracts={table.name: table.digest for table in tables},
        seasons={c.table: _sums(judge, c) for c in covered} or {MATRIX: {"all seasons": _of_the_matrix(verdict)}},
        exclusions=[
            told(rule, judge.calendar, first, last)
            for rule in in_force(judge.settings, judge.calendar, [table.name for table in tables])
        ],
        waivers=waivers(judge.settings, phase, covered),
    )


def _covered(judge: Judge, phase: str, first: date, last: date) -> list[TableCoverage]:
    if phase == ML:
        return []
    known = judge.cover([int(phase)], judge.calendar.season_start(first), last)
    return [coverage.between(first, date.max) for coverage in known.values()]


def _of_the_matrix(verdict: Verdict) -> SeasonSums:
    return SeasonSums(rows=verdict.about["rows"], expected=0, content=verdict.about["fingerprint"])


def differences(signed: Standing, now: Standing) -> list[str]:
    """What is no longer as it was signed, each with its name; *now* must be over the same range."""
    return [*_moved(signed, now), *_changed("contract", signed.contracts, now.contracts)] + [
        *_changed("rule", signed.rules, now.rules),
        *(f"exclusion: {text}" for text in sorted({*signed.exclusions} ^ {*now.exclusions})),
    ]


def rules_of(settings: Settings, phase: str) -> dict[str, Any]:
    """Every threshold and rule that the phase's verdict hangs on, by its key in ``runbook.toml``."""
    sections: dict[str, BaseModel] = {
        "gates": settings.gates,
        "schedule": settings.schedule,
        "checks": settings.checks,
        "features": settings.features,
    }
    if phase == ML:
        sections["ml"] = settings.ml
    rules = {
        f"{name}.{key}": value
        for name, facts in sections.items()
        for key, value in facts.model_dump(mode="json").items()
    }
    tables = {name: facts for name, facts in settings.tables.items() if str(settings.phase_of(name)) == phase}
    rules |= {f"tables.{name}": facts.model_dump(mode="json") for name, facts in tables.items()}
    return rules | {f"check {name}": digest for name, digest in _checks(phase)}


def _checks(phase: str) -> Iterator[tuple[str, str]]:
    for check in checks_of(int(phase)) if phase != ML else ():
        yield check.name, check.digest


def _sums(judge: Judge, coverage: TableCoverage) -> dict[str, SeasonSums]:
    by_season = defaultdict(list)
    for state in coverage.days:
        by_season[str(judge.calendar.season_start(state.holding.day))].append(state)
    return {
        season: SeasonSums(
            rows=sum(state.holding.rows for state in states),
            expected=sum(state.holding.expected for state in states),
            content=str(sum(int(state.holding.content) for state in states)),
            outdated=sum(state.outdated for state in states),
        )
        for season, states in by_season.items()
    }


def _moved(signed: Standing, now: Standing) -> Iterator[str]:
    for table in sorted({*signed.seasons, *now.seasons}):
        before, after = signed.seasons.get(table, {}), now.seasons.get(table, {})
        for season in sorted({*before, *after}):
            if before.get(season) != after.get(season):
                yield f"{table}, season from {season}: {_how(before.get(season), after.get(season))}"


def _how(before: SeasonSums | None, after: SeasonSums | None) -> str:
    if before is None or after is None:
        return "was not there" if before is None else "is gone"
    if before.expected != after.expected:
        return f"{before.expected} expected keys when it was signed, {after.expected} now"
    if before.rows != after.rows:
        return f"{before.rows} rows when it was signed, {after.rows} now"
    if before.content != after.content:
        return "its rows are other ones than were signed"
    return f"outdated on {counted(after.outdated, 'date')}"


def _changed(what: str, signed: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    for name in sorted({*signed, *now}):
        if signed.get(name) != now.get(name):
            digests = any(isinstance(v, str) and len(v) == 64 for v in (signed.get(name), now.get(name)))
            yield f"{what} {name} has changed" + (
                "" if digests else f": {signed.get(name)} when signed, {now.get(name)} now"
            )
