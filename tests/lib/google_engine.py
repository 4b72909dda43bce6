"""Google's own SQL engine (the ``zetasql`` wheel): its analyzer and its reference implementation.

The engine comes as WebAssembly. Compiling it costs half a minute, once: wasmtime keeps the result in its cache.
"""

from __future__ import annotations

import ctypes
from collections.abc import Container, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any

import wasmtime
import zetasql.core.wasm_client as wasm
from sqlglot.dialects import BigQuery
from zetasql.core.exceptions import ServerError
from zetasql.wasi import get_wasm_path
from zetasql.wasi._pb2.zetasql.local_service import local_service_pb2 as service
from zetasql.wasi._pb2.zetasql.proto import options_pb2
from zetasql.wasi._pb2.zetasql.resolved_ast import resolved_node_kind_pb2 as enums

from lib.contract import Contract

EPOCH = date(1970, 1, 1)
# numbers of zetasql's TypeKind and the field of a value that carries each type
KINDS = {"INT64": 2, "BOOL": 5, "FLOAT64": 7, "STRING": 8, "DATE": 10, "TIMESTAMP": 19, "NUMERIC": 23}
NAMES = {number: name for name, number in KINDS.items()}
ARRAY = 16
FIELDS = {
    "INT64": "int64_value",
    "BOOL": "bool_value",
    "FLOAT64": "double_value",
    "STRING": "string_value",
    "DATE": "date_value",
    "TIMESTAMP": "timestamp_value",
    "NUMERIC": "numeric_value",
}
PARAMETERS = {
    "dates": "ARRAY<DATE>",
    "first": "DATE",
    "last": "DATE",
    "history_from": "DATE",
    "bootstrap_days": "INT64",
    "minimum_games": "INT64",
}

STATEMENTS = (
    "QUERY", "CREATE_TABLE", "BEGIN", "COMMIT", "DELETE", "INSERT", "UPDATE", "MERGE", "ASSERT", "CREATE_SNAPSHOT_TABLE",
    "CLONE_DATA",
)  # fmt: skip
STRUCT = 17
PRODUCT_EXTERNAL = 1  # the names of types as on BigQuery
Row = Mapping[str, object]
GoogleError = ServerError


class _CachingConfig(wasmtime.Config):
    """A configuration that keeps compiled code between processes."""

    def __init__(self) -> None:
        super().__init__()
        self.cache = True


class _Client(wasm.WasmClient):  # type: ignore[misc]
    """The wheel's client copies the memory byte by byte in Python; this one copies it at once."""

    def write_bytes(self, ptr: int, data: bytes) -> None:
        ctypes.memmove(self._start() + ptr, bytes(data), len(data))

    def read_bytes(self, ptr: int, size: int) -> bytes:
        return ctypes.string_at(self._start() + ptr, size)

    def _start(self) -> int:
        return ctypes.addressof(self.memory.data_ptr().contents)


@cache
def _client() -> _Client:
    original, wasm.Config = wasm.Config, _CachingConfig
    try:
        return _Client(get_wasm_path())
    finally:
        wasm.Config = original


class Google:
    """Analyzes and evaluates GoogleSQL against the tables of *contracts*."""

    def __init__(self, contracts: Iterable[Contract]) -> None:
        self.contracts = {contract.name: contract for contract in contracts}
        self.options = _options()
        self.catalog = service.RegisterCatalogRequest().simple_catalog
        self.catalog.name = "catalog"
        self.catalog.builtin_function_options.language_options.CopyFrom(self.options.language_options)
        for contract in self.contracts.values():
            table = self.catalog.table.add(name=contract.name)
            for column in contract.columns:
                _set_type(table.column.add(name=column.name).type, column.base_type)

    def accept(self, statement: str, parameters: Mapping[str, Any] | None = None) -> None:
        """Analyzes one statement of any kind; raises GoogleError where Google's analyzer refuses it.

        *parameters* are the types of its parameters as a job states them; else those of a table's SELECT.
        """
        request = service.AnalyzeRequest(
            options=self.options if parameters is None else _with_parameters(parameters),
            simple_catalog=self.catalog,
            sql_statement=flat_names(statement, self.contracts),
        )
        _client().call_grpc_func("ZetaSqlLocalService_Analyze", request, service.AnalyzeResponse)

    def columns(self, select: str) -> list[tuple[str, str]]:
        """Name and type of every output column of *select*, for instance ``("pace", "NUMERIC")``."""
        request = service.PrepareQueryRequest(
            sql=flat_names(select, self.contracts), options=self.options, simple_catalog=self.catalog
        )
        for name in self.contracts:
            request.table_content[name].table_data.SetInParent()
        response = _client().call_grpc_func("ZetaSqlLocalService_PrepareQuery", request, service.PrepareQueryResponse)
        return [(column.name, _type_name(column.type)) for column in response.prepared.columns]

    def rows(
        self, select: str, parameters: Mapping[str, object], tables: Mapping[str, Sequence[Row]]
    ) -> list[dict[str, Any]]:
        """The rows of *select* over *tables*, by Google's reference implementation; absent tables are empty."""
        request = service.EvaluateQueryRequest(
            sql=flat_names(select, self.contracts), options=self.options, simple_catalog=self.catalog
        )
        for name, value in parameters.items():
            _encode(request.params.add(name=name).value, value, PARAMETERS[name])
        for name, contract in self.contracts.items():
            content = request.table_content[name].table_data
            content.SetInParent()
            for row in tables.get(name, ()):
                _encode_row(content.row.add(), row, contract)
        response = _client().call_grpc_func("ZetaSqlLocalService_EvaluateQuery", request, service.EvaluateQueryResponse)
        columns = [(column.name, _type_name(column.type)) for column in response.prepared.columns]
        return [_decode_row(row.cell, columns) for row in response.content.table_data.row]


