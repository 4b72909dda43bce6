"""What a chunk will cost, by dry runs of the very statements that will be sent."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from lib.settings import Settings
from lib.warehouse.bigquery.jobs import Jobs
from lib.warehouse.bigquery.session import BigQuerySession
from lib.warehouse.bigquery.statements import Query

if TYPE_CHECKING:
    from lib.costs import TableCost
    from lib.plan import Chunk

JOBS_PER_CHUNK = 6  # calendar, same-date upstream, upstream phase, SELECT, audit, publish
CHANGES_PER_DATE = 2  # a partition is emptied and filled


def cost_of(jobs: Jobs, chunk: Chunk, settings: Settings, facts: Callable[[], dict[str, str]]) -> TableCost:
    """Bytes of the chunk's SELECT and of its audit; jobs and changed partitions are counted."""
    from lib.costs import TableCost
    from lib.coverage import ask_holdings
    from lib.digests import ask_inputs
    from lib.registry import registry

    table, days = registry().tables[chunk.table], chunk.days
    session = BigQuerySession(jobs, facts)
    bounds = {"dates": list(days), "first": days[0], "last": days[-1], "history_from": chunk.history_from}
    select = session.bytes_of(Query(table.select or "", bounds | settings.eligibility(table.name)))
    ask_inputs(session, [table], chunk.history_from, days[-1])
    ask_holdings(session, settings, table, table.name, days[0], days[-1], chunk.history_from)
    return TableCost(table.name, select + session.bytes_waiting(), JOBS_PER_CHUNK, CHANGES_PER_DATE * len(days))
