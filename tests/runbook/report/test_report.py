"""The report: verdict first, all of the evidence, and nothing in it runs, fetches or is evidence itself."""

from __future__ import annotations

import json
import re
import sys
import tomllib
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from lib.charts import coverage_grid
from lib.charts.picture import Boxes
from lib.errors import CannotJudge
from lib.settings import ROOT
from runbook.cli import main
from runbook.report import write_list, write_report
from runbook.report.cells import LONGEST, clean, parts_of
from runbook.report.facts import Facts
from runbook.signing.check import Book
from runbook.signing.evidence import read_manifest
from runbook.verbs.report import try_report
from tests.lib.charts.coverages import coverage, dates, full
from tests.runbook.report.folders import made_run, notebook, nowhere, page_of, shown, verdict
from tests.runbook.report.hostile import hostile

LINKS = {"href", "src", "srcdoc", "action", "formaction", "data", "background", "poster", "xlink:href"}
RUN = "20260105T120000Z-0a1b2c3d"


class Page(HTMLParser):
    """The elements of a page with their attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))


def test_of_a_hostile_notebook_nothing_is_left_that_runs_or_fetches(tmp_path: Path) -> None:
    page = Page(page_of(made_run(tmp_path / RUN, hostile(), verdicts=[verdict()])))
    tags = {tag for tag, _ in page.elements}
    assert not tags & {
        "script",
        "iframe",
        "object",
        "embed",
        "form",
        "input",
        "button",
        "video",
        "audio",
        "base",
        "link",
        "math",
    }
    assert [tag for tag, _ in page.elements].count("style") == 1
    attributes = [(name, value or "") for _, held in page.elements for name, value in held.items()]
    assert not [name for name, _ in attributes if name.startswith("on") or name in {"style", "srcdoc", "formaction"}]
    addresses = [value for name, value in attributes if name in LINKS]
    allowed = re.compile(r"#|data:image/|\.\./index\.html$|step\.ipynb$")
    assert [address for address in addresses if not allowed.match(address)] == []
    assert "<p>kept</p>" in (tmp_path / RUN / "index.html").read_text()


def test_the_policy_allows_the_one_style_sheet_and_no_script(tmp_path: Path) -> None:
    page = page_of(made_run(tmp_path / RUN, notebook()))
    policy = re.search(r'Security-Policy" content="([^"]*)"', page)
    assert policy
    assert "default-src &#39;none&#39;" in policy[1]
    assert "script-src" not in policy[1]
    assert "unsafe" not in policy[1]


def test_links_of_a_notebook_lead_to_the_web_or_nowhere() -> None:
    assert (
        clean('<a href="https://example.org/x">x</a>')
        == '<a href="https://example.org/x" rel="noopener noreferrer">x</a>'
    )
    assert "href" not in clean('<a href="file:///etc/passwd">x</a><a href="../../secret">y</a><a href="//evil">z</a>')


def test_the_verdict_comes_first_then_why_and_what_mends_it(tmp_path: Path) -> None:
    finding = {"severity": "red", "where": "offense 2026-01-03", "what": "torn", "mend": "runbook run --phase 3"}
    reason = "gate 'coverage' is red: offense 2026-01-03: torn; mend: runbook run --phase 3"
    red = verdict(colour="red", findings=[finding], threshold_pct=95)
    text = page_of(made_run(tmp_path / RUN, notebook(), "red", [red], reason))
    order = [
        text.index(part)
        for part in (
            "NOT VERIFIED",
            "offense 2026-01-03",
            'id="timeline"',
            'id="coverage"',
            'id="gates"',
            'id="notebooks"',
        )
    ]
    assert order == sorted(order)
    assert "runbook run --phase 3" in text
    assert "95 %" in text


def test_a_run_that_is_not_what_it_was_is_never_called_proven(tmp_path: Path) -> None:
    text = page_of(made_run(tmp_path / RUN, notebook()))
    assert "NOT VERIFIED" in text
    assert "step.ipynb is not what the run left" in text


def test_a_killed_run_is_not_called_proven(tmp_path: Path) -> None:
    folder = made_run(tmp_path / RUN, notebook())
    raw = json.loads((folder / "manifest.json").read_text()) | {"finished": None, "outcome": "running"}
    (folder / "manifest.json").write_text(json.dumps(raw))
    assert "NOT FINISHED" in page_of(folder)


def test_the_grid_and_the_gates_figures_are_drawn_from_the_archive(tmp_path: Path) -> None:
    short = coverage("upcoming", dict.fromkeys(dates(9), 0))
    grid = shown(**coverage_grid({"nba_analytics.offense": full("offense"), short.table: short})._repr_mimebundle_())
    line = {"table": short.table, "covered": 0, "expected": 9, "coverage_pct": 0.0, "verdict": "red"}
    verdicts = [verdict(colour="red", phase=3, threshold_pct=95, tables=[line])]
    text = page_of(made_run(tmp_path / RUN, notebook([grid]), "red", verdicts))
    assert "1 of 2 tables is short: upcoming 0 of 9" in text
    assert "1 of 1 tables stay below 95 %, upcoming the furthest: 0.0 %" in text
    assert 'src="data:image/svg+xml;base64,' in text


def test_a_grid_that_is_none_is_left_out_and_the_rest_is_shown(tmp_path: Path) -> None:
    broken = shown(
        **{"application/vnd.runbook.grid+json": {"tables": [{"table": "x", "runs": "none"}]}, "text/plain": "seen"}
    )
    text = page_of(made_run(tmp_path / RUN, notebook([broken])))
    assert "No notebook of this run drew the grid" in text
    assert "seen" in text


def test_a_notebook_that_is_cut_off_is_named_and_the_page_is_made(tmp_path: Path) -> None:
    text = page_of(made_run(tmp_path / RUN, '{"nbformat": 4, "cells": ['))
    assert "It cannot be shown" in text


def test_an_output_without_end_is_cut_and_says_so(tmp_path: Path) -> None:
    (tmp_path / "long.ipynb").write_text(notebook([shown(text_plain="x" * (LONGEST + 7))]))
    output = parts_of(tmp_path / "long.ipynb")[1].outputs[0]
    assert len(output.text) < LONGEST + 100
    assert "7 characters more" in output.text


def test_a_picture_that_is_none_is_said_and_not_shown(tmp_path: Path) -> None:
    (tmp_path / "p.ipynb").write_text(
        notebook([shown(**{"image/png": "PHN2Zz4="}), shown(**{"image/png": "iVBORw0KGgo="})])
    )
    assert [output.kind for output in parts_of(tmp_path / "p.ipynb")[1].outputs] == ["text", "image"]


def test_the_colours_of_a_traceback_are_not_shown_as_letters(tmp_path: Path) -> None:
    (tmp_path / "red.ipynb").write_text(
        notebook([{"output_type": "error", "traceback": ["\x1b[0;31mGateFailed\x1b[0m: no"]}])
    )
    assert parts_of(tmp_path / "red.ipynb")[1].outputs[0].text == "GateFailed: no"


def test_a_folder_without_a_manifest_is_no_run(tmp_path: Path) -> None:
    with pytest.raises(CannotJudge, match=r"holds no manifest\.json"):
        write_report(tmp_path, nowhere(tmp_path), Book(()))


def test_the_list_names_every_run_the_damaged_ones_too(tmp_path: Path) -> None:
    page_of(made_run(tmp_path / "20260104T120000Z-aaaaaaaa", notebook(), "red"))
    made_run(tmp_path / "20260105T120000Z-bbbbbbbb", notebook())
    (tmp_path / "20260106T120000Z-cccccccc").mkdir()
    (tmp_path / "20260106T120000Z-cccccccc" / "manifest.json").write_text("{")
    text = write_list(tmp_path, Book(())).read_text()
    order = [text.index(word) for word in ("cccccccc", "damaged manifest", "bbbbbbbb", "proven", "aaaaaaaa", "■ red")]
    assert order == sorted(order)
    assert 'href="20260104T120000Z-aaaaaaaa/index.html"' in text
    assert 'href="20260105T120000Z-bbbbbbbb/index.html"' not in text


def _facts(folder: Path, *changes: dict[str, Any]) -> Facts:
    """A run of one launch, attempted so many times."""
    manifest = read_manifest(made_run(folder, notebook()))
    records = [manifest.steps[0].model_copy(update=change) for change in changes]
    return Facts(folder, manifest.model_copy(update={"steps": records}), Book(()))


def test_a_notebook_that_was_executed_before_its_run_was_made_stands_at_the_beginning(tmp_path: Path) -> None:
    made = datetime(2026, 1, 5, 12, tzinfo=UTC)
    facts = _facts(tmp_path / RUN, {"started": made - timedelta(hours=1), "seconds": 0.0}, {"started": made})
    picture = facts.timeline()
    assert picture
    bars = [mark for mark in picture.marks if isinstance(mark, Boxes)]
    assert sorted(start for mark in bars for start in mark.x0.tolist()) == [0, 0, 3600, 3600]
    assert all(mark.x1.tolist() >= mark.x0.tolist() for mark in bars)
    assert picture.title.startswith("2 notebooks in 3660 s")
    assert facts.seconds == 60


def test_a_launch_that_was_attempted_twice_has_published_its_dates_once(tmp_path: Path) -> None:
    def attempt(published: int, state: str) -> dict[str, Any]:
        lines = [{"published": published, "rows": 10 * published}]
        return {"step": "20_launch.offense", "state": state, "verdicts": [verdict("published", tables=lines)]}

    killed = {"step": "20_launch.offense", "state": "not proven", "verdicts": []}
    assert _facts(tmp_path / RUN, attempt(7, "red"), attempt(8, "proven")).published == (8, 80)
    assert _facts(tmp_path / "another", attempt(7, "red"), killed).published == (7, 70)


def test_a_report_that_cannot_be_made_says_so_and_raises_nothing(tmp_path: Path) -> None:
    assert "The report could not be made" in try_report(tmp_path, "gone", nowhere(tmp_path))


def test_a_run_that_is_not_there_is_bad_usage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["runbook", "report", "gone", "--runs", str(tmp_path)])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert "there is no run gone" in capsys.readouterr().err


def test_templates_and_style_are_installed_with_the_package() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    kept = settings["tool"]["setuptools"]["package-data"]["runbook"]
    needed = {f"report/*{path.suffix}" for path in (ROOT / "runbook" / "report").iterdir() if path.is_file()}
    assert needed - {"report/*.py"} == {name for name in kept if name.startswith("report/")}
