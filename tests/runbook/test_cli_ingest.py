"""``runbook ingest``: a folder that is no raw data is refused whole, and a correction says what it changed."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from lib.warehouse import EmbeddedWarehouse
from tests.runbook.at_the_terminal import Say, refused


def test_ingest_refuses_a_folder_that_is_not_there(say: Say, tmp_path: Path) -> None:
    url = f"duckdb:///{tmp_path}/new.duckdb"
    refused(say("ingest", tmp_path / "none", "--warehouse", url), 2, "there is no such folder")
    assert not (tmp_path / "new.duckdb").exists()


def test_ingest_refuses_a_parquet_file_with_a_column_gone_by_name(say: Say, tmp_path: Path) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    columns = ("SEASON_ID", "TEAM_ID", "TEAM_ABBREVIATION", "TEAM_NAME", "GAME_ID", "GAME_DATE", "WL", "MIN", "PTS")
    pq.write_table(pa.table({name: ["1"] for name in columns}), folder / "schedule.parquet")
    code, out, err = say("ingest", folder, "--warehouse", f"duckdb:///{tmp_path}/new.duckdb")
    assert (code, out) == (2, "")
    assert len(err.splitlines()) == 1
    assert "MATCHUP" in err or "no Parquet or CSV file has the columns" in err


def test_ingest_refuses_a_broken_parquet_file(say: Say, tmp_path: Path) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / "games.parquet").write_bytes(b"PAR1 this is cut off")
    refused(say("ingest", folder, "--warehouse", f"duckdb:///{tmp_path}/new.duckdb"), 2, "games.parquet")


def test_ingest_never_writes_over_a_warehouse(say: Say, at: tuple[str, str], tmp_path: Path) -> None:
    refused(say("ingest", tmp_path, *at), 2, "already")


def test_ingest_into_says_what_it_changed_by_table_and_date(
    say: Say, raw_only: EmbeddedWarehouse, tmp_path: Path
) -> None:
    at, folder = ("--warehouse", raw_only.url), tmp_path / "corrections"
    folder.mkdir()
    with raw_only.reading() as session:
        day = session.rows("SELECT MAX(game_date) AS day FROM nba_raw.nbac_team_boxscore")[0][0]
        rows = f"SELECT * REPLACE (assists + 1 AS assists) FROM nba_raw.nbac_team_boxscore WHERE game_date = '{day}'"
        session.connection.execute(f"COPY ({rows}) TO '{folder / 'boxes.csv'}'")
    assert "Nothing was written" in say("ingest", folder, "--into", "--dry-run", *at)[1]
    code, out, err = say("ingest", folder, "--into", "--json", *at)
    assert (code, err) == (0, "")
    change = json.loads(out)["changes"][0]
    assert (change["table"], change["day"], change["gone"]) == ("nba_raw.nbac_team_boxscore", str(day), 0)
    assert "Table-dates: 0 with other rows, 1 as they were." in say("ingest", folder, "--into", *at)[1]
    refused(say("ingest", folder, "--dry-run", *at), 2, "--into")
    refused(say("ingest", folder, "--into", "--warehouse", f"duckdb:///{tmp_path}/none.duckdb"), 2, "no warehouse")
