"""The log of sign-offs: one line each, which names the digest of the line before it; its head stands in the warehouse too."""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from lib.errors import CannotJudge
from lib.moments import moment
from lib.warehouse import Session, Warehouse

SIGN_OFF, REVOCATION = "sign-off", "revocation"
FIRST = "0" * 64  # what the first line names


class Entry(BaseModel):
    """One line: which envelope, of which run and phase, after which line."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    sequence: int
    previous: str
    kind: str
    phase: str
    run: str
    envelope: str
    envelope_digest: str
    signed_at: datetime

    @property
    def line(self) -> str:
        """The entry as it stands in the log."""
        return self.model_dump_json()

    @property
    def head(self) -> str:
        """SHA-256 of the line: what the next one names."""
        return hashlib.sha256(self.line.encode()).hexdigest()


def folder_of(runs: Path) -> Path:
    """Where the sign-offs of an archive of runs lie."""
    return runs / "signoffs"


def read_log(runs: Path) -> tuple[Entry, ...]:
    """Every entry, oldest first; CannotJudge where a line is damaged, gone or out of place."""
    path = folder_of(runs) / "log.jsonl"
    try:
        lines = path.read_text().splitlines() if path.exists() else []
    except UnicodeDecodeError as error:
        raise CannotJudge(f"{path} is damaged: it is no text") from error
    entries, previous = [], FIRST
    for number, line in enumerate(lines, start=1):
        entry = _entry(line, f"{path} line {number}")
        if (entry.sequence, entry.previous, entry.line) != (number, previous, line):
            raise CannotJudge(f"{path} line {number} does not follow the line before it: the log was changed")
        entries.append(entry)
        previous = entry.head
    return tuple(entries)


def _entry(line: str, where: str) -> Entry:
    try:
        return Entry.model_validate_json(line)
    except ValidationError as error:
        raise CannotJudge(f"{where} is damaged: {error.errors()[0]['msg']}") from error


@contextmanager
def appending(runs: Path) -> Iterator[Path]:
    """The folder of the sign-offs, held by this process alone."""
    folder = folder_of(runs)
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield folder


def set_aside(folder: Path, log: tuple[Entry, ...]) -> None:
    """An envelope that a crash left beside the log was never signed for: it goes to ``aborted``, and is kept."""
    named = {entry.envelope for entry in log}
    for stray in (path for path in folder.glob("*.json") if path.name not in named):
        (folder / "aborted").mkdir(exist_ok=True)
        stray.rename(folder / "aborted" / f"{stray.stem}.{hashlib.sha256(stray.read_bytes()).hexdigest()[:12]}.json")
    for unfinished in folder.glob(".*.json.*"):
        unfinished.unlink()


def append(folder: Path, entry: Entry) -> None:
    """Adds a line, on disk before this returns."""
    handle = os.open(folder / "log.jsonl", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    try:
        os.write(handle, f"{entry.line}\n".encode())
        os.fsync(handle)
        moment("line appended")
    finally:
        os.close(handle)


def witness(warehouse: Warehouse, entry: Entry) -> None:
    """Notes the head in the warehouse: who cuts the log's tail would have to change that, too."""
    warehouse.append("runbook.signoffs", [(entry.sequence, entry.head, entry.kind, entry.phase, entry.signed_at)])
    moment("head witnessed")


def witness_faults(warehouse: Warehouse, entries: tuple[Entry, ...]) -> list[str]:
    """Where the log and the heads in the warehouse disagree."""
    with warehouse.reading() as session:
        if "runbook.signoffs" not in session.tables:
            return ["the warehouse holds no runbook.signoffs: the log has no witness there"]
        unseen = {entry.sequence for entry in entries} - _noted(session).keys()
        return [
            *cut_faults(session, entries),
            *(f"sequence {n}: the warehouse has never seen this line" for n in sorted(unseen)),
        ]


def cut_faults(session: Session, entries: Sequence[Entry]) -> list[str]:
    """Where the log holds less, or other lines, than the warehouse has seen."""
    if "runbook.signoffs" not in session.tables:
        return []
    noted, known = _noted(session), {entry.sequence: entry.head for entry in entries}
    cut = sorted(set(noted) - set(known))
    faults = (
        [f"the log ends before sequence {cut[0]}, which the warehouse has seen: its tail is cut off"] if cut else []
    )
    return faults + [
        f"sequence {n}: the warehouse has seen another line" for n, head in known.items() if noted.get(n, head) != head
    ]


def _noted(session: Session) -> dict[int, str]:
    return dict(session.rows("SELECT sequence, head FROM runbook.signoffs"))
