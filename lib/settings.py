"""``runbook.toml``: the few facts that SQL cannot say, validated."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from datetime import date
from itertools import combinations
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from lib.errors import BadInput
from lib.features import ALL_FEATURES
from lib.registry import registry

ROOT = Path(__file__).resolve().parents[1]
EXPECTED = Path(__file__).parent / "expected"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class TableFacts(_Strict):
    """What SQL cannot say about one computed table."""

    expected: str = Field(description="the rule of `lib/expected` that says which keys a date must hold")
    phase: int | None = Field(None, description="the table's phase, only where it is not its dataset's")
    minimum_games: int = Field(0, ge=0, description="games of the season that a team or player needs before a date")

    @field_validator("expected")
    @classmethod
    def _is_a_rule(cls, rule: str) -> str:
        if not (EXPECTED / f"{rule}.sql").exists():
            rules = ", ".join(sorted(path.stem for path in EXPECTED.glob("*.sql")))
            raise ValueError(f"'{rule}' is no rule of lib/expected; there are: {rules}")
        return rule


class GateFacts(_Strict):
    """Thresholds of the gates, percent and days."""

    bootstrap_days: int = Field(14, ge=0, description="first calendar days of a season that leave the denominator")
    raw_coverage_pct: float = Field(
        95, ge=0, le=100, description="phase 2: dates whose games all have box scores, percent; red below"
    )
    analytics_coverage_pct: float = Field(
        95, ge=0, le=100, description="phase 3: full dates a table, percent; red below"
    )
    precompute_coverage_pct: float = Field(
        88, ge=0, le=100, description="phase 4: full dates a table, percent; red below"
    )
    schedule_grace_days: int = Field(
        2, ge=0, description="a game older than this must be final, postponed or cancelled, days"
    )


class ScheduleFacts(_Strict):
    """Games that a closed season holds."""

    regular_season_games: int = Field(1230, description="games of the regular season")
    play_in_games: int = Field(6, description="games of the play-in")
    playoff_games: tuple[int, int] = Field((60, 105), description="games of the playoffs, fewest and most")
    cup_final_since: int = Field(2023, description="year of the first season with one Cup final")


class BackfillFacts(_Strict):
    """How much may go on at once, and how long to wait for the warehouse."""

    workers: int = Field(2, ge=1, description="launches side by side")
    chunk_dates: int = Field(
        1000, ge=1, description="dates of a table computed together at most; a season is never divided"
    )
    wait_seconds: float = Field(60, gt=0, description="how long to wait for a locked warehouse file, seconds")
    lease_seconds: float = Field(
        60, gt=0, description="seconds without a sign of life, until another runner may take over"
    )


class BigQueryFacts(_Strict):
    """What a run on BigQuery may cost, and the limits of the project. Preflight is red beyond them."""

    price_per_tib: float = Field(6.25, ge=0, description="dollars a TiB that is read, on demand")
    budget: float = Field(5.0, ge=0, description="dollars that one run may cost by its estimate")
    quota_share_pct: float = Field(50, gt=0, le=100, description="share of a quota that one run may use, percent")
    partitions_per_day: int = Field(30_000, ge=1, description="partitions of one table that may be changed in a day")
    jobs_per_run: int = Field(1_500, ge=1, description="jobs that count as a whole quota for one run")


class FeatureFacts(_Strict):
    """How many rows of a season must hold a value, and how many of all rows a default instead of a feature, percent.

    ``coverage`` and ``wished`` are by table and column: red below the one, amber below the other.
    """

    default_limit_pct: float = Field(
        10,
        ge=0,
        le=100,
        description="rows that may hold a default instead of a feature, percent; red above, amber where the range begins later",
    )
    exceptions: dict[str, float] = Field({}, description="the same limit for single features, by name")
    coverage: dict[str, dict[str, float]] = Field(
        {}, description="rows of a season that must hold a value, percent, by table and column; red below"
    )
    wished: dict[str, dict[str, float]] = Field({}, description="the same where it is only wished for: amber below")

    @field_validator("exceptions")
    @classmethod
    def _are_features(cls, exceptions: dict[str, float]) -> dict[str, float]:
        unknown = sorted(set(exceptions) - set(ALL_FEATURES))
        if unknown:
            raise ValueError(f"no feature is called {', '.join(unknown)}")
        return exceptions

    @field_validator("coverage", "wished")
    @classmethod
    def _are_columns(cls, facts: dict[str, dict[str, float]]) -> dict[str, dict[str, float]]:
        tables = {table.name: table for table in registry().computed}
        faults = [f"no computed table is called {name}" for name in facts if name not in tables]
        known = {name: tables[name].contract.column_names for name in facts if name in tables}
        faults += [f"{name} has no column {c}" for name in known for c in facts[name] if c not in known[name]]
        faults += [
            f"{name}.{c} = {p:g} is no percentage"
            for name, cs in facts.items()
            for c, p in cs.items()
            if not 0 <= p <= 100
        ]
        if faults:
            raise ValueError("; ".join(faults))
        return facts

    def limit_pct(self, feature: str) -> float:
        """The limit of one feature, percent of the rows."""
        return self.exceptions.get(feature, self.default_limit_pct)

    def needed_pct(self, table: str, column: str) -> float:
        """Percent of a season's rows that must hold a value: red below; 0 where nothing is asked."""
        return self.coverage.get(table, {}).get(column, 0)

    @property
    def asked(self) -> dict[str, dict[str, float]]:
        """Everything that is asked for, by table and column."""
        return {
            name: self.coverage.get(name, {}) | self.wished.get(name, {}) for name in (*self.coverage, *self.wished)
        }


