"""Fixture notebooks that were run, programs that can be started and killed, and the command line."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lib.warehouse import EmbeddedWarehouse
from runbook.cli import main
from tests.runbook.at_the_terminal import Said, Say
from tests.runbook.running import Group, Program


@pytest.fixture(scope="session")
def group(tmp_path_factory: pytest.TempPathFactory) -> Group:
    return Group(tmp_path_factory.mktemp("group"))


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Program]]:
    started: list[Program] = []

    def start(*names: str) -> Program:
        started.append(Program(tmp_path, list(names)))
        return started[-1]

    yield start
    for program in started:
        program.process.kill()
        program.process.wait()


@pytest.fixture
def say(pocket_environment: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Say:
    """Runs the command line here: exit code, standard output, standard error."""

    def _say(*words: object) -> Said:
        monkeypatch.setattr(sys, "argv", ["runbook", *map(str, words)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capsys.readouterr()
        assert "Traceback" not in out + err
        return int(ended.value.code or 0), out, err

    return _say


@pytest.fixture
def at(warehouse: EmbeddedWarehouse) -> tuple[str, str]:
    """The options that name the warehouse."""
    return "--warehouse", warehouse.url
