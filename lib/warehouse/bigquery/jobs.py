"""Jobs: every statement is sent as a job with an id of its own, labels, a limit of bytes and a time-out.

A job whose answer was lost is asked for by its id and never run twice. What is worth another try is tried again with
jitter until the deadline; what is not is said at once. Ctrl-C cancels the job that is waited for.
"""

from __future__ import annotations

import re
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar

import requests
from google.api_core import exceptions as errors
from google.api_core.retry import Retry
from google.auth.credentials import AnonymousCredentials
from google.auth.exceptions import GoogleAuthError, TransportError
from google.cloud import bigquery
from tenacity import Retrying, retry_if_exception, stop_after_delay, wait_random_exponential

from lib.errors import BadInput, CannotJudge, QueryFailed
from lib.warehouse.bigquery.address import Address
from lib.warehouse.bigquery.parameters import as_parameters

GIB = 2**30
WORTH_ANOTHER_TRY = {
    "rateLimitExceeded", "backendError", "internalError", "badGateway", "jobBackendError", "jobInternalError",
    "jobRateLimitExceeded", "serviceUnavailable",
}  # fmt: skip
TOO_MUCH_AT_ONCE = {"resourcesExceeded", "responseTooLarge"}  # less of it may be answered
CONFLICT = re.compile(r"aborted due to concurrent update|[Cc]ould not serialize access", re.IGNORECASE)
UNSTRUCTURED = (
    ConnectionError, errors.TooManyRequests, errors.InternalServerError, errors.BadGateway, errors.ServiceUnavailable,
    errors.GatewayTimeout, requests.exceptions.ChunkedEncodingError, requests.exceptions.ConnectionError,
    requests.exceptions.Timeout, requests.exceptions.JSONDecodeError, TransportError,
)  # fmt: skip
SCOPES = ("https://www.googleapis.com/auth/bigquery",)
REQUESTS_AT_ONCE = 8  # the one pool of a process
S = TypeVar("S")
T = TypeVar("T")


class ShortAnswer(Exception):
    """Fewer rows came than the job said it has."""


@dataclass(frozen=True)
class JobRecord:
    """What one job was and cost; bytes as BigQuery counted them, seconds by this machine's clock."""

    id: str
    purpose: str
    table: str
    kind: str
    bytes_processed: int
    bytes_billed: int
    seconds: float
    retries: int


@dataclass
class Spent:
    """The jobs of a warehouse in this process."""

    jobs: list[JobRecord] = field(default_factory=list)
    retries: int = 0

    @property
    def bytes_billed(self) -> int:
        """Bytes that are billed for all of them."""
        return sum(job.bytes_billed for job in self.jobs)


