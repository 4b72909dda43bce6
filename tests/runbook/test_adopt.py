"""A notebook that was stepped through by hand counts, if it is the template, run whole, in order, and still true."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from lib.errors import BadInput, CannotJudge, GateFailed
from lib.settings import ROOT, load_settings
from lib.warehouse import EmbeddedWarehouse, connect
from runbook.adopt import ByHand, adopt, read_by_hand
from runbook.by_hand import verify_by_hand
from runbook.chain import GATES, Chain, ChainStep, Runner
from runbook.options import Place
from runbook.signing.evidence import faults_of
from runbook.signing.sign import signable
from runbook.verbs.archive import executed_on
from tests.lib.at_work import TEAM_OFFENSE, change, planned

NAME = "50_signoff"
TEMPLATE = ROOT / "notebooks" / f"{NAME}.ipynb"
Cells = list[dict[str, Any]]


@pytest.fixture(scope="module")
def stepped(computed_file: Path, settings_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What JupyterLab saves: the sign-off notebook, its parameters edited in place, every cell run. Never change it."""
    folder = tmp_path_factory.mktemp("stepped")
    shutil.copy(computed_file, folder / "w.duckdb")
    notebook = nbformat.read(TEMPLATE, as_version=4)
    cell = next(cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", []))
    cell.source = cell.source.replace('signer: str = ""', 'signer: str = "ada"')
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RUNBOOK_CONFIG", str(settings_file))
        patch.setenv("RUNBOOK_WAREHOUSE", f"duckdb:///{folder / 'w.duckdb'}")
        patch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]))
        NotebookClient(notebook, record_timing=False, resources={"metadata": {"path": str(ROOT)}}).execute()
    notebook.cells.append(nbformat.v4.new_code_cell(""))
    notebook.cells[3].metadata["scrolled"] = True
    nbformat.write(notebook, folder / f"{NAME}-ada.ipynb")
    return folder


@pytest.fixture
def place(stepped: Path, pocket_environment: Path, tmp_path: Path) -> Place:
    """The warehouse it was run on, to do with as one likes."""
    shutil.copy(stepped / "w.duckdb", tmp_path / "w.duckdb")
    return Place(connect(f"duckdb:///{tmp_path / 'w.duckdb'}", wait=20), load_settings())


def test_it_becomes_a_run_of_its_own_that_can_be_signed(stepped: Path, place: Place, pocket_environment: Path) -> None:
    by_hand = read_by_hand(stepped / f"{NAME}-ada.ipynb")
    assert (by_hand.step, by_hand.parameters["signer"]) == ("50_signoff.phase3", "ada")
    manifest = adopt(place, pocket_environment, by_hand)
    folder = pocket_environment / manifest.run
    assert faults_of(folder) == []
    assert signable(manifest) == ["3"]
    assert [(r.step, r.adopted, r.state) for r in manifest.steps] == [("50_signoff.phase3", True, "proven"), ("50_signoff.phase3.again", False, "proven")]  # fmt: skip
    assert (folder / "50_signoff.phase3.ipynb").read_bytes() == (stepped / f"{NAME}-ada.ipynb").read_bytes()
    _edited_afterwards_is_found(folder)


def _edited_afterwards_is_found(folder: Path) -> None:
    path = folder / "manifest.json"
    path.chmod(0o644)
    path.write_text(path.read_text().replace('"signer": "ada"', '"signer": "bob"', 1))
    assert any("other parameters than the manifest says" in fault for fault in faults_of(folder))


@pytest.mark.full
def test_it_completes_the_run_that_waits_for_it_and_never_a_finished_one(
    stepped: Path, place: Place, pocket_environment: Path
) -> None:
    plan = planned(place.warehouse, place.settings)
    chain = Chain(plan, (ChainStep("50_signoff.phase3", NAME, {"phase": 3}),))
    Runner(place.warehouse, pocket_environment / "20240101T000000Z-0", chain, 1, lambda event: None).begin()
    by_hand = read_by_hand(stepped / f"{NAME}-ada.ipynb")
    manifest = adopt(place, pocket_environment, by_hand, "20240101T000000Z-0")
    assert (manifest.outcome, faults_of(pocket_environment / manifest.run)) == ("proven", [])
    with pytest.raises(BadInput, match="is finished and is never changed"):
        adopt(place, pocket_environment, by_hand, manifest.run)


def test_a_warehouse_that_says_otherwise_by_now_is_refused(
    stepped: Path, place: Place, pocket_environment: Path
) -> None:
    change(place.warehouse, f"DELETE FROM {TEAM_OFFENSE} WHERE game_date = '2024-11-20' AND home_game")
    with pytest.raises(GateFailed, match="gate validator is green in it, and red now"):
        adopt(place, pocket_environment, read_by_hand(stepped / f"{NAME}-ada.ipynb"))
    assert not pocket_environment.exists()


