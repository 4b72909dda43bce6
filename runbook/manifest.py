"""The manifest of a run: what was executed, on what, by which code, and what it said."""

from __future__ import annotations

import hashlib
import json
import platform
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from lib.files import READ_ONLY, is_temporary, write_whole
from lib.settings import ROOT
from runbook.secrets import redact, redacted

CODE = ("lib", "runbook", "notebooks", "runbook.toml", "requirements.lock")
PACKAGES = ("duckdb", "sqlglot", "papermill", "nbclient", "ipykernel", "pandas", "plotly", "pydantic")
# 1 knew no digests of files beside the notebooks; 2 no chain, fingerprints, kernels, tracebacks nor adopted notebooks
SCHEMA = 3
MANIFEST = "manifest.json"
NOT_EVIDENCE = ("index.html",)  # the report is made anew from the evidence at any time
SOURCES = "code.json"  # digest of every file of the code


class StepRecord(BaseModel):
    """One executed notebook."""

    model_config = ConfigDict(extra="forbid")

    step: str
    template: str
    template_digest: str
    parameters: dict[str, Any]
    archive: str
    archive_digest: str | None
    state: str
    reason: str
    verdicts: list[dict[str, Any]]
    started: datetime
    seconds: float
    stderr_warnings: int
    kernel: str = ""  # language and version of the kernel, as the archive says
    adopted: bool = False  # executed by hand in JupyterLab


class PlannedStep(BaseModel):
    """One step of the chain as it was planned; steps of one wave run side by side."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    notebook: str
    parameters: dict[str, Any]
    wave: int


class Prints(BaseModel):
    """Fingerprints of one table over the run's range, by season, before and after; None where they were not taken."""

    model_config = ConfigDict(extra="forbid")

    before: dict[str, dict[str, Any]] | None = None
    after: dict[str, dict[str, Any]] | None = None


