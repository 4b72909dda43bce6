"""What a report says about a run, read off its folder and the log of sign-offs: figures and sentences, no HTML."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import Any

from lib.charts import Picture, Span, gate_chart, timeline
from lib.charts.coverage import grid_picture
from lib.errors import RunbookError
from lib.grid import GRID_MIME, GridTable, grid_table
from lib.plan import Plan, plan_as_written
from runbook.estimates import SECONDS_OF_TRAINING, SECONDS_PER_NOTEBOOK
from runbook.manifest import Manifest, StepRecord
from runbook.notebook import read
from runbook.signing.check import Book, Checked, subject_faults

HEADLINES = {
    "proven": ("green", "PROVEN", "every notebook ran as it had to, and no gate is red"),
    "red": ("red", "RED", "a gate is red, and the chain stopped there"),
    "not proven": ("red", "NOT PROVEN", "a notebook proves nothing: its archive is not what a whole execution leaves"),
    "interrupted": ("red", "INTERRUPTED", "somebody ended the run; what was published stays published"),
    "failed": ("red", "FAILED", "the runner itself failed"),
    "running": ("amber", "NOT FINISHED", "the run is still going on, or it was killed"),
}
OF_A_PHASE = ("validator", "coverage", "readiness", "model")  # gates that speak for a whole phase
SPAN_LOOKS = {"proven": "ended well", "red": "red", "not proven": "not proven"}


@dataclass(frozen=True)
class Headline:
    """The verdict: its colour, a word, and why."""

    colour: str
    word: str
    why: str


@dataclass(frozen=True)
class Facts:
    """A run as its folder and the log of sign-offs show it; ``faults`` is what is not as the run left it."""

    folder: Path
    manifest: Manifest
    book: Book
    faults: Sequence[str] = ()

    @property
    def headline(self) -> Headline:
        """What the report begins with."""
        if self.faults and self.manifest.finished:
            return Headline("red", "NOT VERIFIED", "the folder is not what the run left, or not what was signed")
        return Headline(*HEADLINES.get(self.manifest.outcome, ("red", self.manifest.outcome.upper(), "")))

    @cached_property
    def plan(self) -> Plan | None:
        """What was to be computed, as it was written; None where the file is gone or is none."""
        try:
            return plan_as_written(self.folder / "plan.json")[0]
        except RunbookError:
            return None

    @property
    def verdicts(self) -> list[tuple[StepRecord, Mapping[str, Any]]]:
        """Every verdict with its step, in order."""
        return [(record, verdict) for record in self.manifest.steps for verdict in record.verdicts]

    @property
    def phase_sentences(self) -> list[Mapping[str, Any]]:
        """The last verdict on each phase."""
        last = {(v.get("phase"), v["gate"] == "model"): v for _, v in self.verdicts if v["gate"] in OF_A_PHASE}
        return list(last.values())

    @property
    def unproven(self) -> list[StepRecord]:
        """The steps that do not prove what they should."""
        return [record for record in self.manifest.steps if record.state != "proven"]

    @property
    def troubled_dates(self) -> list[tuple[StepRecord, Mapping[str, Any]]]:
        """Dates whose attempt failed or was blocked, each once: as its launch tells it, else as the ledger does."""
        told: dict[str, tuple[StepRecord, Mapping[str, Any]]] = {}
        for gate in ("published", "attempts"):
            for record, verdict in self.verdicts:
                for finding in verdict.get("findings", ()) if verdict["gate"] == gate else ():
                    told.setdefault(finding["where"], (record, finding))
        return list(told.values())

    @property
    def published(self) -> tuple[int, int]:
        """Table-dates and rows that the launches published: each by its last word, since it computes all of its dates anew."""
        last = {record.step: verdict for record, verdict in self.verdicts if verdict["gate"] == "published"}
        lines = [line for verdict in last.values() for line in verdict.get("tables", ())]
        return sum(line["published"] for line in lines), sum(line["rows"] for line in lines)

    @property
    def begun(self) -> float:
        """When its first notebook began, seconds since 1970: one that was adopted was executed before the run was made."""
        starts = (record.started.timestamp() for record in self.manifest.steps)
        return min([self.manifest.created.timestamp(), *starts])

    @property
    def ended(self) -> float:
        """When it ended, seconds since 1970; where it has no end, when its last notebook did."""
        ends = (record.started.timestamp() + record.seconds for record in self.manifest.steps)
        return self.manifest.finished.timestamp() if self.manifest.finished else max(ends, default=0.0)

    @property
    def seconds(self) -> float:
        """From the making of the run to its end."""
        return max(self.ended - self.manifest.created.timestamp(), 0.0)

    def expected_seconds(self, record: StepRecord) -> float:
        """How long a notebook was expected to take: its kernel, and what the plan says of its table."""
        table = record.parameters.get("table")
        chunks = self.plan.chunks if self.plan and table else ()
        training = SECONDS_OF_TRAINING if record.template.endswith("60_train.ipynb") else 0.0
        computing = sum(c.seconds for c in chunks if c.table.partition(".")[2] == table)
        return SECONDS_PER_NOTEBOOK + training + computing

    def timeline(self) -> Picture | None:
        """Every notebook of the run: when, how long, and how long it was expected to take."""
        records = self.manifest.steps
        if not records:
            return None
        spans = [
            Span(r.step, r.started.timestamp() - self.begun, r.seconds, SPAN_LOOKS.get(r.state, "interrupted"), self.expected_seconds(r))
            for r in records
        ]  # fmt: skip
        longest = max(spans, key=lambda span: span.seconds)
        expected = sum(span.expected or 0 for span in spans)
        title = f"{len(spans)} notebooks in {self.ended - self.begun:.0f} s; added up they took {sum(s.seconds for s in spans):.0f} s, "
        return timeline(spans, title + f"expected {expected:.0f} s; longest: {longest.name}")

    def grids(self) -> list[tuple[str, Picture]]:
        """The coverage grid before the run and after it, phase by phase; one where nothing has changed."""
        before = {table.table: table for table in self.plan.grid} if self.plan else {}
        phases = self._grids_after() or ([("", list(before.values()))] if before else [])
        shown = []
        for phase, after in phases:
            earlier = [before[table.table] for table in after if table.table in before]
            if earlier and earlier != after:
                shown.append((f"{phase}, before the run", grid_picture(earlier)))
            shown.append(
                (
                    f"{phase}, as the run left it" if self.manifest.steps and phase else "Before the run",
                    grid_picture(after),
                )
            )
        return shown

    def _grids_after(self) -> list[tuple[str, list[GridTable]]]:
        """The last grid of each phase that a notebook of this run has drawn."""
        last: dict[str, list[GridTable]] = {}
        for record in self.manifest.steps:
            for raw in _grids_in(self.folder / record.archive):
                last[f"Phase {record.parameters.get('phase', '')}"] = raw
        return list(last.items())

    def gate_charts(self) -> list[Picture]:
        """How far each table is from its threshold, by the last verdict on each phase."""
        return [chart for verdict in self.phase_sentences if (chart := gate_chart(verdict))]

    @property
    def signatures(self) -> list[Checked]:
        """The lines of the log that are about this run, each with what is wrong with it."""
        return [line for line in self.book.lines if line.entry.run == self.folder.name]

    def signature_faults(self, line: Checked) -> list[str]:
        """Faults of a signature, and of the files it is about."""
        return [*line.faults, *(subject_faults(self.folder, line.envelope) if line.envelope and line.predicate else [])]

    def fingerprints(self) -> list[tuple[str, str, str, int, str]]:
        """Whence, table, season, rows and SHA-256 of what the run's tables held."""
        return [*self._signed_prints(), *self._run_prints()]

    def _signed_prints(self) -> Iterator[tuple[str, str, str, int, str]]:
        for line in self.signatures:
            if line.predicate:
                yield from _prints(f"signed with phase {line.entry.phase}", line.predicate.fingerprints)

    def _run_prints(self) -> Iterator[tuple[str, str, str, int, str]]:
        for table, held in self.manifest.model_dump().get("tables", {}).items():
            for when in ("before", "after"):
                yield from _prints(f"{when} the run", {table: held.get(when) or {}})


def _prints(whence: str, tables: Mapping[str, Any]) -> Iterator[tuple[str, str, str, int, str]]:
    for table, seasons in tables.items():
        for season, held in sorted(seasons.items()):
            yield whence, table, season, int(held.get("rows", 0)), str(held.get("sha256", ""))


def _grids_in(archive: Path) -> Iterator[list[GridTable]]:
    try:
        outputs = list(chain.from_iterable(cell.outputs for cell in read(archive)))
        kept = [output["data"][GRID_MIME]["tables"] for output in outputs if GRID_MIME in output.get("data", {})]
        yield from ([grid_table(raw) for raw in tables] for tables in kept)
    except (RunbookError, KeyError, TypeError, ValueError, AttributeError):
        return  # an archive that is none is told about where it is shown


def now() -> datetime:
    """When the report was made, UTC."""
    return datetime.now(UTC).replace(microsecond=0)
