"""One source of truth for dependencies: pyproject.toml, the lock and environment.yml agree."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
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


def test_every_package_that_the_code_imports_is_declared() -> None:
    declared = {_name(r) for r in [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["fetch"]]}
    distributions = packages_distributions()
    unknown = {
        f"{path.relative_to(ROOT)} imports {module}"
        for folder in ("lib", "runbook")
        for path in (ROOT / folder).rglob("*.py")
        for module in _imported(path)
        if not declared & {_name(found) for found in distributions.get(module, [module])}
    }
    assert not unknown


def _imported(path: Path) -> Iterator[str]:
    """The packages of others that a module imports, at its top or inside a function."""
    for node in ast.walk(ast.parse(path.read_text())):
        names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []
        for top in (name.partition(".")[0] for name in names):
            if top not in sys.stdlib_module_names and top not in ("lib", "runbook"):
                yield top
