"""Brings the computed tables to their contracts: what is missing is added, nothing is dropped."""

from __future__ import annotations

from lib.dialect import column_type
from lib.registry import Table, registry
from lib.settings import Settings
from lib.warehouse import EmbeddedWarehouse, Warehouse


def add_missing(warehouse: Warehouse, settings: Settings) -> list[str]:
    """Creates the computed tables that are not there and adds the columns that are gone; says what it did.

    The rows come with the next run: a date without them is absent, one with an empty column outdated. Columns are
    added to DuckDB files only; elsewhere the gate on contracts stays red and names them.
    """
    with warehouse.reading() as session:
        held = dict(session.tables)
    tables = [table for table in registry().computed if settings.phase_of(table.name) is not None]
    missing = [table for table in tables if table.name not in held]
    if missing:
        warehouse.create([table.contract for table in missing], {})
    short = {table.name: _gone(table, held[table.name]) for table in tables if table.name in held}
    columns = {name: gone for name, gone in short.items() if gone}
    if columns and isinstance(warehouse, EmbeddedWarehouse):
        _add_columns(warehouse, columns)
    return [f"created {table.name}" for table in missing] + [
        f"added {name}.{column}" for name, gone in columns.items() for column in gone
    ]


def _gone(table: Table, held: tuple[str, ...]) -> dict[str, str]:
    """Column: type, of those of the contract that the table does not have."""
    return {column.name: column_type(column) for column in table.contract.columns if column.name not in held}


def _add_columns(warehouse: EmbeddedWarehouse, columns: dict[str, dict[str, str]]) -> None:
    with warehouse.writing() as connection:
        for name, gone in columns.items():
            for column, kind in gone.items():
                connection.execute(f'ALTER TABLE {name} ADD COLUMN "{column}" {kind}')