@dataclass
class Jobs:
    """Sends statements and waits for them."""

    address: Address
    spent: Spent = field(default_factory=Spent)
    labels: dict[str, str] = field(default_factory=dict)
    _numbers: dict[str, int] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @cached_property
    def client(self) -> bigquery.Client:
        """The real client, with the caller's own credentials; BadInput where there are none."""
        try:
            return _client(self.address)
        except GoogleAuthError as error:
            raise BadInput(
                f"no Google credentials: {error}; run 'gcloud auth application-default login', or name a key file in"
                " GOOGLE_APPLICATION_CREDENTIALS"
            ) from error

    @contextmanager
    def labelled(self, **labels: str | None) -> Iterator[None]:
        """Every job inside carries these labels; ``attempt`` makes the ids of its jobs follow from it."""
        before = dict(self.labels)
        self.labels |= {name: value for name, value in labels.items() if value}
        try:
            yield
        finally:
            self.labels = before

    def run(
        self,
        sql: str,
        parameters: Mapping[str, object] | None = None,
        purpose: str = "read",
        destination: str | None = None,
    ) -> bigquery.QueryJob:
        """The finished job of a statement or script; a *destination* table is replaced by its rows.

        Raises QueryFailed where the data make it fail, CannotJudge for anything else.
        """
        config = self._config(parameters or {}, destination)

        def begin(job_id: str) -> bigquery.QueryJob:
            return self.client.query(
                sql, job_config=config, job_id=job_id, retry=self.api_retry, timeout=self._timeout, job_retry=None
            )

        job: bigquery.QueryJob = self.finished(begin, purpose)
        return job

    def finished(self, begin: Callable[[str], Any], purpose: str) -> Any:
        """Begins a job, and begins it anew under another id while it fails for reasons that pass."""
        base = self._id(purpose)
        started = time.monotonic()
        with said():
            for attempt in self.again():
                with attempt:
                    number = attempt.retry_state.attempt_number
                    job = self._once(begin, f"{base}_{number}" if number > 1 else base)
        self._note(job, purpose, time.monotonic() - started, number - 1)
        return job

    def rows(self, job: bigquery.QueryJob) -> list[tuple[Any, ...]]:
        """Every row of a finished job; CannotJudge where fewer come than it has."""
        with said():
            for attempt in self.again():
                with attempt:
                    answer = job.result(retry=self.api_retry, timeout=self._timeout, job_retry=None)
                    rows = [row.values() for row in answer]
                    if len(rows) != answer.total_rows:
                        raise ShortAnswer(f"job {job.job_id}: {len(rows)} of {answer.total_rows} rows came")
        return rows

    def found(self, what: Callable[..., T], *args: Any, **kwargs: Any) -> T | None:
        """The same for a thing that may not be there: None where it is not."""
        with said():
            try:
                return what(*args, retry=self.api_retry, timeout=self._timeout, **kwargs)
            except errors.NotFound:
                return None

    def call(self, what: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        """A call of the client that is no job, tried again while it is worth it."""
        with said():
            return what(*args, retry=self.api_retry, timeout=self._timeout, **kwargs)

    def table_rows(self, table: str) -> list[Any]:
        """Every row of a small table, read off it: no job."""
        with said():
            return list(self.client.list_rows(table, retry=self.api_retry, timeout=self._timeout))

    def each(self, what: Callable[[S], T], things: Iterable[S]) -> list[T]:
        """What becomes of each thing, a few requests at once."""
        return list(self._pool.map(what, things))

    @cached_property
    def _pool(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(REQUESTS_AT_ONCE, thread_name_prefix="bigquery")

    def bytes_of(self, sql: str, parameters: Mapping[str, object]) -> int:
        """Bytes that a query would read, by dry run: nothing is run and nothing is billed."""
        config = self._config(parameters, None)
        config.dry_run, config.use_query_cache = True, False
        with said():
            job = self.client.query(sql, job_config=config, retry=self.api_retry, timeout=self._timeout, job_retry=None)
        return int(job.total_bytes_processed or 0)

    @cached_property
    def api_retry(self) -> Retry:
        """How often one HTTP request is sent: again with jitter until the deadline, only where that may help."""
        return Retry(
            predicate=worth_another_try,
            initial=0.1,
            maximum=20.0,
            multiplier=2.0,
            timeout=self.address.deadline,
            on_error=self._count,
        )

    def again(self) -> Retrying:
        """Tries until the deadline, with growing, jittered pauses."""
        return Retrying(
            retry=retry_if_exception(lambda error: worth_another_try(error) or isinstance(error, ShortAnswer)),
            stop=stop_after_delay(self.address.deadline),
            wait=wait_random_exponential(multiplier=0.1, max=20),
            reraise=True,
            before_sleep=lambda state: self._count(state.outcome.exception() if state.outcome else None),
        )

    @property
    def _timeout(self) -> float:
        return self.address.http_timeout

    def _count(self, error: BaseException | None) -> None:
        self.spent.retries += 1

    def _config(self, parameters: Mapping[str, object], destination: str | None) -> bigquery.QueryJobConfig:
        config = bigquery.QueryJobConfig(
            use_legacy_sql=False,
            query_parameters=as_parameters(parameters),
            maximum_bytes_billed=int(self.address.maximum_gib * GIB),
            labels={_label(name): _label(value) for name, value in self.labels.items()},
            job_timeout_ms=int(self.address.job_timeout * 1000),
        )
        if destination:
            config.destination = f"{self.address.project}.{destination}"
            config.write_disposition = "WRITE_TRUNCATE"
        return config

    def _id(self, purpose: str) -> str:
        """Follows from the attempt, so that it can be told from the ledger; else a new one."""
        attempt = self.labels.get("attempt") or uuid.uuid4().hex
        with self._lock:
            number = self._numbers[attempt] = self._numbers.get(attempt, 0) + 1
        return f"runbook_{attempt}_{number:03d}_{purpose}"

    def _once(self, begin: Callable[[str], Any], job_id: str) -> Any:
        """The job with this id, finished; sent again after a lost answer it is the same job."""
        with said(again=worth_another_try):
            try:
                job = begin(job_id)
            except errors.Conflict:
                self._count(None)
                job = self.client.get_job(
                    job_id, location=self.address.location, retry=self.api_retry, timeout=self._timeout
                )
            return self._waited(job)

    def _waited(self, job: Any) -> Any:
        pause, deadline = 0.02, time.monotonic() + self.address.job_timeout
        try:
            while job.state != "DONE":
                if time.monotonic() > deadline:
                    return self._given_up(job)
                time.sleep(pause)
                pause = min(pause * 1.5, 2.0)
                job.reload(retry=self.api_retry, timeout=self._timeout)
        except KeyboardInterrupt:
            self._cancel(job)
            raise
        if job.exception():
            raise job.exception()
        return job

    def _given_up(self, job: Any) -> Any:
        """Cancels a job that does not end; what ended in the meantime counts."""
        self._cancel(job)
        job.reload(retry=self.api_retry, timeout=self._timeout)
        if job.state == "DONE" and not job.exception():
            return job
        raise CannotJudge(
            f"job {job.job_id} did not end within {self.address.job_timeout:g} s and was cancelled: look at it in the"
            " console, then run again"
        )

    def _cancel(self, job: Any) -> None:
        job.cancel(retry=self.api_retry.with_timeout(min(10.0, self.address.deadline)), timeout=self._timeout)

    def _note(self, job: Any, purpose: str, seconds: float, retries: int) -> None:
        processed, billed = (int(getattr(job, f"total_bytes_{kind}", None) or 0) for kind in ("processed", "billed"))
        table = self.labels.get("table", "")
        self.spent.jobs.append(
            JobRecord(job.job_id, purpose, table, job.job_type, processed, billed, round(seconds, 3), retries)
        )


def worth_another_try(error: BaseException) -> bool:
    """Whether the same request may succeed later: rate limits, conflicts, and faults of the service or the line."""
    reasons = {str(item.get("reason")) for item in getattr(error, "errors", None) or [] if isinstance(item, dict)}
    if reasons & WORTH_ANOTHER_TRY or CONFLICT.search(str(error)):
        return True
    return not reasons and isinstance(error, UNSTRUCTURED)


@contextmanager
def said(again: Callable[[BaseException], bool] = lambda error: False) -> Iterator[None]:
    """Errors of the client as sentences; those for which *again* holds pass as they are, to be tried again."""
    try:
        yield
    except (errors.GoogleAPIError, requests.exceptions.RequestException, GoogleAuthError, ShortAnswer) as error:
        cause = error.cause if isinstance(error, errors.RetryError) and error.cause else error
        if cause is error and again(error):
            raise
        raise _sentence(cause) from error


def _sentence(error: BaseException) -> CannotJudge:
    reasons = {str(item.get("reason")) for item in getattr(error, "errors", None) or [] if isinstance(item, dict)}
    text = " ".join(str(error).split())[:400]
    refused = isinstance(error, errors.BadRequest) and reasons & {"invalidQuery", "invalid"}
    if (refused or reasons & TOO_MUCH_AT_ONCE) and not CONFLICT.search(text):
        return QueryFailed(f"BigQuery refused a query: {text}")
    if "quotaExceeded" in reasons:
        return CannotJudge(f"a quota of the project is used up: {text}; wait until it is renewed, then run again")
    if "bytesBilledLimitExceeded" in reasons:
        return CannotJudge(f"the query would read more than the limit of bytes: {text}; see maximum_gib in the URL")
    if isinstance(error, GoogleAuthError) and not isinstance(error, TransportError):
        return CannotJudge(f"Google's credentials hold no longer: {text}; run 'gcloud auth application-default login'")
    return CannotJudge(f"BigQuery could not answer: {text or type(error).__name__}")


def _label(text: str) -> str:
    return re.sub(r"[^a-z0-9_-]", "_", text.lower())[:63]


def _client(address: Address) -> bigquery.Client:
    options = {"api_endpoint": address.api_endpoint} if address.api_endpoint else None
    credentials: Any = AnonymousCredentials() if address.loopback else _impersonated(address)  # type: ignore[no-untyped-call]
    return bigquery.Client(
        project=address.project, location=address.location, credentials=credentials, client_options=options
    )


def _impersonated(address: Address) -> Any:
    """The caller's own credentials; with ``impersonate`` those of a service account that the caller may use."""
    import google.auth
    from google.auth import impersonated_credentials

    own, _ = google.auth.default(scopes=SCOPES)
    if not address.impersonate:
        return own
    return impersonated_credentials.Credentials(own, address.impersonate, SCOPES)  # type: ignore[no-untyped-call]
