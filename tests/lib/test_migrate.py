"""What is missing is added, nothing is dropped, and the next run fills it."""

from __future__ import annotations

from lib.migrate import add_missing
from lib.settings import Settings
from lib.warehouse import EmbeddedWarehouse
from tests.lib.at_work import PLAYERS, UPCOMING_TEAM, change, contents, gate_3, run


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
