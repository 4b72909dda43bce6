"""Reading files: what is there is loaded, what is not is said, what cannot be read is refused."""

from __future__ import annotations

import csv
import datetime
import io
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from rich.console import Console

from lib.errors import BadInput
from lib.ingest import Ingested, player_lookup, read_folder, render_report
from lib.registry import registry

REAL = Path(os.environ.get("RUNBOOK_REAL_DATA") or Path(__file__).resolve().parents[3] / "shared" / "real")
Row = dict[str, str]
Files = dict[str, list[Row]]
Read = Callable[..., Ingested]
SEASON = "2024-25"
STATS = {"FGM": 4, "FGA": 9, "FG3M": 1, "FG3A": 3, "FTM": 1, "FTA": 2, "OREB": 1, "DREB": 4, "REB": 5}
MORE = {"AST": 3, "STL": 1, "BLK": 0, "TOV": 2, "PF": 2, "PTS": 10, "PLUS_MINUS": 5}
GAME = ("0022400001", "2024-10-22", "BOS", "NYK")


def side_rows(game: tuple[str, str, str, str] = GAME, **changes: str) -> list[Row]:
    """The two schedule rows of a game (id, date, home, away); the home team wins."""
    game_id, date, home, away = game
    base = {"SEASON_ID": "22024", "GAME_ID": game_id, "GAME_DATE": date}
    rows = [
        {**base, "TEAM_ABBREVIATION": home, "TEAM_NAME": home, "MATCHUP": f"{home} vs. {away}", "WL": "W"},
        {**base, "TEAM_ABBREVIATION": away, "TEAM_NAME": away, "MATCHUP": f"{away} @ {home}", "WL": "L"},
    ]
    return [{**row, **changes} for row in rows]


def team_rows(game: tuple[str, str, str, str] = GAME, **changes: str) -> list[Row]:
    """The two team lines of a game, 10 points each before *changes*."""
    stats = {name: str(value) for name, value in (STATS | MORE).items()}
    return [{**row, "MIN": "240", **stats, "VIDEO_AVAILABLE": "1", **changes} for row in side_rows(game)]


def player_row(who: str, name: str, game: tuple[str, str, str, str] = GAME, **changes: str) -> Row:
    """One player's line for the home team."""
    return {**team_rows(game)[0], "PLAYER_ID": who, "PLAYER_NAME": name, "MIN": "36", **changes}


def shot_row(event: str, game: tuple[str, str, str, str] = GAME, **changes: str) -> Row:
    """One made corner three by player 7 of the Celtics."""
    row = {
        "GAME_ID": game[0],
        "GAME_EVENT_ID": event,
        "PLAYER_ID": "7",
        "PLAYER_NAME": "Ann Other",
        "TEAM_ID": "1610612738",
    }
    row |= {
        "TEAM_NAME": "Boston Celtics",
        "ACTION_TYPE": "Jump Shot",
        "SHOT_TYPE": "3PT Field Goal",
        "SHOT_DISTANCE": "22",
    }
    return (
        row | {"SHOT_MADE_FLAG": "1", "GAME_DATE": game[1].replace("-", ""), "HTM": game[2], "VTM": game[3]} | changes
    )


def line_row(**changes: str) -> Row:
    """The closing line of GAME in another dialect: the Celtics give 5.5, total 221."""
    row = {"season": "2025", "date": "2024-10-22", "away": "ny", "home": "bos", "whos_favored": "home"}
    return row | {"spread": "5.5", "total": "221", "score_away": "9", "score_home": "12"} | changes


