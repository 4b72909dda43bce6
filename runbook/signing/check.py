"""Checking sign-offs: signature, signer, chain, subjects; and what of it counts now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lib.errors import CannotJudge, RunbookError
from runbook.manifest import file_digest
from runbook.signing.envelope import Envelope, read_envelope
from runbook.signing.log import FIRST, REVOCATION, SIGN_OFF, Entry, folder_of, read_log
from runbook.signing.signers import SANDBOX, Signer, signer_of
from runbook.signing.statement import Predicate, predicate_of, subjects

Roles = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Checked:
    """One line of the log with what is wrong with it; ``predicate`` is what was signed, for a sign-off that is one."""

    entry: Entry
    envelope: Envelope | None = None
    signer: Signer | None = None
    predicate: Predicate | None = None
    faults: tuple[str, ...] = ()
    revoked: str = ""


@dataclass(frozen=True)
class Book:
    """The whole log, each line checked; ``faults`` are those of the log itself."""

    lines: tuple[Checked, ...]
    faults: tuple[str, ...] = field(default=())

    @property
    def standing_sign_offs(self) -> list[Checked]:
        """The sign-offs that hold by themselves and were not revoked, newest first."""
        sound = [line for line in self.lines if line.predicate and not line.faults and not line.revoked]
        superseded = {line.predicate.supersedes for line in sound if line.predicate}
        return [line for line in reversed(sound) if line.entry.envelope not in superseded] if not self.faults else []

    @property
    def all_faults(self) -> list[str]:
        """Everything that is wrong, each with its envelope."""
        return [*self.faults, *(f"{line.entry.envelope}: {fault}" for line in self.lines for fault in line.faults)]


def read_book(runs: Path, signers: tuple[Signer, ...], expect_head: str = "", roles: Roles | None = None) -> Book:
    """Checks every line of the log, each envelope's signature and signer, and that no envelope lies beside the log.

    *roles* are those that may sign, by phase, as the policy has them now; None where there is no policy to ask.
    """
    try:
        entries = read_log(runs)
    except CannotJudge as error:
        return Book((), (str(error),))
    lines = tuple(_checked(runs, entry, signers, roles) for entry in entries)
    revoked = {name: why for line in lines if line.entry.kind == REVOCATION for name, why in _revocation(line, entries)}
    marked = tuple(_marked(line, revoked.get(line.entry.envelope, "")) for line in lines)
    return Book(marked, tuple(_log_faults(runs, entries, expect_head)))


def subject_faults(folder: Path, envelope: Envelope) -> list[str]:
    """Which files of a run are not those that were signed."""
    named = {name: digest for name, digest in subjects(envelope).items() if "/" not in name or (folder / name).exists()}
    wrong = {name: file_digest(folder / name) for name, digest in named.items() if file_digest(folder / name) != digest}
    return [
        f"{name} {'is gone' if found is None else 'is not what was signed'}" for name, found in sorted(wrong.items())
    ]


def _checked(runs: Path, entry: Entry, signers: tuple[Signer, ...], roles: Roles | None) -> Checked:
    path = folder_of(runs) / entry.envelope
    try:
        content = path.read_bytes()
        envelope = read_envelope(content, entry.envelope)
        predicate = None if entry.kind == REVOCATION else predicate_of(envelope, entry.envelope)
    except OSError:
        return Checked(entry, faults=("is gone",))
    except RunbookError as error:
        return Checked(entry, faults=(str(error),))
    signer = signer_of(envelope, signers)
    faults = [] if file_digest(path) == entry.envelope_digest else ["is not the envelope that the log names"]
    faults += _signer_faults(entry, envelope, signer, predicate, roles)
    return Checked(entry, envelope, signer, predicate, tuple(faults))


def _signer_faults(
    entry: Entry, envelope: Envelope, signer: Signer | None, predicate: Predicate | None, roles: Roles | None
) -> list[str]:
    if signer is None:
        return ["nobody who is trusted signed it"]
    faults = [] if envelope.statement["predicate"].get("after") == entry.previous else ["was signed after another line"]
    if predicate is None:
        return faults
    if (predicate.phase, predicate.run, predicate.signed_at) != (entry.phase, entry.run, entry.signed_at):
        faults.append("says another phase, run or time than the log")
    if predicate.signer != signer.name:
        faults.append(f"says that {predicate.signer} signed it, with the key of {signer.name}")
    if roles is not None and signer.role != SANDBOX and signer.role not in roles.get(predicate.phase, ()):
        faults.append(f"{signer.name} is {signer.role}, who may not sign phase {predicate.phase}")
    reason = signer.may_sign_at(predicate.signed_at, predicate.warehouse_id)
    return [*faults, reason] if reason else faults


def _revocation(line: Checked, entries: tuple[Entry, ...]) -> Iterable[tuple[str, str]]:
    """What a revocation takes back, of the lines before it; one at fault takes back those of its own phase and run."""
    earlier = [e for e in entries if e.kind == SIGN_OFF and e.sequence < line.entry.sequence]
    if line.envelope and not line.faults:
        named = subjects(line.envelope)
        reason = str(line.envelope.statement["predicate"]["reason"])
        yield from ((entry.envelope, reason) for entry in earlier if entry.envelope in named)
        return
    for entry in earlier:
        if (entry.phase, entry.run) == (line.entry.phase, line.entry.run):
            yield entry.envelope, f"its revocation {line.entry.envelope} {line.faults[0]}"


def _marked(line: Checked, reason: str) -> Checked:
    return Checked(line.entry, line.envelope, line.signer, line.predicate, line.faults, reason)


def _log_faults(runs: Path, entries: tuple[Entry, ...], expect_head: str) -> Iterable[str]:
    named = {entry.envelope for entry in entries}
    beside = sorted(path.name for path in folder_of(runs).glob("*.json") if path.name not in named)
    yield from (f"{name} lies beside the log, which does not name it" for name in beside)
    heads = [FIRST, *(entry.head for entry in entries)]
    if expect_head and expect_head not in heads:
        yield f"the log never had the head {expect_head[:12]}: it is another log, or its tail is cut off"
