"""Parameters are typed, known and never secret, before anything is launched."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lib.errors import BadInput
from runbook.parameters import checked, declared, defaults

GOOD = Path(__file__).parents[1] / "notebooks" / "good.ipynb"


def _template(folder: Path, source: str) -> Path:
    cell = {"cell_type": "code", "metadata": {"tags": ["parameters"]}, "source": source, "outputs": []}
    path = folder / "template.ipynb"
    path.write_text(json.dumps({"nbformat": 4, "nbformat_minor": 4, "metadata": {}, "cells": [cell]}))
    return path


def test_declared_gives_names_and_types_in_order() -> None:
    assert dict(declared(GOOD)) == {"phase": int, "label": str, "share": float, "dry": bool, "tables": list}
    assert list(declared(GOOD)) == ["phase", "label", "share", "dry", "tables"]


def test_defaults_are_the_literals() -> None:
    assert defaults(GOOD) == {"phase": 3, "label": "league", "share": 0.95, "dry": False, "tables": []}


def test_checked_takes_an_int_for_a_float_and_keeps_the_declared_order() -> None:
    values = checked(GOOD, {"share": 1, "phase": 4})
    assert repr(values) == "{'phase': 4, 'share': 1.0}"


def test_a_misspelt_parameter_is_refused_with_the_right_name() -> None:
    with pytest.raises(BadInput, match=r"unknown parameter phse; did you mean phase\?"):
        checked(GOOD, {"phse": 4})


@pytest.mark.parametrize(
    "given",
    [{"phase": "4"}, {"phase": True}, {"phase": 4.0}, {"label": None}, {"dry": 1}, {"share": float("nan")}]
    + [{"tables": "a"}, {"tables": [1]}],
)
def test_a_mistyped_parameter_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(BadInput, match=f"parameter {next(iter(given))} must be"):
        checked(GOOD, given)


@pytest.mark.parametrize(
    "value",
    ["postgres://me:secret@host/db", "AKIA" + "A" * 16, "ghp_" + "a" * 36, "-----BEGIN RSA PRIVATE KEY-----"],
)
def test_a_value_that_looks_like_a_secret_is_refused(value: str) -> None:
    with pytest.raises(BadInput, match="label looks like a secret"):
        checked(GOOD, {"label": value})
    with pytest.raises(BadInput, match="tables looks like a secret"):
        checked(GOOD, {"tables": ["fine", value]})


def test_a_name_that_looks_like_a_secret_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="db_password looks like a secret"):
        checked(_template(tmp_path, 'db_password: str = ""'), {"db_password": "x"})


def test_an_ordinary_warehouse_url_is_no_secret() -> None:
    for url in ("duckdb:///sandbox/warehouse.duckdb", "bigquery://project?location=us-west2"):
        assert checked(GOOD, {"label": url}) == {"label": url}


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("phase = 3", "write `name: type = literal`, not `phase = 3`"),
        ("import os", "write `name: type = literal`"),
        ("phase: int = int('3')", "must be a literal"),
        ("phase: int = '3'", "must be int"),
        ("phase: set = 3", "use one of str, int"),
        ("phase: int = 3\nphase: int = 4", "declared twice"),
        ("phase: int =", "not plain Python"),
    ],
)
def test_a_parameters_cell_holds_only_typed_literals(tmp_path: Path, source: str, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        declared(_template(tmp_path, source))