def write(folder: Path, name: str, rows: Sequence[Row]) -> None:
    """Writes *rows* as CSV or as Parquet full of text, by the name's ending."""
    if name.endswith(".parquet"):
        pq.write_table(pa.Table.from_pylist(list(rows)), folder / name)
        return
    with (folder / name).open("w", newline="", encoding="utf-8") as out:
        writer = csv.DictWriter(out, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Reads the named kinds; the schedule is GAME's where none is given."""

    def _read(**files: Sequence[Row]) -> Ingested:
        for name, rows in ({"schedule": side_rows()} | files).items():
            write(tmp_path, f"{name}.csv", rows)
        return read_folder(tmp_path)

    return _read


def rows_of(ingested: Ingested, table: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = ingested.tables[f"nba_raw.{table}"].to_pylist()
    return rows


def said(ingested: Ingested, words: str) -> bool:
    return any(words in finding for finding in ingested.findings)


# What comes out


def test_every_raw_table_is_there_with_exactly_its_contract_and_those_without_a_source_are_empty(read: Read) -> None:
    ingested = read()
    for name, table in ingested.tables.items():
        assert tuple(table.column_names) == registry().table(name).contract.column_names
    assert ingested.tables["nba_raw.nbac_schedule"].num_rows == 1
    assert ingested.tables["nba_raw.nbac_injury_report"].num_rows == 0
    assert ingested.tables["nba_raw.nbac_schedule"].schema.field("processed_at").type == pa.timestamp("us", tz="UTC")


def test_as_of_is_the_day_after_the_last_final_game_and_stamps_every_row(read: Read) -> None:
    later = side_rows(("0022400002", "2024-12-01", "BOS", "NYK"), WL="")
    ingested = read(schedule=side_rows() + later)
    assert ingested.as_of == datetime.date(2024, 10, 23)
    stamps = {row["processed_at"] for row in rows_of(ingested, "nbac_schedule")}
    assert stamps == {datetime.datetime(2024, 10, 23, tzinfo=datetime.UTC)}
    assert said(ingested, "1 game of the schedule without a result: 20241201_NYK_BOS")


def test_same_files_give_the_same_rows_whatever_their_order(tmp_path: Path) -> None:
    people = [player_row(str(who), f"Player {'ABCDEFGH'[who]}") for who in range(8)]
    tables = []
    for name, rows in (("one", people), ("two", people[::-1])):
        (tmp_path / name).mkdir()
        write(tmp_path / name, "schedule.csv", side_rows()[:: 1 if name == "one" else -1])
        write(tmp_path / name, "players.parquet", rows)
        tables.append(read_folder(tmp_path / name).tables)
    assert all(tables[0][name].equals(tables[1][name]) for name in tables[0])


def test_schedule_has_league_ids_kinds_scores_and_winner(read: Read) -> None:
    play_in = ("0052400101", "2025-04-15", "BOS", "NYK")
    final = ("0062400001", "2024-12-17", "BOS", "NYK")
    box = team_rows()
    box[1]["PTS"] = "8"
    ingested = read(schedule=side_rows() + side_rows(play_in) + side_rows(final), teams=box)
    regular, tie, cup = rows_of(ingested, "nbac_schedule")
    assert (regular["game_id"], regular["season_year"], regular["game_status"]) == ("0022400001", 2024, 3)
    assert (regular["home_team_score"], regular["away_team_score"], regular["winning_team_tricode"]) == (10, 8, "BOS")
    assert (regular["is_regular_season"], regular["is_playoffs"], tie["is_playoffs"]) == (True, False, True)
    assert (cup["is_regular_season"], cup["is_playoffs"], cup["is_all_star"], cup["home_team_score"]) == (
        False,
    ) * 3 + (None,)
    assert said(ingested, f"{SEASON} play-in: 1 of 1 game without team lines")
    assert said(ingested, f"{SEASON} Cup final: the schedule has no score for 1 game; no other file has it")


def test_a_postponed_game_keeps_its_old_row_with_status_4(read: Read) -> None:
    ingested = read(schedule=side_rows(WL="") + side_rows(("0022400001", "2024-11-30", "BOS", "NYK")))
    statuses = [(str(row["game_date"]), row["game_status"]) for row in rows_of(ingested, "nbac_schedule")]
    assert statuses == [("2024-10-22", 4), ("2024-11-30", 3)]


def test_team_lines_shots_and_lines_get_the_shapes_of_the_raw_tables(read: Read) -> None:
    ingested = read(
        teams=team_rows(),
        players=[player_row("7", "Ann Other")],
        shots=[shot_row("4"), shot_row("5", SHOT_TYPE="2PT Field Goal")],
    )
    away, home = sorted(rows_of(ingested, "nbac_team_boxscore"), key=lambda row: row["is_home"])
    assert (home["team_abbr"], home["minutes"], home["nba_game_id"]) == ("BOS", "240:00", "0022400001")
    assert (away["game_id"], away["fg_made"], away["turnovers"]) == ("20241022_NYK_BOS", 4, 2)
    three, two = rows_of(ingested, "bigdataball_play_by_play")
    assert (three["event_subtype"], three["shot_type"], three["shot_distance"]) == ("3pt jump shot", "3PT", 22.0)
    assert (two["event_subtype"], two["player_1_lookup"], two["player_1_team_abbr"]) == ("jump shot", "annother", "BOS")
    assert (two["shot_made"], two["player_2_lookup"]) == (True, None)
    assert said(ingested, "who assisted and who blocked is unknown")
    assert said(ingested, "1 game with more or fewer shots than field-goal attempts: 20241022_NYK_BOS (2 of 18)")


# Identity


@pytest.mark.parametrize(
    ("name", "lookup"),
    [("Luka Dončić", "lukadoncic"), ("Tim Hardaway Jr.", "timhardawayjr"), ("Day'Ron O-Neal IV", "dayrononealiv")],
)
def test_a_lookup_has_only_letters_and_digits(name: str, lookup: str) -> None:
    assert player_lookup(name) == lookup


def test_two_people_with_one_lookup_on_one_date_are_refused_by_name(read: Read) -> None:
    with pytest.raises(
        BadInput, match=r"2024-10-22: PLAYER_ID 7 \(Ann Other\) and PLAYER_ID 8 \(Ánn Other\).*'annother'"
    ):
        read(players=[player_row("7", "Ann Other"), player_row("8", "Ánn Other")])


def test_namesakes_on_different_dates_are_told_apart_and_it_is_said(read: Read) -> None:
    other = ("0022400002", "2024-12-01", "BOS", "NYK")
    ingested = read(
        schedule=side_rows() + side_rows(other),
        players=[player_row("9", "Ann Other"), player_row("8", "Ann Other", other)],
    )
    assert [row["player_lookup"] for row in rows_of(ingested, "nbac_gamebook_player_stats")] == [
        "annother",
        "annother8",
    ]
    assert said(ingested, "it is kept as 'annother8'")


def test_one_person_with_several_spellings_keeps_the_latest(read: Read) -> None:
    other = ("0022400002", "2024-12-01", "BOS", "NYK")
    ingested = read(
        schedule=side_rows() + side_rows(other),
        players=[player_row("7", "A. Other", other), player_row("7", "Ann Other")],
    )
    assert {row["player_lookup"] for row in rows_of(ingested, "nbac_gamebook_player_stats")} == {"aother"}
    assert said(ingested, "1 player spelt in several ways")


# Games


@pytest.mark.parametrize(
    ("files", "canonical", "by"),
    [
        ({}, "20241022_BOS_NYK", "the order of the codes"),
        ({"lines": [line_row()]}, "20241022_NYK_BOS", "the lines"),
        ({"shots": [shot_row("4")], "lines": [line_row(home="ny", away="bos")]}, "20241022_NYK_BOS", "the shot chart"),
    ],
)
def test_a_neutral_site_gets_one_home_team_and_it_is_said(read: Read, files: Files, canonical: str, by: str) -> None:
    rows = side_rows()
    rows[0]["MATCHUP"] = "BOS @ NYK"
    ingested = read(schedule=rows, teams=team_rows(), **files)
    assert {row["game_id"] for row in rows_of(ingested, "nbac_team_boxscore")} == {canonical}
    assert said(ingested, f"{canonical}: both teams are visitors by MATCHUP (neutral site)")
    assert said(ingested, f"by {by}")


def test_exhibitions_with_teams_from_outside_are_left_out_and_counted_those_of_the_league_stay(read: Read) -> None:
    abroad = side_rows(("0012400009", "2024-10-05", "PHX", "ADL"))
    home = side_rows(("0012400010", "2024-10-06", "PHX", "BOS"))
    ingested = read(schedule=side_rows() + abroad + home)
    assert [row["game_id"] for row in rows_of(ingested, "nbac_schedule")] == ["0012400010", "0022400001"]
    assert ingested.report[0].dropped == {"exhibition with a team outside the league": 2}
    assert said(ingested, "1 exhibition against ADL left out")


def test_a_game_with_the_row_of_one_team_is_read_and_said(read: Read) -> None:
    ingested = read(schedule=side_rows()[1:])
    assert rows_of(ingested, "nbac_schedule")[0]["winning_team_tricode"] == "BOS"
    assert said(ingested, "1 game of the schedule with the row of one team only")


def test_rows_of_games_outside_the_schedule_are_left_out_and_said(read: Read) -> None:
    ingested = read(
        players=[player_row("7", "Ann Other"), player_row("7", "Ann Other", ("0022400099", "2024-10-22", "BOS", "LAL"))]
    )
    report = next(report for report in ingested.report if "players" in report.source)
    assert (report.read, report.loaded, report.dropped) == (2, 1, {"game not in the schedule": 1})
    assert said(ingested, "1 player row left out, game not in the schedule: players.csv row 2")


# Minutes


@pytest.mark.parametrize(
    ("text", "minutes"),
    [
        ("36:12", "36:12"),
        ("36", "36:00"),
        ("36.5", "36:30"),
        ("PT36M12.00S", "36:12"),
        ("5:07", "05:07"),
        ("36.0", "36:00"),
    ],
)
def test_each_shape_of_minutes_becomes_mm_ss(read: Read, text: str, minutes: str) -> None:
    assert (
        rows_of(read(players=[player_row("7", "Ann Other", MIN=text)]), "nbac_gamebook_player_stats")[0]["minutes"]
        == minutes
    )


def test_a_rounded_zero_stays_as_it_is_where_the_row_shows_that_somebody_played(read: Read) -> None:
    nothing = dict.fromkeys(STATS | MORE, "0")
    stint = player_row("7", "Ann Other", MIN="0") | nothing | {"PF": "1"}
    ingested = read(players=[stint, player_row("8", "Bo Bench", MIN="0") | nothing])
    minutes = {row["player_lookup"]: row["minutes"] for row in rows_of(ingested, "nbac_gamebook_player_stats")}
    assert minutes == {"annother": "0", "bobench": "00:00"}
    assert said(ingested, "1 player row with MIN 0 that shows something")
    assert said(ingested, "1 player row with MIN 0 that shows nothing")
    assert said(ingested, "dnp and inactive are unknown")


# Lines


def test_a_line_becomes_a_spread_per_team_and_a_total_over_and_under(read: Read) -> None:
    ingested = read(lines=[line_row()])
    rows = rows_of(ingested, "odds_api_game_lines")
    points = {(row["market_key"], row["outcome_name"]): row["outcome_point"] for row in rows}
    assert points == {
        ("spreads", "Boston Celtics"): -5.5,
        ("spreads", "New York Knicks"): 5.5,
        ("totals", "Over"): 221.0,
        ("totals", "Under"): 221.0,
    }
    assert {(row["home_team_abbr"], row["away_team_abbr"], row["bookmaker_key"]) for row in rows} == {
        ("BOS", "NYK", "closing")
    }
    assert {row["snapshot_timestamp"] for row in rows} == {datetime.datetime(2024, 10, 22, 16, tzinfo=datetime.UTC)}
    assert said(ingested, f"call the season {SEASON} '2025'")
    assert rows_of(ingested, "nbac_schedule")[0]["home_team_score"] == 12


def test_a_line_of_no_game_is_left_out_and_a_game_a_day_away_is_named(read: Read) -> None:
    ingested = read(lines=[line_row(date="2024-10-23"), line_row(spread="")])
    assert [row["market_key"] for row in rows_of(ingested, "odds_api_game_lines")] == ["totals", "totals"]
    assert ingested.report[0].dropped == {"game not in the schedule": 1}
    assert said(ingested, "20241022_NYK_BOS is a day away")
    assert said(ingested, "with a total but no spread")


# Doubled rows and pulls that were cut short


def test_doubled_rows_are_dropped_and_those_that_differ_are_named(read: Read) -> None:
    row = player_row("7", "Ann Other")
    ingested = read(players=[row, row, {**row, "PTS": "11"}], schedule=side_rows() * 2)
    report = next(report for report in ingested.report if "players" in report.source)
    assert report.dropped == {"doubled": 1, "doubled, but different": 1}
    assert [row["points"] for row in rows_of(ingested, "nbac_gamebook_player_stats")] == [10]
    assert said(ingested, "1 doubled player row unlike the first, which was kept: players.csv row 3")


def test_a_pull_of_a_round_number_of_rows_is_suspect_and_names_its_last_game(read: Read) -> None:
    ingested = read(players=[player_row("7", "Ann Other")], shots=[shot_row(str(event)) for event in range(5000)])
    assert said(ingested, "shots.csv: exactly 5,000 rows for 2024-25, a round number")
    assert said(ingested, "the last game it covers is 0022400001 (20241022_NYK_BOS)")
    assert not said(read(shots=[shot_row(str(event)) for event in range(4999)]), "round number")


def test_sums_that_disagree_are_said(read: Read) -> None:
    ingested = read(teams=team_rows(TOV="5"), players=[player_row("7", "Ann Other", PTS="9")])
    assert said(ingested, "TOV: 1 of 1 team lines differ from the sum of their players, by +3 in all")
    assert said(ingested, "1 score unlike the sum of the players' points: 20241022_NYK_BOS BOS (10, players 9)")
    assert said(ingested, "1 game with scores that contradict the result (WL): 20241022_NYK_BOS")


# Files


def test_files_are_recognised_by_columns_in_any_case_and_league_ids_get_their_zeros_back(tmp_path: Path) -> None:
    write(
        tmp_path,
        "b.csv",
        [{key.lower(): value.removeprefix("00") for key, value in row.items()} for row in side_rows()],
    )
    write(tmp_path, "a.parquet", team_rows())
    write(tmp_path, "c.csv", [{"colour": "red"}])
    ingested = read_folder(tmp_path)
    assert [report.source for report in ingested.report] == [
        "a.parquet: LeagueGameLog teams",
        "b.csv: LeagueGameFinder schedule",
    ]
    assert rows_of(ingested, "nbac_schedule")[0]["game_id"] == "0022400001"
    assert said(ingested, "c.csv: its columns are those of no known kind")


def test_a_whole_game_finder_answer_is_schedule_and_team_lines(tmp_path: Path) -> None:
    rows = [{key: value for key, value in row.items() if key != "VIDEO_AVAILABLE"} for row in team_rows()]
    write(tmp_path, "finder.csv", rows)
    ingested = read_folder(tmp_path)
    assert ingested.tables["nba_raw.nbac_team_boxscore"].num_rows == 2
    assert rows_of(ingested, "nbac_schedule")[0]["home_team_score"] == 10


def test_numbers_in_parquet_are_read_like_text(tmp_path: Path) -> None:
    write(tmp_path, "schedule.csv", side_rows())
    columns = pa.Table.from_pylist(team_rows())
    for name in ("PTS", "FGM", "GAME_ID"):
        columns = columns.set_column(columns.column_names.index(name), name, columns[name].cast(pa.float64()))
    pq.write_table(columns, tmp_path / "teams.parquet")
    assert [row["points"] for row in rows_of(read_folder(tmp_path), "nbac_team_boxscore")] == [10, 10]


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        ({"teams": team_rows(PTS="ten")}, "teams.csv: column PTS, row 1 holds 'ten', which is no whole number"),
        ({"teams": team_rows(PTS="10.5")}, "column PTS, row 1 holds '10.5'"),
        ({"teams": team_rows(GAME_DATE="2024-02-30")}, "column GAME_DATE, row 1 holds '2024-02-30', which is no date"),
        ({"players": [player_row("7", "Ann", MIN="36m")]}, "players.csv: column MIN, row 1 holds '36m'"),
        ({"players": [player_row("", "Ann")]}, "players.csv: column PLAYER_ID, row 1 is empty"),
        ({"players": [player_row("7", "大")]}, "PLAYER_ID 7: '大' has no letter"),
        ({"schedule": side_rows(("0022400001", "2024-10-22", "BOS", "XYZ"))}, "names the team 'XYZ'"),
        ({"schedule": side_rows(WL="")}, "no game has a result"),
        ({"schedule": side_rows(WL="W")}, "has two winners"),
        ({"schedule": side_rows() + side_rows(("0022400001", "2024-10-25", "BOS", "NYK"))}, "final on two dates"),
        ({"schedule": side_rows(GAME_ID="0092400001")}, "which is no 10-digit game id of a known kind"),
        ({"lines": [line_row(away="xyz")]}, "lines.csv: column away, row 1 names the team 'XYZ'"),
        ({"lines": [line_row(whos_favored="both")]}, "lines.csv: column whos_favored, row 1 holds 'both'"),
        ({"shots": [shot_row("4", TEAM_ID="99")]}, "shots.csv: column TEAM_ID, row 1 names the team '99'"),
    ],
)
def test_what_cannot_be_read_is_refused_with_file_column_and_row(read: Read, files: Files, sentence: str) -> None:
    with pytest.raises(BadInput) as refusal:
        read(**files)
    assert sentence in str(refusal.value)


