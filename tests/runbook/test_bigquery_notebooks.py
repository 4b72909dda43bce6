"""The chain of notebooks on BigQuery's client, to a trained model: minutes, because each kernel begins anew."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from lib.league import League
from lib.sandbox import load_raw
from lib.warehouse import connect
from tests.bigquery_server import serving


@pytest.mark.torture
@pytest.mark.timeout(1200)
def test_the_chain_of_notebooks_ends_with_a_trained_model(
    league: League, whole_environment: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Kernels reach the server over the line like any other process."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    with serving() as server:
        url = server.warehouse_url(deadline=60, http_timeout=60, job_timeout=120)
        load_raw(connect(url), league.tables, league.as_of, "ingested")
        before = len(server.jobs)
        command = [sys.executable, "-m", "runbook", "run", "--warehouse", url]
        done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
        print(done.stdout[-3000:])
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
        assert "60_train" in "".join(path.name for path in whole_environment.rglob("*.ipynb"))
        print(f"{len(server.jobs) - before} jobs for the whole chain, notebooks, gates and model included")
