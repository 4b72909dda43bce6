"""The sample of the preflight: what a run would publish for the latest date, and nothing that the run mends itself."""

from __future__ import annotations

from datetime import timedelta

from lib.preflight import NOTHING_DUE, sample_verdict
from lib.settings import Settings
from lib.verdicts import Verdict
from lib.warehouse import EmbeddedWarehouse
from tests.lib.at_work import PLAYERS, UPCOMING_PLAYER, change, judging, said
from tests.lib.check_faults import DEFENCE, STORE

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


def test_a_date_of_which_nothing_is_expected_yet_proves_nothing(
    whole: EmbeddedWarehouse, whole_settings: Settings
) -> None:
    """The first weeks of a season are bootstrap: an empty answer is no clean one."""
    with judging(whole, whole_settings) as judge:
        start = judge.calendar.season_start(judge.calendar.as_of)
        verdict = sample_verdict(judge, 4, start, start + timedelta(days=9))
    assert verdict.verdict == "amber"
    assert verdict.sentence.startswith("0 tables computed for ")
    assert "the sample proves nothing" in said(verdict)


def test_a_table_that_begins_later_than_the_others_is_shown_and_no_finding(
    whole: EmbeddedWarehouse, whole_settings: Settings
) -> None:
    facts = whole_settings.tables[DEFENCE].model_copy(update={"minimum_games": 12})
    later = whole_settings.model_copy(update={"tables": {**whole_settings.tables, DEFENCE: facts}})
    with judging(whole, later) as judge:
        first = judge.cover([4], later.start_date, judge.calendar.as_of)[STORE].judged[0].day
        verdict = sample_verdict(judge, 4, first, first)
    audits = {line["table"]: line["audit"] for line in verdict.table}
    assert (verdict.verdict, audits[STORE], audits[DEFENCE]) == ("green", "clean", NOTHING_DUE)
