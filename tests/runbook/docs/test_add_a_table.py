"""``docs/add-a-table.md``, followed to the letter on a copy of the project."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from lib.settings import ROOT
from tests.conftest import POCKET, changed_settings
from tests.runbook.docs.commands import BLOCK

PAGE = ROOT / "docs" / "add-a-table.md"
TABLE = "nba_analytics.team_top_scorer"
COPIED = ("lib", "runbook", "notebooks", "pyproject.toml", "requirements.lock", "runbook.toml")


class Reader:
    """A person with a copy of the project and the pocket league, who does what the page says."""

    def __init__(self, folder: Path, computed: Path) -> None:
        self.tree, self.runs = folder / "tree", folder / "runs"
        self.tree.mkdir()
        for name in COPIED:
            copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
            copy(ROOT / name, self.tree / name)
        shutil.copy(computed, folder / "warehouse.duckdb")
        self.environment = os.environ | {
            "PYTHONPATH": str(self.tree),
            "PATH": f"{_runbook_script(folder)}:{Path(sys.executable).parent}:{os.environ['PATH']}",
            "RUNBOOK_WAREHOUSE": f"duckdb:///{folder / 'warehouse.duckdb'}",
            "RUNBOOK_RUNS": str(self.runs),
            "RUNBOOK_CONFIG": str(folder / "runbook.toml"),
            "COLUMNS": "160",
        }

    def write_the_file(self) -> None:
        """Step 1: the path from the heading, the text from the block."""
        path = re.findall(r"^## 1\. The file `(.*)`$", PAGE.read_text(), re.MULTILINE)[0]
        (self.tree / path).write_text(_block("sql"))

    def add_the_line(self) -> None:
        """Step 2: the line under ``[tables]``."""
        path = self.tree / "runbook.toml"
        head, tables, rest = re.split(r"(^\[tables\].*\n)", path.read_text(), flags=re.MULTILINE)
        path.write_text(head + tables + _block("toml") + rest)

    def run(self, command: str) -> subprocess.CompletedProcess[str]:
        """A command of the page, in the copy, with the settings of the pocket league."""
        changed_settings(self.tree / "runbook.toml", Path(self.environment["RUNBOOK_CONFIG"]), POCKET)
        return subprocess.run(
            command, shell=True, cwd=self.tree, env=self.environment, capture_output=True, text=True, timeout=200
        )


@pytest.mark.full
def test_a_table_is_added_by_what_the_page_says_and_nothing_else(computed_file: Path, tmp_path: Path) -> None:
    reader = Reader(tmp_path, computed_file)
    reader.write_the_file()
    unsaid = reader.run("runbook gate 3")
    assert (unsaid.returncode, TABLE in unsaid.stderr) == (2, True)

    reader.add_the_line()
    missing, migrated, planned, short, ran, reported, ordered = map(reader.run, _commands())
    assert missing.returncode == 3
    assert f"error: {TABLE} is not in the warehouse" in missing.stderr
    assert migrated.returncode == 0, migrated.stderr
    assert "96 table-dates in 1 chunk (96 absent)" in planned.stdout
    assert short.returncode == 1
    assert re.search(r"team_top_scorer +0 +72 +0\.0 .*red", short.stdout), short.stdout
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "20_launch.team_top_scorer" in ran.stdout
    assert re.search(r"team_top_scorer +72 +72 +100\.0 .*green", ran.stdout), ran.stdout
    assert reported.returncode == 0

    *before, last = ordered.stdout.splitlines()
    assert TABLE in last
    assert "nba_analytics.player_game_summary" in before[-1]
    run = next(self for self in reader.runs.glob("*/") if (self / "plan.json").exists())
    grid = {line["table"]: line for line in json.loads((run / "plan.json").read_text())["grid"]}
    assert (grid[TABLE]["covered"], grid[TABLE]["expected"]) == (0, 72)
    page = (run / "index.html").read_text()
    assert f"{TABLE.partition('.')[2]}: 0 of 72 dates full" in page
    assert f"{TABLE.partition('.')[2]}: 72 of 72 dates full" in page


def _block(kind: str) -> str:
    return re.findall(rf"^```{kind}\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)[0]


def _commands() -> list[str]:
    lines = "".join(BLOCK.findall(PAGE.read_text())).splitlines()
    return [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]


def _runbook_script(folder: Path) -> Path:
    """The command ``runbook`` of the copy, as an installation of it would have it."""
    scripts = folder / "bin"
    scripts.mkdir()
    (scripts / "runbook").write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m runbook "$@"\n')
    (scripts / "runbook").chmod(0o755)
    return scripts
