"""Kill -9 at random moments of real runs: the archive is verified or not proven, no hole, and going on mends it all."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import time
from collections import Counter
from pathlib import Path

import psutil
import pytest

from lib.warehouse import EmbeddedWarehouse, connect
from runbook.signing.signers import make_sandbox_key
from tests.runbook.crashes import (
    Tables,
    assert_no_hole,
    assert_verified_or_not_proven,
    by_date,
    command,
    newest,
    runbook,
)
from tests.runbook.running import alive

LONGEST_SECONDS = 25.0  # a run of the pocket league from nothing, on two cores


class Torture:
    """One warehouse after the other, each killed until a run of it gets through."""

    def __init__(self, raw_file: Path, undisturbed: Tables, folder: Path, seed: int) -> None:
        self.raw_file, self.undisturbed, self.folder = raw_file, undisturbed, folder
        self.dice = random.Random(seed)
        self.killed: Counter[str] = Counter()
        self.mended = 0

    def until(self, kills: int) -> None:
        """Goes on until so many processes were killed."""
        while self.killed.total() < kills:
            number = self.mended
            warehouse = connect(f"duckdb:///{shutil.copy(self.raw_file, self.folder / f'w{number}.duckdb')}", wait=20)
            make_sandbox_key(warehouse, warehouse.meta()["id"])
            os.environ["RUNBOOK_RUNS"] = str(self.folder / f"runs{number}")
            self._one(warehouse, self.folder / f"runs{number}", kills)

    def _one(self, warehouse: EmbeddedWarehouse, runs: Path, kills: int) -> None:
        before = by_date(warehouse)
        while self.killed.total() < kills and self._disturbed(warehouse, _words(runs)):
            assert_no_hole(warehouse, before, self.undisturbed)
            if folder := newest(runs):
                assert_verified_or_not_proven(folder)
        ended = runbook(warehouse, *_words(runs))
        assert ended.returncode == 0, ended.stdout + ended.stderr
        assert by_date(warehouse) == self.undisturbed
        checked = runbook(warehouse, "verify", "--all")
        assert checked.returncode == 0, checked.stdout
        assert '"state": "COMPLETE"' in runbook(warehouse, "status", "--json").stdout
        self.mended += 1

    def _disturbed(self, warehouse: EmbeddedWarehouse, words: list[str]) -> bool:
        """Runs, and kills one of its processes at some moment; False where it ended before that."""
        mark = f"torture-{os.getpid()}-{self.killed.total()}"
        how = command(warehouse, *words)
        how["env"] |= {"RUNBOOK_TEST": mark}
        running = subprocess.Popen(**how, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        ends = time.monotonic() + self.dice.uniform(0, LONGEST_SECONDS)
        while running.poll() is None and time.monotonic() < ends:
            time.sleep(0.01)
        victim = self._victim(running.pid)
        if running.poll() is None and victim is not None:
            self.killed[_kind(victim)] += 1
            victim.kill()
        code = running.wait(timeout=120)
        assert alive(mark) == []
        return code != 0

    def _victim(self, pid: int) -> psutil.Process | None:
        """The program itself, or any process below it."""
        try:
            program = psutil.Process(pid)
            return self.dice.choice([program, *program.children(recursive=True)])
        except psutil.NoSuchProcess:
            return None


def _words(runs: Path) -> list[str]:
    folder = newest(runs)
    return ["run", "--resume", folder.name] if folder else ["run"]


def _kind(process: psutil.Process) -> str:
    """A supervisor forks a notebook's process, which forks the kernel: all of one name."""
    try:
        lineage = [" ".join(each.cmdline()) for each in (process, *process.parents())]
    except psutil.NoSuchProcess:
        return "gone"
    return ("program", "supervisor", "notebook", "kernel")[sum("runbook.supervise" in words for words in lineage)]


@pytest.mark.torture
@pytest.mark.timeout(6 * 3600)
def test_fifty_kills_at_random_moments_of_real_runs(
    raw_file: Path,
    computed_file: Path,
    pocket_environment: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seed = int(os.environ.get("RUNBOOK_TORTURE_SEED") or random.SystemRandom().randrange(10**6))
    kills = int(os.environ.get("RUNBOOK_TORTURE_KILLS") or 50)
    monkeypatch.setenv("RUNBOOK_RUNS", "")  # put back at the end
    undisturbed = by_date(connect(f"duckdb:///{shutil.copy(computed_file, tmp_path / 'undisturbed.duckdb')}", wait=20))
    torture = Torture(raw_file, undisturbed, tmp_path, seed)
    with capsys.disabled():
        print(f"\nseed {seed}, {kills} kills; again: RUNBOOK_TORTURE_SEED={seed} make torture")
        try:
            torture.until(kills)
        finally:
            print(f"killed {dict(torture.killed)}; {torture.mended} warehouses mended and equal to an undisturbed run")
