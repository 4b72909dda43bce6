"""Jobs: inserted once by their id, run in a thread, asked for and cancelled."""

from __future__ import annotations

import io
import threading
import time
from dataclasses import dataclass, field
from typing import Any

import pyarrow.parquet as pq

from tests.bigquery_server.faults import Fault
from tests.bigquery_server.store import CONCURRENT, Result, Store
from tests.bigquery_server.trouble import NotStrict, Refused, invalid, only
from tests.bigquery_server.wire import parameters

CONFIGURATION = {"query", "load", "labels", "dryRun", "jobType", "jobTimeoutMs"}
QUERY = {
    "query", "queryParameters", "parameterMode", "useLegacySql", "maximumBytesBilled", "destinationTable",
    "writeDisposition", "useQueryCache",
}  # fmt: skip
LOAD = {"sourceFormat", "writeDisposition", "schema", "destinationTable", "parquetOptions"}
WAIT_SECONDS = 0.3  # how long an insert waits for a job that is soon done


@dataclass
class Job:
    """One job and what became of it."""

    id: str
    configuration: dict[str, Any]
    state: str = "PENDING"
    error: dict[str, str] | None = None
    result: Result = field(default_factory=Result)
    created: float = field(default_factory=time.time)
    ended: float | None = None
    cancelled: threading.Event = field(default_factory=threading.Event)
    done: threading.Event = field(default_factory=threading.Event)

    @property
    def sql(self) -> str:
        """Its statement or script; empty for a load."""
        return str(self.configuration.get("query", {}).get("query", ""))

    @property
    def labels(self) -> dict[str, str]:
        """Its labels."""
        return dict(self.configuration.get("labels") or {})

    def resource(self, project: str) -> dict[str, Any]:
        """As the REST interface shows it."""
        statistics: dict[str, Any] = {
            "creationTime": str(int(self.created * 1000)),
            "totalBytesProcessed": str(self.result.bytes_processed),
            "query": {
                "totalBytesProcessed": str(self.result.bytes_processed),
                "totalBytesBilled": str(self.result.bytes_billed),
                "statementType": self.result.kind,
                "cacheHit": False,
            },
        }
        if self.result.kind in ("INSERT", "DELETE", "UPDATE", "MERGE"):
            statistics["query"]["numDmlAffectedRows"] = str(self.result.changed)
        status: dict[str, Any] = {"state": self.state}
        if self.error:
            status |= {"errorResult": self.error, "errors": [self.error]}
        kind = "LOAD" if "load" in self.configuration else "QUERY"
        return {
            "kind": "bigquery#job",
            "id": f"{project}:US.{self.id}",
            "jobReference": {"projectId": project, "jobId": self.id, "location": "US"},
            "configuration": self.configuration | {"jobType": kind},
            "statistics": statistics,
            "status": status,
        }


