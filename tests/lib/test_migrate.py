"""What is missing is added, nothing is dropped, and the next run fills it."""

from __future__ import annotations

import pytest

from lib.errors import BadInput
from lib.migrate import add_missing, differences, migrate
from lib.settings import Settings
from lib.warehouse import EmbeddedWarehouse
from tests.lib.at_work import PLAYERS, UPCOMING_TEAM, change, contents, due, gate_3, planned, run


def test_a_whole_warehouse_is_left_as_it_is(warehouse: EmbeddedWarehouse, settings: Settings) -> None:
    before = warehouse.path.read_bytes()
    assert add_missing(warehouse, settings) == []
    assert warehouse.path.read_bytes() == before


def test_tables_and_columns_that_are_gone_are_added_and_filled_by_a_run(
    warehouse: EmbeddedWarehouse, settings: Settings
) -> None:
    before = contents(warehouse)
    change(warehouse, f"DROP TABLE {UPCOMING_TEAM}")
    change(warehouse, f"ALTER TABLE {PLAYERS} DROP COLUMN margin")
    change(warehouse, f"ALTER TABLE {PLAYERS} ADD COLUMN somebodys INTEGER")
    assert add_missing(warehouse, settings) == [f"created {UPCOMING_TEAM}", f"added {PLAYERS}.margin"]
    assert gate_3(warehouse, settings).red
    run(warehouse, settings)
    assert contents(warehouse) == before
    with warehouse.reading() as session:
        assert "somebodys" in session.tables[PLAYERS]


def test_the_computed_warehouse_is_what_the_contracts_say(warehouse: EmbeddedWarehouse, settings: Settings) -> None:
    assert differences(warehouse, settings) == []


def test_a_column_that_was_added_makes_its_dates_outdated_and_a_run_fills_it(
    warehouse: EmbeddedWarehouse, settings: Settings
) -> None:
    before = contents(warehouse)
    change(warehouse, f"ALTER TABLE {PLAYERS} DROP COLUMN margin")
    shown = differences(warehouse, settings)
    assert [(d.table, d.column, d.mend) for d in shown] == [(PLAYERS, "margin", "")]
    assert migrate(warehouse, settings) == shown
    assert differences(warehouse, settings) == []
    assert len(due(planned(warehouse, settings))[PLAYERS]) == 96
    run(warehouse, settings)
    assert contents(warehouse) == before


def test_one_column_that_is_not_in_the_contract_or_of_another_type_and_nothing_is_changed(
    warehouse: EmbeddedWarehouse, settings: Settings
) -> None:
    change(warehouse, f"DROP TABLE {UPCOMING_TEAM}")
    change(warehouse, f"ALTER TABLE {PLAYERS} ADD COLUMN somebodys INTEGER")
    change(warehouse, f"ALTER TABLE {PLAYERS} ALTER COLUMN points TYPE VARCHAR")
    with pytest.raises(BadInput) as refused:
        migrate(warehouse, settings)
    said = str(refused.value)
    assert said.startswith("nothing was changed: ")
    assert f"{PLAYERS}.points: is VARCHAR, the contract says BIGINT; drop the table, migrate, and run" in said
    assert f"{PLAYERS}.somebodys: is not in the contract; take it into the contract, or drop it" in said
    with warehouse.reading() as session:
        assert UPCOMING_TEAM not in session.tables
    assert any(d.table == UPCOMING_TEAM and not d.column for d in differences(warehouse, settings))


def test_a_warehouse_from_before_there_were_leases_gets_the_table(
    warehouse: EmbeddedWarehouse, settings: Settings
) -> None:
    change(warehouse, "DROP TABLE runbook.leases")
    assert [str(d) for d in migrate(warehouse, settings)] == ["runbook.leases: the table is missing: created, empty"]
