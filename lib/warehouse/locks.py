"""One writer or several readers on a warehouse file, across processes.

DuckDB itself lets one process write *or* several read and refuses the rest. These locks queue the processes in front
of it. A writer takes the turnstile first and keeps it while it waits, so readers that come later cannot starve it.
The operating system frees both locks when a process dies.
"""

from __future__ import annotations

import fcntl
import os
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lib.errors import CannotJudge


@contextmanager
def reading(database: Path, wait: float) -> Iterator[None]:
    """Holds the file together with other readers; CannotJudge after *wait* seconds."""
    deadline = time.monotonic() + wait
    with _held(_beside(database, "turnstile"), fcntl.LOCK_SH, deadline, database):
        lock = _held(_beside(database, "lock"), fcntl.LOCK_SH, deadline, database)
        lock.__enter__()
    try:
        yield
    finally:
        lock.__exit__(None, None, None)


@contextmanager
def writing(database: Path, wait: float) -> Iterator[None]:
    """Holds the file alone; CannotJudge after *wait* seconds."""
    deadline = time.monotonic() + wait
    with _held(_beside(database, "turnstile"), fcntl.LOCK_EX, deadline, database) as announcement:
        os.ftruncate(announcement, 0)
        os.pwrite(announcement, str(os.getpid()).encode(), 0)
        with _held(_beside(database, "lock"), fcntl.LOCK_EX, deadline, database):
            yield


def _beside(database: Path, kind: str) -> Path:
    return database.with_name(f"{database.name}.{kind}")


@contextmanager
def _held(path: Path, mode: int, deadline: float, database: Path) -> Iterator[int]:
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    except OSError as error:
        raise CannotJudge(f"{database} cannot be shared: {path} cannot be written: {error.strerror}") from error
    try:
        _acquire(handle, mode, deadline, database)
        yield handle
    finally:
        os.close(handle)


def _acquire(handle: int, mode: int, deadline: float, database: Path) -> None:
    while True:
        try:
            return fcntl.flock(handle, mode | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise CannotJudge(_who(handle, database)) from None
            time.sleep(random.uniform(0.002, 0.02))


def _who(handle: int, database: Path) -> str:
    writer = os.pread(handle, 20, 0).decode() or "unknown"
    return f"{database} is held by another runbook process (last writer: PID {writer}); wait for it to end, or end it"