@pytest.mark.parametrize(
    ("name", "rows", "gone"),
    [
        ("players.csv", [player_row("7", "Ann")], "PLAYER_ID"),
        ("teams.csv", team_rows(), "PTS"),
        ("shots.csv", [shot_row("4")], "SHOT_DISTANCE"),
        ("lines.csv", [line_row()], "spread"),
        ("schedule.csv", side_rows(), "WL"),
    ],
)
def test_a_file_with_a_needed_column_gone_is_refused_by_name(
    tmp_path: Path, name: str, rows: list[Row], gone: str
) -> None:
    write(tmp_path, name, [{key: value for key, value in row.items() if key != gone} for row in rows])
    with pytest.raises(BadInput, match=f"{name}: column {gone} is not there"):
        read_folder(tmp_path)


def test_a_missing_folder_an_empty_one_and_one_without_a_schedule_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no such folder"):
        read_folder(tmp_path / "gone")
    with pytest.raises(BadInput, match="no Parquet or CSV file has the columns"):
        read_folder(tmp_path)
    write(tmp_path, "teams.csv", team_rows())
    with pytest.raises(BadInput, match="no file is a schedule"):
        read_folder(tmp_path)


@pytest.mark.parametrize("name", ["broken.parquet", "ragged.csv", "latin.csv"])
def test_an_unreadable_file_is_refused_by_name(tmp_path: Path, name: str) -> None:
    write(tmp_path, "ragged.csv", side_rows())
    text = (tmp_path / "ragged.csv").read_bytes() + b"1,2,3\n"
    (tmp_path / "ragged.csv").unlink()
    content = {
        "broken.parquet": b"PAR1",
        "ragged.csv": text,
        "latin.csv": text.replace(b"BOS", b"\xe9", 1).removesuffix(b"1,2,3\n"),
    }
    (tmp_path / name).write_bytes(content[name])
    with pytest.raises(BadInput, match=f"{name}: cannot be read"):
        read_folder(tmp_path)


