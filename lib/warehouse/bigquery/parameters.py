"""Values of parameters, with their types, as BigQuery wants them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from google.cloud.bigquery import ArrayQueryParameter, ScalarQueryParameter, StructQueryParameter
from google.cloud.bigquery.query import ScalarQueryParameterType, StructQueryParameterType

from lib.contract import Contract
from lib.errors import CannotJudge

KINDS: Mapping[type, str] = {
    bool: "BOOL", int: "INT64", float: "FLOAT64", str: "STRING", date: "DATE", datetime: "TIMESTAMP", Decimal: "NUMERIC",
}  # fmt: skip


@dataclass(frozen=True)
class TableRows:
    """Rows of one of the runbook's own tables as a parameter: an array of structs in the order of the contract."""

    contract: Contract
    rows: tuple[tuple[Any, ...], ...]


def as_parameters(values: Mapping[str, object]) -> list[Any]:
    """The parameters of a job."""
    return [_parameter(name, value) for name, value in values.items()]


def _parameter(name: str, value: Any) -> Any:
    if isinstance(value, TableRows):
        return _rows(name, value)
    if isinstance(value, (list, tuple, set, frozenset)):
        return ArrayQueryParameter(name, _kind(next(iter(value), date.min)), list(value))
    return ScalarQueryParameter(name, _kind(value), value)


def _rows(name: str, value: TableRows) -> ArrayQueryParameter:
    columns = value.contract.columns
    types = [ScalarQueryParameterType(column.base_type, name=column.name) for column in columns]  # type: ignore[no-untyped-call]
    kind = StructQueryParameterType(*types)  # type: ignore[no-untyped-call]
    structs = [
        StructQueryParameter(
            None,
            *(ScalarQueryParameter(c.name, c.base_type, cell) for c, cell in zip(columns, row, strict=True)),
        )
        for row in value.rows
    ]
    return ArrayQueryParameter(name, kind, structs)


def _kind(value: object) -> str:
    kind = KINDS.get(type(value))
    if kind is None:
        raise CannotJudge(f"no type of BigQuery is known for the parameter {value!r}")
    return kind