class MlFacts(_Strict):
    """What a matrix must hold to be trained on, and what a model may claim."""

    minimum_rows: int = Field(40_000, ge=1, description="rows to train on; red below")
    minimum_split_rows: int = Field(5_000, ge=1, description="rows in each of train, validation and test; red below")
    commonest_value_pct: float = Field(
        99.5, gt=0, le=100, description="a feature that holds one value in more of the rows, percent, says nothing: red"
    )
    default_pct: float = Field(
        5, ge=0, le=100, description="defaults where a value could be known, per season, percent; amber above"
    )
    suspect_ratio: float = Field(
        0.85,
        gt=0,
        le=1,
        description="test error as a share of the last-10 baseline's; below, leakage is suspected: red",
    )
    pass_margin: float = Field(1.0, ge=0, description="points between prediction and line below which it says PASS")


class CheckFacts(_Strict):
    """Limits of the checks."""

    gap_days: int = Field(7, ge=1, description="calendar days without rows within a season, where games were played")
    quality_pct: float = Field(80, ge=0, le=100, description="rows of quality gold or silver, per season, percent")
    regression_pct: float = Field(90, ge=0, le=100, description="of the season before, percent: REGRESSION below, red")
    degradation_pct: float = Field(
        95, ge=0, le=100, description="of the season before, percent: DEGRADATION below, amber"
    )
    improvement_pct: float = Field(
        105, ge=100, description="of the season before, percent: IMPROVEMENT from here on, said, no finding"
    )
    baseline_rows: int = Field(400, ge=1, description="fewer rows of the season before are no baseline")


SIGNED = ("3", "4", "ml")  # the phases that are signed: those that compute tables, and readiness


class SigningFacts(_Strict):
    """The policy of sign-offs; ``start_date`` at the top belongs to it, too: COMPLETE needs a range from there."""

    roles: dict[str, tuple[str, ...]] = Field({}, description="the roles that may sign a phase, by phase")
    second_person: tuple[str, ...] = Field((), description="phases that need two signers")
    dirty_tree: bool = Field(False, description="whether code that differs from its revision may be signed")
    wait_for_signature: bool = Field(False, description="whether the chain stops until the phase below is signed")


NO_BOX_SCORE = "no_box_score"
EXCLUSION_RULES = {
    "play_in": "game dates on which nothing but play-in games counts",
    "playoffs": "game dates on which nothing but playoff games counts",
    "cup_final": "game dates on which nothing but the Cup final counts",
    NO_BOX_SCORE: "game dates none of whose games has a box score of any source, of players or of teams; needs `first`"
    " and `last`, so that a load that failed is never taken for data that do not exist",
}
ANY_DATE = (date(1900, 1, 1), date(9999, 12, 31))