class JobBook:
    """Every job that was inserted."""

    def __init__(self, store: Store, faults: list[Fault], trouble: list[BaseException]) -> None:
        self.store, self.faults, self.trouble = store, faults, trouble
        self.jobs: dict[str, Job] = {}
        self.lock = threading.Lock()

    def insert(self, body: dict[str, Any], content: bytes | None = None) -> Job:
        """Begins a job; 409 where its id is known. A dry run is answered at once and is no job."""
        only(body, {"jobReference", "configuration"}, "jobs.insert")
        configuration = body["configuration"]
        only(configuration, CONFIGURATION, "job configuration")
        reference = body["jobReference"]
        only(reference, {"jobId", "projectId", "location"}, "job reference")
        job = Job(reference["jobId"], configuration)
        if "query" in configuration:
            only(configuration["query"], QUERY, "query configuration")
            if configuration.get("dryRun"):
                return self._dry_run(job)
        with self.lock:
            if job.id in self.jobs:
                raise Refused(409, "duplicate", f"Already Exists: Job {job.id}")
            self.jobs[job.id] = job
        threading.Thread(target=self._run, args=(job, content), daemon=True).start()
        job.done.wait(WAIT_SECONDS)
        return job

    def get(self, job_id: str) -> Job:
        """A job by its id."""
        if job_id not in self.jobs:
            raise Refused(404, "notFound", f"Not found: Job {job_id}")
        return self.jobs[job_id]

    def cancel(self, job_id: str) -> Job:
        """Asks a job to stop; one that is done stays as it is."""
        job = self.get(job_id)
        job.cancelled.set()
        job.done.wait(1)
        return job

    def _dry_run(self, job: Job) -> Job:
        job.result.bytes_processed = self.store.estimate(job.sql, self._values(job))
        job.state = "DONE"
        return job

    def _run(self, job: Job, content: bytes | None) -> None:
        job.state = "RUNNING"
        try:
            self._refuse_or_hang(job)
            job.result = self._load(job, content) if "load" in job.configuration else self._query(job)
        except Refused as refused:
            job.error = refused.result
        except BaseException as error:
            self.trouble.append(error)
            job.error = {"reason": "invalid", "message": f"the test server: {error}"}
        job.ended, job.state = time.time(), "DONE"
        job.done.set()

    def _refuse_or_hang(self, job: Job) -> None:
        for fault in self.faults:
            if fault.kind == "job error" and fault.strikes("job", job.sql):
                raise Refused(503, "backendError", "The job encountered an error during execution. Retrying may help.")
            if fault.kind == "never ends" and fault.strikes("job", job.sql):
                job.cancelled.wait()
                raise Refused(499, "stopped", "Job execution was cancelled: User requested cancellation")

    def _query(self, job: Job) -> Result:
        query = job.configuration["query"]
        values = self._values(job)
        self._refuse_conflict(job, "before")
        size = self.store.estimate(job.sql, values, job.id.rpartition("_")[2])
        limit = int(query.get("maximumBytesBilled") or 1 << 62)
        if size > limit:
            raise Refused(400, "bytesBilledLimitExceeded", f"Query exceeded limit for bytes billed: {limit}. {size} or higher required.")  # fmt: skip
        label = job.labels.get("table", "")
        if target := query.get("destinationTable"):
            if query.get("writeDisposition") != "WRITE_TRUNCATE":
                raise NotStrict("a destination that is not replaced")
            result = self.store.keep(f"{target['datasetId']}.{target['tableId']}", job.sql, values, label)
        else:
            result = self.store.run(job.sql, values, label, lambda part: self._at(job, part))
        result.bytes_processed, result.bytes_billed = size, self.store.billed(job.sql, values)
        return result

    def _at(self, job: Job, part: str) -> None:
        if job.cancelled.is_set():
            raise Refused(499, "stopped", "Job execution was cancelled: User requested cancellation")
        for fault in self.faults:
            if fault.kind == "pause" and fault.strikes("job", part):
                time.sleep(fault.seconds)
        if part == "COMMIT TRANSACTION":
            self._refuse_conflict(job, "commit")

    def _refuse_conflict(self, job: Job, when: str) -> None:
        if when != "commit":
            return
        for fault in self.faults:
            if fault.kind == "serialization" and fault.strikes("job", job.sql):
                raise invalid(CONCURRENT.format("nba_analytics.some_table"))

    def _load(self, job: Job, content: bytes | None) -> Result:
        load = job.configuration["load"]
        only(load, LOAD, "load configuration")
        if load["sourceFormat"] != "PARQUET" or load["writeDisposition"] != "WRITE_TRUNCATE" or content is None:
            raise NotStrict("a load that is no replacement by Parquet")
        resource = {"tableReference": load["destinationTable"], "schema": load["schema"]}
        self.store.load(resource, pq.read_table(io.BytesIO(content)))
        return Result(kind="LOAD")

    def _values(self, job: Job) -> dict[str, Any]:
        return parameters(job.configuration["query"].get("queryParameters") or ())
