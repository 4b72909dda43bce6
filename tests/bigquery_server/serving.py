"""The HTTP side: routes, faults on the line, and the record of what was asked."""

from __future__ import annotations

import json
import re
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.parser import BytesParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.bigquery_server.faults import HTTP, Fault
from tests.bigquery_server.jobs import Job, JobBook
from tests.bigquery_server.store import Store, TableOf
from tests.bigquery_server.trouble import NotStrict, Refused, only
from tests.bigquery_server.wire import cell

PAGE_ROWS = 2_000
TABLE = {
    "tableReference", "schema", "description", "labels", "timePartitioning", "requirePartitionFilter", "clustering",
    "tableConstraints",
}  # fmt: skip
DATASET = {"datasetReference", "location", "labels", "defaultTableExpirationMs"}


@dataclass
class Served:
    """A server at work: where it is, what it holds, what it was asked, and the faults that are switched on."""

    url: str
    store: Store
    book: JobBook
    faults: list[Fault]
    requests: list[str] = field(default_factory=list)
    trouble: list[BaseException] = field(default_factory=list)
    uploads: dict[str, tuple[dict[str, Any], bytearray]] = field(default_factory=dict)  # begun, and not whole yet

    @property
    def jobs(self) -> list[Job]:
        """Every job, oldest first."""
        return list(self.book.jobs.values())

    def statements(self) -> list[str]:
        """The texts of all query jobs."""
        return [job.sql for job in self.jobs if job.sql]

    def warehouse_url(self, **more: object) -> str:
        """The URL of a warehouse on it, with short deadlines and raw data of its own."""
        given = {"raw_prefix": "t_", "dataset_prefix": "t_", "deadline": 5, "http_timeout": 3, "job_timeout": 60} | more
        query = "&".join(f"{name}={value}" for name, value in given.items() if value is not None)
        return f"bigquery://pocket-league?location=US&api_endpoint={self.url}&{query}"


@contextmanager
def serving() -> Iterator[Served]:
    """A server on loopback; ends with the error of the first request that it did not know."""
    store, faults, trouble = Store(), list[Fault](), list[BaseException]()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    url = f"http://127.0.0.1:{server.server_address[1]}"
    served = Served(url, store, JobBook(store, faults, trouble), faults, trouble=trouble)
    server.served = served  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    try:
        yield served
    finally:
        server.shutdown()
        server.server_close()
    if served.trouble:
        raise served.trouble[0]


