"""The carry-over from GoogleSQL to DuckDB: one promise per rewrite rule, and the closed subset."""

from __future__ import annotations

import subprocess
import sys
from datetime import date
from decimal import Decimal
from typing import Any

import duckdb
import pytest
import sqlglot

from lib.audit import in_type
from lib.contract import Column, Contract, read_contract
from lib.dialect import column_type, create_table, to_duckdb
from lib.errors import CannotJudge
from lib.registry import registry
from lib.settings import ROOT
from tests.lib.google_engine import Google


def duck(sql: str, **parameters: object) -> Any:
    """The one value of a GoogleSQL query, computed by DuckDB."""
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    row = connection.execute(to_duckdb(sql), parameters).fetchone()
    assert row is not None
    return row[0]


def google(sql: str) -> Any:
    """The one value of a GoogleSQL query, computed by Google's reference engine."""
    (row,) = Google([]).rows(sql, {}, {})
    return row["x"]


def a_contract(columns: str) -> Contract:
    """The contract of a table with *columns* and the key ``k``."""
    create = sqlglot.parse_one(f"CREATE TABLE d.t ({columns}, PRIMARY KEY (k) NOT ENFORCED)", read="bigquery")
    return read_contract(create, "here")


def test_in_unnest_becomes_a_subquery_that_prunes() -> None:
    days = [date(2024, 1, 1), date(2024, 1, 2)]
    sql = "SELECT COUNT(*) FROM UNNEST([DATE '2024-01-01', DATE '2024-01-03']) AS d WHERE d IN UNNEST(@dates)"
    assert "IN (SELECT UNNEST($dates))" in to_duckdb(sql)
    assert duck(sql, dates=days) == 1


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("NUMERIC(5, 1)", "NUMERIC '100'"),
        ("NUMERIC(5, 3)", "NUMERIC '0.573'"),
        ("NUMERIC(5, 1)", "NUMERIC '-5.5'"),
        ("NUMERIC(5, 1)", "CAST(NULL AS NUMERIC)"),
        ("FLOAT64", "1.0"),
        ("FLOAT64", "0.25"),
        ("ARRAY<FLOAT64>", "[1.5, 2.0, -3.0]"),
        ("INT64", "-7"),
        ("BOOL", "TRUE"),
        ("DATE", "DATE '2024-01-01'"),
        ("TIMESTAMP", "TIMESTAMP '2024-01-01 18:30:00+00'"),
        ("TIMESTAMP", "TIMESTAMP '2024-01-01 18:30:00.25+00'"),
        ("TIMESTAMP", "TIMESTAMP '2024-01-01 18:30:00.0625+00'"),
        ("TIMESTAMP", "CAST(NULL AS TIMESTAMP)"),
        ("STRING", "'Dončić \"10.50\" 1.0/2'"),
        ("ARRAY<STRING>", "['missing_game_total', 'thin_sample:2/3']"),
    ],
)
def test_a_row_is_written_as_json_as_google_writes_it(kind: str, value: str) -> None:
    contract = a_contract(f"k STRING NOT NULL OPTIONS(description='k'), a {kind} OPTIONS(description='a')")
    sql = f"WITH final AS (SELECT 'k' AS k, {value} AS a) SELECT TO_JSON_STRING(final) AS x FROM final"
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    assert connection.execute(to_duckdb(sql, contract)).fetchall() == [(google(sql),)]


def test_json_without_a_contract_is_refused() -> None:
    with pytest.raises(CannotJudge, match="only as TO_JSON_STRING"):
        to_duckdb("WITH final AS (SELECT 1 AS a) SELECT TO_JSON_STRING(final) FROM final")


@pytest.mark.parametrize("fraction", ["5/2", "3/2", "-5/2", "7/3"])
def test_cast_to_int64_rounds_halves_away_from_zero(fraction: str) -> None:
    sql = f"SELECT CAST({fraction} AS INT64) AS x"
    assert duck(sql) == google(sql)


@pytest.mark.parametrize(
    "division",
    ["DIV(7 + 5, 2 + 1) / 10", "DIV(DIV(9 + 1, 3), 2)", "DIV(-7, 2)", "10 - DIV(7 - 1, 4)", "(DIV(7 + 1, 2))"],
)
def test_div_keeps_its_operands_together(division: str) -> None:
    sql = f"SELECT {division} AS x"
    assert duck(sql) == google(sql)


@pytest.mark.parametrize("value", ["9999.94", "9999.96", "-9999.96", "0.25", "-0.25", "12345", "CAST(NULL AS FLOAT64)"])
def test_a_value_fits_a_sized_numeric_rounded_or_not_at_all(value: str) -> None:
    sql = f"SELECT {in_type(Column('x', 'NUMERIC(5, 1)', False, ''))} AS x FROM (SELECT {value} AS x)"
    assert duck(sql) == google(sql)
    assert "TRY_CAST(x AS DECIMAL(5, 1))" in to_duckdb(sql)