class Exclusion(_Strict):
    """Dates that rightly do not count: counted and shown apart, never missing.

    They are given as `first` and `last`, as `dates`, or by a named `rule` that the schedule resolves to dates. All-Star
    and preseason games are never expected, and bootstrap leaves the denominator by `gates.bootstrap_days`: neither needs
    an exclusion.
    """

    tables: tuple[str, ...] = Field(description="computed tables, with their dataset")
    rule: str | None = Field(None, description="a rule of exclusion, see below; `first` and `last` narrow it")
    first: date = Field(description="first date; with `dates` it is read off them, with `rule` it may be left out")
    last: date = Field(description="last date, included; the same")
    dates: tuple[date, ...] = Field((), description="just these dates, in place of `first` and `last`")
    reason: str = Field(min_length=3, description="why the dates do not count; every gate shows it")
    owner: str = Field(min_length=1, description="who answers for it")
    added: date = Field(description="when it was written down")
    expires: date = Field(description="the last as-of on which it is in force")

    @model_validator(mode="before")
    @classmethod
    def _bounds(cls, facts: Any) -> Any:
        if not isinstance(facts, dict):
            return facts
        if facts.get("rule"):
            return _bounds_of_rule(facts)
        return _bounds_of_dates(facts) if facts.get("dates") else facts

    @field_validator("rule")
    @classmethod
    def _is_known(cls, rule: str | None) -> str | None:
        if rule is not None and rule not in EXCLUSION_RULES:
            raise ValueError(
                f"'{rule}' is no rule of exclusion; there are: {', '.join(EXCLUSION_RULES)}. All-Star, preseason and"
                " bootstrap dates are outside the denominator without one"
            )
        return rule

    @model_validator(mode="after")
    def _in_order(self) -> Exclusion:
        if self.first > self.last:
            raise ValueError(f"exclusion '{self.reason}': first {self.first} is after last {self.last}")
        if self.added > self.expires:
            raise ValueError(f"exclusion '{self.reason}': it expires {self.expires}, before it was added {self.added}")
        return self

    def names(self, day: date) -> bool:
        """Whether *day* is one of its dates; of a rule, whether it lies within what narrows the rule."""
        return day in self.dates if self.dates else self.first <= day <= self.last

    def overlaps(self, other: Exclusion) -> bool:
        """Whether both name one date of one table, as far as that can be said without the schedule."""
        if not set(self.tables) & set(other.tables) or self.rule != other.rule:
            return False
        if self.dates or other.dates:
            one, two = (self, other) if self.dates else (other, self)
            return any(two.names(day) for day in one.dates)
        return self.first <= other.last and other.first <= self.last


def _bounds_of_dates(facts: dict[str, Any]) -> dict[str, Any]:
    if {"first", "last"} & set(facts):
        raise ValueError("an exclusion has either dates, or first and last")
    days = facts["dates"]
    if not isinstance(days, (list, tuple)) or {type(day) for day in days} not in ({str}, {date}):
        raise ValueError("dates is a list of dates that are all written alike: [2024-01-03, 2024-01-04]")
    return facts | {"first": min(days), "last": max(days)}


def _bounds_of_rule(facts: dict[str, Any]) -> dict[str, Any]:
    if facts.get("dates"):
        raise ValueError("an exclusion has either a rule or dates; first and last narrow a rule")
    if facts["rule"] == NO_BOX_SCORE and not {"first", "last"} <= set(facts):
        raise ValueError(f"rule {NO_BOX_SCORE} needs first and last: else a load that failed would exclude itself")
    return {"first": ANY_DATE[0], "last": ANY_DATE[1]} | facts


