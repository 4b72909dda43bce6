"""Verdicts as text: with findings and without."""

from __future__ import annotations

import re

import pytest

from lib.show import plain, table_of, terminal, verdict_html, verdict_text
from lib.verdicts import Finding, Verdict


def test_a_verdict_without_findings_is_shown() -> None:
    assert "coverage: GREEN  All there." in plain(verdict_text(Verdict("coverage", "green", "All there.")))


def test_a_section_in_brackets_is_text_and_no_style() -> None:
    finding = Finding("red", "a", "[redacted: token] [/x]", "limits stand in runbook.toml, [features]")
    shown = plain(verdict_text(Verdict("coverage", "red", "See [gates].", (finding,))))
    console = terminal()
    with console.capture() as seen:
        console.print(table_of([{"says": "See [gates], [/x]."}], "Of [features]"))
        console.print("limits stand in [features]")
    for said in ("[redacted: token] [/x]", "runbook.toml, [features]", "See [gates]."):
        assert said in shown
    for said in ("See [gates], [/x].", "Of [features]", "stand in [features]"):
        assert said in seen.get()


def test_what_mends_stands_once_below_the_findings_that_it_mends() -> None:
    findings = (Finding("red", "a", "gone", "run"), Finding("red", "b", "gone", "run"), Finding("red", "c", "torn", "look"))  # fmt: skip
    said = plain(verdict_text(Verdict("coverage", "red", "Not all.", findings))).splitlines()
    assert [line.strip() for line in said if "mend:" in line] == ["mend: run", "mend: look"]


@pytest.mark.parametrize(
    ("mend", "code"),
    [
        ("runbook run --phase 3", ["runbook run --phase 3"]),
        ("do not use it; look at the features' figures", []),
        ("load the raw data that is missing, then runbook run --phase 3", ["runbook run --phase 3"]),
        ("runbook run --phase 3 takes stock of them; --recompute-found replaces them", ["runbook run --phase 3"]),
        ("runbook run --tables a_b,c_d --dates 2024-01-01,2024-01-02", ["runbook run --tables a_b,c_d --dates 2024-01-01,2024-01-02"]),
        ("runbook gate 2 names the games", ["runbook gate 2"]),
        ("runbook run --phase ml, or runbook ingest DIR", ["runbook run --phase ml", "runbook ingest DIR"]),
        ("DROP TABLE nba_analytics.a_copy; or give it a contract", ["DROP TABLE nba_analytics.a_copy"]),
        ("look for a < b", []),
    ],
)  # fmt: skip
def test_of_what_mends_the_commands_are_code_and_the_advice_is_words(mend: str, code: list[str]) -> None:
    shown = verdict_html(Verdict("model", "amber", "Weak.", (Finding("amber", "model", "weak", mend),)))
    assert re.findall(r"<code>(.*?)</code>", shown) == code
    assert "< b" not in shown
