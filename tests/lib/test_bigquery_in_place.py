"""What stands between a publish and production's own tables."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from lib.errors import CannotJudge
from lib.lease import myself
from lib.migrate import differences, migrate
from lib.registry import registry
from lib.settings import Settings
from lib.warehouse.bigquery import BigQueryWarehouse
from tests.bigquery_server import Served, serving
from tests.lib.test_conformance import DAYS, TABLE, held, publish, rows_of

STORED = "nba_predictions.prediction_accuracy"


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    with serving() as served:
        yield served


@pytest.fixture
def production(server: Served) -> BigQueryWarehouse:
    """Production's own datasets, with a date published."""
    warehouse = BigQueryWarehouse.at(server.warehouse_url(dataset_prefix=None, raw_prefix=None, in_place=1))
    warehouse.create([table.contract for table in registry().tables.values()], {"as_of": "2024-02-01"})
    publish(warehouse, rows_of(DAYS[0], "a"), DAYS[0], receipts=1)
    return BigQueryWarehouse.at(warehouse.url)


def test_before_production_is_written_a_snapshot_keeps_what_was_there(
    server: Served, production: BigQueryWarehouse
) -> None:
    with production.labelled(run="run 7"):
        for players in (("b", "c"), ("d", "e", "f")):
            publish(production, rows_of(DAYS[0], *players), DAYS[0], receipts=len(players))
    kept = "runbook_stage_snapshots.nba_predictions__prediction_accuracy__run_7"
    assert server.store.count(kept) == 1
    assert held(production) == [(DAYS[0], 3)]


def test_a_column_that_no_contract_names_is_never_made_null(server: Served, production: BigQueryWarehouse) -> None:
    server.store.table(STORED).resource["schema"]["fields"].append({"name": "note", "type": "STRING"})
    with pytest.raises(CannotJudge, match="columns that no contract names: note"):
        publish(production, rows_of(DAYS[0], "b", "c"), DAYS[0], receipts=2)
    assert held(production) == [(DAYS[0], 1)]


def test_rows_in_the_streaming_buffer_stop_a_publish(server: Served, production: BigQueryWarehouse) -> None:
    server.store.table(STORED).resource["streamingBuffer"] = {
        "estimatedRows": "12",
        "estimatedBytes": "600",
        "oldestEntryTime": "1704067200000",
    }
    with pytest.raises(CannotJudge, match="12 rows in its streaming buffer"):
        publish(production, rows_of(DAYS[0], "b"), DAYS[0], receipts=1)
    assert held(production) == [(DAYS[0], 1)]


def test_beside_production_nothing_of_it_is_written(server: Served, production: BigQueryWarehouse) -> None:
    beside = BigQueryWarehouse.at(server.warehouse_url(raw_prefix=None))
    beside.create([table.contract for table in registry().tables.values()], {"as_of": "2024-02-01"})
    publish(beside, rows_of(DAYS[1], "x", "y"), DAYS[1], receipts=2)
    assert held(beside) == [(DAYS[1], 2)]
    assert held(production) == [(DAYS[0], 1)]
    with pytest.raises(CannotJudge, match="read where they are and never loaded"):
        beside.load({"nba_raw.nbac_schedule": rows_of(DAYS[0], "a")})


def test_migrate_makes_a_warehouse_and_adds_a_column(
    server: Served, whole_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    warehouse = BigQueryWarehouse.at(server.warehouse_url())
    held_lease = warehouse.take_leases(("3",), myself("migrate"), 60)
    assert {d.what for d in migrate(warehouse, whole_settings)} == {"the table is missing: created, empty"}
    held_lease.release()
    assert warehouse.meta()["kind"] == "production"
    assert differences(warehouse, whole_settings) == []
    fields = server.store.table(f"t_{TABLE}").resource["schema"]["fields"]
    gone = next(field for field in fields if field["name"] == "confidence_decile")
    fields.remove(gone)
    server.store.database.execute(f"ALTER TABLE t_{TABLE} DROP COLUMN confidence_decile")
    # predictions are no computed table of the settings: their contract is compared all the same
    found = [d for d in differences(warehouse, whole_settings) if d.table == TABLE]
    assert [d.column for d in found] == ["confidence_decile"]
    warehouse.add_columns(TABLE, [registry().table(TABLE).contract.column("confidence_decile")])
    assert [d for d in differences(warehouse, whole_settings) if d.table == TABLE] == []
