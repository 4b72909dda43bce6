"""Verdicts: what a gate says, with its figures, its threshold and its findings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from lib.gate_words import link_of

GREEN, AMBER, RED = "green", "amber", "red"
_RANK = {GREEN: 0, AMBER: 1, RED: 2}


def worst(verdicts: Iterable[str]) -> str:
    """The worst of several verdicts; green of none."""
    return max(verdicts, key=_RANK.__getitem__, default=GREEN)


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong: where, what, and the command that mends it. Amber findings never stop a chain.

    ``doc`` is the entry of the reference that says more: the check's, else the gate's.
    """

    severity: str
    where: str
    what: str
    mend: str = ""
    doc: str = ""

    def as_json(self) -> dict[str, str]:
        """The finding for machines."""
        said = {"severity": self.severity, "where": self.where, "what": self.what, "mend": self.mend}
        return said | ({"doc": self.doc} if self.doc else {})


@dataclass(frozen=True)
class Verdict:
    """What one gate says. ``table`` holds its figures, a row for each line a person reads."""

    gate: str
    verdict: str
    sentence: str
    findings: tuple[Finding, ...] = ()
    table: tuple[Mapping[str, Any], ...] = ()
    about: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        link = link_of(self.gate)
        linked = tuple(finding if finding.doc else replace(finding, doc=link) for finding in self.findings)
        object.__setattr__(self, "findings", linked)

    @property
    def red(self) -> bool:
        """Whether the chain stops here."""
        return self.verdict == RED

    def as_json(self) -> dict[str, Any]:
        """The verdict for machines and archives."""
        return {
            "gate": self.gate,
            "verdict": self.verdict,
            "sentence": self.sentence,
            **self.about,
            "tables": [dict(row) for row in self.table],
            "findings": [finding.as_json() for finding in self.findings],
        }


def verdict_of(gate: str, sentence: str, findings: Iterable[Finding] = (), **more: Any) -> Verdict:
    """A verdict as bad as its worst finding."""
    findings = tuple(findings)
    return Verdict(gate, worst(f.severity for f in findings), sentence, findings, **more)