class Earlier(BaseModel):
    """How a run stood when it was resumed: its first ``records`` steps were executed before."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    at: datetime
    outcome: str
    stopped: str
    finished: datetime | None
    records: int


class Manifest(BaseModel):
    """A whole run. ``outcome`` is running until the run has ended, so a crash is seen as one."""

    model_config = ConfigDict(extra="forbid")

    schema_version: int = SCHEMA
    run: str
    created: datetime = Field(default_factory=lambda: datetime.now(UTC))
    warehouse: str
    warehouse_id: str
    engine: str
    as_of: str
    first: str
    last: str
    phases: list[int | str]
    plan_digest: str
    tokens: dict[str, int] = Field(default_factory=dict)  # of the leases it published under, by phase
    code: dict[str, str]
    reviewed_plan: str | None = None  # digest of the reviewed plan that it carried out
    revision: str | None
    dirty: bool | None
    versions: dict[str, str]
    steps: list[StepRecord] = Field(default_factory=list)
    files: dict[str, str] = Field(default_factory=dict)  # SHA-256 of every other file of the folder
    estimates: list[dict[str, Any]] = Field(default_factory=list)  # seconds beside actual ones, by table
    chain: list[PlannedStep] = Field(default_factory=list)
    underway: list[str] = Field(default_factory=list)  # the steps that were being executed when this was written
    tables: dict[str, Prints] = Field(default_factory=dict)  # the tables that the plan computes
    resumed: list[Earlier] = Field(default_factory=list)  # each time the run was resumed
    outcome: str = "running"
    finished: datetime | None = None

    @property
    def latest(self) -> dict[str, StepRecord]:
        """The last record of each step: one that was not proven may have been executed again."""
        return {record.step: record for record in self.steps}

    @property
    def stopped(self) -> str:
        """Where a run that did not end stands."""
        done = sum(record.state == "proven" for record in self.latest.values())
        where = f"in {', '.join(self.underway)}" if self.underway else "between two steps"
        return f"it stopped {where}, with {done} of {len(self.chain) or '?'} steps proven"

    def reopen(self, folder: Path) -> None:
        """The run is going on again; how it stood is kept."""
        stood = Earlier(
            at=datetime.now(UTC),
            outcome=self.outcome,
            stopped=self.stopped,
            finished=self.finished,
            records=len(self.steps),
        )
        self.resumed.append(stood)
        self.outcome, self.finished, self.underway, self.files = "running", None, [], {}
        self.write(folder)

    def close(self, folder: Path, outcome: str) -> None:
        """The last word: the outcome, and the digest of every file that is no executed notebook; all read-only now."""
        self.outcome, self.finished, self.underway = outcome, datetime.now(UTC), []
        archives = {record.archive for record in self.steps}
        _redact_progress(folder)
        found = (path for path in sorted(folder.rglob("*")) if path.is_file() and not is_temporary(path))
        rest = {path: str(path.relative_to(folder)) for path in found}
        kept = {path: name for path, name in rest.items() if name not in {MANIFEST, *NOT_EVIDENCE, *archives}}
        self.files = {name: file_digest(path) or "" for path, name in kept.items()}
        self.write(folder)
        for path in rest:
            path.chmod(READ_ONLY)

    def write(self, folder: Path) -> None:
        """Writes ``manifest.json`` whole or not at all."""
        content = json.dumps(redact(self.model_dump(mode="json")), indent=1, ensure_ascii=False).encode()
        write_whole(folder / MANIFEST, content, "manifest", READ_ONLY if self.finished else 0o644)


def _redact_progress(folder: Path) -> None:
    """What failed is noted while it happens, as the engine says it, which may repeat what it was given."""
    for path in folder.glob("*.jsonl"):
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
        if (clean := [_redacted_line(line) for line in lines]) != lines:
            path.write_text("".join(f"{line}\n" for line in clean), encoding="utf-8")


def _redacted_line(line: str) -> str:
    try:
        noted = json.loads(line)
    except ValueError:  # half a line, of a process that was killed
        return redacted(line)
    return line if (clean := redact(noted)) == noted else json.dumps(clean)


@dataclass(frozen=True)
class Code:
    """Digests of everything verdicts come from: by name, and file by file."""

    trees: dict[str, str]
    files: dict[str, str]

    @classmethod
    def now(cls) -> Code:
        """As it lies there."""
        return cls(code_digests(), source_digests())


def code_digests() -> dict[str, str]:
    """SHA-256 of everything verdicts come from, by name."""
    return {name: tree_digest(ROOT / name) for name in CODE if (ROOT / name).exists()}


def source_digests() -> dict[str, str]:
    """SHA-256 of every file that verdicts come from, by its path in the project."""
    paths = [ROOT / name for name in CODE if (ROOT / name).exists()]
    files = [file for path in paths for file in ([path] if path.is_file() else sorted(_source_files(path)))]
    return {str(file.relative_to(ROOT)): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def changed_code(folder: Path, manifest: Manifest) -> list[str]:
    """What verdicts come from and is not what the run was begun with: files where the run kept their digests."""
    here = code_digests()
    moved = sorted(name for name in {*here, *manifest.code} if here.get(name) != manifest.code.get(name))
    if not moved or not (folder / SOURCES).is_file():
        return moved
    kept, found = json.loads((folder / SOURCES).read_text()), source_digests()
    return sorted(name for name in {*kept, *found} if kept.get(name) != found.get(name)) or moved


def tree_digest(path: Path) -> str:
    """SHA-256 over the names and bytes of a file or folder; caches and checkpoints left out."""
    files = [path] if path.is_file() else sorted(_source_files(path))
    digest = hashlib.sha256()
    for file in files:
        digest.update(f"{file.relative_to(path.parent)}\0".encode())
        digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()


def revision() -> tuple[str | None, bool | None]:
    """The git revision, and whether what verdicts come from differs from it; (None, None) outside a checkout."""
    head = _git("rev-parse", "HEAD")
    return (head.strip(), bool(_git("status", "--porcelain", "--", *CODE))) if head else (None, None)


def versions() -> dict[str, str]:
    """Python and the packages that matter."""
    return {"python": platform.python_version(), **{name: version(name) for name in PACKAGES}}


def file_digest(path: Path) -> str | None:
    """SHA-256 of a file, None where there is none."""
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None


def _source_files(folder: Path) -> Iterable[Path]:
    skip = {"__pycache__", ".ipynb_checkpoints"}
    return (file for file in folder.rglob("*") if file.is_file() and not skip & set(file.parts))


def _git(*words: str) -> str | None:
    try:
        found = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return found.stdout
