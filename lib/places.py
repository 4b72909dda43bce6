"""Where a relative path counts from: one of the settings from the project, whoever reads it and wherever that is."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from lib.settings import ROOT

FILES = ("RUNBOOK_CONFIG", "RUNBOOK_SIGNERS")  # what in the environment names a file


def from_project(path: Path) -> Path:
    """A path of the settings as any process has to write it; ``~`` is the home of whoever asks."""
    return ROOT / path.expanduser()


def near(path: Path) -> Path:
    """The same path, as short as it can be said from the folder that this process works in."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


def url_from_project(url: str, said: Callable[[Path], Path] = Path) -> str:
    """The URL of a warehouse with the path of a DuckDB file counted from the project, and written as *said* does."""
    scheme, _, path = url.partition(":///")
    return f"duckdb:///{said(from_project(Path(path)))}" if scheme == "duckdb" and path.strip("/") else url


def settle_environment() -> None:
    """Files that the environment names count from here, also for what this process starts in the project's folder."""
    for name in FILES:
        if os.environ.get(name):
            os.environ[name] = os.path.abspath(os.environ[name])
