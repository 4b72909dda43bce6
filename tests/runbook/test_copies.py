"""Whoever works in JupyterLab works on copies: the templates stay what every run is held to."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from lib.errors import BadInput
from lib.settings import ROOT
from runbook.adopt import read_by_hand
from runbook.chain import NOTEBOOKS
from runbook.lab import LAB, copy_notebooks
from runbook.manifest import CODE

NAME = "40_validate.ipynb"


@pytest.fixture
def templates(tmp_path: Path) -> Path:
    folder = tmp_path / "notebooks"
    folder.mkdir()
    (folder / NAME).write_text("first")
    return folder


def test_a_notebook_is_copied_once_and_anew_where_nobody_changed_the_copy(templates: Path, tmp_path: Path) -> None:
    copy = tmp_path / "lab" / NAME
    for text in ("first", "second"):
        (templates / NAME).write_text(text)
        assert copy_notebooks(templates, copy.parent) == []
        assert copy.read_text() == text


def test_what_a_person_worked_on_is_never_overwritten_and_named_where_its_template_has_changed(
    templates: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "lab" / NAME
    copy_notebooks(templates, copy.parent)
    copy.write_text("first, executed")
    assert copy_notebooks(templates, copy.parent) == []
    (templates / NAME).write_text("second")
    (said,) = copy_notebooks(templates, copy.parent)
    assert f"{copy} holds your work on an older" in said
    assert copy.read_text() == "first, executed"
    copy.rename(copy.with_name("40_validate-mine.ipynb"))
    assert copy_notebooks(templates, copy.parent) == []
    assert copy.read_text() == "second"


def test_make_lab_opens_a_copy_and_links_lead_to_the_project() -> None:
    recipe = re.findall(r"^lab:.*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text(), re.MULTILINE)[0]
    assert "-m runbook.lab" in recipe
    assert "--ServerApp.root_dir=. lab/00_start_here.ipynb" in recipe
    assert "notebooks/" not in recipe
    assert LAB.parent == NOTEBOOKS.parent == ROOT
    assert LAB.name not in CODE
    assert "/lab/" in (ROOT / ".gitignore").read_text().splitlines()


def test_the_template_itself_is_not_adopted() -> None:
    with pytest.raises(BadInput, match=r"50_signoff\.ipynb is the template itself, and equals itself whatever it says"):
        read_by_hand(NOTEBOOKS / ".." / "notebooks" / "50_signoff.ipynb")
