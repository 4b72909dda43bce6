"""What stands between a publish and production's own tables."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from lib.errors import BadInput, CannotJudge, RunbookError
from lib.lease import myself
from lib.migrate import differences, migrate
from lib.registry import registry
from lib.settings import Settings
from lib.step import Step
from lib.warehouse import connect, in_place
from lib.warehouse.bigquery import BigQueryWarehouse
from lib.warehouse.bigquery.tables import as_table
from runbook.cli import cli
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


def command(*words: str) -> tuple[int, str]:
    """Exit code and words of a command that ends before it begins anything."""
    done = CliRunner().invoke(cli, list(words), standalone_mode=False)
    said = f"{done.output} {done.exception or ''}"
    return (done.exception.exit_code if isinstance(done.exception, RunbookError) else int(done.return_value or 0)), said


def test_production_is_written_by_nobody_who_has_not_said_so(server: Served, tmp_path: Path) -> None:
    url = server.warehouse_url(dataset_prefix=None, raw_prefix=None)
    for verb in (("run",), ("migrate",), ("predict", "--date", "2024-01-02")):
        assert command(*verb, "--warehouse", f"{url}&in_place=1")[0] == 2
        assert "is production itself: say --in-place" in command(*verb, "--warehouse", f"{url}&in_place=1")[1]
    code, said = command("run", "--in-place", "--warehouse", f"duckdb:///{tmp_path}/w.duckdb")
    assert (code, "--in-place is for BigQuery" in said) == (2, True)
    code, said = command("run", "--in-place", "--warehouse", f"{url}&dataset_prefix=x_")
    assert (code, "choose one" in said) == (2, True)
    assert server.jobs == []
    assert server.store.datasets == {}


def test_in_place_is_carried_by_the_url_and_migrate_makes_productions_own_datasets(
    server: Served, whole_settings_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RUNBOOK_CONFIG", str(whole_settings_file))
    url = server.warehouse_url(dataset_prefix=None, raw_prefix=None)
    code, said = command("migrate", "--in-place", "--warehouse", url)
    assert code == 2  # raw data are missing, which belong to others
    assert "the raw table is missing" in said
    assert {"nba_analytics", "nba_precompute", "nba_predictions", "runbook"} <= set(server.store.datasets)
    assert "nba_raw" not in server.store.datasets
    assert in_place(url).endswith("in_place=1") or "in_place=1&" in in_place(url)
    assert connect(in_place(url)).in_place
    assert in_place(in_place(url)) == in_place(url)


def test_a_notebook_by_hand_does_not_write_production(
    production: BigQueryWarehouse, whole_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RUNBOOK_LEASE", raising=False)
    with pytest.raises(BadInput, match="'runbook run --in-place' alone writes"):
        Step("20_launch", 3, production, whole_settings).launch("team_offense_game_summary")


def test_migrate_says_what_is_missing_of_raw_data_and_leaves_them_alone(
    server: Served, whole_settings: Settings
) -> None:
    owner = BigQueryWarehouse.at(server.warehouse_url(dataset_prefix=None, raw_prefix=None, in_place=1))
    raw = [table.contract for table in registry().raw if owner.address.is_raw(table.contract.dataset)]
    for contract in raw[1:]:  # production's raw data: one table is missing, one column more, one less
        if contract.dataset not in server.store.datasets:
            owner.jobs.client.create_dataset(contract.dataset)
        owner.jobs.client.create_table(as_table(owner.jobs, contract))
    fields = server.store.table(raw[1].name).resource["schema"]["fields"]
    gone = fields.pop()["name"]
    fields.append({"name": "loader_note", "type": "STRING"})
    trial = BigQueryWarehouse.at(server.warehouse_url(raw_prefix=None))
    found = migrate(trial, whole_settings)
    said = {(d.table, d.column): d for d in found if d.mend}
    assert set(said) == {(raw[0].name, ""), (raw[1].name, gone)}
    assert said[raw[0].name, ""].what == "the raw table is missing"
    assert "have their loader bring it" in said[raw[0].name, ""].mend
    assert "created" not in str(said[raw[0].name, ""])
    assert raw[0].name not in server.store.tables
    assert [column["name"] for column in server.store.table(raw[1].name).resource["schema"]["fields"]].count(gone) == 0
    again = {(d.table, d.column) for d in differences(trial, whole_settings)}
    assert again == set(said)  # all that is ours was made
