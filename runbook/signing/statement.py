"""The statement: one in-toto Statement that binds a person, a phase, a range, verdicts, bytes and data."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from lib.errors import CannotJudge
from lib.settings import Settings
from lib.standing import Standing
from runbook.manifest import Manifest, code_digests, file_digest, revision, versions
from runbook.signing.envelope import Envelope

TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "urn:backfill-runbook:sign-off:v1"


class Predicate(BaseModel):
    """What a signer says about the subjects."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    phase: str
    run: str
    signer: str
    role: str
    signed_at: datetime
    standing: Standing
    verdicts: list[dict[str, Any]]
    acknowledged: list[str]
    fingerprints: dict[str, Any]
    engine: str
    warehouse_id: str
    policy: str
    verifier: dict[str, Any]
    notes: str
    supersedes: str
    after: str = ""  # head of the log when it was signed


def policy_digest(settings: Settings) -> str:
    """SHA-256 of the policy and of where the range starts."""
    policy = settings.signing.model_dump(mode="json") | {"start_date": str(settings.start_date)}
    return hashlib.sha256(json.dumps(policy, sort_keys=True).encode()).hexdigest()


def verifier() -> dict[str, Any]:
    """The code that derived the verdicts, and what it ran on."""
    head, dirty = revision()
    return {"code": code_digests(), "revision": head, "dirty": dirty, "versions": versions()}


def make_statement(folder: Path, manifest: Manifest, predicate: Predicate) -> dict[str, Any]:
    """The statement over a run's files and its tables' fingerprints."""
    return {
        "_type": TYPE,
        "subject": [*_files(folder, manifest), *_tables(predicate)],
        "predicateType": PREDICATE_TYPE,
        "predicate": predicate.model_dump(mode="json"),
    }


def _files(folder: Path, manifest: Manifest) -> list[dict[str, Any]]:
    names = ["manifest.json", *(r.archive for r in manifest.steps if r.archive_digest), *manifest.files]
    return [{"name": name, "digest": {"sha256": file_digest(folder / name) or ""}} for name in names]


def _tables(predicate: Predicate) -> list[dict[str, Any]]:
    return [
        {"name": f"{table}/{season}", "digest": {"sha256": found["sha256"]}}
        for table, seasons in predicate.fingerprints.items()
        for season, found in seasons.items()
    ]


def subjects(envelope: Envelope) -> dict[str, str]:
    """Name and SHA-256 of everything the envelope is about."""
    return {item["name"]: item["digest"]["sha256"] for item in envelope.statement["subject"]}


def predicate_of(envelope: Envelope, name: str) -> Predicate:
    """The predicate of an envelope; CannotJudge, naming it, where it is none of ours."""
    statement = envelope.statement
    if (statement.get("_type"), statement.get("predicateType")) != (TYPE, PREDICATE_TYPE):
        raise CannotJudge(f"{name} is no sign-off of this runbook")
    try:
        subjects(envelope)
        return Predicate.model_validate(statement["predicate"])
    except (KeyError, TypeError, ValueError) as error:
        raise CannotJudge(f"{name} is damaged: {str(error).splitlines()[0]}") from error


def now() -> datetime:
    """The clock of this machine, UTC, to the second."""
    return datetime.now(UTC).replace(microsecond=0)


def ambers(verdicts: Sequence[dict[str, Any]]) -> list[str]:
    """The names of the amber findings, each once: what a signer must acknowledge."""
    findings = [finding for verdict in verdicts for finding in verdict["findings"]]
    return list(dict.fromkeys(finding["where"] for finding in findings if finding["severity"] == "amber"))
