"""Reconciliation, unknowns and receipts; preflight; and the checks by themselves on the command line."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner

from lib import environment, preflight
from lib.checks import all_checks, named, run_checks, run_set
from lib.checks.foreign import of_foreign_rows
from lib.checks.model import NOTHING, POST_BACKFILL, RECEIPTS, RECONCILIATION, UNKNOWNS, Scope
from lib.registry import registry
from lib.settings import Exclusion, Settings
from lib.verdicts import RED, Finding, Verdict, verdict_of
from lib.warehouse import Warehouse
from runbook.cli import cli
from tests.lib.at_work import PLAYERS, TEAM_DEFENSE, TEAM_OFFENSE, UPCOMING_TEAM, change, judging, said
from tests.lib.check_faults import FAULTS, STORE

FIRST, LAST = date(2023, 10, 24), date(2024, 12, 20)
SETS = (RECONCILIATION, UNKNOWNS, RECEIPTS)
GAME = f"(SELECT max(game_id) FROM {TEAM_OFFENSE})"
DAY = f"(SELECT max(game_date) FROM {STORE})"
EXCLUDED = Exclusion(
    tables=(TEAM_DEFENSE,), first=date(2024, 12, 1), last=date(2024, 12, 31), reason="arena closed", owner="ann",
    added=date(2024, 12, 31), expires=date(2030, 1, 1),
)  # fmt: skip


@dataclass(frozen=True)
class Planted:
    """A fault, the set that finds it, and a word of what is said."""

    set: str
    phase: int
    sql: str
    word: str
    exclusions: tuple[Exclusion, ...] = ()


PLANTED = {
    "game_is_lost": Planted(
        RECONCILIATION, 4, f"DELETE FROM {STORE} WHERE game_id = {GAME}", "lost_on nba_predictions.ml_feature_store_v2"
    ),
    "game_waits_for_raw_data": Planted(
        RECONCILIATION, 3,
        f"DELETE FROM nba_raw.nbac_gamebook_player_stats WHERE game_date = {DAY};"
        f"DELETE FROM nba_raw.bdl_player_boxscores WHERE game_date = {DAY}",
        "lost_on player boxes",
    ),
    "table_without_contract": Planted(
        UNKNOWNS, 3, "CREATE TABLE nba_analytics.player_game_summary_backup AS SELECT 1 AS one", "player_game_summary_backup"
    ),
    "row_outside_the_calendar": Planted(
        UNKNOWNS, 3,
        f"UPDATE {UPCOMING_TEAM} SET game_date = '2024-07-20' WHERE game_date = {DAY}", "kind off-season",
    ),
    "row_on_an_excluded_date": Planted(UNKNOWNS, 3, "SELECT 1", "date 2024-12-", (EXCLUDED,)),
    "rows_are_as_published": Planted(
        RECEIPTS, 3, f"UPDATE {PLAYERS} SET assists = assists + 1 WHERE game_date = {DAY}", "not those that were published"
    ),
    "rows_have_a_receipt": Planted(
        RECEIPTS, 3, f"DELETE FROM runbook.receipts WHERE table_name = '{TEAM_DEFENSE}' AND day = {DAY}", "no receipt"
    ),
}  # fmt: skip


def asked(warehouse: Warehouse, settings: Settings, phase: int, *sets: str, folder: Path | None = None) -> Verdict:
    """What the sets say of a phase over the whole history."""
    with judging(warehouse, settings) as judge:
        return run_set(judge, phase, FIRST, LAST, sets, folder)


def test_every_check_of_these_sets_is_tried_with_its_fault() -> None:
    assert set(PLANTED) == {check.name for check in all_checks() if check.set in SETS}


def test_a_clean_league_loses_no_game_and_holds_nothing_unknown(whole: Warehouse, whole_settings: Settings) -> None:
    for phase in (3, 4):
        verdict = asked(whole, whole_settings, phase, *SETS)
        assert (verdict.verdict, said(verdict)) == ("green", "")
    assert "schedule 140, player boxes 140" in verdict.sentence
    assert "ml_feature_store_v2 140" in verdict.sentence


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_fault_is_found_by_name(whole: Warehouse, whole_settings: Settings, name: str) -> None:
    planted = PLANTED[name]
    for statement in planted.sql.split(";"):
        change(whole, statement)
    settings = whole_settings.model_copy(update={"exclusions": planted.exclusions})
    verdict = asked(whole, settings, planted.phase, planted.set)
    assert {row["check"] for row in verdict.table if row["verdict"] not in ("green", NOTHING)} == {name}
    assert planted.word in said(verdict)
    assert f"docs/checks.md#{name}" in {finding.doc for finding in verdict.findings}


def test_a_hash_by_another_rule_says_nothing_of_any_row(whole: Warehouse, whole_settings: Settings) -> None:
    change(whole, "DELETE FROM runbook.receipts")
    assert "rows_fit_their_hash" not in said(asked(whole, whole_settings, 4, POST_BACKFILL))
    for table in (t.name for t in registry().computed):
        change(whole, f"UPDATE {table} SET data_hash = 'others' || substr(data_hash, 7)")
    for phase in (3, 4):
        verdict = asked(whole, whole_settings, phase, POST_BACKFILL)
        assert (verdict.verdict, said(verdict)) == ("green", "")
        assert "data_hash is by another rule, and says nothing of the rows of nba_" in verdict.sentence


@pytest.mark.parametrize(("foreign", "lowest"), [("nba_", 3), ("nba_pre", 4)])
def test_foreign_rows_are_replaced_from_the_lowest_phase_that_has_them(
    whole: Warehouse, whole_settings: Settings, foreign: str, lowest: int
) -> None:
    change(whole, "DELETE FROM runbook.receipts WHERE starts_with(table_name, ?)", foreign)
    found = verdict_of("quality", "", [Finding(RED, "a_check", "what", "mend")])
    with judging(whole, whole_settings) as judge:
        (mended,) = of_foreign_rows(judge, 4, FIRST, LAST, found).findings
    assert mended.mend.startswith(f"runbook run --phase {lowest} --recompute-found")
    assert mended.mend.endswith("if it stays: mend")


def test_rows_that_a_receipt_vouches_for_are_not_hashed_again(whole: Warehouse, whole_settings: Settings) -> None:
    change(whole, f"UPDATE {TEAM_DEFENSE} SET steals = steals + 1")  # of which the receipts themselves speak
    with judging(whole, whole_settings) as judge:
        (result,) = run_checks(Scope(judge, 3, FIRST, LAST), named("rows_fit_their_hash"))
    assert result.failed == 0
    assert result.offenders.units > 3000


def test_what_no_contract_names_comes_with_the_statement_that_drops_it(
    whole: Warehouse, whole_settings: Settings
) -> None:
    change(whole, PLANTED["table_without_contract"].sql)
    drops = "DROP TABLE nba_analytics.player_game_summary_backup; or give it a contract in lib/tables"
    assert asked(whole, whole_settings, 3, UNKNOWNS).findings[0].mend.endswith(drops)
    with judging(whole, whole_settings) as judge:
        assert f"[{drops}]" in said(preflight.tables_verdict(judge, 3, FIRST, LAST))


def test_the_offending_rows_lie_beside_the_run_all_of_them(
    whole: Warehouse, whole_settings: Settings, tmp_path: Path
) -> None:
    change(whole, f"UPDATE {PLAYERS} SET steals = -1 WHERE game_date = {DAY}")
    verdict = asked(whole, whole_settings, 3, "post-backfill", folder=tmp_path / "offenders" / "40_validate_3")
    samples = {sample["check"]: sample for sample in verdict.about["offending"]}
    sample = samples["player_counts_are_possible"]
    assert sample["file"] == "offenders/40_validate_3/player_counts_are_possible.csv"
    with (tmp_path / sample["file"]).open() as stream:
        rows = list(csv.reader(stream))
    assert len(rows) == sample["total"] + 1 > len(sample["rows"]) + 1
    assert rows[0] == sample["columns"]
    assert (
        {path.stem for path in tmp_path.rglob("*.csv")}
        == {*samples}
        == {"player_counts_are_possible", "player_rows_are_their_boxes"}
    )


# preflight


def test_the_offending_rows_of_an_earlier_attempt_stay_as_they_are(
    whole: Warehouse, whole_settings: Settings, tmp_path: Path
) -> None:
    change(whole, f"UPDATE {PLAYERS} SET steals = -1 WHERE game_date = {DAY}")
    folder = tmp_path / "offenders" / "40_validate_3"
    folder.mkdir(parents=True)
    earlier = folder / "player_counts_are_possible.csv"
    earlier.write_text("what the first attempt found")
    earlier.chmod(0o444)  # as the end of a run leaves it
    verdict = asked(whole, whole_settings, 3, "post-backfill", folder=folder)
    files = {sample["check"]: sample["file"] for sample in verdict.about["offending"]}
    assert files["player_counts_are_possible"] == "offenders/40_validate_3/player_counts_are_possible.2.csv"
    assert (tmp_path / files["player_counts_are_possible"]).read_text() != earlier.read_text()
    assert earlier.read_text() == "what the first attempt found"


def test_preflight_of_a_clean_league_is_green(whole: Warehouse, whole_settings: Settings) -> None:
    with judging(whole, whole_settings) as judge:
        found = [
            preflight.tables_verdict(judge, 4, FIRST, LAST),
            preflight.sources_verdict(judge, FIRST, LAST),
            preflight.sample_verdict(judge, 4, FIRST, LAST),
        ]
    assert [(verdict.verdict, said(verdict)) for verdict in found] == [("green", "")] * 3
    assert preflight.warehouse_verdict(whole).verdict == "green"


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        (f"ALTER TABLE {TEAM_DEFENSE} ALTER points_allowed TYPE VARCHAR", "points_allowed is string"),
        (f"ALTER TABLE {TEAM_DEFENSE} ALTER defensive_rating TYPE DECIMAL(5, 1)", "defensive_rating is decimal"),
        (f"ALTER TABLE {TEAM_DEFENSE} DROP COLUMN blocks", "column blocks is gone"),
        (f"ALTER TABLE {TEAM_DEFENSE} ADD COLUMN mood VARCHAR", "column mood is not in the contract"),
        (FAULTS["keys_are_unique"].sql[0], "occurs 2 times already"),
    ],
)
def test_preflight_says_what_is_not_as_contracted(
    whole: Warehouse, whole_settings: Settings, sql: str, words: str
) -> None:
    change(whole, sql)
    with judging(whole, whole_settings) as judge:
        assert words in said(preflight.tables_verdict(judge, 3, FIRST, LAST))


def test_preflight_names_the_chain_that_knows_a_game_nowhere(whole: Warehouse, whole_settings: Settings) -> None:
    for statement in PLANTED["game_waits_for_raw_data"].sql.split(";"):
        change(whole, statement)
    with judging(whole, whole_settings) as judge:
        verdict = preflight.sources_verdict(judge, FIRST, LAST)
    assert "amber player_boxscores: season 2024: " in said(verdict)


def test_a_package_of_another_version_than_the_lock_is_amber(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lock = tmp_path / "requirements.lock"
    lock.write_text("duckdb==0.0.1\nno-such-thing==1.0\nclick>=1\nnot-here==1 ; sys_platform == 'elsewhere'\n")
    monkeypatch.setattr(environment, "LOCK", lock)
    verdict = environment.environment_verdict()
    assert verdict.verdict == "amber"
    assert "the lock says 0.0.1" in said(verdict)
    assert "no-such-thing: not installed" in said(verdict)
    assert len(verdict.findings) == 2


# the command line


def told(*words: str) -> tuple[int, str]:
    """Exit code and output of ``runbook check``."""
    done = CliRunner().invoke(cli, ["check", *words], standalone_mode=False)
    assert done.exception is None, done.exception
    return int(done.return_value or 0), done.output


def test_a_set_and_a_check_run_alone(whole: Warehouse, whole_environment: Path, tmp_path: Path) -> None:
    place = ("--warehouse", whole.absolute_url)
    code, output = told("reconciliation", "two_sides_of_a_game", "--json", *place)
    gates = [verdict["gate"] for verdict in json.loads(output)["verdicts"]]
    assert (code, gates) == (0, ["phase 3 post-backfill", "phase 3 reconciliation", "phase 4 reconciliation"])
    change(whole, FAULTS["two_sides_of_a_game"].sql[0])
    code, output = told("two_sides_of_a_game", "--offenders", str(tmp_path), *place)
    assert (code, [path.name for path in tmp_path.rglob("*.csv")]) == (1, ["two_sides_of_a_game.csv"])
    assert "two_sides_of_a_game" in output
    assert told("unknowns", "--phase", "3", *place)[0] == 0


def test_amber_ends_with_1_only_where_it_is_strict(whole: Warehouse, whole_environment: Path) -> None:
    change(whole, PLANTED["table_without_contract"].sql)
    place = ("unknowns", "--phase", "3", "--warehouse", whole.absolute_url)
    assert (told(*place)[0], told(*place, "--strict")[0]) == (0, 1)


def test_the_list_names_every_check(whole_environment: Path) -> None:
    rows = json.loads(told("--list", "--json")[1])["checks"]
    assert [row["check"] for row in rows] == [check.name for check in all_checks()]


def test_a_phase_that_computes_nothing_is_refused(whole_environment: Path, whole: Warehouse) -> None:
    words = ["check", "unknowns", "--phase", "2", "--warehouse", whole.absolute_url]
    done = CliRunner().invoke(cli, words, standalone_mode=False)
    assert str(done.exception) == "no table is computed in phase 2: choose one of 3, 4"


def test_a_check_of_another_phase_is_refused_and_never_passes(whole_environment: Path, whole: Warehouse) -> None:
    words = ["check", "two_sides_of_a_game", "--phase", "4", "--warehouse", whole.absolute_url]
    done = CliRunner().invoke(cli, words, standalone_mode=False)
    assert str(done.exception) == "two_sides_of_a_game judges phase 3, not 4: leave --phase out"
