"""The notebooks as tests: prepared with parameters, run by nbval, their gates compared with what the library says."""

from __future__ import annotations

import ast
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import papermill
import pytest

from lib.settings import ROOT
from lib.step import bundle, open_step
from lib.training import Training
from lib.warehouse import EmbeddedWarehouse
from runbook.notebook import Cell, read
from runbook.parameters import declared

PREPARED = ("10_preflight", "20_launch", "30_monitor", "40_validate", "50_signoff", "60_train", "70_closing")
PHASE, SIGNER = 3, "Ada"
# run and not compared: how long a launch takes, and a model that has not been trained before the notebooks run
NOT_COMPARED = {"published", "model", "artefact"}


@pytest.fixture
def prepared(
    whole: EmbeddedWarehouse, whole_environment: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """A folder of notebooks with parameters and, in their deterministic gates, what the library says in this process."""
    own = Path(os.environ["RUNBOOK_CONFIG"]).read_text().replace('models = "models"', f'models = "{tmp_path}/models"')
    (tmp_path / "runbook.toml").write_text(own)
    monkeypatch.setenv("RUNBOOK_CONFIG", str(tmp_path / "runbook.toml"))
    folder = tmp_path / "notebooks"
    folder.mkdir()
    for name in PREPARED:
        _prepare(ROOT / "notebooks" / f"{name}.ipynb", folder / f"{name}.ipynb", whole)
    return folder


def _prepare(template: Path, target: Path, warehouse: EmbeddedWarehouse) -> None:
    given = {"warehouse": warehouse.absolute_url, "phase": PHASE, "signer": SIGNER}
    words = {name: value for name, value in given.items() if name in declared(template)}
    papermill.execute_notebook(template, target, words, prepare_only=True, progress_bar=False)
    content = json.loads(target.read_text())
    for cell, raw in zip(read(target), content["cells"], strict=True):
        outputs = list(_outputs(cell, template, warehouse)) if "gate" in cell.tags else []
        if outputs:
            raw["metadata"]["tags"] += ["nbval-check-output"]
            raw["execution_count"], raw["outputs"] = 1, outputs  # nbval compares what was run
    target.write_text(json.dumps(content))


def _outputs(cell: Cell, template: Path, warehouse: EmbeddedWarehouse) -> Iterator[dict[str, Any]]:
    """What the cell's gates leave, by the same calls of the library in this process."""
    step = open_step(template.stem, PHASE if "phase" in declared(template) else 4, warehouse.absolute_url)
    known = {"step": step, "phase": PHASE, "signer": SIGNER, "training": Training(step, 42)}
    for statement in ast.parse(cell.source).body:
        match statement:
            case ast.Expr(ast.Call(args=[ast.Constant(value=name), verdict])) if name not in NOT_COMPARED:
                said = bundle(str(name), eval(ast.unparse(verdict), known))
                yield {"output_type": "display_data", "metadata": {}, "data": json.loads(json.dumps(said))}


def _nbval(folder: Path, *notebooks: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "--nbval-lax", "--nbval-current-env", "-p", "no:xdist", "-p", "no:cacheprovider"]  # fmt: skip
    files = [f"{name}.ipynb" for name in notebooks]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [*command, "-c", os.devnull, "--rootdir", str(folder), "-v", *files],
        cwd=folder, env=environment, capture_output=True, text=True, timeout=280, check=False,
    )  # fmt: skip


@pytest.mark.full
@pytest.mark.timeout(600)
def test_every_notebook_passes_nbval_and_its_gates_say_what_the_library_says(prepared: Path, tmp_path: Path) -> None:
    ended = _nbval(prepared, *PREPARED)
    assert ended.returncode == 0, ended.stdout[-3000:]
    cells = sum(cell.is_code for name in PREPARED for cell in read(prepared / f"{name}.ipynb"))
    assert f"{cells} passed" in ended.stdout
    _plant_another_figure(prepared / "40_validate.ipynb")
    red = _nbval(prepared, "40_validate")
    assert red.returncode == 1, red.stdout[-3000:]
    assert "1 failed" in red.stdout


def _plant_another_figure(notebook: Path) -> None:
    text = notebook.read_text()
    assert '"covered": 72' in text
    notebook.write_text(text.replace('"covered": 72', '"covered": 71', 1))
    shutil.rmtree(notebook.parent / "__pycache__", ignore_errors=True)
