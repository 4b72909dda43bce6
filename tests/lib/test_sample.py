"""The sample of the preflight: what a run would publish for the latest date, and nothing that the run mends itself."""

from __future__ import annotations

from lib.preflight import sample_verdict
from lib.settings import Settings
from lib.verdicts import Verdict
from lib.warehouse import EmbeddedWarehouse
from tests.lib.at_work import PLAYERS, UPCOMING_PLAYER, change, judging, said

DAY = "2024-12-18"


def _sample(warehouse: EmbeddedWarehouse, settings: Settings) -> Verdict:
    with judging(warehouse, settings) as judge:
        return sample_verdict(judge, 3, settings.start_date, judge.calendar.as_of)


def test_doubled_rows_upstream_do_not_keep_the_run_from_replacing_them(
    warehouse: EmbeddedWarehouse, settings: Settings
) -> None:
    change(warehouse, f"INSERT INTO {PLAYERS} SELECT * FROM {PLAYERS} WHERE game_date = DATE '{DAY}'")
    verdict = _sample(warehouse, settings)
    assert verdict.verdict == "amber"
    assert (
        f"amber {UPCOMING_PLAYER}: blocked by {PLAYERS} {DAY}, whose extra or doubled keys are replaced first"
        in said(verdict)
    )


def test_raw_data_that_names_two_people_alike_stops_the_run(warehouse: EmbeddedWarehouse, settings: Settings) -> None:
    raw = "nba_raw.nbac_gamebook_player_stats"
    change(
        warehouse,
        f"UPDATE {raw} SET player_lookup = (SELECT min(player_lookup) FROM {raw} WHERE game_date = DATE '{DAY}'"
        f" AND player_status = 'active') WHERE game_date = DATE '{DAY}' AND player_status = 'active'",
    )
    assert _sample(warehouse, settings).verdict == "red"
