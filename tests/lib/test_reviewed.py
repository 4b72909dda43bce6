"""The reviewed plan: exactly what was reviewed is run, and whatever has moved since is named."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

import lib.basis
from lib.backfill import Backfill
from lib.basis import make_basis
from lib.calendar import closed_range
from lib.errors import BadInput
from lib.exclusions import told
from lib.plan import Plan, Wish, make_plan, read_plan
from lib.registry import Registry, registry
from lib.reviewed import _published_by, left_of, read_reviewed, refuse_changed_code
from lib.settings import Exclusion, Settings
from lib.warehouse import EmbeddedWarehouse
from tests.lib.at_work import TEAM_DEFENSE, TEAM_OFFENSE, UPCOMING_TEAM, change, due, game_dates, judging


@pytest.fixture
def days(warehouse: EmbeddedWarehouse, settings: Settings) -> list[date]:
    """Game dates late in the second season."""
    return game_dates(warehouse, settings)[-20:]


@pytest.fixture
def lacking(warehouse: EmbeddedWarehouse, days: list[date]) -> EmbeddedWarehouse:
    """A warehouse that lacks three dates of team_defense and two of upcoming_team."""
    for table, gone in ((TEAM_DEFENSE, days[2:5]), (UPCOMING_TEAM, days[5:7])):
        for day in gone:
            change(warehouse, f"DELETE FROM {table} WHERE game_date = $1", day)
    return warehouse


def _reviewed(warehouse: EmbeddedWarehouse, settings: Settings, **wish: Any) -> Plan:
    with judging(warehouse, settings) as judge:
        first, last = closed_range(judge.calendar, settings, None, None)
        plan = make_plan(judge, [3], first, last, Wish(**wish))
        return replace(plan, basis=make_basis(judge, warehouse.url, [3], False, first, last))


def _left(warehouse: EmbeddedWarehouse, settings: Settings, plan: Plan, tables: Registry | None = None) -> Plan:
    with judging(warehouse, settings, tables) as judge:
        return left_of(plan, judge)


def _moved(warehouse: EmbeddedWarehouse, settings: Settings, plan: Plan, tables: Registry | None = None) -> str:
    with pytest.raises(BadInput, match="not what was reviewed any more, nothing was changed; moved: ") as told:
        _left(warehouse, settings, plan, tables)
    return str(told.value)


def _carry_out(warehouse: EmbeddedWarehouse, settings: Settings, plan: Plan, part: Plan, *tables: str) -> None:
    """Publishes a part of the plan as a run of it does."""
    backfill = Backfill(warehouse, settings, run=f"20260105T000000Z-{plan.mark}")
    backfill.take_stock(part.found)
    backfill.run_chunks(chunk for table in tables for chunk in part.chunks_of(table))


def test_what_has_not_moved_is_run_exactly_as_it_was_reviewed(
    lacking: EmbeddedWarehouse, settings: Settings, tmp_path: Path
) -> None:
    whole = _reviewed(lacking, settings)
    whole.write(tmp_path / "plan.json", estimated={"chain_seconds": 1.0})
    plan = read_reviewed(tmp_path / "plan.json")
    assert plan == whole
    assert _left(lacking, settings, plan) == whole
    refuse_changed_code(plan)


def test_a_threshold_that_moved_is_named_with_what_it_was_and_is(
    lacking: EmbeddedWarehouse, settings: Settings
) -> None:
    plan = _reviewed(lacking, settings)
    lower = settings.model_copy(update={"gates": settings.gates.model_copy(update={"analytics_coverage_pct": 90.0})})
    assert "moved: gates.analytics_coverage_pct from 95.0 to 90.0. So" in _moved(lacking, lower, plan)


def test_how_many_work_side_by_side_is_no_rule_of_the_plan(lacking: EmbeddedWarehouse, settings: Settings) -> None:
    plan = _reviewed(lacking, settings)
    faster = settings.model_copy(update={"backfill": settings.backfill.model_copy(update={"workers": 9})})
    assert _left(lacking, faster, plan) == plan


def test_an_exclusion_that_came_or_went_is_named(
    lacking: EmbeddedWarehouse, settings: Settings, days: list[date]
) -> None:
    plan = _reviewed(lacking, settings)
    rule = Exclusion(
        tables=(TEAM_DEFENSE,),
        first=days[2],
        last=days[2],
        reason="arena flooded",
        owner="anna",
        added=days[0],
        expires=days[-1] + timedelta(days=30),
    )
    excluding = settings.model_copy(update={"exclusions": (rule,)})
    said = f"{TEAM_DEFENSE} {days[2]}..{days[2]}: arena flooded (anna"
    assert f"exclusion added: {said}" in _moved(lacking, excluding, plan)
    assert f"exclusion removed: {said}" in _moved(lacking, settings, _reviewed(lacking, excluding))
    expired = settings.model_copy(update={"exclusions": (rule.model_copy(update={"expires": days[-1]}),)})
    was = _reviewed(lacking, excluding)
    assert was.basis
    with judging(lacking, settings) as judge:
        was = replace(was, basis=replace(was.basis, exclusions=(told(expired.exclusions[0], judge.calendar),)))
    assert "exclusion expired: " in _moved(lacking, expired, was)


def _with(name: str, **changed: Any) -> Registry:
    tables = dict(registry().tables)
    tables[name] = replace(tables[name], **changed)
    return Registry(tables.values())


def test_contract_and_sql_that_moved_are_named_apart(
    lacking: EmbeddedWarehouse, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan, table = _reviewed(lacking, settings), registry().tables[TEAM_OFFENSE]
    other = f"{table.select} AND TRUE"
    assert f"moved: SQL of {TEAM_OFFENSE}. So" in _moved(lacking, settings, plan, _with(TEAM_OFFENSE, select=other))
    wider = replace(table.contract, columns=tuple(replace(c, required=False) for c in table.contract.columns))
    said = _moved(lacking, settings, plan, _with(TEAM_OFFENSE, contract=wider))
    assert f"moved: contract of {TEAM_OFFENSE}. So" in said
    monkeypatch.setattr(lib.basis, "_query_digests", lambda: {"expected/new.sql": "1"})
    with pytest.raises(BadInput, match=r"query expected/new\.sql"):
        refuse_changed_code(plan)


def test_rows_that_somebody_changed_are_named_by_table_and_date(
    lacking: EmbeddedWarehouse, settings: Settings, days: list[date]
) -> None:
    plan = _reviewed(lacking, settings)
    change(lacking, f"DELETE FROM {TEAM_OFFENSE} WHERE game_date = $1", days[9])
    assert f"state of {TEAM_OFFENSE}, rows on 1 date ({days[9]})" in _moved(lacking, settings, plan)


def test_raw_data_that_moved_under_an_absent_date_are_named(
    lacking: EmbeddedWarehouse, settings: Settings, days: list[date]
) -> None:
    """The date was absent and is absent: nothing but what it would be computed from has changed."""
    plan = _reviewed(lacking, settings)
    change(lacking, "UPDATE nba_raw.nbac_team_boxscore SET points = points + 1 WHERE game_date = $1", days[2])
    assert f"state of {TEAM_DEFENSE}, raw input on " in _moved(lacking, settings, plan)


def test_somebody_elses_repair_of_a_planned_date_has_moved_it(
    lacking: EmbeddedWarehouse, settings: Settings, days: list[date]
) -> None:
    plan = _reviewed(lacking, settings)
    Backfill(lacking, settings, run="20260105T000000Z-01234567").run_chunks(plan.chunks_of(TEAM_DEFENSE))
    named = ", ".join(map(str, days[2:5]))
    assert f"state of {TEAM_DEFENSE}, rows on 3 dates ({named})" in _moved(lacking, settings, plan)


def test_what_a_run_of_the_plan_published_is_done_and_the_rest_is_tried_again(
    lacking: EmbeddedWarehouse, settings: Settings, computed_file: Path, days: list[date]
) -> None:
    change(lacking, "DELETE FROM runbook.receipts WHERE table_name = $1 AND day = $2", TEAM_OFFENSE, days[0])
    plan = _reviewed(lacking, settings)
    assert plan.found == {TEAM_OFFENSE: (days[0],)}
    _carry_out(lacking, settings, plan, plan, TEAM_DEFENSE)
    left = _left(lacking, settings, plan)
    assert due(left) == {UPCOMING_TEAM: days[5:7]}
    assert (left.found, left.basis) == ({}, plan.basis)
    change(lacking, f"UPDATE {TEAM_DEFENSE} SET defensive_rebounds = defensive_rebounds + 1 WHERE game_date = $1", days[3])  # fmt: skip
    assert f"state of {TEAM_DEFENSE}, rows, " not in (said := _moved(lacking, settings, plan))
    assert f"state of {TEAM_DEFENSE}, rows on 1 date ({days[3]})" in said


def test_a_plan_that_was_carried_out_has_nothing_left_and_the_tables_are_right(
    lacking: EmbeddedWarehouse, settings: Settings, warehouse: EmbeddedWarehouse
) -> None:
    plan = _reviewed(lacking, settings)
    _carry_out(lacking, settings, plan, plan, TEAM_DEFENSE)
    _carry_out(lacking, settings, plan, _left(lacking, settings, plan), UPCOMING_TEAM)
    left = _left(lacking, settings, plan)
    assert (left.chunks, left.groups) == ((), ())
    assert _reviewed(lacking, settings).chunks == ()


def test_what_reads_a_date_that_failed_is_computed_again_with_it(
    lacking: EmbeddedWarehouse, settings: Settings, days: list[date]
) -> None:
    """A run computed a reader from rows that are still to be computed anew: done it is not."""
    reader = registry().downstream(TEAM_OFFENSE)[0].name
    day = days[8]
    change(lacking, f"UPDATE {TEAM_OFFENSE} SET assists = assists + 1 WHERE game_date = $1", day)
    plan = _reviewed(lacking, settings, tables=frozenset({TEAM_OFFENSE, reader}))
    assert day in due(plan)[TEAM_OFFENSE]
    assert day in due(plan)[reader]
    _carry_out(lacking, settings, plan, plan, reader)
    with judging(lacking, settings) as judge:
        assert (reader, day) in _published_by(plan, judge)
    left = _left(lacking, settings, plan)
    assert day in due(left)[reader]
    _carry_out(lacking, settings, plan, left, *(table for group in left.groups for table in group))
    assert _left(lacking, settings, plan).chunks == ()


def test_another_warehouse_is_refused(lacking: EmbeddedWarehouse, settings: Settings) -> None:
    plan = _reviewed(lacking, settings)
    change(lacking, "UPDATE runbook.meta SET value = 'another' WHERE name = 'id'")
    with pytest.raises(BadInput, match="made for another warehouse"):
        _left(lacking, settings, plan)


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"schema": 3}, "is a plan of schema 3; this runbook reads 2: plan again"),
        ({"first": "2024-11-01"}, "is not the plan it says it is"),
        ({"basis": {"rules": {}}}, "is no plan"),
    ],
)
def test_a_file_of_another_kind_or_changed_by_hand_is_refused(
    lacking: EmbeddedWarehouse, settings: Settings, tmp_path: Path, changed: Mapping[str, Any], sentence: str
) -> None:
    path = tmp_path / "plan.json"
    _reviewed(lacking, settings).write(path)
    path.write_text(json.dumps(json.loads(path.read_text()) | changed))
    with pytest.raises(BadInput, match=sentence):
        read_reviewed(path)


def test_a_plan_that_does_not_say_what_it_was_made_from_can_be_read_but_not_reviewed(
    lacking: EmbeddedWarehouse, settings: Settings, tmp_path: Path
) -> None:
    path = tmp_path / "plan.json"
    replace(_reviewed(lacking, settings), basis=None).write(path)
    old = {name: value for name, value in json.loads(path.read_text()).items() if name != "schema"}
    path.write_text(json.dumps(old))
    assert read_plan(path).chunks
    with pytest.raises(BadInput, match="does not say what it was made from"):
        read_reviewed(path)


def test_a_basis_edited_by_hand_is_refused(lacking: EmbeddedWarehouse, settings: Settings, tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    _reviewed(lacking, settings).write(path)
    raw = json.loads(path.read_text())
    raw["basis"]["rules"]["gates.analytics_coverage_pct"] = 50.0
    path.write_text(json.dumps(raw))
    with pytest.raises(BadInput, match="is not the plan it says it is"):
        read_reviewed(path)
