"""Leases on BigQuery: one row a phase, times by the clock of the server.

A lease is taken by a transaction that asserts that nobody lives and then merges its rows. Two that do so at once change
rows of the same table, so one of them is aborted, tries again, and finds the other. A publish updates the row of its
token and asserts that it was one: a mere look would pass under snapshot isolation while somebody else takes over.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from google.cloud import bigquery

from lib.errors import CannotJudge, QueryFailed
from lib.lease import Fence, Fenced, Lease, Owner, Taken
from lib.warehouse.bigquery.jobs import Jobs
from lib.warehouse.bigquery.publish import FENCED, transaction
from lib.warehouse.bigquery.statements import prefixed

TABLE = "runbook.leases"
TAKEN = "the phase is taken"
BEATS = 3

NOBODY_LIVES = f"""ASSERT NOT EXISTS(
  SELECT 1 FROM runbook.leases
  WHERE phase IN UNNEST(@phases) AND released_at IS NULL
    AND UNIX_MICROS(CURRENT_TIMESTAMP()) - UNIX_MICROS(heartbeat) < @patience_us
) AS '{TAKEN}'"""
TAKE = """MERGE INTO runbook.leases AS held
USING (SELECT phase FROM UNNEST(@phases) AS phase) AS wanted
ON held.phase = wanted.phase
WHEN MATCHED THEN UPDATE SET token = held.token + 1, user_name = @user, host = @host, pid = @pid, work = @work,
  since = CURRENT_TIMESTAMP(), heartbeat = CURRENT_TIMESTAMP(), released_at = NULL
WHEN NOT MATCHED THEN INSERT (phase, token, user_name, host, pid, work, since, heartbeat, released_at)
  VALUES (wanted.phase, 1, @user, @host, @pid, @work, CURRENT_TIMESTAMP(), CURRENT_TIMESTAMP(), NULL)"""
OURS = "phase IN UNNEST(@phases) AND CONCAT(phase, ' ', CAST(token AS STRING)) IN UNNEST(@tokens)"
RENEW = f"UPDATE runbook.leases SET heartbeat = CURRENT_TIMESTAMP() WHERE {OURS}"
RELEASE = f"UPDATE runbook.leases SET released_at = CURRENT_TIMESTAMP() WHERE {OURS}"


@dataclass
class RowLeases:
    """Leases that this process holds."""

    jobs: Jobs
    leases: tuple[Lease, ...]
    beat_seconds: float

    def renew(self) -> None:
        """A sign of life, by one job. Raises Fenced where one was taken over."""
        job = self._update(RENEW)
        if job.num_dml_affected_rows != len(self.leases):
            raise Fenced(self.leases[0].fence, None)

    def release(self) -> None:
        """Gives back what is still ours."""
        if self.leases:
            self._update(RELEASE)
        self.leases = ()

    def _update(self, sql: str) -> bigquery.QueryJob:
        phases = [lease.phase for lease in self.leases]
        tokens = [f"{lease.phase} {lease.token}" for lease in self.leases]
        return self.jobs.run(prefixed(sql, self.jobs.address.datasets), {"phases": phases, "tokens": tokens}, "lease")


def take(jobs: Jobs, phases: Sequence[str], owner: Owner, patience: float) -> RowLeases:
    """Takes *phases*, all or none; raises Taken where somebody lives and works."""
    patience = max(patience, jobs.address.lease_seconds)  # a sign of life is a job here
    values: dict[str, object] = {"phases": list(phases), "patience_us": int(patience * 1_000_000)}
    values |= {"user": owner.user, "host": owner.host, "pid": owner.pid, "work": owner.work}
    try:
        jobs.run(prefixed(transaction([NOBODY_LIVES, TAKE]), jobs.address.datasets), values, "lease")
    except QueryFailed as error:
        if TAKEN not in str(error):
            raise
        living = [lease for lease in held(jobs) if lease.phase in phases]
        if not living:
            raise CannotJudge(f"{' and '.join(phases)} was given back just now: run the same command again") from error
        holder = max(living, key=lambda lease: lease.heartbeat)
        raise Taken(holder, (datetime.now(UTC) - holder.heartbeat).total_seconds()) from error
    ours = [lease for lease in held(jobs) if lease.phase in phases and lease.owner == owner]
    if len(ours) < len(set(phases)):
        raise CannotJudge(f"{' and '.join(phases)} was taken over as soon as it was taken: run the same command again")
    return RowLeases(jobs, tuple(ours), patience / BEATS)


def held(jobs: Jobs) -> list[Lease]:
    """The leases that were not given back, by phase; read off the table, no job."""
    rows = jobs.table_rows(jobs.address.table(TABLE))
    return sorted((_lease(row) for row in rows if row["released_at"] is None), key=lambda lease: lease.phase)


def refusal(jobs: Jobs, fence: Fence, error: QueryFailed) -> Exception:
    """Fenced where a publish failed for its token, else the failure itself."""
    if FENCED not in str(error):
        return error
    return Fenced(fence, next((lease for lease in held(jobs) if lease.phase == fence.phase), None))


def _lease(row: Any) -> Lease:
    owner = Owner(row["user_name"], row["host"], row["pid"], row["work"])
    return Lease(row["phase"], row["token"], owner, row["since"], row["heartbeat"])
