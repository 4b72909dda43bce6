"""GoogleSQL to DuckDB, over a closed subset.

The committed text is GoogleSQL. sqlglot transpiles it; a construct outside the allow-list is refused, and the few
places where the transpiler's result would differ from BigQuery's are rewritten here, one rule a function.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import sqlglot
from sqlglot import exp
from sqlglot.errors import ErrorLevel, SqlglotError

from lib.contract import Column, Contract
from lib.errors import CannotJudge

DUCKDB_TYPES = {
    "STRING": "VARCHAR",
    "INT64": "BIGINT",
    "FLOAT64": "DOUBLE",
    "BOOL": "BOOLEAN",
    "DATE": "DATE",
    "TIMESTAMP": "TIMESTAMPTZ",
    "ARRAY<STRING>": "VARCHAR[]",
    "ARRAY<FLOAT64>": "DOUBLE[]",
}

ALLOWED_FUNCTIONS = (
    exp.Abs, exp.And, exp.AnyValue, exp.Array, exp.ArrayAgg, exp.ArrayConcat, exp.ArraySize, exp.Case, exp.Cast, exp.Coalesce, exp.Concat, exp.Count, exp.CountIf,
    exp.CurrentTimestamp, exp.DateDiff, exp.Exists, exp.Extract, exp.FirstValue, exp.Greatest, exp.If, exp.IntDiv, exp.Lag,
    exp.LastValue, exp.Least, exp.Lower, exp.LogicalAnd, exp.LogicalOr, exp.Max, exp.Min, exp.Nullif, exp.Or, exp.Pow, exp.RegexpExtract,
    exp.RegexpLike, exp.RegexpReplace, exp.Round, exp.RowNumber, exp.SafeDivide, exp.SHA2Digest, exp.Sqrt, exp.Substring,
    exp.Sum, exp.TimeToStr, exp.TryCast, exp.UnixDate, exp.Unnest, exp.Upper, exp.JSONFormat, exp.LowerHex, exp.Sign, exp.TsOrDsToDate,
)  # fmt: skip


@cache
def to_duckdb(sql: str) -> str:
    """The DuckDB text of one GoogleSQL query; parameters ``@name`` become ``$name``.

    Raises CannotJudge where the query steps outside the tested subset.
    """
    try:
        tree = sqlglot.parse_one(sql, read="bigquery")
        refuse_outside_subset(tree)
        for rule in RULES:
            tree = tree.transform(rule)
        return tree.sql("duckdb", unsupported_level=ErrorLevel.RAISE)
    except SqlglotError as error:
        raise CannotJudge(f"this GoogleSQL cannot be carried over to DuckDB: {error}") from error


def refuse_outside_subset(tree: exp.Expression) -> None:
    """Raises CannotJudge naming the first function that is not in the tested subset."""
    for function in tree.find_all(exp.Func):
        if isinstance(function, exp.Anonymous) or not isinstance(function, ALLOWED_FUNCTIONS):
            raise CannotJudge(f"{function.sql('bigquery')[:80]}: {type(function).__name__} is outside the tested subset")


def column_type(column: Column) -> str:
    """The DuckDB type of a contract column: ``NUMERIC(5, 1)`` is ``DECIMAL(5, 1)``."""
    if column.base_type == "NUMERIC":
        return column.type.replace("NUMERIC", "DECIMAL")
    return DUCKDB_TYPES[column.type]


def create_table(contract: Contract) -> str:
    """The DuckDB DDL of a contract. Keys are audited, not enforced, as on BigQuery."""
    columns = [f'"{c.name}" {column_type(c)}{" NOT NULL" if c.required else ""}' for c in contract.columns]
    return f"CREATE TABLE IF NOT EXISTS {contract.name} ({', '.join(columns)})"


def _in_unnest(node: exp.Expression) -> exp.Expression:
    """``x IN UNNEST(@dates)``: the transpiler's CASE over the list keeps DuckDB from pruning."""
    unnest = node.args.get("unnest") if isinstance(node, exp.In) else None
    if unnest is None:
        return node
    query = exp.select(exp.Unnest(expressions=[unnest.expressions[0].copy()]))
    return exp.In(this=node.this, query=exp.Subquery(this=query))


def _json_numbers(node: exp.Expression) -> exp.Expression:
    """TO_JSON_STRING writes the NUMERIC 100 as ``100``, DuckDB as ``100.0``."""
    if not isinstance(node, exp.JSONFormat):
        return node
    json = exp.cast(exp.func("to_json", node.this.copy()), "text")
    return exp.Anonymous(
        this="regexp_replace",
        expressions=[json, exp.Literal.string(r"(\d)\.0([,}])"), exp.Literal.string(r"\1\2"), exp.Literal.string("g")],
    )


def _whole_cast(node: exp.Expression) -> exp.Expression:
    """CAST(2.5 AS INT64) is 3 on BigQuery; DuckDB rounds halves to even."""
    if type(node) is not exp.Cast or node.to.this not in (exp.DType.BIGINT, exp.DType.INT):
        return node
    inner = node.this
    return exp.cast(exp.func("round", inner.copy()), "bigint") if isinstance(inner, exp.Div) else node


def _plain_numeric(node: exp.Expression) -> exp.Expression:
    """NUMERIC without precision is NUMERIC(38, 9); DuckDB would take DECIMAL(18, 3)."""
    if type(node) is exp.Cast and node.to.this == exp.DType.DECIMAL and not node.to.expressions:
        return exp.cast(node.this.copy(), exp.DataType.build("decimal(38, 9)"))
    return node


RULES: tuple[Callable[[exp.Expression], exp.Expression], ...] = (_in_unnest, _json_numbers, _whole_cast, _plain_numeric)