def test_a_launch_of_another_phase_than_its_table_is_refused(whole: EmbeddedWarehouse, whole_environment: Path) -> None:
    launch = ROOT / "notebooks" / "20_launch.ipynb"
    by_hand = ByHand(launch, launch, {"table": "team_offense_game_summary", "phase": 4}, [{"verdict": "green"}])
    with pytest.raises(BadInput, match="team_offense_game_summary is no table of phase 4: set phase in the notebook"):
        adopt(Place(whole, load_settings()), whole_environment, by_hand)


def test_a_notebook_is_adopted_on_the_warehouse_that_it_names_and_on_no_other(
    stepped: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert executed_on("duckdb:///sandbox/w.duckdb", None) == f"duckdb:///{ROOT}/sandbox/w.duckdb"
    assert executed_on("duckdb:///sandbox/w.duckdb", f"duckdb:///{ROOT}/sandbox/w.duckdb")
    assert executed_on("", "duckdb:///mine.duckdb") == "duckdb:///mine.duckdb"
    with pytest.raises(BadInput, match=r"--warehouse says duckdb:///sandbox/w\.duckdb: leave --warehouse out"):
        executed_on("duckdb:///sandbox/w.duckdb", "duckdb:///sandbox/w.duckdb")


def _source(what: str, old: str, new: str) -> Callable[[Cells], None]:
    def edit(cells: Cells) -> None:
        (cell,) = (cell for cell in cells if what in "".join(cell["source"]))
        text = "".join(cell["source"])
        assert old in text
        cell["source"] = text.replace(old, new)

    return edit


def _count(cells: Cells) -> None:
    code = [cell for cell in cells if cell.get("execution_count")]
    code[2]["execution_count"], code[3]["execution_count"] = code[3]["execution_count"], code[2]["execution_count"]


def _timed_but_one(cells: Cells) -> None:
    for cell in [cell for cell in cells if cell.get("execution_count")][:-1]:
        cell["metadata"]["execution"] = {"shell.execute_reply": "now", "iopub.status.idle": "now"}


def _no_verdict(cells: Cells) -> None:
    next(cell for cell in cells if 'gate("tables"' in "".join(cell["source"]))["outputs"] = []


LIES: dict[str, tuple[Callable[[Cells], None], str]] = {
    "edited cell": (_source("step.quality()", "step.quality()", "step.coverage()"), "differs from the template"),
    "code in the parameters": (_source("signer: str", "phase: int = 3", "phase: int = 1 + 2"), "more than `name: type"),
    "another type": (_source("signer: str", "phase: int = 3", "phase: str = '3'"), "more than its literals"),
    "mistyped": (_source("signer: str", "phase: int = 3", "phase: int = '3'"), "phase must be int, not str"),
    "another comment": (_source("signer: str", "# phase to work on", "# any"), "more than its literals"),
    "a secret": (_source("signer: str", '"ada"', '"ghp_0123456789abcdefghijKLMN"'), "looks like a secret"),
    "out of order": (_count, "did not run once each and in order"),
    "run twice": (lambda cells: cells[-2].update(execution_count=99), "did not run once each and in order"),
    "not run": (lambda cells: cells[-2].update(execution_count=None), "was not executed"),
    "never answered": (_timed_but_one, "the kernel never answered"),
    "gate cell gone": (
        lambda cells: cells.remove(next(c for c in cells if "gate" in c["metadata"].get("tags", []))),
        "cells of its own, the template has",
    ),
    "a cell more": (lambda cells: cells.append(dict(cells[0])), "cells of its own, the template has"),
    "another verdict": (_no_verdict, "gate tables gave no verdict"),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_notebook_that_lies_is_not_proven_and_says_why(stepped: Path, tmp_path: Path, lie: str) -> None:
    edit, reason = LIES[lie]
    content = json.loads((stepped / f"{NAME}-ada.ipynb").read_text())
    edit(content["cells"])
    (tmp_path / f"{NAME}.ipynb").write_text(json.dumps(content))
    found = verify_by_hand(tmp_path / f"{NAME}.ipynb", TEMPLATE, GATES[NAME])
    assert found.state == "not proven"
    assert any(reason in said for said in found.reasons), found.reasons


def test_what_is_of_no_template_or_not_whole_is_refused(tmp_path: Path) -> None:
    for name, reason in (
        ("mine", "is named after no template"),
        ("00_start_here", "is named after no template"),
        ("60_train-ada", "a model is trained by a run"),
    ):
        with pytest.raises(BadInput, match=reason):
            read_by_hand(tmp_path / f"{name}.ipynb")
    shutil.copy(TEMPLATE, tmp_path / f"{NAME}.ipynb")
    with pytest.raises(CannotJudge, match="was not executed"):
        read_by_hand(tmp_path / f"{NAME}.ipynb")
