"""GoogleSQL to DuckDB, over a closed subset.

The committed text is GoogleSQL. sqlglot transpiles it; a construct outside the allow-list is refused, and the few
places where the transpiler's result would differ from BigQuery's are rewritten here, one rule a function.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import sqlglot
from sqlglot import exp
from sqlglot.dialects import BigQuery, DuckDB
from sqlglot.errors import ErrorLevel, SqlglotError

from lib.contract import Column, Contract
from lib.errors import CannotJudge

# The dialects are imported here and not asked for by name when they are needed: sqlglot knows one by name before it is
# whole, and a second thread that translates meanwhile gets another dialect's text.

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
    exp.CurrentTimestamp, exp.DateDiff, exp.DateSub, exp.Exists, exp.Extract, exp.FirstValue, exp.Greatest, exp.If, exp.IntDiv, exp.Lag,
    exp.LastValue, exp.Least, exp.Lower, exp.LogicalAnd, exp.LogicalOr, exp.Max, exp.Min, exp.Nullif, exp.Or, exp.Pow, exp.Rank, exp.RegexpExtract,
    exp.RegexpLike, exp.RegexpReplace, exp.Round, exp.RowNumber, exp.SafeDivide, exp.SHA2Digest, exp.Sqrt, exp.Substring,
    exp.Sum, exp.TimeToStr, exp.TryCast, exp.UnixDate, exp.Unnest, exp.Upper, exp.JSONFormat, exp.LowerHex, exp.Sign, exp.TsOrDsToDate,
    exp.FarmFingerprint, exp.Struct, exp.UnixMicros,
)  # fmt: skip

NOT_HASHED = ("data_hash", "processed_at")


def to_duckdb(sql: str, contract: Contract | None = None) -> str:
    """The DuckDB text of one GoogleSQL query; parameters ``@name`` become ``$name``. Remembered by its text.

    *contract* tells the types of a whole row in ``TO_JSON_STRING(final)``.
    Raises CannotJudge where the query steps outside the tested subset.
    """
    return translated(sql, contract)


@cache
def translated(sql: str, contract: Contract | None) -> str:
    """The same without what is left out as a rule, so that a text has one entry."""
    try:
        tree = sqlglot.parse_one(sql, read=BigQuery)
        refuse_outside_subset(tree)
        if contract:
            _write_rows_as_json(tree, contract)
        rewrite(tree)
        _refuse_untyped_json(tree)
        return tree.sql(DuckDB, unsupported_level=ErrorLevel.RAISE)
    except SqlglotError as error:
        raise CannotJudge(f"this GoogleSQL cannot be carried over to DuckDB: {error}") from error


def rewrite(tree: exp.Expr) -> None:
    """Applies every rule to every node below the root, in place, inner nodes first."""
    for node in reversed(list(tree.walk())):
        for rule in RULES:
            changed = rule(node)
            if changed is not node:
                node.replace(changed)
                node = changed


def refuse_outside_subset(tree: exp.Expr) -> None:
    """Raises CannotJudge naming the first function that is not in the tested subset."""
    for function in tree.find_all(exp.Func):
        if isinstance(function, exp.Anonymous) or not isinstance(function, ALLOWED_FUNCTIONS):
            text = function.sql(BigQuery)[:80]
            raise CannotJudge(f"{text}: {type(function).__name__} is outside the tested subset")


def column_type(column: Column) -> str:
    """The DuckDB type of a contract column: ``NUMERIC(5, 1)`` is ``DECIMAL(5, 1)``."""
    if column.base_type == "NUMERIC":
        return column.type.replace("NUMERIC", "DECIMAL")
    return DUCKDB_TYPES[column.type]


def create_table(contract: Contract) -> str:
    """The DuckDB DDL of a contract. Keys are audited, not enforced, as on BigQuery."""
    columns = [f'"{c.name}" {column_type(c)}{" NOT NULL" if c.required else ""}' for c in contract.columns]
    return f"CREATE TABLE IF NOT EXISTS {contract.name} ({', '.join(columns)})"


def _in_unnest(node: exp.Expr) -> exp.Expr:
    """``x IN UNNEST(@dates)``: the transpiler's CASE over the list keeps DuckDB from pruning."""
    unnest = node.args.get("unnest") if isinstance(node, exp.In) else None
    if unnest is None:
        return node
    query = exp.select(exp.Unnest(expressions=[unnest.expressions[0].copy()]))
    return exp.In(this=node.this, query=exp.Subquery(this=query))


def _write_rows_as_json(tree: exp.Expr, contract: Contract) -> None:
    """``TO_JSON_STRING(final)`` as BigQuery writes it, column by column; DuckDB writes NUMERIC and TIMESTAMP otherwise."""
    for node in list(tree.find_all(exp.JSONFormat)):
        if isinstance(node.this, exp.Column) and node.this.name == "final":
            fields = ", ".join(f"{c.name} := {_json_value(c)}" for c in contract.columns if c.name not in NOT_HASHED)
            node.replace(sqlglot.parse_one(f"CAST(to_json(struct_pack({fields})) AS TEXT)", read=DuckDB))


def _json_value(column: Column) -> str:
    """DuckDB for a column's value in JSON: NUMERIC 100 is ``100``, 0.5 is ``"0.5"``; FLOAT64 0.5 is ``0.5``."""
    name = f"final.{column.name}"
    if column.base_type == "NUMERIC":
        return _json_number(name, f"rtrim(CAST({name} AS TEXT), '0')")
    if column.type == "TIMESTAMP":
        return _json_timestamp(name)
    if column.type == "ARRAY<FLOAT64>":
        return f"list_transform({name}, lambda item: {_json_number('item', 'item')})"
    if column.type == "FLOAT64":
        return _json_number(name, name)
    return f"CAST({name} AS BIGINT)" if column.type == "INT64" else name


