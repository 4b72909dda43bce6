"""What happens to a statement's text before it is sent: names of datasets, names of parameters, named queries.

The committed GoogleSQL is sent as it is written; nothing is transpiled. Words are replaced by their place in the text.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from sqlglot.dialects import BigQuery
from sqlglot.tokenizer_core import Token, TokenType

QUESTIONS_PER_JOB = 24
TEXTS = 512  # whose views and parameters are remembered: a session looks at each of its questions again and again
Values = Mapping[str, object]


@dataclass(frozen=True)
class Query:
    """A query with the values of its parameters."""

    sql: str
    parameters: Values


def prefixed(sql: str, datasets: Mapping[str, str]) -> str:
    """*sql* with ``dataset.table`` under the name that the dataset has in the project."""
    if all(name == called for name, called in datasets.items()):
        return sql
    tokens = BigQuery().tokenize(sql)
    before: list[Token | None] = [None, *tokens]
    places = [
        (token.start, token.end + 1, datasets[token.text])
        for earlier, token, dot in zip(before, tokens, tokens[1:], strict=False)
        if dot.token_type == TokenType.DOT
        and token.text in datasets
        and (earlier is None or earlier.token_type != TokenType.DOT)
    ]
    return _replaced(sql, places)


def used(query: Query) -> Query:
    """The query with those parameters alone that its text names: BigQuery refuses a value that nothing asks for."""
    names = {name for _, _, name in _parameters(query.sql)}
    return Query(query.sql, {name: value for name, value in query.parameters.items() if name in names})


def renamed(query: Query, suffix: str) -> Query:
    """The query with other names for its parameters, so that it can stand beside others."""
    query = used(query)
    places = [(start, end, f"{name}__{suffix}") for start, end, name in _parameters(query.sql)]
    return Query(_replaced(query.sql, places), {f"{name}__{suffix}": value for name, value in query.parameters.items()})


def with_views(query: Query, views: Mapping[str, Query]) -> Query:
    """The query with the named queries that it reads, directly or through others, written before it."""
    needed = needed_views(query.sql, views)
    if not needed:
        return query
    named = ",\n".join(f"{name} AS (\n{views[name].sql}\n)" for name in needed)
    first = BigQuery().tokenize(query.sql)[0]
    start, end = (first.start, first.end + 1) if first.token_type == TokenType.WITH else (first.start, first.start)
    joined = "," if end > start else "\n"
    sql = f"{query.sql[:start]}WITH {named}{joined}{query.sql[end:]}"
    values = [views[name].parameters for name in needed]
    return Query(sql, {k: v for part in (*values, query.parameters) for k, v in part.items()})


def together(queries: Sequence[Query]) -> Query:
    """One query that answers several: its row holds an array of rows for each, named q0, q1, ..."""
    apart = [renamed(query, f"q{at}") for at, query in enumerate(queries)]
    columns = [f"ARRAY(SELECT AS STRUCT * FROM (\n{query.sql}\n)) AS q{at}" for at, query in enumerate(apart)]
    values = {k: v for query in apart for k, v in query.parameters.items()}
    return Query("SELECT " + ",\n".join(columns), values)


def needed_views(sql: str, views: Mapping[str, Query]) -> list[str]:
    """The views that *sql* reads, each after those that it reads itself."""
    found: dict[str, None] = {}
    for name in _names(sql):
        if name in views and name not in found:
            found |= dict.fromkeys([*needed_views(views[name].sql, views), name])
    return list(found)


@lru_cache(TEXTS)
def _names(sql: str) -> tuple[str, ...]:
    tokens = BigQuery().tokenize(sql)
    return tuple(
        token.text
        for earlier, token in pairwise(tokens)
        if earlier.token_type in (TokenType.FROM, TokenType.JOIN, TokenType.COMMA) and token.token_type == TokenType.VAR
    )


@lru_cache(TEXTS)
def _parameters(sql: str) -> tuple[tuple[int, int, str], ...]:
    tokens = BigQuery().tokenize(sql)
    return tuple(
        (name.start, name.end + 1, name.text) for at, name in pairwise(tokens) if at.token_type == TokenType.PARAMETER
    )


def _replaced(sql: str, places: Iterable[tuple[int, int, str]]) -> str:
    text, position = "", 0
    for start, end, words in places:
        text, position = text + sql[position:start] + words, end
    return text + sql[position:]
