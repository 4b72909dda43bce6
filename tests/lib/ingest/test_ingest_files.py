"""Files: recognised by their columns, or refused by name; every row is accounted for."""

from __future__ import annotations

import io
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from rich.console import Console

from lib.errors import BadInput
from lib.ingest import read_folder, render_report
from tests.lib.ingest.raw_files import (
    SEASON,
    Files,
    Read,
    Row,
    line_row,
    player_row,
    rows_of,
    said,
    shot_row,
    side_rows,
    team_rows,
    write,
)


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
