"""Brings the tables to their contracts: what is missing is added, what is in the way is named, nothing is dropped."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Protocol, runtime_checkable

from lib.contract import Column
from lib.errors import BadInput
from lib.registry import Table, registry
from lib.settings import Settings
from lib.warehouse import Warehouse

THEIRS = (
    "nothing is done to raw data where they are: have their loader bring it, or work on raw data of your own, with"
    " raw_prefix in the URL"
)


@runtime_checkable
class Migratable(Protocol):
    """A warehouse whose tables can be compared with contracts, and be given columns."""

    def column_types(self) -> Mapping[str, Mapping[str, str]]:
        """Every table by ``dataset.table``: its columns with their types, as the engine writes them."""

    def type_of(self, column: Column) -> str:
        """The type of a contract's column, as the engine writes it."""

    def add_columns(self, table: str, columns: Sequence[Column]) -> None:
        """Adds columns that may be NULL: rows that are there have no value yet."""

    def is_ours(self, table: str) -> bool:
        """Whether the runbook makes and alters the table; raw data that are read where they are belong to others."""


@dataclass(frozen=True)
class Difference:
    """One way in which a table is not its contract. ``mend`` is what a person must do, empty where a column is added."""

    table: str
    column: str  # empty where the whole table is missing
    what: str
    mend: str = ""

    def __str__(self) -> str:
        where = f"{self.table}.{self.column}" if self.column else self.table
        return f"{where}: {self.what}" + (f"; {self.mend}" if self.mend else "")

    def as_json(self) -> dict[str, str]:
        """The difference for machines."""
        return asdict(self)


def differences(warehouse: Warehouse, settings: Settings) -> list[Difference]:
    """Where the tables are not their contracts, table by table; BadInput where the engine cannot say."""
    engine = _migratable(warehouse)
    held = engine.column_types()
    return [found for table in _contracted(settings) for found in _compared(engine, table, held.get(table.name))]


def migrate(warehouse: Warehouse, settings: Settings) -> list[Difference]:
    """Creates missing tables and adds missing columns; says what it did, and what others have to do.

    Dates with an added column are outdated by their contract, and the next run computes them anew. Raises BadInput,
    with nothing changed, where a column of a table is not in its contract or has another type. What is missing of raw
    data that belong to others keeps nothing from being made.
    """
    found, engine = differences(warehouse, settings), _migratable(warehouse)
    refused = [difference for difference in found if difference.mend and engine.is_ours(difference.table)]
    if refused:
        raise BadInput(f"nothing was changed: {'. '.join(map(str, refused))}")
    _add(warehouse, [difference for difference in found if not difference.mend])
    return found


def add_missing(warehouse: Warehouse, settings: Settings) -> list[str]:
    """Creates the computed tables that are not there and adds the columns that are gone; says what it did.

    What else a table has is left alone: the gate on contracts names it. Tables alone where the engine adds no columns.
    """
    if not isinstance(warehouse, Migratable):
        return []
    computed = {table.name for table in registry().computed}
    found = [d for d in differences(warehouse, settings) if d.table in computed and not d.mend]
    _add(warehouse, found)
    return [
        f"added {d.table}.{d.column}" if d.column else f"created {d.table}" for d in sorted(found, key=_tables_first)
    ]


def _tables_first(difference: Difference) -> bool:
    return bool(difference.column)


def _migratable(warehouse: Warehouse) -> Migratable:
    if isinstance(warehouse, Migratable):
        return warehouse
    raise BadInput(
        f"{warehouse.place}: columns cannot be added on {warehouse.engine} from here: alter the tables by hand"
    )


def _contracted(settings: Settings) -> list[Table]:
    """The tables that the settings know of, and the runbook's own; upstream first."""
    known = registry()
    tables = [*known.raw, *known.computed]
    return [t for t in tables if t.contract.dataset == "runbook" or settings.phase_of(t.name) is not None]


def _compared(engine: Migratable, table: Table, held: Mapping[str, str] | None) -> Iterator[Difference]:
    ours = engine.is_ours(table.name)
    if held is None:
        said = ("the table is missing: created, empty", "") if ours else ("the raw table is missing", THEIRS)
        yield Difference(table.name, "", *said)
        return
    again = "drop the table, migrate, and run" if table.select else "load the table anew from its source"
    for column in table.contract.columns:
        wanted, found = engine.type_of(column), held.get(column.name)
        if found is None and not ours:
            yield Difference(table.name, column.name, f"the column, {wanted}, is missing", THEIRS)
        elif found is None:
            yield Difference(table.name, column.name, f"the column is missing: added as {wanted}")
        elif found != wanted:
            yield Difference(table.name, column.name, f"is {found}, the contract says {wanted}", again)
    drop = "take it into the contract, or drop it: ALTER TABLE {} DROP COLUMN {}"
    for name in sorted(set(held) - set(table.contract.column_names)) if ours else ():
        yield Difference(table.name, name, "is not in the contract", drop.format(table.name, name))


def _add(warehouse: Warehouse, found: Sequence[Difference]) -> None:
    contracts = {table.name: table.contract for table in registry().tables.values()}
    missing = [contracts[difference.table] for difference in found if not difference.column]
    if missing:
        warehouse.create(missing, {})
    for name in dict.fromkeys(difference.table for difference in found if difference.column):
        columns = [contracts[name].column(d.column) for d in found if d.table == name]
        _migratable(warehouse).add_columns(name, columns)
