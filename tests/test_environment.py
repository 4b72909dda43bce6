"""One source of truth for dependencies: pyproject.toml, the lock and environment.yml agree."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def _name(requirement: str) -> str:
    return re.split(r"[<>=!~;\[ ]", requirement.strip(), maxsplit=1)[0].lower().replace("_", "-")


def _locked() -> set[str]:
    return {_name(line) for line in (ROOT / "requirements.lock").read_text().splitlines() if line.strip()}


def test_every_declared_dependency_is_in_the_lock() -> None:
    declared = [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["dev"]]
    assert {_name(requirement) for requirement in declared} <= _locked()


def test_every_line_of_the_lock_is_pinned() -> None:
    lines = [line for line in (ROOT / "requirements.lock").read_text().splitlines() if line.strip()]
    assert all("==" in line for line in lines)


def test_the_lock_names_no_host() -> None:
    assert "://" not in (ROOT / "requirements.lock").read_text()


def test_conda_installs_the_same_lock_on_the_same_python() -> None:
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    python, _, pip = environment["dependencies"]
    assert python == f"python{PROJECT['requires-python']}"
    assert pip["pip"] == ["-r requirements.lock", "-e ."]


def test_what_the_user_settled_is_declared() -> None:
    settled = {"jupyterlab", "papermill", "google-cloud-bigquery", "pandas", "plotly", "nbval", "pytest"}
    declared = {_name(r) for r in [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["dev"]]}
    assert settled <= declared
