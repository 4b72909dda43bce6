"""``python -m runbook.lab``: copies of the notebooks to work on, for ``make lab``.

JupyterLab saves whatever it opens, and the notebooks themselves are the templates that every run is held to.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from lib.settings import ROOT
from runbook.chain import NOTEBOOKS
from runbook.manifest import file_digest

LAB = ROOT / "lab"  # beside notebooks/, so that their links lead to the same places
ORIGINS = ".templates.json"  # by notebook, SHA-256 of the template that its copy was made from


def copy_notebooks(templates: Path, folder: Path) -> list[str]:
    """Copies the templates that *folder* does not hold yet, and anew those of which nobody changed the copy.

    Gives a sentence for each copy that somebody worked on and whose template has changed since: it stays.
    """
    folder.mkdir(parents=True, exist_ok=True)
    kept = folder / ORIGINS
    origins: dict[str, str | None] = json.loads(kept.read_text()) if kept.exists() else {}
    said = []
    for template in sorted(templates.glob("*.ipynb")):
        copy, newest, origin = folder / template.name, file_digest(template), origins.get(template.name)
        if (held := file_digest(copy)) in (None, newest, origin):
            shutil.copyfile(template, copy)
            origins[template.name] = newest
        elif held and origin != newest:
            said.append(f"{copy} holds your work on an older {template}: it stays; rename it, and a new copy is made.")
    kept.write_text(json.dumps(origins, indent=1))
    return said


if __name__ == "__main__":
    for sentence in copy_notebooks(NOTEBOOKS, LAB):
        print(sentence)