def test_the_report_accounts_for_every_row_and_can_be_printed(read: Read) -> None:
    ingested = read(players=[player_row("7", "Ann Other")] * 2, teams=team_rows(), lines=[line_row()])
    assert all(report.read == report.loaded + sum(report.dropped.values()) for report in ingested.report)
    assert all(report.per_season == {SEASON: report.loaded} for report in ingested.report)
    console = Console(file=io.StringIO(), width=160)
    console.print(render_report(ingested))
    assert "doubled: 1" in console.file.getvalue()  # type: ignore[attr-defined]


# The real thing

real = pytest.mark.skipif(not REAL.is_dir(), reason="no real data: set RUNBOOK_REAL_DATA to a folder of it")


@pytest.fixture(scope="module")
def two_seasons() -> Ingested:
    return read_folder(REAL)


@real
def test_two_real_seasons_lose_no_point_and_no_game(two_seasons: Ingested) -> None:
    read_points = 0
    for name in ("leaguegamelog_players_regular.parquet", "leaguegamelog_players_playoffs.parquet"):
        read_points += pc.sum(pq.read_table(REAL / name)["PTS"].cast(pa.int64())).as_py()
    players = two_seasons.tables["nba_raw.nbac_gamebook_player_stats"]
    assert pc.sum(players["points"]).as_py() == read_points
    assert players.num_rows == 51_934 + 3_620
    schedule = two_seasons.tables["nba_raw.nbac_schedule"].to_pandas()
    regular = schedule[schedule["is_regular_season"]]
    assert regular.groupby("season_year").size().to_dict() == {2021: 1230, 2022: 1230}
    assert regular["home_team_score"].sum() + regular["away_team_score"].sum() == 272_115 + 282_127
    assert two_seasons.as_of == datetime.date(2023, 6, 13)


