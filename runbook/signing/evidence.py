"""Is a run's folder still what the run left? Every digest, every template, every archive, looked at again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pydantic import ValidationError

from lib.errors import CannotJudge, RunbookError
from lib.plan import read_plan
from lib.settings import ROOT
from runbook.archive import verify
from runbook.chain import GATES
from runbook.manifest import Manifest, StepRecord, file_digest

MANIFEST = "manifest.json"
NOT_EVIDENCE = ("index.html",)  # the report is made anew from the evidence at any time


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a run; CannotJudge where there is none, or it is damaged or of an unknown version."""
    try:
        return Manifest.model_validate_json((folder / MANIFEST).read_text())
    except (OSError, UnicodeDecodeError) as error:
        raise CannotJudge(f"{folder} holds no {MANIFEST}: it is no run") from error
    except ValidationError as error:
        fault = error.errors()[0]
        where = ".".join(map(str, fault["loc"]))
        raise CannotJudge(f"{folder / MANIFEST} is damaged: {where}: {fault['msg']}") from error


def faults_of(folder: Path) -> list[str]:
    """What is not as the run left it, each with its file; empty where all of it holds."""
    try:
        manifest = read_manifest(folder)
    except CannotJudge as error:
        return [str(error)]
    return [*_run_faults(folder, manifest), *_file_faults(folder, manifest)] + [
        fault for record in manifest.steps for fault in _step_faults(folder, record)
    ]


def _run_faults(folder: Path, manifest: Manifest) -> Iterator[str]:
    if manifest.run != folder.resolve().name:
        yield f"{MANIFEST} is of run {manifest.run}, in the folder {folder.name}"
    if manifest.finished is None:
        yield f"the run did not end: it stands at {manifest.outcome}"
    try:
        if read_plan(folder / "plan.json").digest != manifest.plan_digest:
            yield "plan.json is not the plan that was run"
    except (RunbookError, OSError) as error:
        yield f"plan.json cannot be read: {error}"


def _file_faults(folder: Path, manifest: Manifest) -> Iterator[str]:
    if manifest.schema_version < 2:
        return
    held = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    archives = {record.archive for record in manifest.steps if record.archive_digest}
    yield from (f"{name} was added" for name in sorted(held - {MANIFEST, *NOT_EVIDENCE, *archives, *manifest.files}))
    for name, digest in manifest.files.items():
        found = file_digest(folder / name)
        if found != digest:
            yield f"{name} {'is gone' if found is None else 'is not what the run left'}"


def _step_faults(folder: Path, record: StepRecord) -> Iterator[str]:
    archive, template = folder / record.archive, ROOT / record.template
    found = file_digest(archive)
    if found != record.archive_digest:
        yield f"{record.archive} {'is gone' if found is None else 'is not what the run left'}"
    if found is None:
        return
    if file_digest(template) != record.template_digest:
        yield f"{record.template} is not the template of {record.step} any more: check out {record.step}'s revision"
        return
    looked = verify(archive, template, record.parameters, GATES.get(template.stem))
    if looked.state != record.state:
        yield f"{record.archive} is {looked.state}, not {record.state}: {'; '.join(looked.reasons)}"
    elif looked.verdicts != record.verdicts:
        yield f"{record.archive} gives other verdicts than {MANIFEST}"
