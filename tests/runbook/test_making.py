"""A warehouse is made whole or not at all."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from datetime import date
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pytest

from lib.settings import ROOT
from lib.warehouse import EmbeddedWarehouse, connect
from tests.runbook.at_the_terminal import Say


@pytest.mark.parametrize("words", [["sandbox", "--pocket"], ["ingest", "files"]], ids=lambda words: words[0])
def test_a_warehouse_whose_making_was_broken_off_is_not_there_and_is_made_by_the_next_try(
    say: Say, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str]
) -> None:
    def broken_off(warehouse: EmbeddedWarehouse, *about: object, **more: object) -> None:
        assert warehouse.exists(), "a part of it is there"
        raise KeyboardInterrupt

    found = SimpleNamespace(tables={}, as_of=date(2024, 12, 20), report=[], findings=[])
    monkeypatch.setattr("lib.ingest.read_folder", lambda folder: found)
    url, beside = f"duckdb:///{tmp_path}/deep/w.duckdb", tmp_path / "deep"
    with monkeypatch.context() as meanwhile:
        meanwhile.setattr("lib.sandbox.compute_all", broken_off)
        meanwhile.setattr(EmbeddedWarehouse, "load", broken_off if words[0] == "ingest" else EmbeddedWarehouse.load)
        assert say(*words, "--warehouse", url)[0] == 130
        assert [path.name for path in beside.iterdir()] == (["w.toml"] if words[0] == "sandbox" else [])
    more = ["--empty"] if words[0] == "sandbox" else []
    code, out, err = say(*words, *more, "--warehouse", url)
    assert (code, str(beside / "w.duckdb") in out.replace("\n", "")) == (0, True), err
    assert not [path.name for path in beside.glob(".*")]


def test_what_is_left_of_a_warehouse_that_was_removed_does_not_lie_beside_the_new_one(say: Say, tmp_path: Path) -> None:
    (tmp_path / "w.duckdb.wal").write_bytes(b"of a writer that was killed")
    url = f"duckdb:///{tmp_path}/w.duckdb"
    assert say("sandbox", "--pocket", "--empty", "--warehouse", url)[0] == 0
    assert not (tmp_path / "w.duckdb.wal").exists()
    assert connect(url).meta()["kind"] == "sandbox"


def test_who_comes_second_leaves_the_key_of_the_first_as_it_is(
    say: Say, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, key = f"duckdb:///{tmp_path}/w.duckdb", tmp_path / "w.duckdb.key"

    def meanwhile(*about: object, **more: object) -> None:
        monkeypatch.undo()
        assert say("sandbox", "--pocket", "--empty", "--warehouse", url)[0] == 0
        keys.append(key.read_bytes())

    keys: list[bytes] = []
    monkeypatch.setattr("lib.sandbox.compute_all", meanwhile)
    code, _, err = say("sandbox", "--pocket", "--warehouse", url)
    assert (code, "there is a warehouse at" in err) == (2, True)
    assert [key.read_bytes()] == keys


@pytest.mark.full
def test_ctrl_c_in_a_terminal_ends_the_making_of_a_sandbox_without_a_traceback(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "runbook", "sandbox", "--pocket", "--warehouse", f"duckdb:///{tmp_path}/w.duckdb"]
    making = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True,
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.default_int_handler),  # a job in the background hears none
    )  # fmt: skip
    assert making.stdout
    while "team_offense_game_summary: 96 dates" not in (line := making.stdout.readline()):
        assert line, "it ended before it computed anything"
    os.killpg(making.pid, signal.SIGINT)
    said = making.stdout.read()
    assert (making.wait(timeout=60), "Traceback" in said, "interrupted: " in said) == (130, False, True), said
    assert [path.name for path in tmp_path.iterdir()] == ["w.toml"]
