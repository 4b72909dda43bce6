"""Is a run's folder still what the run left? Every digest, every template, every archive, looked at again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pydantic import ValidationError

from lib.errors import CannotJudge, RunbookError
from lib.files import is_temporary
from lib.phase_gate import ML
from lib.plan import read_plan
from lib.settings import ROOT
from runbook.archive import Verified, judged
from runbook.by_hand import given_by_hand, verify_by_hand
from runbook.chain import AGAIN, GATES, outcome_of, step_name
from runbook.manifest import MANIFEST, NOT_EVIDENCE, Manifest, StepRecord, file_digest

BROKEN_OFF = ("interrupted", "failed")  # how a run may end that did not come to what its records say


def closing_step(phase: str) -> str:
    """The step that says a phase is ready to sign."""
    return "70_closing" if phase == ML else f"50_signoff.phase{phase}"


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
        fault for record in manifest.steps for fault in step_faults(folder, record)
    ]


def _run_faults(folder: Path, manifest: Manifest) -> Iterator[str]:
    if manifest.run != folder.resolve().name:
        yield f"{MANIFEST} is of run {manifest.run}, in the folder {folder.name}"
    if manifest.finished is None:
        yield f"the run did not end: {manifest.stopped}; go on with 'runbook run --resume {manifest.run}'"
    else:
        yield from _outcome_faults(manifest)
    try:
        if read_plan(folder / "plan.json").digest != manifest.plan_digest:
            yield "plan.json is not the plan that was run"
    except (RunbookError, OSError) as error:
        yield f"plan.json cannot be read: {error}"


def _outcome_faults(manifest: Manifest) -> Iterator[str]:
    """Where the outcome claims more than the records of the steps."""
    found = outcome_of(manifest) if manifest.steps else "without a step"
    if manifest.outcome not in (found, *BROKEN_OFF):
        yield f"{MANIFEST} says that the run is {manifest.outcome}, and its steps say that it is {found}"
    without = [step.name for step in manifest.chain if step.name not in manifest.latest]
    if without and manifest.outcome == "proven":
        yield f"{MANIFEST} says that the run is proven, and holds no record of {', '.join(without)}"


def _file_faults(folder: Path, manifest: Manifest) -> Iterator[str]:
    links = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_symlink())
    yield from (f"{name} is a link: an archive holds its files itself" for name in links)
    if manifest.schema_version < 2 or manifest.finished is None:
        return
    held = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    held -= {name for name in held if is_temporary(Path(name))}  # a crash leaves it, and it is no evidence
    archives = {record.archive for record in manifest.steps if record.archive_digest}
    yield from (f"{name} was added" for name in sorted(held - {MANIFEST, *NOT_EVIDENCE, *archives, *manifest.files}))
    for name, digest in manifest.files.items():
        found = file_digest(folder / name)
        if found != digest:
            yield f"{name} {'is gone' if found is None else 'is not what the run left'}"


def step_faults(folder: Path, record: StepRecord) -> Iterator[str]:
    """What is wrong with one executed notebook: its bytes, its template, or what it proves."""
    archive, template = folder / record.archive, ROOT / record.template
    if archive.parent != folder or template.parent.parent != ROOT:
        yield f"{record.archive} of {record.template}: a step lies in the run's folder, its template in the project"
        return
    name = step_name(template.stem, record.parameters)
    if record.step not in (name, f"{name}{AGAIN}"):
        yield f"{record.archive} is recorded as {record.step}, and its template and parameters are those of {name}"
    found = file_digest(archive)
    if found != record.archive_digest or (found is None and record.state != "not proven"):
        yield f"{record.archive} {'is gone' if found is None else 'is not what the run left'}"
    if found is None:
        return
    if file_digest(template) != record.template_digest:
        yield f"{record.template} is not the template of {record.step} any more: check out {record.step}'s revision"
        return
    if record.state == "not proven":
        return  # it claims nothing
    looked = _looked_at(archive, template, record)
    if looked.state != record.state:
        yield f"{record.archive} is {looked.state}, not {record.state}: {'; '.join(looked.reasons)}"
    elif looked.verdicts != record.verdicts:
        yield f"{record.archive} gives other verdicts than {MANIFEST}"


def _looked_at(archive: Path, template: Path, record: StepRecord) -> Verified:
    gates = GATES.get(template.stem)
    if not record.adopted:
        log = archive.parent / "logs" / f"{archive.stem}.log"
        return judged(archive, template, record.parameters, gates, log)
    looked = verify_by_hand(archive, template, gates)
    if looked.state == "proven" and given_by_hand(archive, template) != record.parameters:
        return Verified("not proven", ["it was executed with other parameters than the manifest says"])
    return looked