class _Cut(Exception):
    """The line is cut."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # one packet an answer: else each waits for the acknowledgement of its headers

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet: the tests look at the record of requests."""

    def do_GET(self) -> None:
        self._serve("GET")

    def do_POST(self) -> None:
        self._serve("POST")

    def do_PUT(self) -> None:
        self._serve("PUT")

    def do_DELETE(self) -> None:
        self._serve("DELETE")

    def do_PATCH(self) -> None:
        self._serve("PATCH")

    @property
    def served(self) -> Served:
        served: Served = self.server.served  # type: ignore[attr-defined]
        return served

    def _serve(self, method: str) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = urlsplit(self.path)
        request = f"{method} {parts.path}"
        self.served.requests.append(request)
        try:
            fault = self._fault(request)
            answer = self._routed(method, parts.path, dict(parse_qsl(parts.query)), body)
            if fault and fault.kind == "lost answer":
                raise _Cut
            self._answer(200, answer, fault)
        except Refused as refused:
            self._answer(refused.status, refused.body, None)
        except _Cut:
            self.close_connection = True
            self.connection.close()
        except BaseException as error:
            self.served.trouble.append(error)
            self._answer(400, Refused(400, "invalid", f"the test server: {error}").body, None)

    def _fault(self, request: str) -> Fault | None:
        kinds = (*HTTP, "409", "lost answer", "reset", "slow", "cut", "short")
        fault = next((f for f in self.served.faults if f.kind in kinds and f.strikes(request)), None)
        if fault is None:
            return None
        if fault.kind in HTTP:
            raise HTTP[fault.kind]
        if fault.kind == "409":
            raise Refused(409, "duplicate", "Already Exists: Job")
        if fault.kind == "reset":
            raise _Cut
        if fault.kind == "slow":
            time.sleep(fault.seconds)
        return fault

    def _answer(self, status: int, body: Any, fault: Fault | None) -> None:
        if fault and fault.kind == "short" and isinstance(body, dict) and body.get("rows"):
            body = body | {"rows": body["rows"][:-1]}
            body.pop("pageToken", None)
        content = b"" if body is None else json.dumps(body).encode()
        try:
            self.send_response(status)
            for name, value in getattr(self, "extra_headers", {}).items():
                self.send_header(name, value)
            self.extra_headers = {}
            self.send_header("Content-Type", "application/json; charset=UTF-8")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content[: len(content) // 2] if fault and fault.kind == "cut" else content)
            self.wfile.flush()
            if fault and fault.kind == "cut":
                self.close_connection = True
                self.connection.close()
        except OSError:
            return  # the client is gone

    def _routed(self, method: str, path: str, query: dict[str, str], body: bytes) -> Any:
        query.pop("prettyPrint", None)
        for pattern, route in ROUTES:
            if found := re.fullmatch(pattern, f"{method} {path}"):
                return route(self, query, body, *found.groups())
        raise NotStrict(f"a request that this server does not know: {method} {self.path}")

    def insert_job(self, query: dict[str, str], body: bytes, project: str) -> Any:
        only(query, set(), "jobs.insert")
        return self.served.book.insert(json.loads(body)).resource(project)

    def upload(self, query: dict[str, str], body: bytes, project: str) -> Any:
        only(query, {"uploadType"}, "upload")
        if query["uploadType"] == "resumable":
            upload = uuid.uuid4().hex
            self.served.uploads[upload] = (json.loads(body), bytearray())
            where = f"{self.served.url}/upload/bigquery/v2/projects/{project}/jobs"
            self.extra_headers = {"Location": f"{where}?uploadType=resumable&upload_id={upload}"}
            return {}
        if query["uploadType"] != "multipart":
            raise NotStrict(f"an upload of type {query['uploadType']}")
        head = f"Content-Type: {self.headers['Content-Type']}\r\n\r\n".encode()
        about, content = BytesParser().parsebytes(head + body).get_payload()  # type: ignore[misc]
        job = json.loads(about.get_payload())  # type: ignore[union-attr]
        return self.served.book.insert(job, content.get_payload(decode=True)).resource(project)  # type: ignore[union-attr]

    def resume(self, query: dict[str, str], body: bytes, project: str) -> Any:
        """A piece of a large upload; the last one begins the job."""
        only(query, {"uploadType", "upload_id"}, "upload")
        job, content = self.served.uploads[query["upload_id"]]
        said = re.fullmatch(r"bytes (\d+)-(\d+)/(\d+|\*)", self.headers["Content-Range"])
        if not said or int(said[1]) != len(content):
            raise NotStrict(f"a piece of an upload: {self.headers['Content-Range']}")
        content += body
        if said[3] == "*" or len(content) < int(said[3]):
            self.extra_headers = {"Range": f"bytes=0-{len(content) - 1}"}
            raise Refused(308, "resumeIncomplete", "Resume Incomplete")
        return self.served.book.insert(job, bytes(content)).resource(project)

    def get_job(self, query: dict[str, str], body: bytes, project: str, job_id: str) -> Any:
        only(query, {"location", "projection"}, "jobs.get")
        return self.served.book.get(job_id).resource(project)

    def cancel_job(self, query: dict[str, str], body: bytes, project: str, job_id: str) -> Any:
        only(query, {"location", "projection"}, "jobs.cancel")
        return {"kind": "bigquery#jobCancelResponse", "job": self.served.book.cancel(job_id).resource(project)}

    def results(self, query: dict[str, str], body: bytes, project: str, job_id: str) -> Any:
        known = {
            "location",
            "maxResults",
            "pageToken",
            "timeoutMs",
            "startIndex",
            "formatOptions.useInt64Timestamp",
            "fields",
        }
        only(query, known, "jobs.getQueryResults")
        job = self.served.book.get(job_id)
        if not job.done.is_set():
            return {"jobReference": {"projectId": project, "jobId": job_id}, "jobComplete": False}
        if job.error:
            raise Refused(400, job.error["reason"], job.error["message"])
        fields, rows = job.result.fields, job.result.rows
        start = int(query.get("pageToken") or query.get("startIndex") or 0)
        size = min(PAGE_ROWS, int(query.get("maxResults", PAGE_ROWS)))
        page = rows[start : start + size]
        answer: dict[str, Any] = {
            "kind": "bigquery#getQueryResultsResponse",
            "jobReference": {"projectId": project, "jobId": job_id, "location": "US"},
            "jobComplete": True,
            "schema": {"fields": fields},
            "totalRows": str(len(rows)),
            "totalBytesProcessed": str(job.result.bytes_processed),
            "cacheHit": False,
            "rows": [{"f": [cell(value, f) for value, f in zip(row, fields, strict=True)]} for row in page],
        }
        if job.result.kind in ("INSERT", "DELETE", "UPDATE", "MERGE"):
            answer |= {"numDmlAffectedRows": str(job.result.changed)}
        if start + size < len(rows):
            answer["pageToken"] = str(start + size)
        return answer

    def insert_dataset(self, query: dict[str, str], body: bytes, project: str) -> Any:
        resource = json.loads(body)
        only(resource, DATASET, "dataset")
        return self.served.store.add_dataset(resource)

    def get_dataset(self, query: dict[str, str], body: bytes, project: str, dataset: str) -> Any:
        if dataset not in self.served.store.datasets:
            raise Refused(404, "notFound", f"Not found: Dataset {dataset}")
        return self.served.store.datasets[dataset]

    def list_tables(self, query: dict[str, str], body: bytes, project: str, dataset: str) -> Any:
        only(query, {"maxResults", "pageToken"}, "tables.list")
        if dataset not in self.served.store.datasets:
            raise Refused(404, "notFound", f"Not found: Dataset {dataset}")
        names = [name for name in self.served.store.tables if name.startswith(f"{dataset}.")]
        tables = [{"tableReference": self.served.store.tables[name].resource["tableReference"]} for name in names]
        return {"kind": "bigquery#tableList", "tables": tables, "totalItems": len(tables)}

    def insert_table(self, query: dict[str, str], body: bytes, project: str, dataset: str) -> Any:
        resource = json.loads(body)
        only(resource, TABLE, "table")
        name = f"{dataset}.{resource['tableReference']['tableId']}"
        return self._shown(name, self.served.store.add_table(resource))

    def get_table(self, query: dict[str, str], body: bytes, project: str, dataset: str, table: str) -> Any:
        only(query, set(), "tables.get")
        return self._shown(f"{dataset}.{table}", self.served.store.table(f"{dataset}.{table}"))

    def patch_table(self, query: dict[str, str], body: bytes, project: str, dataset: str, table: str) -> Any:
        only(query, set(), "tables.patch")
        resource = json.loads(body)
        only(resource, {"schema"}, "tables.patch")
        self.served.store.alter(f"{dataset}.{table}", resource["schema"]["fields"])
        return self._shown(f"{dataset}.{table}", self.served.store.table(f"{dataset}.{table}"))

    def delete_table(self, query: dict[str, str], body: bytes, project: str, dataset: str, table: str) -> Any:
        self.served.store.drop_table(f"{dataset}.{table}")

    def list_rows(self, query: dict[str, str], body: bytes, project: str, dataset: str, table: str) -> Any:
        only(query, {"formatOptions.useInt64Timestamp", "maxResults", "selectedFields", "pageToken"}, "tabledata.list")
        held = self.served.store.table(f"{dataset}.{table}")
        fields = [{"mode": "NULLABLE", **f} for f in held.resource["schema"]["fields"]]
        table_rows = self.served.store.database.cursor().sql(f"FROM {dataset}.{table}").to_arrow_table()
        rows = [tuple(row.values()) for row in table_rows.to_pylist()]
        return {
            "kind": "bigquery#tableDataList",
            "totalRows": str(len(rows)),
            "rows": [{"f": [cell(value, f) for value, f in zip(row, fields, strict=True)]} for row in rows],
        }

    def _shown(self, name: str, table: TableOf) -> dict[str, Any]:
        more = {"etag": f"{name}{table.version}", "lastModifiedTime": str(int(table.modified * 1000)), "type": "TABLE"}
        return table.resource | more | {"numRows": str(self.served.store.count(name))}


P = r"/bigquery/v2/projects/([^/]+)"
ROUTES = (
    (f"POST {P}/jobs", _Handler.insert_job),
    (r"POST /upload/bigquery/v2/projects/([^/]+)/jobs", _Handler.upload),
    (r"PUT /upload/bigquery/v2/projects/([^/]+)/jobs", _Handler.resume),
    (f"GET {P}/jobs/([^/]+)", _Handler.get_job),
    (f"POST {P}/jobs/([^/]+)/cancel", _Handler.cancel_job),
    (f"GET {P}/queries/([^/]+)", _Handler.results),
    (f"POST {P}/datasets", _Handler.insert_dataset),
    (f"GET {P}/datasets/([^/]+)", _Handler.get_dataset),
    (f"GET {P}/datasets/([^/]+)/tables", _Handler.list_tables),
    (f"POST {P}/datasets/([^/]+)/tables", _Handler.insert_table),
    (f"GET {P}/datasets/([^/]+)/tables/([^/]+)", _Handler.get_table),
    (f"PATCH {P}/datasets/([^/]+)/tables/([^/]+)", _Handler.patch_table),
    (f"DELETE {P}/datasets/([^/]+)/tables/([^/]+)", _Handler.delete_table),
    (f"GET {P}/datasets/([^/]+)/tables/([^/]+)/data", _Handler.list_rows),
)
