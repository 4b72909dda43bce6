"""Every finding leads to what it means, where it comes from and what to do."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest

from lib import preflight
from lib.checks import SETS, all_checks
from lib.gate_words import WORDS, link_of
from lib.settings import ROOT, Settings
from lib.verdicts import AMBER, RED, Finding, verdict_of
from lib.warehouse import EmbeddedWarehouse
from tests.lib.at_work import TEAM_DEFENSE, change, gate_3, judging

GIVES_A_VERDICT = {"Verdict", "verdict_of", "together"}


def gates_in_the_code() -> set[str]:
    """The names of gates that lib and runbook give a verdict of."""
    files = [path for folder in ("lib", "runbook") for path in (ROOT / folder).rglob("*.py")]
    return {name for path in files for name in _gates(ast.parse(path.read_text()))}


def _gates(tree: ast.Module) -> Iterator[str]:
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        if isinstance(call.func, ast.Name) and call.func.id in GIVES_A_VERDICT:
            named = [*call.args[:1], *(k.value for k in call.keywords if k.arg == "gate")]
            yield from (one.value for one in named if isinstance(one, ast.Constant))


def test_every_gate_in_the_code_has_its_words() -> None:
    assert {"coverage", "contracts", "sample", "runners", "readiness"} <= gates_in_the_code()
    assert gates_in_the_code() - {*WORDS, *SETS} == set()


def test_every_link_leads_to_a_heading() -> None:
    headings = re.findall(r"^### (.+)$", (ROOT / "docs" / "checks.md").read_text(), re.MULTILINE)
    anchors = {f"docs/checks.md#{heading.strip('`').replace(' ', '-')}" for heading in headings}
    assert {*map(link_of, WORDS), *(check.doc for check in all_checks())} <= anchors


def test_a_finding_leads_to_its_gate_and_that_of_a_check_to_the_check() -> None:
    own = Finding(RED, "here", "wrong", doc="docs/checks.md#keys_are_unique")
    found = verdict_of("runners", "", [own, Finding(AMBER, "there", "strange")]).findings
    assert [finding.doc for finding in found] == ["docs/checks.md#keys_are_unique", "docs/checks.md#gate-runners"]
    assert verdict_of("no such gate", "", [Finding(RED, "here", "wrong")]).findings[0].doc == ""


@pytest.mark.parametrize("gate", ["coverage", "contracts"])
def test_findings_of_coverage_and_preflight_carry_their_link(
    warehouse: EmbeddedWarehouse, settings: Settings, gate: str
) -> None:
    change(warehouse, f"DELETE FROM {TEAM_DEFENSE} WHERE game_date = '2024-12-03'")
    change(warehouse, "CREATE TABLE nba_analytics.copy AS SELECT 1 AS one")
    with judging(warehouse, settings) as judge:
        contracts = preflight.contracts_verdict(judge.session, judge.registry, settings)
    verdict = gate_3(warehouse, settings) if gate == "coverage" else contracts
    assert verdict.findings
    assert {finding.as_json()["doc"] for finding in verdict.findings} == {f"docs/checks.md#gate-{gate}"}
