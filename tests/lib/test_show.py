"""Verdicts as text: with findings and without."""

from __future__ import annotations

from lib.show import plain, verdict_text
from lib.verdicts import Finding, Verdict


def test_a_verdict_without_findings_is_shown() -> None:
    assert "coverage: GREEN  All there." in plain(verdict_text(Verdict("coverage", "green", "All there.")))


def test_what_mends_stands_once_below_the_findings_that_it_mends() -> None:
    findings = (Finding("red", "a", "gone", "run"), Finding("red", "b", "gone", "run"), Finding("red", "c", "torn", "look"))  # fmt: skip
    said = plain(verdict_text(Verdict("coverage", "red", "Not all.", findings))).splitlines()
    assert [line.strip() for line in said if "mend:" in line] == ["mend: run", "mend: look"]
