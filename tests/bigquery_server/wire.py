"""Values and schemas as they travel: JSON texts one way, Python and DuckDB the other."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from tests.bigquery_server.trouble import NotStrict, only

Field = dict[str, Any]
TO_DUCKDB = {
    "STRING": "VARCHAR", "INTEGER": "BIGINT", "INT64": "BIGINT", "FLOAT": "DOUBLE", "FLOAT64": "DOUBLE", "BOOLEAN": "BOOLEAN",
    "BOOL": "BOOLEAN", "DATE": "DATE", "TIMESTAMP": "TIMESTAMPTZ",
}  # fmt: skip
FROM_DUCKDB = {
    "VARCHAR": "STRING", "BIGINT": "INTEGER", "INTEGER": "INTEGER", "DOUBLE": "FLOAT", "BOOLEAN": "BOOLEAN", "DATE": "DATE",
    "TIMESTAMP WITH TIME ZONE": "TIMESTAMP", "UBIGINT": "INTEGER", "SMALLINT": "INTEGER", "TINYINT": "INTEGER",
    '"NULL"': "INTEGER",
}  # fmt: skip
HASHES = re.compile(r"^(content|hash_\d+)$")  # the only sums that are NUMERIC on BigQuery; others are INT64


def duckdb_type(field: Field) -> str:
    """The DuckDB type of a column of a table."""
    kind = field["type"]
    if kind == "NUMERIC":
        element = f"DECIMAL({field.get('precision', 38)}, {field.get('scale', 9)})"
    else:
        element = TO_DUCKDB[kind]
    return f"{element}[]" if field.get("mode") == "REPEATED" else element


def field_of(name: str, kind: str) -> Field:
    """A column of a result, by its DuckDB type."""
    repeated = kind.endswith("[]")
    kind = kind.removesuffix("[]")
    known = "NUMERIC" if kind.startswith("DECIMAL") else FROM_DUCKDB.get(kind)
    if kind == "HUGEINT":
        known = "NUMERIC" if HASHES.match(name) else "INTEGER"
    if known is None:
        raise NotStrict(f"column {name}: no type on the wire for DuckDB's {kind}")
    return {"name": name, "type": known, "mode": "REPEATED" if repeated else "NULLABLE"}


def cell(value: Any, field: Field) -> Any:
    """``{"v": ...}``."""
    if field["mode"] == "REPEATED":
        return {"v": [cell(item, field | {"mode": "NULLABLE"}) for item in value or ()]}
    if field["type"] == "RECORD":
        return {"v": {"f": [cell(part, of) for part, of in zip(value, field["fields"], strict=True)]}}
    return {"v": None if value is None else _text(value, field["type"])}


def _text(value: Any, kind: str) -> str:
    if kind == "BOOLEAN":
        return "true" if value else "false"
    if kind == "TIMESTAMP":
        return str(int(value.timestamp()) * 1_000_000 + value.microsecond)
    if kind == "FLOAT":
        return "NaN" if math.isnan(value) else repr(float(value))
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


def parameters(given: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The values of a query's parameters."""
    found = {}
    for item in given:
        only(dict(item), {"name", "parameterType", "parameterValue"}, "query parameter")
        found[item["name"]] = _value(item["parameterType"], item["parameterValue"])
    return found


def _value(kind: Mapping[str, Any], value: Mapping[str, Any]) -> Any:
    if kind["type"] == "ARRAY":
        return [_value(kind["arrayType"], item) for item in value.get("arrayValues", ())]
    if kind["type"] == "STRUCT":
        types = {part["name"]: part["type"] for part in kind["structTypes"]}
        return {name: _value(types[name], item) for name, item in value["structValues"].items()}
    text = value.get("value")
    return None if text is None else _scalar(kind["type"], text)


def _scalar(kind: str, text: Any) -> Any:
    if kind in ("INT64", "INTEGER"):
        return int(text)
    if kind in ("FLOAT64", "FLOAT"):
        return float(text)
    if kind in ("BOOL", "BOOLEAN"):
        return str(text).lower() == "true"
    if kind == "DATE":
        return date.fromisoformat(text)
    if kind == "TIMESTAMP":
        return datetime.fromisoformat(str(text)).astimezone(UTC)
    if kind == "NUMERIC":
        return Decimal(text)
    if kind == "STRING":
        return str(text)
    raise NotStrict(f"a parameter of type {kind}")
