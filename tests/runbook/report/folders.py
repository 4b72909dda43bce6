"""Run folders made by hand: a manifest and notebooks, without a warehouse."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lib.warehouse import Warehouse, connect
from runbook.manifest import Manifest, StepRecord
from runbook.report import write_report
from runbook.signing.check import Book

Outputs = Sequence[dict[str, Any]]


def shown(**data: Any) -> dict[str, Any]:
    """An output of a cell; ``text_html=...`` is its MIME type text/html."""
    return {"output_type": "display_data", "metadata": {}, "data": {k.replace("_", "/", 1): v for k, v in data.items()}}


def notebook(outputs: Outputs = (), markdown: str = "# A step", source: str = "1 + 1") -> str:
    """An executed notebook of one text and one code cell."""
    code = {
        "cell_type": "code",
        "id": "b",
        "metadata": {},
        "execution_count": 1,
        "source": source,
        "outputs": [*outputs],
    }
    cells = [{"cell_type": "markdown", "id": "a", "metadata": {}, "source": markdown}, code]
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells})


def verdict(gate: str = "coverage", colour: str = "green", **more: Any) -> dict[str, Any]:
    """A verdict as a manifest keeps it."""
    return {"gate": gate, "verdict": colour, "sentence": f"{gate} is {colour}.", "tables": [], "findings": []} | more


def made_run(
    folder: Path, text: str, outcome: str = "proven", verdicts: Sequence[dict[str, Any]] = (), reason: str = ""
) -> Path:
    """A finished run of one notebook, ``step.ipynb``."""
    folder.mkdir(parents=True)
    (folder / "step.ipynb").write_text(text)
    moment = datetime(2026, 1, 5, 12, tzinfo=UTC)
    record = StepRecord(
        step="40_validate.phase3", template="notebooks/40_validate.ipynb", template_digest="0" * 64, parameters={"phase": 3},
        archive="step.ipynb", archive_digest="0" * 64, state=outcome, reason=reason, verdicts=list(verdicts), started=moment,
        seconds=2.5, stderr_warnings=0,
    )  # fmt: skip
    manifest = Manifest(
        run=folder.name, created=moment, warehouse="duckdb:///w.duckdb", warehouse_id="w", engine="duckdb 2", as_of="2026-01-05",
        first="2025-10-21", last="2026-01-05", phases=[3], plan_digest="0" * 64, code={}, revision=None, dirty=None, versions={},
        steps=[record], outcome=outcome, finished=moment.replace(minute=1),
    )  # fmt: skip
    manifest.write(folder)
    return folder


def nowhere(tmp_path: Path) -> Warehouse:
    """A warehouse that is not there: a report needs none."""
    return connect(f"duckdb:///{tmp_path / 'nowhere.duckdb'}")


def page_of(folder: Path) -> str:
    """The report of a folder in which nobody has signed."""
    return write_report(folder, nowhere(folder), Book(())).read_text()
