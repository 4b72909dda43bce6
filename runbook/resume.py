"""Going on with a run that stopped: in the same folder, with the steps that are not done yet, overwriting nothing."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from lib.errors import BadInput, CannotJudge, GateFailed
from lib.plan import read_plan
from lib.warehouse import Warehouse
from runbook.chain import Chain, ChainStep
from runbook.execute import keep_partial
from runbook.manifest import MANIFEST, Manifest, changed_code
from runbook.signing.evidence import read_manifest, step_faults

_WORKING_COPY = re.compile(r"\.(?P<stem>.+)\.\d+\.ipynb")


def chain_left(warehouse: Warehouse, folder: Path, manifest: Manifest) -> Chain:
    """The steps of a run that are not done yet.

    Raises BadInput where the run cannot be resumed, GateFailed where what it proved so far is not as it left it.
    """
    if not manifest.chain:
        raise BadInput(f"{manifest.run} was made by an older version, which did not keep its chain: start a new run")
    if manifest.warehouse_id != warehouse.meta().get("id", ""):
        raise BadInput(f"{manifest.run} was run on another warehouse, not on {warehouse.url}: name it with --warehouse")
    if moved := changed_code(folder, manifest):
        raise BadInput(f"{', '.join(moved)} is not what {manifest.run} was begun with: start a new run")
    proven = {name: record for name, record in manifest.latest.items() if record.state == "proven"}
    if faults := [fault for record in proven.values() for fault in step_faults(folder, record)]:
        raise GateFailed(f"{manifest.run} cannot be resumed: {'; '.join(faults)}")
    return Chain(read_plan(folder / "plan.json"), tuple(steps_left(manifest)))


def steps_left(manifest: Manifest) -> list[ChainStep]:
    """The steps that are not proven yet, and those that ended before a launch of an earlier wave was proven.

    What such a launch failed to compute kept dates above it blocked, and nobody who looked has seen it.
    """
    chain, never = [ChainStep(**vars(step)) for step in manifest.chain], len(manifest.steps)
    ended = {record.step: at if record.state == "proven" else never for at, record in enumerate(manifest.steps)}
    done = {step.name: ended.get(step.name, never) for step in chain}
    launched = [(step.wave, done[step.name]) for step in chain if step.launch]

    def holds(step: ChainStep) -> bool:
        at = done[step.name]
        return at < never and not any(wave < step.wave and launch > at for wave, launch in launched)

    return [step for step in chain if not holds(step)]


def reopen(folder: Path, manifest: Manifest) -> None:
    """Readies a folder that is held: it is running again, and what a crash left half done is named so."""
    manifest.reopen(folder)
    if (folder / "progress.jsonl").exists():
        (folder / "progress.jsonl").rename(folder / f"progress.{len(manifest.resumed)}.jsonl")
    _sweep(folder)


def _sweep(folder: Path) -> None:
    """Working copies become partial notebooks where they can be read; temporary files say nothing and go."""
    for path in [*folder.glob(".*"), *folder.glob("logs/.*")]:
        if path.is_dir():
            shutil.rmtree(path)
        elif (working := _WORKING_COPY.fullmatch(path.name)) and path.stat().st_size:
            keep_partial(path.with_name(f"{working['stem']}.ipynb"), path)
        else:
            path.unlink()


def find_run(runs: Path, run: str) -> Path:
    """The folder of a run; BadInput, naming those there are, where there is none of this name."""
    folder = runs / Path(run).name
    if not (folder / MANIFEST).is_file():
        known = sorted(path.parent.name for path in runs.glob("*/manifest.json"))
        raise BadInput(f"there is no run {run} under {runs}: there are {', '.join(known) or 'none'}")
    return folder


def unfinished(folder: Path) -> Manifest:
    """The manifest of a run that can be resumed or was proven already; CannotJudge where it is damaged."""
    manifest = read_manifest(folder)
    if manifest.run != folder.name:
        raise CannotJudge(f"{folder / MANIFEST} is of run {manifest.run}")
    return manifest
