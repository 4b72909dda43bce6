"""Where a command is called from, and what nobody foresaw there."""

from __future__ import annotations

import os
import shutil
from datetime import date
from pathlib import Path

import pytest

from lib.settings import ROOT, Settings
from lib.warehouse import EmbeddedWarehouse
from runbook.options import Place, runs_folder
from tests.runbook.at_the_terminal import Say, refused


def test_what_nobody_foresaw_is_one_sentence_and_never_the_code_of_a_red_gate(
    say: Say, at: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*about: object) -> None:
        raise TypeError("dates and\ntimestamps")

    monkeypatch.setattr(Place, "verdict", broken)
    refused(say("gate", 3, *at), 3, "error: TypeError: dates and timestamps; ", "RUNBOOK_TRACEBACK=1")
    monkeypatch.setenv("RUNBOOK_TRACEBACK", "1")
    with pytest.raises(AssertionError, match="Traceback"):
        say("gate", 3, *at)


def test_a_path_of_the_settings_counts_from_the_project_wherever_it_is_asked(
    say: Say, warehouse: EmbeddedWarehouse, settings_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "mine.toml"
    named = settings_file.read_text().replace("sandbox/warehouse.duckdb", os.path.relpath(warehouse.path, ROOT))
    own.write_text(named.replace('runs = "runs"', f'runs = "{os.path.relpath(tmp_path / "archive", ROOT)}"'))
    monkeypatch.setenv("RUNBOOK_CONFIG", "mine.toml")
    monkeypatch.delenv("RUNBOOK_RUNS")
    monkeypatch.chdir(tmp_path)
    assert say("gate", 3)[0] == 0
    assert "archive, so nothing was verified" in say("verify", "--all")[2]
    assert say("gate", 3, "--warehouse", "duckdb:///warehouse.duckdb")[0] == 0, "what is typed counts from here"
    monkeypatch.chdir(ROOT)
    assert runs_folder(None, Settings(start_date=date(2024, 1, 1), datasets={}, tables={})) == Path("runs")


def test_a_home_is_nobodys_folder_of_that_name(
    say: Say, warehouse: EmbeddedWarehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(warehouse.path.parent))
    assert say("gate", 3, "--warehouse", "duckdb:///~/warehouse.duckdb")[0] == 0


def test_the_notebooks_of_a_run_read_the_settings_that_its_command_line_reads(
    say: Say, at: tuple[str, str], settings_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(settings_file, tmp_path / "mine.toml")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RUNBOOK_CONFIG", "mine.toml")
    code, out, _ = say("run", "--phase", "3", *at)
    assert (code, ": proven. Executed notebooks" in out) == (0, True), out
