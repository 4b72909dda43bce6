"""``python -m tests.pictures [FOLDER]``: the pictures of the documentation, from the real thing.

Makes a sandbox as the incident left it, draws what is missing, opens the start page in JupyterLab, repairs and proves it
with ``runbook run``, draws the grid again, and opens the report. Takes some three minutes and a Chromium.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import chdir, contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

from lib.calendar import closed_range, read_calendar
from lib.charts import coverage_grid
from lib.coverage import Judge
from lib.settings import ROOT, load_settings
from lib.warehouse import connect
from tests.browser.lab import BROWSERS, QUIET, lab

LARGEST = 300_000  # bytes of a picture in the repository
WITHOUT_PLACE = """place => document.querySelectorAll('.jp-OutputArea-output p').forEach(
  line => { line.innerHTML = line.innerHTML.replace(place + '/', '') })"""


def main(folder: Path) -> None:
    """Writes every picture into *folder*."""
    folder = folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name, chdir(name):  # so that no picture shows where it was made
        place, url = Path(name), "duckdb:///sandbox/warehouse.duckdb"
        _runbook("sandbox", "--warehouse", url)
        _grid(url, folder / "red-grid.png")
        _start_page(f"duckdb:///{place / 'sandbox' / 'warehouse.duckdb'}", place, folder / "start-page.png")
        _runbook("run", "--warehouse", url, "--runs", "runs")
        _grid(url, folder / "green-grid.png")
        _report(next((place / "runs").glob("*/index.html")), folder / "report.png")
    for picture in sorted(folder.glob("*.png")):
        size = picture.stat().st_size
        print(f"{picture.name}: {size:,} bytes")
        assert size < LARGEST, f"{picture} is too large for a repository"


def _runbook(*words: str) -> None:
    subprocess.run([sys.executable, "-m", "runbook", *words], check=True)


def _grid(url: str, target: Path) -> None:
    settings = load_settings()
    with connect(url).reading() as session:
        calendar = read_calendar(session, settings)
        covered = Judge(session, settings, calendar).cover([3], *closed_range(calendar, settings, None, None))
    with _page(980) as page:
        page.set_content(f'<body style="margin:8px">{coverage_grid(covered).svg()}')
        page.locator("svg").screenshot(path=str(target))


def _start_page(url: str, place: Path, target: Path) -> None:
    with lab(place, {"RUNBOOK_WAREHOUSE": url}) as opened:
        opened.run_all("00_start_here")
        opened.ends()
        opened.page.evaluate(WITHOUT_PLACE, str(place))
        opened.picture("start-page", at="INCOMPLETE")  # the table of states, near the top
        (opened.pictures / "start-page.png").replace(target)
        opened.close()


def _report(index: Path, target: Path) -> None:
    with _page(1040) as page:
        page.goto(index.as_uri())
        page.screenshot(path=str(target))


@contextmanager
def _page(width: int) -> Iterator[Any]:
    chromium = next(filter(None, map(shutil.which, BROWSERS)))
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium, args=QUIET)
        yield browser.new_page(viewport={"width": width, "height": 1000}, device_scale_factor=1.5)
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "pictures")
