"""The schema contract of a table, read off its CREATE TABLE statement."""

from __future__ import annotations

from dataclasses import dataclass

from sqlglot import exp
from sqlglot.dialects import BigQuery

from lib.errors import CannotJudge

VOLATILE = ("processed_at",)  # differs between equal rows; in no hash


@dataclass(frozen=True)
class Column:
    """One column: GoogleSQL type as written, for instance ``NUMERIC(5, 1)``."""

    name: str
    type: str
    required: bool
    description: str

    @property
    def base_type(self) -> str:
        """The type without precision: ``NUMERIC(5, 1)`` is ``NUMERIC``."""
        return self.type.partition("(")[0]


@dataclass(frozen=True)
class Contract:
    """Columns, key and layout of one table."""

    dataset: str
    table: str
    description: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    partition: str | None
    cluster: tuple[str, ...]

    @property
    def name(self) -> str:
        """``dataset.table``."""
        return f"{self.dataset}.{self.table}"

    @property
    def column_names(self) -> tuple[str, ...]:
        """Every column, in order."""
        return tuple(column.name for column in self.columns)

    @property
    def business_columns(self) -> tuple[str, ...]:
        """The columns that hashes and comparisons look at."""
        return tuple(name for name in self.column_names if name not in VOLATILE)

    def column(self, name: str) -> Column:
        """The column called *name*; KeyError where there is none."""
        return {column.name: column for column in self.columns}[name]


def read_contract(create: exp.Expr, path: str) -> Contract:
    """The contract that a parsed CREATE TABLE states.

    Raises CannotJudge, naming *path*, where the statement is no complete contract.
    """
    if not isinstance(create, exp.Create) or not isinstance(create.this, exp.Schema):
        raise CannotJudge(f"{path}: the first statement must be CREATE TABLE IF NOT EXISTS dataset.table (...)")
    table = create.this.this
    contract = Contract(
        dataset=table.db,
        table=table.name,
        description=_option(create.args.get("properties"), "description"),
        columns=tuple(_column(part) for part in create.this.expressions if isinstance(part, exp.ColumnDef)),
        key=_key(create.this),
        partition=_partition(create),
        cluster=_cluster(create),
    )
    _refuse_gaps(contract, path)
    return contract


def _column(definition: exp.ColumnDef) -> Column:
    kinds = [constraint.args["kind"] for constraint in definition.args.get("constraints") or []]
    options = next((kind for kind in kinds if isinstance(kind, exp.Properties)), None)
    return Column(
        name=definition.name,
        type=definition.args["kind"].sql(BigQuery),
        required=any(isinstance(kind, exp.NotNullColumnConstraint) for kind in kinds),
        description=_option(options, "description"),
    )


def _option(properties: exp.Expr | None, name: str) -> str:
    for item in properties.find_all(exp.Property) if properties else []:
        if item.name == name:
            return str(item.args["value"].name)
    return ""


def _key(schema: exp.Schema) -> tuple[str, ...]:
    primary = schema.find(exp.PrimaryKey)
    return tuple(column.name for column in primary.expressions) if primary else ()


def _partition(create: exp.Create) -> str | None:
    clause = create.find(exp.PartitionedByProperty)
    return clause.this.name if clause else None


def _cluster(create: exp.Create) -> tuple[str, ...]:
    clause = create.find(exp.ClusterProperty)
    return tuple(column.name for column in clause.expressions) if clause else ()


def _refuse_gaps(contract: Contract, path: str) -> None:
    undescribed = [column.name for column in contract.columns if not column.description]
    unknown = [name for name in (*contract.key, contract.partition) if name and name not in contract.column_names]
    for fault, names in (("columns without a description", undescribed), ("key names no column", unknown)):
        if names:
            raise CannotJudge(f"{path}: {fault}: {', '.join(names)}")
    if not contract.key:
        raise CannotJudge(f"{path}: PRIMARY KEY (...) NOT ENFORCED is missing")
