"""Second opinions: the conformance cases on public emulators, each in a virtual environment of its own (make emulators).

What an emulator cannot do is named here with its reason, and has to fail: a case is never dropped in silence.
"""

from __future__ import annotations

import inspect
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

from lib.calendar import read_calendar
from lib.errors import QueryFailed
from lib.league import League
from lib.registry import registry
from lib.sandbox import load_raw
from lib.settings import ROOT, Settings
from lib.warehouse import Warehouse, connect
from tests.lib import test_conformance as suite

pytestmark = [pytest.mark.torture, pytest.mark.timeout(300)]

CASES: dict[str, Callable[..., None]] = {
    name: case for name, case in vars(suite).items() if name.startswith("test_") and callable(case)
}
UPLOAD = "bqemulator refuses the client's own multipart upload: its second part is of type */*"
SCRIPT = "bqemulator binds no parameters in a script: 'Values were not provided for ... names'"
ASSERTS = "bqemulator parses no ASSERT: 'Unexpected identifier WHERE'"
PACK = "ARRAY(SELECT AS STRUCT * ...) is refused: 'Can't pack nothing into a struct'"
MERGES = "local-bigquery runs no MERGE inside a transaction: 'Current transaction is aborted (please ROLLBACK)'"


@dataclass(frozen=True)
class Emulator:
    """A program in an environment of its own; *cannot* names the cases that it cannot do, each with its reason."""

    name: str
    command: tuple[str, ...]
    cannot: Mapping[str, str]

    @property
    def home(self) -> Path:
        return ROOT / f".venv-{self.name}"


BQEMULATOR = Emulator(
    "bqemulator",
    ("start", "--rest-port", "{rest}", "--grpc-port", "{grpc}", "--project", "pocket-league"),
    {
        "test_a_fact_that_is_noted_again_is_replaced": SCRIPT,
        "test_questions_are_answered_alone_or_together": UPLOAD,
        "test_a_query_that_fails_is_never_an_empty_answer": PACK,
        "test_publishing_replaces_its_dates_and_no_other": UPLOAD,
        "test_publishing_the_same_again_doubles_nothing": UPLOAD,
        "test_a_date_published_without_rows_is_emptied_with_its_receipt": UPLOAD,
        "test_attempts_alone_change_no_row": UPLOAD,
        "test_a_publish_that_fails_leaves_everything_as_it_was": UPLOAD,
        "test_every_write_changes_the_state": UPLOAD,
        "test_what_a_stage_held_is_gone_after_it": UPLOAD,
        "test_a_second_runner_is_told_who_works": ASSERTS,
        "test_who_lost_the_lease_publishes_nothing": ASSERTS,
    },
)
LOCAL_BIGQUERY = Emulator(
    "local-bigquery",
    # it listens to every address unless it is told otherwise
    ("--host", "127.0.0.1", "--port", "{rest}", "--grpc-port", "{grpc}", "--data-dir", "{data}"),
    {
        "test_questions_are_answered_alone_or_together": PACK,
        "test_a_query_that_fails_is_never_an_empty_answer": PACK,
        "test_a_second_runner_is_told_who_works": MERGES,
        "test_who_lost_the_lease_publishes_nothing": MERGES,
    },
)


@pytest.fixture(scope="module")
def bqemulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Its address."""
    yield from _running(BQEMULATOR, tmp_path_factory.mktemp("bqemulator"))


@pytest.fixture(scope="module")
def local_bigquery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Its address."""
    yield from _running(LOCAL_BIGQUERY, tmp_path_factory.mktemp("local"))


@pytest.mark.parametrize("name", CASES)
def test_a_conformance_case_on_bqemulator(
    bqemulator: str, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    _expect(BQEMULATOR, name, request)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    place = connect(_url(bqemulator, "pocket-league", tmp_path, 6))
    CASES[name](**_given(CASES[name], place))


@pytest.mark.parametrize("name", CASES)
def test_a_conformance_case_on_local_bigquery(
    local_bigquery: str, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    """In a project of its own: each table that a project holds makes the next one slower there."""
    _expect(LOCAL_BIGQUERY, name, request)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    project = f"case-{list(CASES).index(name)}"
    place = connect(_url(local_bigquery, project, tmp_path, 20))
    CASES[name](**_given(CASES[name], place))


def test_local_bigquery_refuses_the_first_question_of_the_chain(
    local_bigquery: str, league: League, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It takes the raw data, and no chain follows: red once it can answer, then the ten tables are to be compared."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    place = connect(_url(local_bigquery, "chain", tmp_path, 40))
    load_raw(place, league.tables, league.as_of, "ingested")
    with place.reading() as session, pytest.raises(QueryFailed, match="Can't pack nothing into a struct"):
        read_calendar(session, settings)


def _expect(emulator: Emulator, name: str, request: pytest.FixtureRequest) -> None:
    if name in emulator.cannot:
        request.applymarker(pytest.mark.xfail(reason=emulator.cannot[name], strict=True))


def _url(address: str, project: str, folder: Path, seconds: int) -> str:
    """Little patience: an emulator's errors are 500s, which the client would ask again for ten minutes."""
    prefix = f"e{abs(hash(str(folder)))}_"
    patience = f"deadline={seconds}&http_timeout={seconds}&job_timeout={2 * seconds + 8}"
    return f"bigquery://{project}?api_endpoint={address}&dataset_prefix={prefix}&raw_prefix={prefix}&{patience}"


def _running(emulator: Emulator, home: Path) -> Iterator[str]:
    """The emulator's address while it runs; its extensions lie where DuckDB finds them without a network."""
    program = emulator.home / "bin" / emulator.name
    if not program.exists():
        pytest.skip(f"{emulator.name} is not installed: make emulators")
    for extension in emulator.home.rglob("*.duckdb_extension"):
        target = home / ".duckdb" / "extensions" / extension.parent.name / "linux_amd64"
        target.mkdir(parents=True, exist_ok=True)
        shutil.copy(extension, target)
    given = {"rest": _free_port(), "grpc": _free_port(), "data": home / "data"}
    command = [str(program), *(part.format(**given) for part in emulator.command)]
    with (home / "log").open("w") as log:
        process = subprocess.Popen(command, env={**os.environ, "HOME": str(home)}, stdout=log, stderr=log)
    try:
        yield _answering(f"http://127.0.0.1:{given['rest']}", process)
    finally:
        process.terminate()
        process.wait(20)


def _given(case: Callable[..., None], place: Warehouse) -> dict[str, Any]:
    wanted = list(inspect.signature(case).parameters)
    if "empty" in wanted:
        place.create([table.contract for table in registry().tables.values()], {})
        place.append("runbook.meta", [("as_of", "2024-02-01"), ("id", "one")])
    return dict.fromkeys(wanted, place)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _answering(url: str, process: subprocess.Popen[bytes]) -> str:
    until = time.monotonic() + 60
    while time.monotonic() < until and process.poll() is None:
        with suppress(requests.RequestException):
            if requests.get(f"{url}/bigquery/v2/projects/pocket-league/datasets", timeout=2).ok:
                return url
        time.sleep(0.2)
    raise AssertionError(f"the emulator does not answer at {url}")
