"""A signed archive of the pocket league, and a person with a key of her own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest

from lib.settings import ROOT, Settings, load_settings
from lib.warehouse import EmbeddedWarehouse, connect
from runbook.options import Place
from runbook.signing.sign import Desk
from runbook.signing.signers import line_of, make_sandbox_key, new_key, read_signers
from runbook.verbs.gate import phase_states

LAST = date(2024, 12, 1)  # the range that is signed ends before as-of


@dataclass
class Archive:
    """A warehouse and its runs, of which one is signed by the sandbox itself."""

    warehouse: EmbeddedWarehouse
    runs: Path
    run: str
    settings: Settings

    @property
    def folder(self) -> Path:
        return self.runs / self.run

    @property
    def signoffs(self) -> Path:
        return self.runs / "signoffs"

    def state(self, phase: int | str = 3, settings: Settings | None = None) -> tuple[str, str]:
        """State and sentence of a phase, as ``runbook status`` says them."""
        place = Place(self.warehouse, settings or self.settings)
        found = next(line for line in phase_states(place, self.runs) if line["phase"] == phase)
        return found["state"], found["says"]


@pytest.fixture(scope="session")
def signed_once(computed_file: Path, settings_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Run once from the command line, up to LAST: validated, signed by the sandbox. Copy it; never change it."""
    folder = tmp_path_factory.mktemp("signed")
    shutil.copy(computed_file, folder / "w.duckdb")
    warehouse = connect(f"duckdb:///{folder / 'w.duckdb'}", wait=20)
    make_sandbox_key(warehouse, warehouse.meta()["id"])
    command = [sys.executable, "-m", "runbook", "run", "--end-date", str(LAST), "--warehouse", warehouse.url]
    env = os.environ | {"RUNBOOK_CONFIG": str(settings_file), "RUNBOOK_RUNS": str(folder / "runs")}
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "COMPLETE, phases 3: signed by the sandbox's throw-away key" in done.stdout
    return folder


@pytest.fixture
def archive(signed_once: Path, pocket_environment: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Archive:
    """A copy of one's own, where nobody else has a key yet."""
    shutil.copytree(signed_once, tmp_path, dirs_exist_ok=True)
    monkeypatch.setenv("RUNBOOK_SIGNERS", str(tmp_path / "signers.toml"))
    warehouse = connect(f"duckdb:///{tmp_path / 'w.duckdb'}", wait=20)
    runs = tmp_path / "runs"
    return Archive(warehouse, runs, next(runs.glob("*/manifest.json")).parent.name, load_settings())


def person(archive: Archive, name: str = "ada", role: str = "data-lead") -> Desk:
    """Somebody with a key in signers.toml, at her desk."""
    folder = archive.runs.parent
    key = new_key(folder / f"{name}.pem")
    with (folder / "signers.toml").open("a") as stream:
        stream.write(line_of(name, key, role))
    signer = next(signer for signer in read_signers(folder / "signers.toml") if signer.name == name)
    return Desk(archive.warehouse, archive.settings, archive.runs, signer, key)
