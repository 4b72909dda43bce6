"""``runbook.toml``: the few facts that SQL cannot say, validated."""

from __future__ import annotations

import os
import tomllib
from datetime import date
from pathlib import Path

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

    expected: str
    phase: int | None = None  # only where it is not its dataset's
    minimum_games: int = Field(0, ge=0)  # games of the season that a team or player needs before a date

    @field_validator("expected")
    @classmethod
    def _is_a_rule(cls, rule: str) -> str:
        if not (EXPECTED / f"{rule}.sql").exists():
            rules = ", ".join(sorted(path.stem for path in EXPECTED.glob("*.sql")))
            raise ValueError(f"'{rule}' is no rule of lib/expected; there are: {rules}")
        return rule


class GateFacts(_Strict):
    """Thresholds of the gates, percent and days."""

    bootstrap_days: int = Field(14, ge=0)
    raw_coverage_pct: float = Field(95, ge=0, le=100)
    analytics_coverage_pct: float = Field(95, ge=0, le=100)
    precompute_coverage_pct: float = Field(88, ge=0, le=100)
    schedule_grace_days: int = Field(2, ge=0)


class ScheduleFacts(_Strict):
    """Games that a closed season holds."""

    regular_season_games: int = 1230
    play_in_games: int = 6
    playoff_games: tuple[int, int] = (60, 105)


class BackfillFacts(_Strict):
    """How much may go on at once, and how long to wait for the warehouse."""

    workers: int = Field(2, ge=1)
    wait_seconds: float = Field(60, gt=0)
    lease_seconds: float = Field(60, gt=0)  # without a sign of life, until another runner may take over


class FeatureFacts(_Strict):
    """How many rows of a season must hold a value, and how many may hold a default instead of a feature, percent.

    ``coverage`` and ``wished`` are by table and column: red below the one, amber below the other.
    """

    default_limit_pct: float = Field(10, ge=0, le=100)
    exceptions: dict[str, float] = {}
    coverage: dict[str, dict[str, float]] = {}
    wished: dict[str, dict[str, float]] = {}

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
        tables = registry().tables
        faults = [f"no table is called {name}" for name in facts if name not in tables]
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

    minimum_rows: int = Field(40_000, ge=1)
    minimum_split_rows: int = Field(5_000, ge=1)
    commonest_value_pct: float = Field(99.5, gt=0, le=100)
    default_pct: float = Field(5, ge=0, le=100)
    suspect_ratio: float = Field(0.85, gt=0, le=1)
    pass_margin: float = Field(1.0, ge=0)


class CheckFacts(_Strict):
    """Limits of the checks."""

    gap_days: int = Field(7, ge=1)  # calendar days without rows within a season
    quality_pct: float = Field(80, ge=0, le=100)  # rows of quality gold or silver, per season
    regression_pct: float = Field(90, ge=0, le=100)  # of the baseline: red below
    degradation_pct: float = Field(95, ge=0, le=100)  # of the baseline: amber below
    improvement_pct: float = Field(105, ge=100)  # of the baseline: said, no finding
    baseline_rows: int = Field(400, ge=1)  # fewer are no baseline


class SigningFacts(_Strict):
    """The policy of sign-offs; a fifth key is ``start_date``: COMPLETE needs a range from there."""

    roles: dict[str, tuple[str, ...]] = {}  # phase: roles that may sign it
    second_person: tuple[str, ...] = ()  # phases that need two signers
    dirty_tree: bool = False  # whether a tree that differs from its revision may be signed
    wait_for_signature: bool = False  # whether the chain stops until the phase below is signed


class Exclusion(_Strict):
    """Dates that rightly do not count: counted and shown apart, never missing."""

    tables: tuple[str, ...]
    first: date
    last: date
    reason: str = Field(min_length=3)
    owner: str = Field(min_length=1)
    added: date
    expires: date

    @model_validator(mode="after")
    def _in_order(self) -> Exclusion:
        if self.first > self.last:
            raise ValueError(f"exclusion '{self.reason}': first {self.first} is after last {self.last}")
        return self

    def covers(self, table: str, day: date, as_of: date) -> bool:
        """Whether the exclusion is in force for *table* on *day*."""
        return table in self.tables and self.first <= day <= self.last and as_of <= self.expires


class Settings(_Strict):
    """Everything ``runbook.toml`` says."""

    warehouse: str = "duckdb:///sandbox/warehouse.duckdb"
    runs: Path = Path("runs")
    models: Path = Path("models")
    start_date: date
    datasets: dict[str, int]
    tables: dict[str, TableFacts]
    gates: GateFacts = GateFacts()
    schedule: ScheduleFacts = ScheduleFacts()
    backfill: BackfillFacts = BackfillFacts()
    features: FeatureFacts = FeatureFacts()
    ml: MlFacts = MlFacts()
    checks: CheckFacts = CheckFacts()
    signing: SigningFacts = SigningFacts()
    exclusions: tuple[Exclusion, ...] = ()

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
        settings = Settings.model_validate(tomllib.loads(source.read_text()))
    except FileNotFoundError as error:
        raise BadInput(f"there is no settings file {source}") from error
    except tomllib.TOMLDecodeError as error:
        raise BadInput(f"{source} is no TOML: {error}") from error
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors())
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
    return [
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
    ]
