"""A real project, in scratch datasets: by hand, ``make test-bigquery PROJECT=...``. Costs cents, cleans up."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from lib.backfill import Backfill
from lib.calendar import read_calendar
from lib.coverage import Judge
from lib.league import League
from lib.lease import holding
from lib.plan import make_plan
from lib.sandbox import load_raw
from lib.settings import Settings
from lib.warehouse import connect
from lib.warehouse.bigquery import BigQueryWarehouse, tested_file
from tests.lib.test_bigquery_chain import rows

pytestmark = pytest.mark.bigquery
PROJECT = os.environ.get("BIGQUERY_PROJECT", "")
LOCATION = os.environ.get("BIGQUERY_LOCATION", "US")


@pytest.fixture
def scratch() -> Iterator[BigQueryWarehouse]:
    """A warehouse in datasets with a random prefix, which are dropped at the end whatever happens."""
    if not PROJECT:
        pytest.fail("name the project: make test-bigquery PROJECT=my-project")
    prefix = f"rbtest_{uuid.uuid4().hex[:8]}_"
    url = f"bigquery://{PROJECT}?location={LOCATION}&dataset_prefix={prefix}&raw_prefix={prefix}&maximum_gib=2"
    warehouse = BigQueryWarehouse.at(url)
    try:
        yield warehouse
    finally:
        for dataset in (*warehouse.address.datasets.values(), warehouse.address.stage_dataset):
            assert dataset.startswith(prefix)
            warehouse.jobs.client.delete_dataset(dataset, delete_contents=True, not_found_ok=True)


def test_the_pocket_league_on_a_real_project(
    scratch: BigQueryWarehouse, league: League, whole_settings: Settings, whole_file: Path
) -> None:
    load_raw(scratch, league.tables, league.as_of, "ingested")
    for phase in (3, 4):
        with scratch.reading() as session:
            calendar = read_calendar(session, whole_settings)
            judge = Judge(session, whole_settings, calendar)
            plan = make_plan(judge, [phase], whole_settings.start_date, calendar.as_of)
        with holding(scratch, [phase], "make test-bigquery", 60) as fences:
            backfill = Backfill(scratch, whole_settings, fence=fences[str(phase)])
            outcomes = [o for g in plan.groups for t in g for o in backfill.run_chunks(plan.chunks_of(t))]
        assert not any(outcome.failed or outcome.blocked for outcome in outcomes)
    embedded = connect(f"duckdb:///{whole_file}", wait=20)
    for name in whole_settings.tables:
        with embedded.reading() as here, scratch.reading() as there:
            assert rows(there, name, whole_settings) == rows(here, name, whole_settings), name
    spent = scratch.spent
    note = f"{datetime.now(UTC):%F} {PROJECT}: {len(spent.jobs)} jobs, {spent.bytes_billed / 2**20:.0f} MiB billed"
    print(f"\n{note}")
    tested_file().parent.mkdir(parents=True, exist_ok=True)
    tested_file().write_text(f"{note}\n")
