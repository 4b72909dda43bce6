"""The pages that are made from the code: ``python -m runbook.docs`` writes them, a test compares them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from lib.settings import ROOT
from runbook.docs.checks import checklist_page, checks_page, ml_checklist_page
from runbook.docs.command_line import command_line_page
from runbook.docs.model_card import model_card_page
from runbook.docs.settings import settings_page
from runbook.drills.case import cases
from runbook.drills.page import page

DOCS = ROOT / "docs"
PAGES: Mapping[str, Callable[[], str]] = {
    "checks.md": checks_page,
    "checklists/phase-3.md": lambda: checklist_page(3),
    "checklists/phase-4.md": lambda: checklist_page(4),
    "checklists/phase-ml.md": ml_checklist_page,
    "drills.md": lambda: page(cases()),
    "model-card.md": model_card_page,
    "reference/command-line.md": command_line_page,
    "reference/runbook-toml.md": settings_page,
}


def stale_pages(folder: Path = DOCS) -> list[str]:
    """The pages of *folder* that are not what the code gives, by name."""
    return [name for name, page in PAGES.items() if _held(folder / name) != page()]


def write_pages(folder: Path = DOCS) -> list[str]:
    """Writes every page that is stale; gives their names."""
    written = stale_pages(folder)
    for name in written:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(PAGES[name]())
    return written


def _held(path: Path) -> str | None:
    return path.read_text() if path.exists() else None
