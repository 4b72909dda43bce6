"""What happens to a statement's text before it is sent."""

from __future__ import annotations

from datetime import date

import pytest

from lib.errors import BadInput
from lib.warehouse.bigquery.address import read_address
from lib.warehouse.bigquery.statements import Query, prefixed, renamed, together, used, with_views
from tests.bigquery_server.translate import parsed
from tests.bigquery_server.trouble import Refused

URL = "bigquery://a-project?location=us-west2&dataset_prefix=trial_"


def test_raw_data_are_read_where_they_are_and_the_rest_has_the_prefix() -> None:
    sql = (
        "SELECT t.runbook FROM nba_raw.nbac_schedule AS t JOIN nba_analytics.player_game_summary ON 'runbook.meta' = x"
    )
    assert prefixed(sql, read_address(URL).datasets) == sql.replace("nba_analytics.p", "trial_nba_analytics.p")


def test_in_place_the_committed_text_is_sent_as_it_is() -> None:
    sql = "SELECT 1 FROM nba_raw.nbac_schedule, runbook.meta"
    assert prefixed(sql, read_address("bigquery://a-project?in_place=1").datasets) is sql


def test_only_what_a_text_names_is_sent_along() -> None:
    query = Query("SELECT @first, '@last', `@last` FROM t -- @last", {"first": 1, "last": 2})
    assert used(query).parameters == {"first": 1}
    assert renamed(query, "x") == Query("SELECT @first__x, '@last', `@last` FROM t -- @last", {"first__x": 1})


def test_named_queries_stand_before_the_query_that_reads_them_each_once() -> None:
    views = {
        "a": Query("SELECT @d__a AS d", {"d__a": 1}),
        "b": Query("SELECT d FROM a", {}),
        "c": Query("SELECT 1", {}),
    }
    found = with_views(Query("-- head\nWITH own AS (SELECT d FROM b) SELECT d FROM own JOIN a USING (d)", {}), views)
    assert found.sql.index("a AS (") < found.sql.index("b AS (") < found.sql.index("own AS (")
    assert found.sql.count("a AS (") == 1
    assert "c AS" not in found.sql
    assert found.parameters == {"d__a": 1}


def test_questions_that_are_sent_together_keep_their_own_parameters() -> None:
    day, other = date(2024, 1, 1), date(2024, 1, 2)
    query = together([Query("SELECT @day AS d", {"day": day}), Query("SELECT @day AS d", {"day": other})])
    assert query.parameters == {"day__q0": day, "day__q1": other}
    assert query.sql.count("ARRAY(SELECT AS STRUCT * FROM (") == 2


@pytest.mark.parametrize(
    ("url", "complaint"),
    [
        ("bigquery://?location=US", "names no project"),
        ("bigquery://a-project?place=US", "unknown place"),
        ("bigquery://a-project?deadline=soon", "a number is needed"),
        ("bigquery://a-project?dataset_prefix=a-b", "letters, digits and _"),
        ("bigquery://a-project?dataset_prefix=", "say --in-place"),
        ("bigquery://a-project?dataset_prefix=x_&in_place=1", "choose one"),
    ],
)
def test_a_url_that_says_nothing_clear_is_refused(url: str, complaint: str) -> None:
    with pytest.raises(BadInput, match=complaint):
        read_address(url)


def test_a_url_survives_being_written_out() -> None:
    address = read_address(f"{URL}&deadline=2.5&impersonate=a@b.iam.gserviceaccount.com&raw_prefix=r_")
    assert read_address(address.url) == address
    assert address.place == "bigquery://a-project (trial_*)"


@pytest.mark.parametrize("kind", ["NUMERIC(5, 1)", "STRING(10)"])
def test_the_server_refuses_a_cast_to_a_sized_type_as_bigquery_does(kind: str) -> None:
    with pytest.raises(Refused, match="Parameterized types are not allowed in CAST"):
        parsed(f"SELECT SAFE_CAST(x AS {kind}) FROM t")
    parsed("CREATE TABLE t (x NUMERIC(5, 1))")
