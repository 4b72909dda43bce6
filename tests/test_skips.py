"""A skip in CI is a failure, unless its reason is listed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from lib.settings import ROOT
from tests.skips import ALLOWED

SKIPPING = f"""
import pytest

@pytest.mark.skip(reason="no browser here")
def test_unlisted(): ...

@pytest.mark.skip(reason="{next(iter(ALLOWED))}")
def test_listed(): ...
"""


@pytest.mark.parametrize(("ci", "said"), [("1", "1 skipped, 1 error"), ("", "2 skipped")])
def test_a_skip_fails_in_ci_unless_its_reason_is_listed(tmp_path: Path, ci: str, said: str) -> None:
    (tmp_path / "test_one.py").write_text(SKIPPING)
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "tests.conftest",
        "-p",
        "no:xdist",
        "-c",
        os.devnull,
        "test_one.py",
    ]
    environment = {**os.environ, "CI": ci, "PYTHONPATH": str(ROOT)}
    ended = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60, check=False)  # fmt: skip
    assert said in ended.stdout
    assert ("no browser here: in CI a skip is a failure" in ended.stdout) is bool(ci)