def flat_names(sql: str, tables: Container[str]) -> str:
    """``dataset.table`` as the one name `` `dataset.table` ``: the evaluator fills no nested catalogs."""
    tokens = BigQuery().tokenize(sql)
    text, position = "", 0
    for first, _, last in zip(tokens, tokens[1:], tokens[2:], strict=False):
        if (name := f"{first.text}.{last.text}") in tables and sql[first.start : last.end + 1] == name:
            text, position = f"{text}{sql[position : first.start]}`{name}`", last.end + 1
    return text + sql[position:]


@cache
def _options() -> Any:
    """Every released feature, the names of types as on BigQuery, and the parameters of a table's SELECT."""
    language = _client().call_grpc_func(
        "ZetaSqlLocalService_GetLanguageOptions",
        service.LanguageOptionsRequest(maximum_features=True),
        options_pb2.LanguageOptionsProto,
    )
    language.product_mode = PRODUCT_EXTERNAL
    language.supported_statement_kinds.extend(getattr(enums, f"RESOLVED_{name}_STMT") for name in STATEMENTS)
    options = options_pb2.AnalyzerOptionsProto(language_options=language, default_timezone="UTC")
    for name, kind in PARAMETERS.items():
        _set_type(options.query_parameters.add(name=name).type, kind)
    return options


def _with_parameters(parameters: Mapping[str, Any]) -> Any:
    options = options_pb2.AnalyzerOptionsProto()
    options.CopyFrom(_options())
    del options.query_parameters[:]
    # known to statements that are analysed alone: the evaluator would ask for its value
    _set_type(options.system_variables.add(name_path=["row_count"]).type, "INT64")
    for name, kind in parameters.items():
        _set_stated_type(options.query_parameters.add(name=name).type, kind)
    return options


def _set_stated_type(target: Any, kind: Mapping[str, Any]) -> None:
    """The type of a parameter as a job states it: {"type": "ARRAY", "arrayType": {...}}."""
    if kind["type"] == "ARRAY":
        target.type_kind = ARRAY
        _set_stated_type(target.array_type.element_type, kind["arrayType"])
    elif kind["type"] == "STRUCT":
        target.type_kind = STRUCT
        for part in kind["structTypes"]:
            _set_stated_type(target.struct_type.field.add(field_name=part["name"]).field_type, part["type"])
    else:
        target.type_kind = KINDS[kind["type"]]


def _element(kind: str) -> str | None:
    return kind[len("ARRAY<") : -1] if kind.startswith("ARRAY<") else None


def _set_type(target: Any, kind: str) -> None:
    element = _element(kind)
    target.type_kind = ARRAY if element else KINDS[kind]
    if element:
        target.array_type.element_type.type_kind = KINDS[element]


def _type_name(kind: Any) -> str:
    if kind.type_kind == ARRAY:
        return f"ARRAY<{NAMES[kind.array_type.element_type.type_kind]}>"
    return NAMES.get(kind.type_kind, str(kind.type_kind))


def _encode_row(target: Any, row: Row, contract: Contract) -> None:
    for column in contract.columns:
        _encode(target.cell.add(), row.get(column.name), column.base_type)


def _encode(target: Any, value: Any, kind: str) -> None:
    element = _element(kind)
    if value is None:
        return
    if element:
        target.array_value.SetInParent()
        for item in value:
            _encode(target.array_value.element.add(), item, element)
    elif kind == "TIMESTAMP":
        target.timestamp_value.FromDatetime(value.astimezone(UTC))
    else:
        setattr(target, FIELDS[kind], _plain(value, kind))


def _plain(value: Any, kind: str) -> object:
    if kind == "DATE":
        return (value - EPOCH).days
    if kind == "NUMERIC":
        scaled = int(Decimal(value).scaleb(9))
        return scaled.to_bytes(scaled.bit_length() // 8 + 1, "little", signed=True)
    return float(value) if kind == "FLOAT64" else value


def _decode_row(cells: Sequence[Any], columns: Sequence[tuple[str, str]]) -> dict[str, Any]:
    return {name: _decode(cell, kind) for cell, (name, kind) in zip(cells, columns, strict=True)}


def _decode(cell: Any, kind: str) -> Any:
    field = cell.WhichOneof("value")
    element = _element(kind)
    if field is None:
        return None
    if element:
        return [_decode(item, element) for item in cell.array_value.element]
    value = getattr(cell, FIELDS[kind])
    if kind == "DATE":
        return EPOCH + timedelta(days=value)
    if kind == "NUMERIC":
        return Decimal(int.from_bytes(value, "little", signed=True)).scaleb(-9)
    return datetime.fromtimestamp(value.seconds, UTC) if kind == "TIMESTAMP" else value