@pytest.mark.parametrize("text", ["'abc'", "'Dončić'", "CAST(NULL AS STRING)"])
def test_a_digest_is_hexadecimal_in_lower_case(text: str) -> None:
    sql = f"SELECT TO_HEX(SHA256({text})) AS x"
    assert duck(sql) == google(sql)
    assert "HEX" not in to_duckdb(sql)


def test_another_digest_is_never_taken_for_sha_256() -> None:
    with pytest.raises(CannotJudge, match="cannot be carried over"):
        to_duckdb("SELECT TO_HEX(SHA512(x)) AS x FROM t")


def test_date_sub_of_a_date_is_a_date() -> None:
    sql = "SELECT DATE_SUB(@day, INTERVAL 30 DAY) AS x"
    assert duck(sql, day=date(2024, 1, 31)) == date(2024, 1, 1)


def test_numeric_has_nine_decimals() -> None:
    assert duck("SELECT CAST('0.123456789' AS NUMERIC) AS x") == Decimal("0.123456789")
    assert duck("SELECT SAFE_CAST('0.123456789' AS NUMERIC) AS x") == Decimal("0.123456789")


def test_safe_cast_gives_null_where_there_is_no_number() -> None:
    assert duck("SELECT SAFE_CAST('x' AS NUMERIC) AS x") is None


def test_row_hash_becomes_the_engines_own() -> None:
    sql = "SELECT CAST(FARM_FINGERPRINT(TO_JSON_STRING(STRUCT(a, b))) AS NUMERIC) AS x FROM (SELECT 1 AS a, 'y' AS b)"
    assert "HASH(a, b)" in to_duckdb(sql)
    assert duck(sql) == duck(sql)


@pytest.mark.parametrize("expression", ["GREATEST(0, CAST(NULL AS INT64))", "LEAST(1, CAST(NULL AS INT64))"])
def test_greatest_and_least_of_null_are_null(expression: str) -> None:
    assert duck(f"SELECT {expression} AS x") is None


@pytest.mark.parametrize(
    ("sql", "named"),
    [
        ("SELECT FORMAT('%05d', 42)", "Format"),
        ("SELECT APPROX_QUANTILES(x, 4) FROM t", "ApproxQuantiles"),
        ("SELECT list_sum([1, 2])", "Anonymous"),
        ("SELECT AVG(x) FROM t", "Avg"),
        ("SELECT TIMESTAMP_DIFF(a, b, HOUR) FROM t", "TimestampDiff"),
    ],
)
def test_a_function_outside_the_subset_is_refused_by_name(sql: str, named: str) -> None:
    with pytest.raises(CannotJudge, match=f"{named} is outside the tested subset"):
        to_duckdb(sql)


def test_text_that_is_no_sql_is_refused_with_a_sentence() -> None:
    with pytest.raises(CannotJudge, match="cannot be carried over to DuckDB"):
        to_duckdb("SELECT FROM WHERE (")


@pytest.mark.parametrize("name", sorted(registry().tables))
def test_every_contract_makes_a_table_of_its_types(name: str) -> None:
    contract = registry().table(name).contract
    connection = duckdb.connect()
    connection.execute(f"CREATE SCHEMA {contract.dataset}")
    connection.execute(create_table(contract))
    described = connection.execute(f"DESCRIBE {contract.name}").fetchall()
    spelled = {"TIMESTAMPTZ": "TIMESTAMP WITH TIME ZONE"}
    types = [spelled.get(column_type(c), column_type(c)).replace(", ", ",") for c in contract.columns]
    assert [(row[0], row[1], row[2]) for row in described] == [
        (column.name, kind, "NO" if column.required else "YES")
        for column, kind in zip(contract.columns, types, strict=True)
    ]


WHILE_ANOTHER_LOADS = """
import threading, time
import sqlglot.dialects.dialect as dialect
named, said, trie = threading.Event(), [], dialect.new_trie
def slow_trie(words):  # what sqlglot makes between giving a dialect its name and its generator
    if "duckdb" in dialect.Dialect._classes:
        named.set()
        time.sleep(0.1)
    return trie(words)
dialect.new_trie = slow_trie
from lib.dialect import to_duckdb
def translate(n):
    if n == 2:
        named.wait(30)
    said.append(to_duckdb(f"SELECT {n} AS x FROM t WHERE d = @day"))
threads = [threading.Thread(target=translate, args=(n,)) for n in (1, 2)]
[thread.start() for thread in threads], [thread.join() for thread in threads]
print(sum("d = $day" in text for text in said))
"""


def test_a_thread_that_translates_while_another_is_the_first_says_the_same() -> None:
    said = subprocess.check_output([sys.executable, "-c", WHILE_ANOTHER_LOADS], cwd=ROOT, text=True)
    assert said.strip() == "2"
