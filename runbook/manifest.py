"""The manifest of a run: what was executed, on what, by which code, and what it said."""

from __future__ import annotations

import hashlib
import os
import platform
import subprocess
from collections.abc import Iterable
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from lib.settings import ROOT

CODE = ("lib", "runbook", "notebooks", "runbook.toml", "requirements.lock")
PACKAGES = ("duckdb", "sqlglot", "papermill", "nbclient", "ipykernel", "pandas", "plotly", "pydantic")
SCHEMA = 2  # 1 knew no digests of files beside the notebooks


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
    outcome: str = "running"
    finished: datetime | None = None

    def close(self, folder: Path, outcome: str) -> None:
        """The last word: the outcome, and the digest of every file that is no executed notebook; all read-only now."""
        self.outcome, self.finished = outcome, datetime.now(UTC)
        archives = {record.archive for record in self.steps}
        rest = {path: str(path.relative_to(folder)) for path in sorted(folder.rglob("*")) if path.is_file()}
        kept = {path: name for path, name in rest.items() if name not in {"manifest.json", *archives}}
        self.files = {name: file_digest(path) or "" for path, name in kept.items()}
        self.write(folder)
        for path in rest:
            path.chmod(0o444)

    def write(self, folder: Path) -> None:
        """Writes ``manifest.json`` whole or not at all."""
        write_whole(folder / "manifest.json", self.model_dump_json(indent=1).encode())


def code_digests() -> dict[str, str]:
    """SHA-256 of everything verdicts come from, by name."""
    return {name: tree_digest(ROOT / name) for name in CODE if (ROOT / name).exists()}


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


def write_whole(path: Path, content: bytes) -> None:
    """Writes a file under a temporary name, fsynced, then renamed."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    with temporary.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    os.replace(temporary, path)


def _source_files(folder: Path) -> Iterable[Path]:
    skip = {"__pycache__", ".ipynb_checkpoints"}
    return (file for file in folder.rglob("*") if file.is_file() and not skip & set(file.parts))


def _git(*words: str) -> str | None:
    try:
        found = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return found.stdout
