"""One runner at a time: a lease per warehouse and phase.

A lease has an owner, a heartbeat and a token that grows with every lease of its phase. Who dies, or shows no sign of
life for too long, loses it to the next who asks. Each publish shows its token inside its own transaction, so a runner
that was only slow can no longer publish. Whoever merely reads, judges or signs needs no lease.
"""

from __future__ import annotations

import getpass
import json
import os
import socket
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Event, Thread
from typing import TYPE_CHECKING, Protocol

from lib.errors import CannotJudge

if TYPE_CHECKING:
    from lib.warehouse.interface import Warehouse

VARIABLE = "RUNBOOK_LEASE"  # how the notebooks of a run know the tokens they publish under


@dataclass(frozen=True)
class Owner:
    """Who works, where, and at what."""

    user: str
    host: str
    pid: int
    work: str

    def __str__(self) -> str:
        return f"{self.user}@{self.host} (PID {self.pid}: {self.work})"


@dataclass(frozen=True)
class Fence:
    """What a publish shows: it counts only while nobody has a later lease of the phase."""

    phase: str
    token: int


@dataclass(frozen=True)
class Lease:
    """One phase of a warehouse in one owner's hands; times in UTC, by the clock of the engine."""

    phase: str
    token: int
    owner: Owner
    since: datetime
    heartbeat: datetime

    @property
    def fence(self) -> Fence:
        """What a publish under this lease shows."""
        return Fence(self.phase, self.token)

    def __str__(self) -> str:
        return f"{self.owner} has worked on phase {self.phase} since {said_time(self.since)}"


class HeldLeases(Protocol):
    """Leases in this process's hands, as the engine keeps them."""

    leases: tuple[Lease, ...]
    beat_seconds: float  # how often the engine wants a sign of life

    def renew(self) -> None:
        """A sign of life. Raises Fenced where somebody has taken a lease over."""

    def release(self) -> None:
        """Gives all of them back."""


class Taken(CannotJudge):
    """Somebody else works on the phase: nothing was changed."""

    def __init__(self, lease: Lease, seconds: float) -> None:
        super().__init__(
            f"{lease}, last sign of life {seconds:.0f} s ago: one runner at a time; wait for it to end, or end it."
            " Nothing was changed"
        )
        self.lease = lease


class Fenced(CannotJudge):
    """The lease was taken over in the meantime: nothing was published."""

    def __init__(self, fence: Fence, now: Lease | None) -> None:
        whose = f"{now}, token {now.token}" if now else "its lease is gone"
        super().__init__(
            f"this runner lost phase {fence.phase} (its token was {fence.token}): {whose}. Nothing was published; run again"
        )


def said_time(at: datetime) -> str:
    """For instance ``2026-01-05 18:04:11 UTC``."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def myself(work: str) -> Owner:
    """The owner that this process is."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container without a passwd entry
        user = f"uid {os.getuid()}"
    return Owner(user, socket.gethostname(), os.getpid(), work)


@contextmanager
def holding(
    warehouse: Warehouse, phases: Iterable[object], work: str, patience: float
) -> Iterator[Mapping[str, Fence]]:
    """Holds the leases of *phases*, all or none, and shows signs of life meanwhile; gives what publishes must show.

    A holder that has shown none for *patience* seconds is taken over. Raises Taken, naming who works, before anything
    is changed.
    """
    held = warehouse.take_leases(tuple(sorted({str(phase) for phase in phases})), myself(work), patience)
    over = Event()
    beat = Thread(target=_beat, args=(held, over), name="lease", daemon=True)
    beat.start()
    try:
        yield {lease.phase: lease.fence for lease in held.leases}
    finally:
        over.set()
        beat.join()
        held.release()


def _beat(held: HeldLeases, over: Event) -> None:
    while not over.wait(held.beat_seconds):
        try:
            held.renew()
        except Fenced:
            return
        except (CannotJudge, OSError):
            continue  # the next beat may get through; until then the lease ages, as it should


def as_environment(warehouse: Warehouse, fences: Mapping[str, Fence]) -> dict[str, str]:
    """The environment that lets processes of the same run publish under its tokens."""
    tokens = {fence.phase: fence.token for fence in fences.values()}
    return {VARIABLE: json.dumps({"warehouse": warehouse.absolute_url, "tokens": tokens})}


def inherited(warehouse: Warehouse) -> dict[str, Fence]:
    """What the run that started this process holds of *warehouse*, by phase; empty outside a run."""
    try:
        said = json.loads(os.environ.get(VARIABLE) or "{}")
        tokens = said["tokens"] if said.get("warehouse") == warehouse.absolute_url else {}
        return {phase: Fence(phase, int(token)) for phase, token in tokens.items()}
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        raise CannotJudge(f"{VARIABLE} is set to something that no run wrote: unset it") from error


@contextmanager
def publishing(warehouse: Warehouse, phase: object, work: str, patience: float) -> Iterator[Fence]:
    """The fence to publish under: the run's where this process belongs to one, else that of a lease of one's own."""
    ours = inherited(warehouse).get(str(phase))
    if ours is not None:
        yield ours
        return
    with holding(warehouse, [phase], work, patience) as fences:
        yield fences[str(phase)]


def as_rows(leases: Sequence[Lease]) -> list[dict[str, object]]:
    """Who works, a line a lease, for tables and JSON."""
    return [
        {
            "phase": lease.phase,
            "user": lease.owner.user,
            "host": lease.owner.host,
            "pid": lease.owner.pid,
            "work": lease.owner.work,
            "since": said_time(lease.since),
            "last_sign_of_life": said_time(lease.heartbeat),
        }
        for lease in leases
    ]