def _json_number(value: str, with_decimals: str) -> str:
    """A whole number has no point; *with_decimals* is what is written of any other."""
    return f"CASE WHEN {value} = trunc({value}) THEN to_json(CAST({value} AS BIGINT)) ELSE to_json({with_decimals}) END"


def _json_timestamp(value: str) -> str:
    """``2024-01-01T18:30:00Z``, with three or six digits of a second where they are not all 0."""
    formats = (("%S", 1_000_000), ("%S.%g", 1_000), ("%S.%f", 1))
    cases = [
        f"WHEN epoch_us({value}) % {unit} = 0 THEN strftime({value}, '%Y-%m-%dT%H:%M:{text}Z')"
        for text, unit in formats
    ]
    return f"CASE {' '.join(cases)} END"


def _refuse_untyped_json(tree: exp.Expr) -> None:
    """DuckDB writes other JSON than BigQuery: only a table's row, whose types the contract tells, is carried over."""
    if tree.find(exp.JSONFormat):
        raise CannotJudge("TO_JSON_STRING is carried over only as TO_JSON_STRING(final) of a table's SELECT")


def _whole_cast(node: exp.Expr) -> exp.Expr:
    """CAST(2.5 AS INT64) is 3 on BigQuery; DuckDB rounds halves to even."""
    if type(node) is not exp.Cast or node.to.this not in (exp.DType.BIGINT, exp.DType.INT):
        return node
    inner = node.this
    return exp.cast(exp.func("round", inner.copy()), "bigint") if isinstance(inner, exp.Div) else node


def _date_stays_date(node: exp.Expr) -> exp.Expr:
    """DATE_SUB of a DATE is a DATE; DuckDB makes it a TIMESTAMP."""
    return exp.cast(node.copy(), "date") if isinstance(node, exp.DateSub) else node


def _whole_division(node: exp.Expr) -> exp.Expr:
    """DIV(a + b, c) / 10: the transpiler writes ``a + b // c / 10``, without parentheses."""
    if not isinstance(node, exp.IntDiv):
        return node
    return exp.Paren(this=exp.IntDiv(this=exp.paren(node.this.copy()), expression=exp.paren(node.expression.copy())))


def _plain_numeric(node: exp.Expr) -> exp.Expr:
    """NUMERIC without precision is NUMERIC(38, 9); DuckDB would take DECIMAL(18, 3)."""
    if isinstance(node, exp.DataType) and node.this == exp.DType.DECIMAL and not node.expressions:
        return exp.DataType.build("decimal(38, 9)")
    return node


def _row_hash(node: exp.Expr) -> exp.Expr:
    """CAST(FARM_FINGERPRINT(TO_JSON_STRING(STRUCT(...))) AS NUMERIC) hashes a row on BigQuery; DuckDB has its own hash."""
    struct = node.find(exp.Struct) if type(node) is exp.Cast and isinstance(node.this, exp.FarmFingerprint) else None
    if struct is None:
        return node
    columns = [part.copy() for part in struct.expressions]
    return exp.cast(exp.Anonymous(this="hash", expressions=columns), "hugeint")


def _hex_digest(node: exp.Expr) -> exp.Expr:
    """TO_HEX(SHA256(text)): DuckDB's SHA256 is hexadecimal already, in lower case."""
    digest = node.this if isinstance(node, exp.LowerHex) else None
    if not isinstance(digest, exp.SHA2Digest) or digest.text("length") != "256":
        return node
    return exp.Anonymous(this="sha256", expressions=[digest.this.copy()])


def _row_text(node: exp.Expr) -> exp.Expr:
    """TO_JSON_STRING([CAST(a AS STRING), TO_JSON_STRING(b)]): a row's values as texts, compared on one engine only."""
    if not isinstance(node, exp.JSONFormat) or not isinstance(node.this, exp.Array):
        return node
    texts = [_as_json(part.this) if isinstance(part, exp.JSONFormat) else part for part in node.this.expressions]
    return _as_json(exp.Array(expressions=[text.copy() for text in texts]))


def _as_json(value: exp.Expr) -> exp.Expr:
    return exp.cast(exp.Anonymous(this="to_json", expressions=[value.copy()]), "text")


def _sized_numeric(node: exp.Expr) -> exp.Expr:
    """IF(ABS(ROUND(SAFE_CAST(x AS NUMERIC), s)) < 10 ** n, ROUND(...), NULL): what fits NUMERIC(n + s, s), in that type."""
    rounded = node.args.get("true") if isinstance(node, exp.If) else None
    if not isinstance(rounded, exp.Round) or not isinstance(rounded.this, exp.TryCast):
        return node
    limit = str(node.this.expression) if isinstance(node.this, exp.LT) else ""
    if node.this != exp.LT(this=exp.Abs(this=rounded.copy()), expression=exp.Literal.number(limit)):
        return node
    scale = int(str(rounded.args["decimals"]))
    kind = exp.DataType.build(f"decimal({len(limit) - 1 + scale}, {scale})")
    return exp.TryCast(this=rounded.this.this.copy(), to=kind)


RULES: tuple[Callable[[exp.Expr], exp.Expr], ...] = (
    _row_hash,
    _hex_digest,
    _row_text,
    _in_unnest,
    _whole_cast,
    _date_stays_date,
    _whole_division,
    _plain_numeric,
    _sized_numeric,
)
