"""Work: a process that computes something for a warehouse says so in a note beside it, and where its progress stands.

A note is a small JSON file in ``<warehouse>.work``. It stays after its process ended, with the end noted, so that
whoever watches sees how it ended; notes of a day ago are swept away. Whether a process lives can be asked on its own host
alone: one of another host counts as gone when it has written nothing for a day, though a lease may still name it.
"""

from __future__ import annotations

import getpass
import json
import os
import socket
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

from lib.stages import CLOCK_TOLERANCE_SECONDS
from lib.warehouse import Warehouse

RUN, LAUNCH = "run", "launch"
KEPT_SECONDS = 24 * 3600


@dataclass(frozen=True)
class Work:
    """One note: who does what since when, where its progress lines are; ``ended`` is empty while it goes on."""

    note: Path
    kind: str
    title: str
    pid: int
    host: str
    user: str
    since: str
    progress: Path
    run: str = ""
    ended: str = ""
    outcome: str = ""

    @property
    def alive(self) -> bool:
        """Whether it goes on: not ended, and its process is there; of another host, that is believed while not lost."""
        if self.ended:
            return False
        return _lives(self.pid, self.note) if self.host == socket.gethostname() else not self.lost

    @property
    def lost(self) -> bool:
        """Whether it did not end on another host, and neither its note nor its lines were written to for a day."""
        foreign = self.host != socket.gethostname()
        return foreign and not self.ended and not any(_is_young(path) for path in (self.note, self.progress))

    @property
    def state(self) -> str:
        """running, how it ended, or that its process is gone."""
        return "running" if self.alive else self.outcome or "its process is gone"

    @property
    def since_when(self) -> datetime:
        """When it began, UTC."""
        return datetime.fromisoformat(self.since)

    def write(self) -> None:
        """Writes the note whole or not at all; one that cannot be written stops no work."""
        with suppress(OSError):
            self._write()

    def _write(self) -> None:
        self.note.parent.mkdir(parents=True, exist_ok=True)
        facts = {name: str(value) if isinstance(value, Path) else value for name, value in asdict(self).items()}
        temporary = self.note.with_name(f".{self.note.name}.{os.getpid()}")
        temporary.write_text(json.dumps(facts))
        os.replace(temporary, self.note)


@contextmanager
def at_work(warehouse: Warehouse, kind: str, title: str, progress: Path | None = None, run: str = "") -> Iterator[Work]:
    """Notes that this process works on *warehouse* until the block ends, and how it ended.

    *progress* is the file of its progress lines, else one beside the note.
    """
    folder = notes_of(warehouse)
    _sweep(folder)
    note = folder / f"{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex[:8]}.json"
    lines = (progress or note.with_suffix(".jsonl")).resolve()
    since = datetime.now(UTC).isoformat(timespec="seconds")
    work = Work(note, kind, title, os.getpid(), socket.gethostname(), _user(), since, lines, run)
    work.write()
    outcome = "interrupted"
    try:
        yield work
        outcome = "done"
    except Exception as error:
        outcome = f"failed: {error}"
        raise
    finally:
        replace(work, ended=datetime.now(UTC).isoformat(timespec="seconds"), outcome=outcome).write()


def all_work(warehouse: Warehouse) -> list[Work]:
    """Every note of *warehouse*, oldest first; one that is just being swept is left out."""
    found = (_read(path) for path in notes_of(warehouse).glob("*.json"))
    return sorted((work for work in found if work), key=lambda work: (work.since, work.pid))


def notes_of(warehouse: Warehouse) -> Path:
    """The folder of the notes of *warehouse*."""
    return warehouse.beside("work")


def read_note(path: Path) -> Work | None:
    """The note at *path*, None where there is none."""
    return _read(path)


def _read(path: Path) -> Work | None:
    try:
        facts: dict[str, Any] = json.loads(path.read_text())
        return Work(**facts | {"note": Path(facts["note"]), "progress": Path(facts["progress"])})
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _lives(pid: int, note: Path) -> bool:
    """Whether the process is the one that wrote the note, and no later one that was given the same PID."""
    try:
        process = psutil.Process(pid)
        started_before = process.create_time() <= note.stat().st_mtime + CLOCK_TOLERANCE_SECONDS
        return started_before and process.status() != psutil.STATUS_ZOMBIE
    except (psutil.Error, OSError):
        return False


def _is_young(path: Path) -> bool:
    """Whether it was written to within a day."""
    try:
        return time.time() - path.stat().st_mtime < KEPT_SECONDS
    except OSError:
        return False


def _sweep(folder: Path) -> None:
    for note in folder.glob("*.json"):
        work = _read(note)
        with suppress(OSError):
            if work and not work.alive and not _is_young(note):
                note.with_suffix(".jsonl").unlink(missing_ok=True)
                note.unlink()


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())
