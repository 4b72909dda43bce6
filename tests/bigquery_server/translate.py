"""GoogleSQL statements for DuckDB: the closed subset of lib.dialect, and the few shapes that only the adapter sends."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

import sqlglot
from sqlglot import exp
from sqlglot.dialects import BigQuery
from sqlglot.tokenizer_core import TokenType

from lib.contract import Contract
from lib.dialect import to_duckdb
from lib.errors import CannotJudge
from lib.registry import registry
from tests.bigquery_server.trouble import NotStrict, invalid


@dataclass(frozen=True)
class Question:
    """One of several queries in a statement: its name and its GoogleSQL."""

    name: str
    sql: str


def statements(script: str) -> list[str]:
    """The statements of a script, as they are written."""
    starts, found = 0, []
    for token in BigQuery().tokenize(script):
        if token.token_type == TokenType.SEMICOLON:
            found.append(script[starts : token.start].strip())
            starts = token.end + 1
    return [part for part in (*found, script[starts:].strip()) if part]


SIZED = {exp.DType.DECIMAL, exp.DType.BIGDECIMAL, exp.DType.TEXT, exp.DType.VARCHAR, exp.DType.BINARY}


@lru_cache(maxsize=500)
def parsed(statement: str) -> exp.Expr:
    """The tree of a statement; refused as BigQuery refuses what it cannot parse."""
    try:
        tree = sqlglot.parse_one(statement, read="bigquery")
    except sqlglot.errors.SqlglotError as error:
        raise invalid(f"Syntax error: {error}") from error
    if any(cast.to.this in SIZED and cast.to.expressions for cast in tree.find_all(exp.Cast)):
        raise invalid("Parameterized types are not allowed in CAST expressions.")
    return tree


@lru_cache(maxsize=500)
def questions(statement: str) -> tuple[Question, ...]:
    """The queries of a statement that answers several by arrays of structs; empty where it is an ordinary one."""
    tree = parsed(statement)
    if not isinstance(tree, exp.Select) or not tree.expressions:
        return ()
    arrays = [part.this for part in tree.expressions if isinstance(part, exp.Alias)]
    inner = [array.expressions[0] for array in arrays if isinstance(array, exp.Array) and array.expressions]
    if len(inner) != len(tree.expressions) or not all(isinstance(part, exp.Select) for part in inner):
        return ()
    with_ = tree.args.get("with_")
    found = []
    for part, select in zip(tree.expressions, inner, strict=True):
        query = select.copy()
        query.set("kind", None)
        if with_ is not None and (needed := _needed(query, with_.expressions)):
            query.set("with_", exp.With(expressions=[part.copy() for part in needed]))
        found.append(Question(part.alias, query.sql("bigquery")))
    return tuple(found)


def _needed(query: exp.Expr, named: list[exp.Expr]) -> list[exp.Expr]:
    """Those of the named queries that *query* reads, directly or through others, in their order."""
    wanted, seen = {table.name for table in query.find_all(exp.Table) if not table.db}, set[str]()
    for part in reversed(named):
        if part.alias in wanted:
            seen.add(part.alias)
            wanted |= {table.name for table in part.find_all(exp.Table) if not table.db}
    return [part for part in named if part.alias in seen]


@lru_cache(maxsize=1000)
def for_duckdb(statement: str, label: str) -> str:
    """The DuckDB text; *label* is the job's label of the table that it computes, which tells the types of its rows."""
    statement = re.sub(r"UNNEST\(@(receipts|attempts|rows|facts)\)", r"parameter_\1", statement)
    try:
        if statement.upper().startswith("INSERT"):
            head, _, select = _insert(statement)
            return f"{head} {to_duckdb(select, _contract(select, label))}"
        return to_duckdb(statement, _contract(statement, label))
    except CannotJudge as error:
        raise NotStrict(f"{error}\n{statement}") from error


def _insert(statement: str) -> tuple[str, str, str]:
    """``INSERT INTO t (columns)``, nothing, and the query."""
    close = next(token for token in BigQuery().tokenize(statement) if token.token_type == TokenType.R_PAREN)
    return statement[: close.end + 1], "", statement[close.end + 1 :]


def _contract(statement: str, label: str) -> Contract | None:
    """The contract whose row ``TO_JSON_STRING(final)`` writes."""
    if "TO_JSON_STRING(final)" not in statement:
        return None
    for subquery in parsed(statement).find_all(exp.Subquery):
        if subquery.alias == "final" and (table := subquery.find(exp.Table)):
            return next(c.contract for c in registry().tables.values() if table.db.endswith(c.contract.dataset) and c.contract.table == table.name)  # fmt: skip
    labels = {name.replace(".", "_"): table.contract for name, table in registry().tables.items()}
    if label not in labels:
        raise NotStrict(f"TO_JSON_STRING(final) in a job without the label of its table: '{label}'")
    return labels[label]
