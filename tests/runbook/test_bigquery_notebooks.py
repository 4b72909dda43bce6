"""The chain of notebooks on BigQuery's client, to a trained model: minutes, because each kernel begins anew."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from lib.league import League
from lib.sandbox import load_raw
from lib.warehouse import connect
from tests.bigquery_server import serving
from tests.lib.test_bigquery_chain import refused_by_google


@pytest.mark.torture
@pytest.mark.timeout(1200)
def test_the_chain_of_notebooks_ends_with_a_trained_model(
    league: League, whole_environment: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Kernels reach the server over the line like any other process. Each job says which step it belongs to."""
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
        jobs = server.jobs[before:]
        by_step = Counter(" ".join(job.labels.get(label, "") for label in ("step", "phase")) for job in jobs)
        print("\n".join(f"{count:4} {step.strip() or 'command line'}" for step, count in by_step.items()))
        print(f"{len(jobs)} jobs for the whole chain, notebooks, gates and model included")
        assert not [job.error for job in jobs if job.error]
        assert refused_by_google(jobs) == []
        assert len(jobs) <= 150
