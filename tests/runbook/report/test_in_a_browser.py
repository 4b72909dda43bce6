"""The report in a real browser: it asks for nothing, runs nothing, and is legible without a network."""

from __future__ import annotations

from pathlib import Path

import pytest

from lib.charts import coverage_grid
from tests.lib.charts.coverages import coverage, dates, full
from tests.runbook.report.browser import watched
from tests.runbook.report.folders import made_run, notebook, page_of, shown, verdict
from tests.runbook.report.hostile import hostile

pytestmark = pytest.mark.full
OPEN_ALL = "document.querySelectorAll('details').forEach(part => part.open = true)"


def _report(folder: Path, text: str) -> Path:
    figures = ("expected", "eligible", "partial", "absent", "blocked", "outdated", "excluded")
    line = {"table": "nba_precompute.team_defense_zone_analysis", "covered": 0, "coverage_pct": 0.0} | dict.fromkeys(
        figures, 848
    )
    line |= {"bootstrap": "70/70", "verdict": "red"}
    page_of(made_run(folder, text, "red", [verdict(colour="red", phase=3, threshold_pct=95, tables=[line])]))
    return folder / "index.html"


def test_a_hostile_notebook_does_nothing_in_the_report(tmp_path: Path) -> None:
    report = _report(tmp_path / "run", hostile())
    with watched() as seen:
        seen.open(report)
        title = seen.page.title()
        seen.page.evaluate(OPEN_ALL)
        for link in seen.page.locator("details a:not([href])").all():
            link.click(force=True)
        seen.page.mouse.click(500, 400)
        seen.page.wait_for_timeout(500)
        asked = [url for url in seen.requests if not url.startswith("data:image/")]
        assert asked == [report.as_uri()]
        assert (seen.complaints, seen.dialogs) == ([], [])
        assert seen.page.title() == title
        assert seen.page.url == report.as_uri()
        assert seen.page.evaluate("document.scripts.length") == 0
        assert seen.page.get_by_text("kept").count() == 1


def test_the_policy_alone_would_stop_what_the_cleaning_let_through(tmp_path: Path) -> None:
    """The second line: script, picture, style and frame put into the finished page behind the cleaning's back."""
    report = _report(tmp_path / "run", notebook())
    injected = (
        "<script>document.title='owned'</script><img src='http://evil.invalid/x.png' onerror=\"document.title='owned'\">"
        "<iframe src='http://evil.invalid'></iframe><p style='color:red'>p</p><link rel=stylesheet href='http://evil.invalid/c'>"
    )
    report.write_text(report.read_text().replace("</body>", injected + "</body>"))
    with watched() as seen:
        seen.open(report)
        seen.page.wait_for_timeout(300)
        assert seen.page.title() != "owned"
        assert sum("Content Security Policy" in text for text in seen.complaints) >= 4


def test_figures_are_seen_without_a_network_and_fit_a_sheet_of_a4(tmp_path: Path) -> None:
    short = coverage("upcoming", dict.fromkeys(dates(9), 0))
    grid = shown(**coverage_grid({"nba_analytics.offense": full("offense"), short.table: short})._repr_mimebundle_())
    report = _report(tmp_path / "run", notebook([grid]))
    with watched() as seen:
        seen.open(report)
        seen.page.evaluate(OPEN_ALL)
        pictures = seen.page.locator("figure img")
        assert pictures.count() == 1
        assert pictures.first.evaluate("image => image.complete && image.naturalWidth > 900")
        assert seen.page.locator("figure svg").count() >= 3
        seen.page.emulate_media(media="print")
        seen.page.set_viewport_size({"width": 690, "height": 1000})  # A4 less its margins
        assert seen.page.evaluate("document.documentElement.scrollWidth") <= 690
        assert seen.page.pdf(format="A4").startswith(b"%PDF")
