"""What changes the tables: each change is one job, a script with one transaction."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from lib.contract import Contract
from lib.registry import registry
from lib.warehouse.bigquery.address import Address
from lib.warehouse.bigquery.parameters import TableRows
from lib.warehouse.bigquery.statements import prefixed
from lib.warehouse.interface import Publication, Row

Script = tuple[str, dict[str, object]]
FENCED = "the lease was taken over"
SHOW_LEASE = (
    "UPDATE runbook.leases SET heartbeat = CURRENT_TIMESTAMP() WHERE phase = @fence_phase AND token = @fence_token",
    f"ASSERT @@row_count = 1 AS '{FENCED}'",
)


def publish_script(address: Address, publication: Publication) -> Script:
    """Deletes the dates, inserts the stage's rows, replaces the receipts and appends the attempts: all or nothing."""
    parts: list[str] = []
    values: dict[str, object] = {}
    if publication.fence is not None:
        parts += SHOW_LEASE
        values |= {"fence_phase": publication.fence.phase, "fence_token": publication.fence.token}
    if publication.stage is not None:
        stage = json.loads(publication.stage.read_text())
        parts += [_delete(publication), _insert_stage(publication, stage["select"])]
    if publication.receipts or publication.stage is not None:
        parts.append("DELETE FROM runbook.receipts WHERE table_name = @table_name AND day IN UNNEST(@days)")
        values |= {"table_name": publication.table}
    for table, rows in (("runbook.receipts", publication.receipts), ("runbook.attempts", publication.attempts)):
        if rows:
            name = table.partition(".")[2]
            parts.append(insert_rows(_contract(table), name))
            values[name] = TableRows(_contract(table), rows)
    if any("@days" in part for part in parts):
        values |= {"days": sorted(publication.days)}
    if any("@first" in part for part in parts):
        values |= {"first": min(publication.days), "last": max(publication.days)}
    return prefixed(transaction(parts), address.datasets), values


def transaction(parts: Sequence[str]) -> str:
    """A script that does all of *parts* or nothing; one statement alone is a transaction by itself."""
    if len(parts) == 1:
        return parts[0]
    return ";\n".join(["BEGIN TRANSACTION", *parts, "COMMIT TRANSACTION"]) + ";"


def insert_rows(contract: Contract, parameter: str) -> str:
    """Inserts the rows of a parameter into one of the runbook's own tables."""
    columns = ", ".join(contract.column_names)
    cells = ", ".join(f"item.{name}" for name in contract.column_names)
    return f"INSERT INTO {contract.name} ({columns}) SELECT {cells} FROM UNNEST(@{parameter}) AS item"


def note_facts(facts: Mapping[str, str]) -> Script:
    """Replaces facts about the warehouse."""
    contract = _contract("runbook.meta")
    forget = "DELETE FROM runbook.meta WHERE name IN UNNEST(@names)"
    rows: tuple[Row, ...] = tuple(facts.items())
    return transaction([forget, insert_rows(contract, "facts")]), {
        "names": list(facts),
        "facts": TableRows(contract, rows),
    }


def _delete(publication: Publication) -> str:
    column = publication.date_column
    return f"DELETE FROM {publication.table} WHERE {column} BETWEEN @first AND @last AND {column} IN UNNEST(@days)"


def _insert_stage(publication: Publication, select: str) -> str:
    names = ", ".join(_contract(publication.table).column_names)
    return f"INSERT INTO {publication.table} ({names})\n{select}"


def _contract(name: str) -> Contract:
    return registry().table(name).contract
