"""Corrected raw rows take the place of those of the same tables and dates; what does not fit changes nothing."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from lib.errors import BadInput
from lib.ingest.correction import correct
from lib.ingest.model import Change, Correction
from lib.registry import registry
from lib.settings import Settings
from lib.warehouse import EmbeddedWarehouse, connect
from tests.lib.at_work import ask, change, due, game_dates, planned
from tests.lib.ingest.raw_files import GAME, player_row, side_rows, team_rows, write

GAMEBOOK, SCHEDULE = "nba_raw.nbac_gamebook_player_stats", "nba_raw.nbac_schedule"
TEAM_BOXES, PROPS = "nba_raw.nbac_team_boxscore", "nba_raw.odds_api_player_points_props"
Export = Callable[..., Path]


@pytest.fixture
def day(raw_only: EmbeddedWarehouse, settings: Settings) -> date:
    """A game date in the middle of the second season."""
    days = [day for day in game_dates(raw_only, settings) if day.year == 2024]
    return days[len(days) // 2]


@pytest.fixture
def export(raw_only: EmbeddedWarehouse, tmp_path: Path) -> Export:
    """Writes rows of one raw table into the folder of corrections: what a person exports, and then corrects."""
    folder = tmp_path / "corrections"

    def _export(table: str, where: str, name: str = "rows.csv", columns: str = "*") -> Path:
        folder.mkdir(exist_ok=True)
        with raw_only.reading() as session:
            rows = f"SELECT {columns} FROM {table} WHERE {where}"
            session.connection.execute(f"COPY ({rows}) TO '{folder / name}'")
        return folder

    return _export


def edited(day: date) -> str:
    """The rows of *day*, those of one player with a basket more."""
    most = f"SELECT min(player_lookup) FROM {GAMEBOOK} WHERE game_date = '{day}' AND player_status = 'active'"
    return (
        f"* REPLACE (points + CASE WHEN player_lookup = ({most}) THEN 2 ELSE 0 END AS points, "
        f"field_goals_made + CASE WHEN player_lookup = ({most}) THEN 1 ELSE 0 END AS field_goals_made)"
    )


def everything(raw_only: EmbeddedWarehouse) -> list[tuple[object, ...]]:
    """A count and a hash of every table that a correction could touch."""
    counted = " UNION ALL ".join(
        f"SELECT '{table}', count(*), bit_xor(hash(rows)) FROM {table} rows"
        for table in (GAMEBOOK, SCHEDULE, TEAM_BOXES, PROPS, "runbook.meta", "runbook.receipts")
    )
    with raw_only.reading() as session:
        return session.connection.execute(counted).fetchall()


@pytest.mark.parametrize("name", ["rows.csv", "rows.parquet"])
def test_a_corrected_box_score_makes_exactly_the_dates_outdated_that_an_edit_in_place_does(
    warehouse: EmbeddedWarehouse, settings: Settings, computed_file: Path, day: date, export: Export, name: str
) -> None:
    folder = export(GAMEBOOK, f"game_date = '{day}'", name, edited(day))
    other = connect(f"duckdb:///{shutil.copy(computed_file, folder.parent / 'other.duckdb')}", wait=20)
    assert isinstance(other, EmbeddedWarehouse)
    done = correct(warehouse, folder)
    assert done.changes == (Change(GAMEBOOK, day, added=0, gone=0, changed=1),)
    one = f"SELECT min(player_lookup) FROM {GAMEBOOK} WHERE game_date = '{day}' AND player_status = 'active'"
    change(
        other,
        f"UPDATE {GAMEBOOK} SET points = points + 2, field_goals_made = field_goals_made + 1"
        f" WHERE game_date = '{day}' AND player_lookup = ({one})",
    )
    outdated = due(planned(warehouse, settings))
    assert outdated == due(planned(other, settings))
    assert {day} < {d for days in outdated.values() for d in days}


def test_a_rehearsal_says_the_same_and_writes_nothing(raw_only: EmbeddedWarehouse, day: date, export: Export) -> None:
    folder = export(GAMEBOOK, f"game_date = '{day}'", columns=edited(day))
    before = everything(raw_only)
    rehearsed = correct(raw_only, folder, rehearse=True)
    assert everything(raw_only) == before
    assert correct(raw_only, folder) == rehearsed
    assert everything(raw_only) != before
    assert correct(raw_only, folder) == Correction((), 1, rehearsed.as_of, ())  # the second time there is nothing new


def test_rows_that_came_and_went_are_counted_by_table_and_date(
    raw_only: EmbeddedWarehouse, day: date, export: Export
) -> None:
    last = f"SELECT max(player_lookup) FROM {PROPS} WHERE game_date = '{day}'"
    export(PROPS, f"game_date = '{day}' AND player_lookup <> ({last})")
    folder = export(
        TEAM_BOXES,
        f"game_date IN ('{day}', '{day + timedelta(days=1)}')",
        "boxes.csv",
        "* REPLACE (assists + 1 AS assists)",
    )
    lost = ask(raw_only, f"SELECT COUNT(*) AS n FROM {PROPS} WHERE game_date = @day", day=day)[0][0]
    done = correct(raw_only, folder)
    kept = ask(raw_only, f"SELECT COUNT(*) AS n FROM {PROPS} WHERE game_date = @day", day=day)[0][0]
    by_table = {(c.table, c.day): (c.added, c.gone, c.changed) for c in done.changes}
    assert by_table[PROPS, day] == (0, lost - kept, 0)
    assert lost > kept
    boxes = ask(raw_only, f"SELECT COUNT(*) AS n FROM {TEAM_BOXES} WHERE game_date = @day", day=day)[0][0]
    assert by_table[TEAM_BOXES, day] == (0, 0, boxes)


@pytest.mark.parametrize(
    ("table", "columns", "where", "sentence"),
    [
        (GAMEBOOK, "*", "game_id = (SELECT min(game_id) FROM {table} WHERE {day})", "in the warehouse but not in the"),
        (GAMEBOOK, "* REPLACE (NULL AS team_abbr)", "{day}", "without team_abbr"),
        (
            GAMEBOOK,
            "* REPLACE ('x' AS points)",
            "{day}",
            "column points holds 'x', which is no INT64; correct the file",
        ),
        (GAMEBOOK, "* REPLACE (points + 0.5 AS points)", "{day}", ".5', which is no INT64; correct the file"),
        (
            GAMEBOOK,
            "* EXCLUDE (assists, turnovers)",
            "{day}",
            "2 columns of nba_raw.nbac_gamebook_player_stats not there: assists, turnovers; the rows of a date are replaced whole",
        ),
        (GAMEBOOK, "* REPLACE (date '2024-07-04' AS game_date)", "{day}", "date without a game in the schedule"),
        (GAMEBOOK, "* REPLACE (replace(game_id, 'LAL', 'XXX') AS game_id)", "TRUE", "that the schedule does not have"),
        (
            GAMEBOOK,
            "* REPLACE (player_lookup || '7' AS player_lookup)",
            "{day}",
            "with another key than in the warehou",
        ),
        (TEAM_BOXES, "*, unnest([1, 2])", "{day}", "in the folder more than once"),
        (SCHEDULE, "* REPLACE (1 AS game_status)", "{day}", "would lose the result or the score"),
        (SCHEDULE, "* REPLACE (NULL AS home_team_score)", "{day}", "would lose the result or the score"),
    ],
)
def test_what_does_not_fit_is_refused_and_changes_nothing(
    raw_only: EmbeddedWarehouse,
    settings: Settings,
    export: Export,
    table: str,
    columns: str,
    where: str,
    sentence: str,
) -> None:
    with raw_only.reading() as session:
        found = session.connection.execute(
            f"SELECT game_date FROM {SCHEDULE} WHERE game_status = 3 GROUP BY 1 HAVING count(*) > 1 ORDER BY 1 LIMIT 1"
        ).fetchall()
    of_day = f"game_date = '{found[0][0]}'"
    shown = columns.replace("*, unnest([1, 2])", "* EXCLUDE (twice)")
    source = f"(SELECT *, unnest([1, 2]) AS twice FROM {table})" if shown != columns else table
    folder = export(source, where.format(table=table, day=of_day), columns=shown)
    before = everything(raw_only)
    with pytest.raises(BadInput, match=sentence.replace("[", r"\[")):
        correct(raw_only, folder)
    assert everything(raw_only) == before


def test_a_table_that_fits_is_not_written_where_another_does_not(
    raw_only: EmbeddedWarehouse, day: date, export: Export
) -> None:
    export(GAMEBOOK, f"game_date = '{day}'", "a.csv", edited(day))
    folder = export(TEAM_BOXES, f"game_date = '{day}'", "b.csv", "* REPLACE (NULL AS team_abbr)")
    before = everything(raw_only)
    with pytest.raises(BadInput, match="nbac_team_boxscore"):
        correct(raw_only, folder)
    assert everything(raw_only) == before


def test_files_of_the_league_extend_a_warehouse_and_move_its_as_of(raw_only: EmbeddedWarehouse, tmp_path: Path) -> None:
    old = date.fromisoformat(raw_only.meta()["as_of"])
    game = (GAME[0], str(old + timedelta(days=3)), *GAME[2:])
    write(tmp_path, "schedule.csv", side_rows(game))
    write(tmp_path, "teams.csv", team_rows(game))
    write(tmp_path, "players.parquet", [player_row("1", "Ann One", game), player_row("2", "Bo Two", game)])
    done = correct(raw_only, tmp_path)
    assert done.as_of == old + timedelta(days=4) == date.fromisoformat(raw_only.meta()["as_of"])
    assert {(c.table, c.added) for c in done.changes} == {(SCHEDULE, 1), (TEAM_BOXES, 2), (GAMEBOOK, 2)}
    assert not any("no kind of file" in finding for finding in done.findings)


def test_a_parquet_file_in_other_types_is_read_as_the_contract_says(
    raw_only: EmbeddedWarehouse, day: date, export: Export
) -> None:
    folder = export(GAMEBOOK, f"game_date = '{day}'", "rows.parquet", "* REPLACE (points::VARCHAR AS points)")
    assert str(pq.read_schema(folder / "rows.parquet").field("points").type) == "string"
    assert correct(raw_only, folder).changes == ()


LINES, INJURIES = "nba_raw.odds_api_game_lines", "nba_raw.nbac_injury_report"
BETTINGPROS = "nba_raw.bettingpros_player_points_props"


@pytest.mark.parametrize(
    ("table", "where", "lost"),
    [
        (LINES, "home_team_abbr = (SELECT min(home_team_abbr) FROM {table} WHERE game_date = '{day}')", "game"),
        (INJURIES, "team = (SELECT min(team) FROM {table} WHERE report_date = '{day}')", "team"),
        (BETTINGPROS, "player_lookup = (SELECT min(player_lookup) FROM {table} WHERE game_date = '{day}')", "date"),
    ],
)
def test_a_file_that_was_cut_short_takes_no_other_rows_of_its_date_away(
    raw_only: EmbeddedWarehouse, export: Export, table: str, where: str, lost: str
) -> None:
    """Also where a table's rows name no game."""
    part, column = (
        {LINES: "home_team_abbr", INJURIES: "team"}.get(table, "player_lookup"),
        registry().table(table).date_column,
    )
    busy = f"SELECT min(day) FROM (SELECT {column} AS day FROM {table} GROUP BY 1 HAVING count(DISTINCT {part}) > 2)"
    day = ask(raw_only, busy)[0][0]
    folder = export(table, f"{column} = '{day}' AND {where.format(table=table, day=day)}")
    before = ask(raw_only, f"SELECT COUNT(*) FROM {table}")
    with pytest.raises(BadInput, match=rf"{table}: \d+ {lost}s? (in the warehouse but not|with the lines of fewer)"):
        correct(raw_only, folder)
    assert ask(raw_only, f"SELECT COUNT(*) FROM {table}") == before
    shutil.rmtree(folder)
    assert correct(raw_only, export(table, f"{column} = '{day}'")).changes == ()
