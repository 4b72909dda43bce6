"""Pictures: the same as SVG and for Plotly; static, small, with a finding for a title and a unit on each axis."""

from __future__ import annotations

import base64
import json
import re
from xml.etree import ElementTree

import numpy as np
import pytest

from lib.charts import (
    Picture,
    Span,
    calibration,
    coverage_grid,
    defaults_by_season,
    gate_chart,
    importance,
    residuals,
    row_counts,
    timeline,
)
from lib.charts.picture import PLOTLY_MIME, SVG_MIME, Axis, Boxes, nice_ticks
from tests.lib.charts.coverages import coverage, dates, full

HOSTILE = '<script>alert(1)</script>"&'
LINES = [
    {"table": "nba_analytics.offense", "coverage_pct": 100.0, "covered": 848, "expected": 848, "verdict": "green"},
    {"table": "nba_analytics.upcoming", "coverage_pct": 52.6, "covered": 446, "expected": 848, "verdict": "red"},
]
DEFAULTS = [
    {"feature": "pace", "season": "2023-24", "avoidable_pct": 0.0},
    {"feature": "pace", "season": "2024-25", "avoidable_pct": 31.0},
]
GROUPS = [{"predicted": 4.0, "actual": 4.5}, {"predicted": 20.0, "actual": 18.0}]
SEASONS = [{"part": "test", "season": "2024-25", "p10": -6.0, "median": -0.4, "p90": 7.0, "mean": 0.21}]
WEIGHTS = [
    {"feature": "points_avg", "mae_added": 1.2, "std": 0.1},
    {"feature": "rest", "mae_added": -0.01, "std": 0.02},
]


def _gate(lines: list[dict[str, object]] = LINES) -> Picture:
    picture = gate_chart({"tables": lines, "threshold_pct": 95})
    assert picture is not None
    return picture


PICTURES = {
    "grid": coverage_grid({"a": full("offense"), "b": coverage("u", dict.fromkeys(dates(9), 3))}),
    "rows": row_counts({"a": full("offense")}),
    "gate": _gate(),
    "timeline": timeline([Span("10_preflight", 0, 2.5, expected=3.0), Span("20_launch", 2.5, 9, "red")], "t"),
    "defaults": defaults_by_season(DEFAULTS),
    "calibration": calibration(GROUPS, "sandbox"),
    "residuals": residuals(SEASONS, "sandbox"),
    "importance": importance(WEIGHTS, "sandbox"),
}


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_is_a_document_without_script_style_or_address(name: str) -> None:
    root = ElementTree.fromstring(PICTURES[name].svg())
    tags = {element.tag.rpartition("}")[2] for element in root.iter()}
    attributes = {key for element in root.iter() for key in element.attrib}
    assert not tags & {"script", "style", "image", "foreignObject", "a", "use"}
    assert not [key for key in attributes if key.startswith("on") or "href" in key or key == "style"]
    assert root.attrib["aria-label"] == PICTURES[name].title


@pytest.mark.parametrize("name", PICTURES)
def test_plotly_takes_the_same_picture(name: str) -> None:
    import plotly.graph_objects as go

    bundle = PICTURES[name]._repr_mimebundle_()
    figure = go.Figure(json.loads(json.dumps(bundle[PLOTLY_MIME])))
    assert figure.layout.title.text.replace("<br>", " ") == PICTURES[name].title
    boxes = [mark for mark in PICTURES[name].marks if isinstance(mark, Boxes)]
    assert len([trace for trace in figure.data if trace.type == "bar"]) == len(boxes)
    assert bundle[SVG_MIME].startswith("<svg ")


@pytest.mark.parametrize("name", PICTURES)
def test_axes_have_titles(name: str) -> None:
    assert PICTURES[name].x.title
    assert PICTURES[name].title


def test_text_of_others_stays_text() -> None:
    picture = _gate([{**LINES[1], "table": f"x.{HOSTILE}"}])
    assert "<script" not in picture.svg()
    assert "<script" not in picture.plotly()["layout"]["title"]["text"]
    assert HOSTILE in "".join(ElementTree.fromstring(picture.svg()).itertext())


def test_numbers_travel_as_bytes_not_as_text() -> None:
    trace = coverage_grid({"a": full("offense")}).plotly()["data"][0]
    assert np.frombuffer(base64.b64decode(trace["x"]["bdata"])).tolist() == [20.0]


def test_the_gate_chart_names_the_table_that_is_furthest_below() -> None:
    assert _gate().title == "1 of 2 tables stay below 95 %, upcoming the furthest: 52.6 %"
    assert _gate(LINES[:1]).title == "All 1 tables reach 95 %"


def test_a_table_that_is_red_above_the_threshold_is_not_called_well() -> None:
    torn = {**LINES[0], "verdict": "red"}
    assert "offense is red for another reason" in _gate([torn]).title


def test_the_bars_of_a_gate_end_at_what_was_measured() -> None:
    ends = {mark.name: mark.x1.tolist() for mark in _gate().marks if isinstance(mark, Boxes)}
    assert ends == {"green": [100.0], "red": [52.6]}


def test_a_table_without_a_dataset_keeps_its_name_and_no_table_is_never_all_of_them() -> None:
    raw = {**LINES[0], "table": "box scores", "coverage_pct": 50.0}
    assert _gate([raw]).title == "1 of 1 tables stay below 95 %, box scores the furthest: 50.0 %"
    assert [name for _, name in _gate([raw]).y.ticks] == ["box scores"]
    assert row_counts({}).title == "No table was looked at"


def test_a_gate_without_coverage_has_no_chart() -> None:
    assert gate_chart({"gate": "runners", "tables": [], "findings": []}) is None


def test_ticks_are_round_and_inside() -> None:
    assert [text for _, text in nice_ticks(0, 9.7)] == ["0", "2", "4", "6", "8"]
    assert nice_ticks(0, 48_000)[-1][1] == "40,000"


def test_a_long_title_is_wrapped_and_not_cut() -> None:
    words = " ".join(f"word{number}" for number in range(60))
    picture = Picture(words, Axis("x", 0, 1), Axis("y", 0, 1), [], 300)
    assert [text for text in ElementTree.fromstring(picture.svg()).itertext() if "word59" in text]
    assert words == picture.plotly()["layout"]["title"]["text"].replace("<br>", " ")


def test_nbconvert_shows_a_picture_without_a_network() -> None:
    import nbformat
    from nbconvert import HTMLExporter

    data = json.loads(json.dumps(PICTURES["grid"]._repr_mimebundle_()))
    output = nbformat.v4.new_output("execute_result", data=data, execution_count=1)
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("grid", outputs=[output], execution_count=1)])
    page, _ = HTMLExporter().from_notebook_node(notebook)
    embedded = re.findall(r'<img[^>]*src="data:image/svg\+xml;base64,([^"]*)"', page)
    texts = ["".join(ElementTree.fromstring(base64.b64decode(one)).itertext()) for one in embedded]
    assert [text for text in texts if PICTURES["grid"].title in text]
    assert "Plotly.newPlot" not in page
