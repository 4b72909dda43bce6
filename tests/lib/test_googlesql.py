"""Every statement of the registry before Google's own analyzer and reference engine."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from lib.checks import Check, all_checks
from lib.dialect import to_duckdb
from lib.league import pocket_league
from lib.registry import TABLES, Table, registry
from lib.settings import EXPECTED, ROOT, load_settings
from tests.lib.google_engine import Google, GoogleError
from tests.lib.memory import Memory, bounds
from tests.lib.raw_rows import season_of
from tests.lib.varied import START, game_days, varied_rows

Row = Mapping[str, Any]
Branch = Callable[[Row], bool]

COMPUTED = [table.name for table in registry().computed]
ANALYTICS = [name for name in COMPUTED if name.startswith("nba_analytics.")]
TEN = [name for name in COMPUTED if name in load_settings(ROOT / "runbook.toml").tables]
RULES = sorted(EXPECTED.glob("*.sql"))

# what the rows must show, so that agreement is not agreement about nothing
BRANCHES: dict[str, dict[str, Branch]] = {
    "nba_analytics.team_offense_game_summary": {
        "rebuilt from players": lambda row: row["primary_source_used"] == "reconstructed_team_from_players",
        "overtime": lambda row: row["overtime_periods"] == 1,
        "with shot zones": lambda row: row["team_paint_attempts"] > 0,
        "without shot zones": lambda row: row["team_paint_attempts"] is None,
        "points that do not add up": lambda row: "points_do_not_add_up" in row["quality_issues"],
    },
    "nba_analytics.team_defense_game_summary": {
        "rebuilt from players": lambda row: row["quality_tier"] == "silver",
        "blocks known": lambda row: row["blocks_paint"] is not None and row["blocks_paint"] > 0,
        "zones without blocks": lambda row: row["shot_zones_available"] and row["blocks_paint"] is None,
        "without shot zones": lambda row: not row["shot_zones_available"],
    },
    "nba_analytics.player_game_summary": {
        "second source": lambda row: row["primary_source_used"] == "bdl_boxscores",
        "no minutes": lambda row: row["minutes_played"] is None,
        "one second": lambda row: row["minutes_played"] == 0,
        "usage": lambda row: row["usage_rate"] is not None,
        "no shots": lambda row: row["efg_pct"] is None,
        "no line": lambda row: row["points_line"] is None,
        "first source of lines": lambda row: row["points_line_source"] == "odds_api",
        "second source of lines": lambda row: row["points_line_source"] == "bettingpros",
        "line moved": lambda row: row["line_movement"] is not None and row["line_movement"] != 0,
        "OVER": lambda row: row["over_under_result"] == "OVER",
        "UNDER": lambda row: row["over_under_result"] == "UNDER",
        "PUSH": lambda row: row["over_under_result"] == "PUSH",
        "zones without names": lambda row: row["shot_zones_available"] and row["assisted_fg_makes"] is None,
        "assisted": lambda row: bool(row["assisted_fg_makes"]),
        "blocks after a numeric prefix": lambda row: row["game_date"].month == 11 and bool(row["paint_blocks"]),
        "and one": lambda row: bool(row["and1_count"]),
        "missing shot zones": lambda row: "missing_shot_zones" in row["quality_issues"],
    },
    "nba_analytics.upcoming_team_game_context": {
        "first game": lambda row: row["team_days_rest"] is None and row["game_number_in_season"] == 1,
        "back to back": lambda row: row["team_back_to_back"],
        "winning": lambda row: row["team_win_streak_entering"] > 1,
        "losing": lambda row: row["team_loss_streak_entering"] > 1,
        "spread": lambda row: row["game_spread"] is not None and row["spread_movement"] != 0,
        "no lines": lambda row: row["quality_issues"] == ["missing_game_spread", "missing_game_total"],
        "injured": lambda row: row["starters_out_count"] > 0 and row["questionable_players_count"] > 0,
        "travelled": lambda row: (row["travel_miles"] or 0) > 0,
        "stayed": lambda row: row["travel_miles"] == 0,
        "unknown distance": lambda row: row["travel_miles"] is None,
    },
    "nba_analytics.upcoming_player_game_context": {
        "first game": lambda row: row["days_rest"] is None,
        "back to back": lambda row: row["back_to_back"] and row["days_rest"] == 0,
        "rested": lambda row: row["days_since_2_plus_days_rest"] is not None,
        "pairs of days": lambda row: row["back_to_backs_last_14_days"] > 0,
        "full window": lambda row: row["l10_games_used"] == 10 and row["quality_tier"] == "gold",
        "thin window": lambda row: row["l10_games_used"] < 5 and row["quality_tier"] == "bronze",
        "over streak": lambda row: (row["prop_over_streak"] or 0) > 1,
        "under streak": lambda row: (row["prop_under_streak"] or 0) > 1,
        "no line": lambda row: row["prop_over_streak"] is None,
        "pace": lambda row: row["pace_differential"] is not None and row["pace_differential"] < 0,
        "star out": lambda row: row["star_teammates_out"] > 0,
        "play-offs": lambda row: row["season_phase"] == "playoffs",
        "injury status": lambda row: row["player_status"] is not None,
        "missing lines": lambda row: "missing_game_spread" in row["quality_issues"],
    },
}


@pytest.fixture(scope="module")
def google() -> Google:
    return Google(table.contract for table in registry().tables.values())


@pytest.fixture(scope="module")
def memory() -> Memory:
    """The varied season with every Phase 3 table computed by DuckDB."""
    rows = varied_rows()
    memory = Memory(rows)
    memory.compute(game_days(rows), START)
    return memory


@pytest.mark.parametrize("name", sorted(registry().tables))
def test_google_accepts_every_create_table(google: Google, name: str) -> None:
    dataset, _, table = name.partition(".")
    google.accept(_create_statement(TABLES / dataset / f"{table}.sql"))


@pytest.mark.parametrize("name", COMPUTED)
def test_google_gives_every_select_the_columns_of_its_contract(google: Google, name: str) -> None:
    table = registry().table(name)
    contract = [(column.name, column.base_type) for column in table.contract.columns]
    assert google.columns(_select(table)) == contract


@pytest.mark.parametrize("check", [c for c in all_checks() if c.sql], ids=lambda check: check.name)
def test_google_accepts_every_check(google: Google, check: Check) -> None:
    assert google.columns(check.sql)


@pytest.mark.parametrize("path", RULES, ids=lambda path: path.stem)
def test_google_accepts_every_rule_of_expected_keys(google: Google, path: Path) -> None:
    columns = [
        ("game_date", "DATE"),
        ("game_id", "STRING"),
        ("entity", "STRING"),
        ("waiting", "STRING"),
        ("games_before", "INT64"),
    ]
    assert google.columns(path.read_text()) == columns


@pytest.mark.parametrize(
    ("sql", "complaint"),
    [
        ("SELECT list_sum([points]) FROM nba_raw.nbac_team_boxscore", "Function not found: list_sum"),
        ("SELECT points::STRING FROM nba_raw.nbac_team_boxscore", "Syntax error"),
        ("SELECT 1 FROM nba_raw.nbac_team_boxscore WHERE points = team_abbr", "INT64, STRING"),
        ("SELECT 1 FROM nba_raw.nbac_team_boxscore WHERE game_id = game_date", "STRING, DATE"),
        ("SELECT pionts FROM nba_raw.nbac_team_boxscore", "Unrecognized name: pionts"),
        ("SELECT 1 FROM nba_raw.nbac_team_box", "Table not found"),
    ],
)
def test_google_refuses_what_duckdb_would_let_pass(google: Google, sql: str, complaint: str) -> None:
    with pytest.raises(GoogleError, match=complaint):
        google.columns(sql)


@pytest.mark.parametrize(
    ("there", "duckdb_only"),
    [
        ("COALESCE(", "ifnull_of_duckdb_only("),
        ("TO_HEX(", "list_sum("),
        ("game_date,", "game_date::VARCHAR AS x,"),
    ],
)
def test_a_tables_sql_with_what_duckdb_alone_knows_makes_the_suite_fail(
    google: Google, monkeypatch: pytest.MonkeyPatch, there: str, duckdb_only: str
) -> None:
    name = "nba_analytics.player_game_summary"
    table = registry().table(name)
    assert table.select
    assert there in table.select
    changed = replace(table, select=table.select.replace(there, duckdb_only, 1))
    monkeypatch.setitem(registry().tables, name, changed)
    with pytest.raises(GoogleError, match=r"Function not found|Syntax error"):
        test_google_gives_every_select_the_columns_of_its_contract(google, name)


@pytest.mark.parametrize("name", ANALYTICS)
def test_the_varied_season_enters_every_branch(memory: Memory, name: str) -> None:
    rows = memory.rows(name)
    missed = [branch for branch, entered in BRANCHES[name].items() if not any(entered(row) for row in rows)]
    assert not missed


@pytest.mark.parametrize("name", ANALYTICS)
def test_google_computes_the_rows_that_duckdb_computes(google: Google, memory: Memory, name: str) -> None:
    table = registry().table(name)
    parameters = bounds(game_days(varied_rows()), START)
    upstream = {source: memory.rows(source) for source in table.upstream}
    of_google = google.rows(_select(table), parameters, upstream)
    assert_same_rows(of_google, memory.select(name, parameters), table.contract.business_columns, table.contract.key)


@pytest.mark.parametrize(
    ("season", "dates"),
    [
        pytest.param(2023, 20, marks=pytest.mark.full),
        pytest.param(2023, None, marks=pytest.mark.torture),
        pytest.param(2024, None, marks=pytest.mark.torture),
    ],
)
def test_google_computes_a_season_of_the_pocket_league_as_duckdb_does(
    google: Google, season: int, dates: int | None
) -> None:
    """The first *dates* of it, else all: its reference engine takes minutes for what DuckDB does in one second."""
    raw = {name: table.to_pylist() for name, table in pocket_league().tables.items()}
    days = [day for day in game_days(raw) if season_of(day) == season][:dates]
    parameters = bounds(days, days[0])
    memory = Memory(raw)
    memory.compute(days, days[0])
    for name in TEN:
        table = registry().table(name)
        of_google = google.rows(_select(table), parameters, {source: memory.rows(source) for source in table.upstream})
        assert_same_rows(of_google, memory.rows(name), table.contract.business_columns, table.contract.key)


@pytest.mark.parametrize("name", ANALYTICS)
def test_no_figure_has_more_decimals_than_its_column(memory: Memory, name: str) -> None:
    parameters = bounds(game_days(varied_rows()), START)
    contract = registry().table(name).contract
    stored = {_key(row, contract.key): row for row in memory.rows(name)}
    computed = {_key(row, contract.key): row for row in memory.select(name, parameters)}
    columns = contract.business_columns
    assert [computed[key][name] for key in computed for name in columns] == [
        stored[key][name] for key in computed for name in columns
    ]


@pytest.mark.parametrize("path", RULES, ids=lambda path: path.stem)
def test_google_expects_the_keys_that_duckdb_expects(google: Google, memory: Memory, path: Path) -> None:
    sql = path.read_text()
    parameters = bounds(game_days(varied_rows()), START)
    raw = {name: memory.rows(name) for name in registry().tables if name in sql}
    of_duckdb = memory.query(to_duckdb(sql), parameters)
    columns = ("game_date", "game_id", "entity", "waiting", "games_before")
    assert_same_rows(google.rows(sql, parameters, raw), of_duckdb, columns, columns)


def assert_same_rows(left: Sequence[Row], right: Sequence[Row], columns: Sequence[str], key: Sequence[str]) -> None:
    """Equal keys, and under each key equal values: FLOAT64 within 1e-9, everything else exactly."""
    assert len(left) == len(right) > 0
    pairs = zip(
        sorted(left, key=lambda row: _key(row, key)), sorted(right, key=lambda row: _key(row, key)), strict=True
    )
    differences = [
        f"{_key(one, key)} {column}: {one[column]!r} is not {other[column]!r}"
        for one, other in pairs
        for column in columns
        if not _same(one[column], other[column])
    ]
    assert not differences


def _same(left: object, right: object) -> bool:
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(_same, left, right))
    if isinstance(left, float) and isinstance(right, float):
        return left == pytest.approx(right, rel=1e-9, abs=1e-9)
    numbers = (int, Decimal)
    return left == right and (type(left) is type(right) or (isinstance(left, numbers) and isinstance(right, numbers)))


def _key(row: Row, key: Sequence[str]) -> tuple[str, ...]:
    return tuple(str(row[name]) for name in key)


def _select(table: Table) -> str:
    assert table.select is not None
    return table.select


def _create_statement(path: Path) -> str:
    """The first statement as it is written: descriptions may hold semicolons."""
    text = path.read_text()
    select = next((table.select for table in registry().tables.values() if table.select and table.select in text), None)
    return text.partition(select)[0] if select else text
