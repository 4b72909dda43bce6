"""Leases of an embedded warehouse: a lock file that dies with its process, and a token counter in the file.

The lock file of phase 3's 17th lease is ``warehouse.duckdb.lease-3-17``: held under flock by its owner, its time of
change is the heartbeat. Signs of life thus cost no write of the warehouse, which would keep readers out.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lib.dialect import create_table
from lib.lease import Fence, Fenced, Lease, Owner, Taken
from lib.registry import registry

if TYPE_CHECKING:
    import duckdb

BEATS = 6  # signs of life within the time after which a holder is taken for dead
_COLUMNS = "phase, token, user_name, host, pid, work, since, heartbeat"


@dataclass
class FileLeases:
    """Leases whose lock files this process holds."""

    leases: tuple[Lease, ...]
    beat_seconds: float
    _locks: list[tuple[Path, int]]

    def renew(self) -> None:
        """Touches the lock files. Raises Fenced where one was taken away by a later runner."""
        for lease, (_, handle) in zip(self.leases, self._locks, strict=True):
            if os.fstat(handle).st_nlink == 0:
                raise Fenced(lease.fence, None)
            os.utime(handle)

    def release(self) -> None:
        """Removes the lock files that are still ours, and frees them."""
        while self._locks:
            path, handle = self._locks.pop()
            if os.fstat(handle).st_nlink:
                path.unlink(missing_ok=True)
            os.close(handle)


def take(
    database: Path, connection: duckdb.DuckDBPyConnection, phases: Sequence[str], owner: Owner, patience: float
) -> FileLeases:
    """Takes *phases*, inside a transaction that has the file alone; raises Taken where somebody lives and works."""
    connection.execute(create_table(registry().tables["runbook.leases"].contract))
    now = datetime.now(UTC)
    for lease in held(database):
        age = (now - lease.heartbeat).total_seconds()
        if lease.phase in phases and age < patience:
            raise Taken(lease, age)
    held_now = FileLeases((), patience / BEATS, [])
    try:
        for phase in phases:
            lease = Lease(phase, _next_token(connection, phase), owner, now, now)
            _note(connection, lease)
            held_now._locks.append(_lock(database, lease))
            held_now.leases += (lease,)
    except BaseException:
        held_now.release()
        raise
    return held_now


def held(database: Path) -> list[Lease]:
    """The leases whose owners live, by phase."""
    found = (_read(path) for path in database.parent.glob(f"{database.name}.lease-*-*") if _is_held(path))
    return sorted((lease for lease in found if lease), key=lambda lease: (lease.phase, lease.token))


def show(connection: duckdb.DuckDBPyConnection, fence: Fence) -> None:
    """Shows a token inside the transaction of a publish. Raises Fenced where it is not the phase's latest."""
    changed = connection.execute(
        "UPDATE runbook.leases SET heartbeat = now() WHERE phase = $1 AND token = $2", [fence.phase, fence.token]
    ).fetchone()
    if not changed or changed[0] != 1:
        raise Fenced(fence, _latest(connection, fence.phase))


def _next_token(connection: duckdb.DuckDBPyConnection, phase: str) -> int:
    found = connection.execute("SELECT coalesce(max(token), 0) + 1 FROM runbook.leases WHERE phase = $1", [phase])
    return int((found.fetchone() or (1,))[0])


def _note(connection: duckdb.DuckDBPyConnection, lease: Lease) -> None:
    connection.execute("DELETE FROM runbook.leases WHERE phase = $1", [lease.phase])
    who = lease.owner
    values = [lease.phase, lease.token, who.user, who.host, who.pid, who.work, lease.since, lease.heartbeat]
    connection.execute(f"INSERT INTO runbook.leases ({_COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)", values)


def _latest(connection: duckdb.DuckDBPyConnection, phase: str) -> Lease | None:
    times = "epoch(since), epoch(heartbeat)"  # fetching a TIMESTAMPTZ directly needs pytz
    row = connection.execute(
        f"SELECT phase, token, user_name, host, pid, work, {times} FROM runbook.leases WHERE phase = $1", [phase]
    ).fetchone()
    if row is None:
        return None
    return Lease(row[0], row[1], Owner(*row[2:6]), *(datetime.fromtimestamp(at, UTC) for at in row[6:]))


def _lock(database: Path, lease: Lease) -> tuple[Path, int]:
    """The lock file, already held when its name appears; those of the phase's earlier leases go."""
    path = database.with_name(f"{database.name}.lease-{lease.phase}-{lease.token}")
    unfinished = database.with_name(f"{database.name}.new-lease-{lease.owner.pid}-{lease.phase}")
    handle = os.open(unfinished, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o644)
    fcntl.flock(handle, fcntl.LOCK_EX)
    facts = {"phase": lease.phase, "token": lease.token, "owner": asdict(lease.owner), "since": lease.since.isoformat()}
    os.write(handle, json.dumps(facts).encode())
    for earlier in database.parent.glob(f"{database.name}.lease-{lease.phase}-*"):
        earlier.unlink(missing_ok=True)
    unfinished.rename(path)
    return path, handle


def _is_held(path: Path) -> bool:
    try:
        handle = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False


def _read(path: Path) -> Lease | None:
    facts: dict[str, Any] = {}
    with suppress(OSError, ValueError):
        facts = json.loads(path.read_text())
        seen = datetime.fromtimestamp(path.stat().st_mtime, UTC)
        owner, since = Owner(**facts["owner"]), datetime.fromisoformat(facts["since"])
        return Lease(facts["phase"], facts["token"], owner, since, seen)
    return None
