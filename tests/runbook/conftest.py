"""Fixture notebooks that were run, and programs that can be started and killed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

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
