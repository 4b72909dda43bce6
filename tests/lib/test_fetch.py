"""Fetching from the source: polite, resumed, every answer kept; what is not whole or not as it was is never written."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from lib.errors import BadInput, CannotJudge
from lib.fetch.cache import Cache
from lib.fetch.folder import Fetch, Fetched
from lib.fetch.pulls import schedule_pull, seasons_of
from lib.fetch.source import TRIES, Source
from lib.ingest import read_folder
from lib.warehouse import connect
from runbook.cli import cli
from tests.lib.stats_site import Site, empty, forbidden, half, hangs, later, narrow, site, too_many, without_rows

SEASON = "2024-25"
REQUESTS = 1 + 4 * 2 + 2 + 3  # schedule; logs of players and teams by kind of game; shots of 2 teams, of 3 other kinds


@pytest.fixture
def stats() -> Iterator[Site]:
    """The site on loopback."""
    with site() as found:
        yield found


class Fetching:
    """A fetch into a folder that never really waits; ``slept`` are the waits it would have taken, seconds."""

    def __init__(self, stats: Site, folder: Path) -> None:
        self.stats, self.folder, self.slept, self.said = stats, folder, list[float](), list[str]()

    def run(self, refresh: bool = False, pause: float = 1.0) -> Fetched:
        source = Source(self.stats.address, pause, 0.5, self.said.append, self.slept.append)
        cache = Cache(self.folder / "raw", datetime.now(UTC), refresh)
        return Fetch(source, cache, self.folder).run([SEASON])


@pytest.fixture
def fetching(stats: Site, tmp_path: Path) -> Fetching:
    """A fetch of one season of one game."""
    return Fetching(stats, tmp_path / "data")


def test_what_is_fetched_is_what_ingest_takes(fetching: Fetching) -> None:
    result = fetching.run()
    assert (result.asked, result.cached, result.suspect) == (REQUESTS, 0, [])
    assert result.rows == {"schedule": 2, "players": 1, "teams": 2, "shots": 3}
    found = read_folder(fetching.folder)
    kinds = {source.source.partition(": ")[0]: source.loaded for source in found.report}
    assert kinds == {"players.parquet": 1, "schedule.parquet": 2, "shots.parquet": 3, "teams.parquet": 2}
    assert found.tables["nba_raw.nbac_schedule"].num_rows == 1


def test_between_two_requests_lies_a_pause(fetching: Fetching) -> None:
    fetching.run()
    assert len(fetching.slept) == REQUESTS - 1
    assert all(0.5 < seconds <= 1.3 for seconds in fetching.slept)


def test_a_time_out_a_429_and_half_an_answer_are_asked_for_again(fetching: Fetching) -> None:
    fetching.stats.faults = [hangs, too_many, half, narrow]
    result = fetching.run()
    assert result.rows["schedule"] == 2
    assert len(fetching.stats.asked) == REQUESTS + 4
    assert [said.partition(": ")[2].partition(";")[0] for said in fetching.said][:2] == [
        "no answer within 0.5 s",
        "the source answered 429",
    ]
    assert "half an answer" in fetching.said[2]
    assert "columns wide" in fetching.said[3]
    waits = [seconds for seconds in fetching.slept if seconds > 1.3]
    assert waits == sorted(waits)  # longer and longer, and never sooner than the source asked for
    assert waits[1] >= 2


def test_what_is_json_and_no_answer_is_asked_for_again(fetching: Fetching) -> None:
    fetching.stats.faults = [empty, without_rows]
    assert fetching.run().rows["schedule"] == 2
    assert "an answer that holds nothing by name" in fetching.said[0]
    assert "an answer without" in fetching.said[1]


def test_a_source_that_asks_for_an_hour_is_left_alone(fetching: Fetching) -> None:
    fetching.stats.faults = [later]
    with pytest.raises(CannotJudge, match=r"asks to be left alone for 3[56]\d\d s\. What came is kept"):
        fetching.run()
    assert len(fetching.stats.asked) == 1


def test_a_kept_answer_that_is_damaged_is_asked_for_again(fetching: Fetching) -> None:
    fetching.run()
    kept = sorted((fetching.folder / "raw").rglob("*.gz"))
    content = bytearray(kept[0].read_bytes())
    content[len(content) // 2] ^= 0xFF  # within the compressed stream
    kept[0].write_bytes(content)
    assert fetching.run().asked == 1


def test_files_of_other_seasons_are_not_replaced_without_them(fetching: Fetching) -> None:
    fetching.run()
    before = len(fetching.stats.asked)
    with pytest.raises(BadInput, match="holds files of 2024-25, too, which would be replaced without them"):
        Fetch(Source(fetching.stats.address), Cache(fetching.folder / "raw", datetime.now(UTC)), fetching.folder).run(["2025-26"])  # fmt: skip
    assert len(fetching.stats.asked) == before


def test_a_source_that_never_answers_whole_ends_with_a_sentence_and_the_next_fetch_goes_on(fetching: Fetching) -> None:
    fetching.stats.faults = [None, None, None, *[half] * TRIES]
    with pytest.raises(CannotJudge, match="What came is kept: run the same command again"):
        fetching.run()
    assert list(fetching.folder.glob("*.parquet")) == []
    before = len(fetching.stats.asked)
    result = fetching.run()
    assert (result.cached, result.asked) == (3, REQUESTS - 3)
    assert len(fetching.stats.asked) - before == REQUESTS - 3


def test_a_refusal_ends_the_fetch_but_for_games_that_a_season_can_do_without(fetching: Fetching) -> None:
    wanted = [None] * (1 + 2 + 2)  # schedule, and all of the regular season
    fetching.stats.faults = [*wanted, forbidden]
    result = fetching.run()
    assert len(result.suspect) == 1
    assert result.suspect[0].startswith(f"players {SEASON} PlayIn: the source refused with status 403")
    assert result.rows["players"] == 1
    fetching.stats.faults = [forbidden]
    with pytest.raises(CannotJudge, match="refused with status 403"):
        fetching.run(refresh=True)


def test_a_changed_column_is_named_and_nothing_is_written(fetching: Fetching) -> None:
    fetching.stats.renamed = {"SHOT_DISTANCE": "SHOT_DIST_FT"}
    with pytest.raises(
        CannotJudge, match=r"shots 2024-25 .*: the source no longer gives SHOT_DISTANCE \(it gives .*SHOT_DIST_FT"
    ):
        fetching.run()
    assert list(fetching.folder.glob("*.parquet")) == []
    fetching.stats.renamed = {}
    assert fetching.run().rows["shots"] == 3  # the answer that was refused was not kept


def test_a_second_fetch_asks_for_nothing_and_refresh_for_everything(fetching: Fetching) -> None:
    fetching.run()
    assert (fetching.run().asked, fetching.run(refresh=True).asked) == (0, REQUESTS)


def test_an_answer_of_a_season_that_goes_on_is_good_for_a_day(fetching: Fetching) -> None:
    now = datetime.now(UTC)
    going_on = schedule_pull(f"{now.year}-{(now.year + 1) % 100:02d}")
    cache = Cache(fetching.folder / "raw", now - timedelta(hours=1))
    cache.put(going_on, {})
    assert Cache(fetching.folder / "raw", now + timedelta(hours=1)).get(going_on) == {}
    kept = next((fetching.folder / "raw").glob("*.gz"))
    _age(kept, now - timedelta(days=2))
    assert Cache(fetching.folder / "raw", now).get(going_on) is None


def _age(path: Path, fetched: datetime) -> None:
    import gzip
    import json

    kept = json.loads(gzip.decompress(path.read_bytes()))
    path.write_bytes(gzip.compress(json.dumps(kept | {"fetched_at": fetched.isoformat()}).encode()))


def test_an_answer_of_exactly_a_cap_is_suspect(fetching: Fetching) -> None:
    fetching.stats.copies = 5_000
    assert fetching.run().suspect == [
        f"players {SEASON} Regular Season: exactly 5,000 rows, a cap of the source: the pull was probably cut short"
    ]


@pytest.mark.parametrize("text", ["2024", "2024-26", "2025-26..2024-25", "abc", "2024-25.."])
def test_what_is_no_season_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match="--seasons"):
        seasons_of(text)


def test_seasons_are_written_from_and_to() -> None:
    assert seasons_of("2021-22..2023-24") == ["2021-22", "2022-23", "2023-24"]
    assert seasons_of("1999-00") == ["1999-00"]


def test_the_command_fetches_and_then_ingests(stats: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url = f"duckdb:///{tmp_path}/new.duckdb"
    words = ["fetch", "--seasons", SEASON, "--out", str(tmp_path / "data"), "--source", stats.address, "--pause", "0"]
    ended = CliRunner().invoke(cli, [*words, "--warehouse", url], catch_exceptions=False, standalone_mode=False)
    assert ended.return_value == 0, ended.output
    assert "2 schedule, 1 players, 2 teams, 3 shots" in ended.output
    assert connect(url).meta()["as_of"] == "2024-10-23"
    before = len(stats.asked)
    with pytest.raises(BadInput, match="there is a warehouse"):
        CliRunner().invoke(cli, [*words, "--warehouse", url], catch_exceptions=False, standalone_mode=False)
    assert len(stats.asked) == before  # refused before anything is asked


@pytest.mark.parametrize("more", [("--files-only",), ()])
def test_machines_are_told_what_is_suspect(stats: Site, tmp_path: Path, more: tuple[str, ...]) -> None:
    stats.faults = [*[None] * 5, forbidden]
    url = ("--warehouse", f"duckdb:///{tmp_path}/new.duckdb")
    words = ["fetch", "--seasons", SEASON, "--out", str(tmp_path / "data"), "--source", stats.address, "--pause", "0", "--json"]  # fmt: skip
    ended = CliRunner().invoke(cli, [*words, *more, *url], catch_exceptions=False, standalone_mode=False)
    fetched = json.loads(ended.output)["fetched"]
    assert (fetched["asked"], fetched["rows"]["schedule"]) == (REQUESTS - 1, 2)
    assert "refused with status 403" in fetched["suspect"][0]


def test_without_the_extra_the_command_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "nba_api.stats.library.http", None)
    with pytest.raises(BadInput, match=r"pip install 'backfill-runbook\[fetch\]'"):
        CliRunner().invoke(cli, ["fetch", "--seasons", SEASON], catch_exceptions=False, standalone_mode=False)
