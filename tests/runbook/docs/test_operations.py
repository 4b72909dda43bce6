"""``docs/operations.md``: what it says about restoring is done, and the contents compared."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from lib.backfill import Backfill
from lib.registry import Registry, registry
from lib.settings import ROOT, Settings
from lib.warehouse import EmbeddedWarehouse
from runbook.signing.signers import make_sandbox_key
from tests.lib.at_work import TEAM_OFFENSE, contents, planned

PAGE = ROOT / "docs" / "operations.md"


def runbook(warehouse: EmbeddedWarehouse, line: str) -> subprocess.CompletedProcess[str]:
    """A command line of the page, on *warehouse*."""
    words = [sys.executable, "-m", *shlex.split(line), "--warehouse", f"duckdb:///{warehouse.path}"]
    return subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=280, check=False)


@pytest.mark.full
def test_a_bad_but_valid_publish_is_noticed_by_the_sign_off_and_undone_by_a_rebuild_from_raw(
    warehouse: EmbeddedWarehouse, settings: Settings, pocket_environment: Path
) -> None:
    noticed, rebuilt, looked = _commands("Restoring after a bad but valid publish")
    make_sandbox_key(warehouse, warehouse.meta()["id"])
    assert runbook(warehouse, "runbook run --phase 3").returncode == 0  # the sandbox signs what stands
    before = contents(warehouse)

    _publish_wrong_rows(warehouse, settings)
    assert contents(warehouse) != before
    assert planned(warehouse, settings).chunks == ()
    assert runbook(warehouse, "runbook gate 3").returncode == 0
    assert re.search(r"3 analytics +STALE", runbook(warehouse, noticed).stdout)

    done = runbook(warehouse, rebuilt)
    assert done.returncode == 0, done.stdout + done.stderr
    assert contents(warehouse) == before
    assert re.search(r"3 analytics +COMPLETE", runbook(warehouse, looked).stdout)


def _publish_wrong_rows(warehouse: EmbeddedWarehouse, settings: Settings) -> None:
    """Every date of Phase 3 with a wrong weight of free throws, by the write path, with receipts that fit."""
    good = registry().tables[TEAM_OFFENSE]
    assert good.select is not None
    bad = replace(good, select=good.select.replace("44 * own.ft_attempted", "54 * own.ft_attempted"))
    assert bad.select != good.select
    bad.__dict__["digest"] = good.digest  # the fault lies elsewhere than in the SQL, so no digest tells
    wrong = Registry([bad if table is good else table for table in registry().tables.values()])
    plan = planned(warehouse, settings, force=True)
    for group in plan.groups:
        for table in group:
            Backfill(warehouse, settings, tables=wrong).run_chunks(plan.chunks_of(table))


def _commands(heading: str) -> list[str]:
    sections = re.split(r"^## ", PAGE.read_text(), flags=re.MULTILINE)
    section = next(part for part in sections if part.startswith(heading))
    return [line.removeprefix("$ ") for line in section.splitlines() if line.startswith("$ ")]