@real
def test_real_keys_are_unique_and_required_columns_filled(two_seasons: Ingested) -> None:
    for name, table in two_seasons.tables.items():
        contract = registry().table(name).contract
        assert table.group_by(list(contract.key)).aggregate([]).num_rows == table.num_rows
        assert all(table[column.name].null_count == 0 for column in contract.columns if column.required)


@real
@pytest.mark.parametrize(
    "words",
    [
        "exactly 102,400 rows for 2021-22",
        "exactly 102,400 rows for 2022-23",
        "2021-22 play-in: 6 of 6 games without player rows",
        "2022-23 playoffs: 84 of 84 games without team lines",
        "2021-22 regular season: 649 of 1,230 games without shots",
        "TOV: 2,470 of 4,920 team lines",
        "5 exhibitions against ADL, MRA",
        "with MIN 0 that shows something",
        "dnp and inactive are unknown",
        "the line's date is probably wrong",
    ],
)
def test_what_real_files_lack_is_said(two_seasons: Ingested, words: str) -> None:
    assert said(two_seasons, words)


@real
def test_every_real_row_is_accounted_for(two_seasons: Ingested) -> None:
    assert sum(report.read for report in two_seasons.report) == 5_558 + 51_934 + 3_620 + 4_920 + 204_800 + 2_643
    assert all(report.read == report.loaded + sum(report.dropped.values()) for report in two_seasons.report)
