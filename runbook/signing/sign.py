"""Signing: refused where anything is not green, not verified, or not one's own to sign; then one envelope a phase."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from lib.errors import BadInput, GateFailed
from lib.files import READ_ONLY, write_whole
from lib.settings import Settings
from lib.standing import Standing
from lib.warehouse import Warehouse
from runbook.manifest import Manifest, changed_code
from runbook.signing.derive import derived
from runbook.signing.envelope import seal
from runbook.signing.evidence import closing_step, faults_of, read_manifest
from runbook.signing.log import (
    FIRST,
    REVOCATION,
    SIGN_OFF,
    Entry,
    append,
    appending,
    read_log,
    set_aside,
    witness,
    witness_faults,
)
from runbook.signing.signers import SANDBOX, Signer
from runbook.signing.statement import (
    Predicate,
    ambers,
    make_statement,
    now,
    policy_digest,
    verifier,
)


@dataclass(frozen=True)
class Desk:
    """Where sign-offs are made: a warehouse with its runs, and who signs with which key."""

    warehouse: Warehouse
    settings: Settings
    runs: Path
    signer: Signer
    key: Ed25519PrivateKey

    def sign(
        self,
        run: str,
        phases: Sequence[str] = (),
        acknowledged: Sequence[str] = (),
        notes: str = "",
        supersedes: str = "",
    ) -> list[Entry]:
        """Signs *phases* of a run, all it proves where none is named. Nothing is written unless all can be signed.

        Raises BadInput where it is not one's own to sign, GateFailed where it is not green, CannotJudge where it is
        not proven.
        """
        folder = self.runs / run
        manifest = read_manifest(folder)
        chosen = list(phases) or signable(manifest)
        self._refuse(folder, manifest, chosen)
        found = derived(self.warehouse.absolute_url, folder, manifest.first, manifest.last, chosen)
        said = {
            phase: self._predicate(manifest, phase, found[phase], acknowledged, notes, supersedes) for phase in chosen
        }
        return [self._write(folder, manifest, predicate) for predicate in said.values()]

    def revoke(self, signoff: str, reason: str) -> Entry:
        """Takes a sign-off back, by its envelope's name; BadInput where there is none, or nobody says why."""
        known = {entry.envelope: entry for entry in read_log(self.runs) if entry.kind == SIGN_OFF}
        if signoff not in known:
            raise BadInput(f"no sign-off is called {signoff}: there are {', '.join(known) or 'none'}")
        if not reason.strip():
            raise BadInput("a revocation needs its reason")
        entry, when = known[signoff], now()
        statement = {
            "_type": "https://in-toto.io/Statement/v1",
            "subject": [{"name": signoff, "digest": {"sha256": entry.envelope_digest}}],
            "predicateType": "urn:backfill-runbook:revocation:v1",
            "predicate": {"reason": reason, "signer": self.signer.name, "signed_at": when.isoformat()},
        }
        return self._record(REVOCATION, entry.phase, entry.run, statement, when)

    def _refuse(self, folder: Path, manifest: Manifest, phases: list[str]) -> None:
        if not phases:
            raise BadInput(f"{manifest.run} proves no phase that could be signed: it ended {manifest.outcome}")
        for phase in phases:
            self._refuse_phase(manifest, phase)
        if manifest.warehouse_id != self.warehouse.meta().get("id", ""):
            raise BadInput(f"{manifest.run} was run on another warehouse, not on {self.warehouse.url}")
        if reason := self.signer.may_sign_at(now(), manifest.warehouse_id):
            raise BadInput(f"{reason}: nothing was signed")
        self._refuse_code(folder, manifest)
        if faults := faults_of(folder):
            raise GateFailed(f"{manifest.run} is not verified: {'; '.join(faults)}")

    def _refuse_phase(self, manifest: Manifest, phase: str) -> None:
        if phase not in signable(manifest):
            raise BadInput(
                f"{manifest.run} does not prove phase {phase}: it proves {', '.join(signable(manifest)) or 'none'}"
            )
        allowed = {SANDBOX} if self.signer.role == SANDBOX else set(self.settings.signing.roles.get(phase, ()))
        if self.signer.role not in allowed:
            raise BadInput(
                f"phase {phase} may be signed by {' or '.join(sorted(allowed)) or 'nobody'}, and {self.signer.name} is"
                f" {self.signer.role}: see [signing] in runbook.toml"
            )

    def _refuse_code(self, folder: Path, manifest: Manifest) -> None:
        if moved := changed_code(folder, manifest):
            raise GateFailed(f"{', '.join(moved)} is not what {manifest.run} was run with: run again, then sign that")
        if (manifest.dirty or verifier()["dirty"]) and not self.settings.signing.dirty_tree:
            raise GateFailed(
                f"{manifest.run} was run on a tree that differs from its revision: commit, run again, sign that"
            )

    def _predicate(
        self,
        manifest: Manifest,
        phase: str,
        found: dict[str, Any],
        acknowledged: Sequence[str],
        notes: str,
        supersedes: str,
    ) -> Predicate:
        _refuse_red(manifest, phase, found["verdicts"])
        due = ambers(found["verdicts"])
        if missing := [name for name in due if name not in acknowledged]:
            raise GateFailed(
                f"amber, and not acknowledged: {', '.join(missing)}; repeat with --acknowledge NAME for each"
            )
        return Predicate(
            phase=phase,
            run=manifest.run,
            signer=self.signer.name,
            role=self.signer.role,
            signed_at=now(),
            standing=Standing.model_validate(found["standing"]),
            verdicts=found["verdicts"],
            acknowledged=due,
            fingerprints=found["fingerprints"],
            engine=manifest.engine,
            warehouse_id=manifest.warehouse_id,
            policy=policy_digest(self.settings),
            verifier=verifier(),
            notes=notes,
            supersedes=supersedes,
        )

    def _write(self, folder: Path, manifest: Manifest, predicate: Predicate) -> Entry:
        statement = make_statement(folder, manifest, predicate)
        return self._record(SIGN_OFF, predicate.phase, manifest.run, statement, predicate.signed_at)

    def _record(self, kind: str, phase: str, run: str, statement: dict[str, Any], when: datetime) -> Entry:
        with appending(self.runs) as folder:
            log = read_log(self.runs)
            self._witness_what_is_new(log)
            set_aside(folder, log)
            name = f"{len(log) + 1:04d}-{kind}-phase-{phase}.json"
            statement["predicate"]["after"] = log[-1].head if log else FIRST
            content = seal(statement, self.key).model_dump_json(indent=1).encode()
            write_whole(folder / name, content, "envelope", READ_ONLY)
            entry = Entry(
                sequence=len(log) + 1, previous=log[-1].head if log else FIRST, kind=kind, phase=phase, run=run,
                envelope=name, envelope_digest=hashlib.sha256(content).hexdigest(), signed_at=when,
            )  # fmt: skip
            append(folder, entry)
        witness(self.warehouse, entry)
        return entry

    def catch_up(self) -> None:
        """Notes the heads in the warehouse that a crash kept from it."""
        with appending(self.runs):
            self._witness_what_is_new(read_log(self.runs))

    def _witness_what_is_new(self, log: tuple[Entry, ...]) -> None:
        """A line whose head did not reach the warehouse before a crash reaches it now; anything else is refused."""
        faults = witness_faults(self.warehouse, log)
        unseen = [fault for fault in faults if fault.endswith("has never seen this line")]
        if len(faults) > len(unseen):
            raise GateFailed(f"the log of sign-offs is not the one the warehouse knows: {'; '.join(faults)}")
        for entry in log[len(log) - len(unseen) :] if unseen else ():
            witness(self.warehouse, entry)


def signable(manifest: Manifest) -> list[str]:
    """The phases that a run proves to the end: the closing step of each, and every step before it."""
    proven = {step for step, record in manifest.latest.items() if record.state == "proven"}
    whole = manifest.outcome == "proven"
    names = {str(phase): closing_step(str(phase)) for phase in manifest.phases}
    return [phase for phase, step in names.items() if whole and step in proven]


def _refuse_red(manifest: Manifest, phase: str, verdicts: list[dict[str, Any]]) -> None:
    for verdict in verdicts:
        if verdict["verdict"] == "red":
            finding = next(item for item in verdict["findings"] if item["severity"] == "red")
            raise GateFailed(
                f"phase {phase} is not green any more: {manifest.run} says it was, and derived again gate"
                f" '{verdict['gate']}' is red: {finding['where']}: {finding['what']}; repair it with 'runbook run', and sign that run"
            )
