"""What each gate asks, where its findings come from, and what to do: the text behind the link of a finding."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

PAGE = "docs/checks.md"


@dataclass(frozen=True)
class GateWords:
    """One gate in words: what holds while it is green, what makes it red or amber, and what to do."""

    means: str
    cause: str
    do: str


WORDS: Mapping[str, GateWords] = {
    "warehouse": GateWords(
        "the warehouse can be read and written, nobody else is at work on the phase, packages are as locked",
        "a disk or a dataset that cannot be written, another runner with the lease of the phase, a run that costs more than the budget",
        "mend what the sentence names; wait for the other runner, or end it; nothing was changed so far",
    ),
    "environment": GateWords(
        "every package is of the version of the lock",
        "packages were installed by hand, or the lock is newer than the environment",
        "make the environment again from requirements.lock",
    ),
    "contracts": GateWords(
        "columns and types are those of the contracts, and no key is doubled before the run begins",
        "somebody altered a table, left a copy of one, or a contract of lib/tables was changed",
        "runbook migrate adds what is missing and names the rest; drop what no contract names",
    ),
    "doubled": GateWords(
        "no key is doubled before the run begins",
        "an insert whose delete was refused, or a repair that ran twice",
        "runbook run replaces the dates whole; never delete doubled rows by their key",
    ),
    "upstream": GateWords(
        "the phase below holds over the range",
        "the phase below was not run, or lost dates since",
        "run the phase below first",
    ),
    "sources": GateWords(
        "where each fallback chain stands, season by season",
        "a source was not loaded, or names its players or games otherwise",
        "load the source; runbook gate 2 names the games",
    ),
    "sample": GateWords(
        "the latest date of each table can be computed and passes its audit",
        "raw data of the date are doubled, cut short or of another shape; or a table below is not full",
        "load the raw data of the date anew; computed rows stay as they are until it passes",
    ),
    "published": GateWords(
        "every planned date was published",
        "a date failed its audit, was blocked by another, or the run was cut off",
        "execute the printed command for the dates that are named; those that passed stay",
    ),
    "runners": GateWords(
        "no runner of the phase is alive any more",
        "another process still works on the phase",
        "wait for it, or end it by its PID",
    ),
    "attempts": GateWords(
        "no date is left whose latest attempt failed",
        "an attempt failed and the date was not tried again",
        "execute the printed command; the ledger is history, the warehouse says what is there",
    ),
    "coverage": GateWords(
        "every table is full on enough of its expected dates; none is torn, outdated or doubled",
        "dates were never computed, lost rows, or were computed from input, SQL or rules that changed since; or raw data is missing",
        "execute the printed command; where raw data is missing load it first; dates that rightly do not count are an exclusion",
    ),
    "quality": GateWords("the checks below pass", "each check says its own", "each check says its own"),
    "features": GateWords(
        "the checks of the sets features and regression pass", "each check says its own", "each check says its own"
    ),
    "reconciliation": GateWords(
        "every game of the schedule reached the last table", "each check says its own", "each check says its own"
    ),
    "tables": GateWords(
        "every table reaches its threshold",
        "too few dates of a table are full",
        "look at the gate coverage of 40_validate, which names the dates and the command",
    ),
    "validator": GateWords(
        "the coverage gate is not red",
        "the warehouse has changed since it was validated",
        "run the phase again; a sign-off never trusts an older verdict",
    ),
    "dependencies": GateWords(
        "the phase below and the contracts hold",
        "the phase below is red, or a table is not as its contract says",
        "mend the phase below first",
    ),
    "signer": GateWords(
        "somebody is named who answers for the phase",
        "the parameter signer is empty",
        "give the parameter 'signer'",
    ),
    "readiness": GateWords(
        "the very matrix that is trained on is filled, varied, unique and in order",
        "a column has too many NULLs or defaults, a season is thin, or phases 3 and 4 are red",
        "load the raw data it comes from, then runbook run; limits stand in runbook.toml, [ml] and [features]",
    ),
    "model": GateWords(
        "the model is better than the best simple average, and not too good to be true",
        "features say too little, or one of them knows the answer",
        "look for a feature that knows the answer; else do not use the model",
    ),
    "artefact": GateWords(
        "a model of the run verifies, and was trained on the rows that the warehouse holds now",
        "the folder was changed, or rows, code or versions are others since",
        "train again: runbook run",
    ),
    "predictions": GateWords(
        "every feature row has a prediction of each system, and every game that was played is graded by what was scored",
        "nothing was predicted for the date, or features, predictions or scores have changed since",
        "execute the printed command",
    ),
}


def link_of(gate: str) -> str:
    """Where the reference says more about *gate*; empty for one it does not know."""
    return f"{PAGE}#gate-{gate}" if gate in WORDS else ""