class Settings(_Strict):
    """Everything ``runbook.toml`` says."""

    warehouse: str = Field(
        "duckdb:///sandbox/warehouse.duckdb",
        description="the warehouse; `--warehouse` and `RUNBOOK_WAREHOUSE` come first. A path counts from the project",
    )
    runs: Path = Field(
        Path("runs"),
        description="where runs are archived; `--runs` and `RUNBOOK_RUNS` come first. A path counts from the project",
    )
    models: Path = Field(
        Path("models"),
        description="where models trained by hand lie, from the project; those of a run lie in its folder",
    )
    start_date: date = Field(description="COMPLETE means: from here to as-of")
    datasets: dict[str, int] = Field(description="the phase of each dataset, by folder of `lib/tables`")
    tables: dict[str, TableFacts] = Field(description="one line for each computed table")
    gates: GateFacts = GateFacts()
    schedule: ScheduleFacts = ScheduleFacts()
    backfill: BackfillFacts = BackfillFacts()
    features: FeatureFacts = FeatureFacts()
    ml: MlFacts = MlFacts()
    checks: CheckFacts = CheckFacts()
    bigquery: BigQueryFacts = BigQueryFacts()
    signing: SigningFacts = SigningFacts()
    exclusions: tuple[Exclusion, ...] = Field((), description="dates that rightly do not count")

    def phase_of(self, table: str) -> int | None:
        """The phase of a table: its own line first, else its dataset's; None where neither is named."""
        facts = self.tables.get(table)
        return facts.phase if facts and facts.phase else self.datasets.get(table.partition(".")[0])

    def eligibility(self, table: str) -> dict[str, int]:
        """The parameters of a table's SELECT and of its rule that say where it begins: in days and in games."""
        return {"bootstrap_days": self.gates.bootstrap_days, "minimum_games": self.tables[table].minimum_games}

    def coverage_pct(self, phase: int) -> float:
        """The coverage threshold of a phase, percent."""
        gates = self.gates
        by_phase = {2: gates.raw_coverage_pct, 3: gates.analytics_coverage_pct, 4: gates.precompute_coverage_pct}
        return by_phase[phase]


def load_settings(path: Path | None = None) -> Settings:
    """Reads *path*, else ``RUNBOOK_CONFIG``, else the project's ``runbook.toml``.

    Raises BadInput naming the key that is wrong.
    """
    source = path or Path(os.environ.get("RUNBOOK_CONFIG") or ROOT / "runbook.toml")
    try:
        settings = Settings.model_validate(tomllib.loads(source.read_text(encoding="utf-8")))
    except FileNotFoundError as error:
        raise BadInput(
            f"there is no settings file {source}: RUNBOOK_CONFIG, where it is set, has to name one"
        ) from error
    except UnicodeDecodeError as error:
        raise BadInput(f"{source} is no UTF-8 text: save it as UTF-8 ({error})") from error
    except tomllib.TOMLDecodeError as error:
        raise BadInput(f"{source} is no TOML: {error}") from error
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, item['loc']))}: {_said(item)}" for item in error.errors())
        raise BadInput(f"{source}: {faults}") from error
    faults = "; ".join(_unknown_names(settings))
    if faults:
        raise BadInput(f"{source}: {faults}")
    return settings


def _unknown_names(settings: Settings) -> list[str]:
    """Names that the registry does not know, and computed tables of a named dataset that nothing is said about."""
    computed = [table.name for table in registry().computed]
    datasets = {table.contract.dataset for table in registry().tables.values()}
    unsaid = [name for name in computed if name.partition(".")[0] in settings.datasets and name not in settings.tables]
    excluded = {name for rule in settings.exclusions for name in rule.tables}
    phases = {name: settings.phase_of(name) for name in computed if name in settings.tables}
    return [
        *(
            f"tables.{name}: phase {phase} has no threshold: what is computed belongs to phase 3 or 4"
            for name, phase in phases.items()
            if str(phase) not in SIGNED
        ),
        *(
            f"signing.{key}: no phase that is signed is called '{phase}': there are {', '.join(SIGNED)}"
            for key, named in (("roles", settings.signing.roles), ("second_person", settings.signing.second_person))
            for phase in named
            if phase not in SIGNED
        ),
        *(
            f"datasets.{name}: no folder of lib/tables is called so"
            for name in settings.datasets
            if name not in datasets
        ),
        *(
            f"tables.{name}: no table of lib/tables is computed under this name"
            for name in settings.tables
            if name not in computed
        ),
        *(f"tables.{name}: the line with its rule of expected keys is missing" for name in unsaid),
        *(f"exclusions: no computed table is called {name}" for name in sorted(excluded - set(computed))),
        *(
            f"exclusions: '{one.reason}' and '{two.reason}' overlap: a date of a table is excluded once"
            for one, two in combinations(settings.exclusions, 2)
            if one.overlaps(two)
        ),
    ]


def _said(item: Mapping[str, Any]) -> str:
    """What is wrong with one setting: pydantic's words, but for a name that it does not know."""
    unknown = item["type"] == "extra_forbidden"
    return "there is no such setting; docs/reference/runbook-toml.md lists all" if unknown else str(item["msg"])
