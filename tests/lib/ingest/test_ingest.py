"""What is read from files: what is there is loaded, and what is not is said."""

from __future__ import annotations

import datetime
from pathlib import Path

import pyarrow as pa
import pytest

from lib.errors import BadInput
from lib.ingest import player_lookup, read_folder
from lib.registry import registry
from tests.lib.ingest.raw_files import (
    MORE,
    SEASON,
    STATS,
    Files,
    Read,
    line_row,
    player_row,
    rows_of,
    said,
    shot_row,
    side_rows,
    team_rows,
    write,
)

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
