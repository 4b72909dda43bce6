"""``docs/checks.md`` and ``docs/checklists/``: what each check means, and all of what COMPLETE means, from the code."""

from __future__ import annotations

from lib.blocking import FIRST_GATED_PHASE
from lib.checks import SETS, Check, all_checks, checks_of
from lib.coverage import key_parts
from lib.features import TRAINING_21
from lib.gate_words import WORDS, GateWords
from lib.ml.readiness import RULES
from lib.registry import Table, registry
from lib.settings import ROOT, Settings, load_settings
from lib.waivers import EXCLUDED_PCT, FILLED, FLOORS
from runbook.chain import GATES
from runbook.docs.markdown import table

TITLES = {
    "post-backfill": "Post-backfill: do the rows hold together?",
    "features": "Features: is every column filled, and does it vary?",
    "regression": "Regression: is there less than over the same days of the season before?",
    "reconciliation": "Reconciliation: did every game go the whole way?",
    "unknowns": "Unknowns: is there something that nobody asked for?",
    "receipts": "Receipts: are the rows those that were published?",
}
SIGNS = {"red": "■ red", "amber": "▲ amber"}
PHASES = (3, 4)
STEPS = ("10_preflight", "20_launch", "30_monitor", "40_validate", "50_signoff")


def checks_page() -> str:
    """The reference of the checks as Markdown: an entry for each, with meaning, cause and repair."""
    checks = all_checks()
    parts = [
        "# Checks",
        "This page is made from the code by `make docs`. A check is a query that returns the offending rows. Red stops a run;"
        " amber does not, and is acknowledged by name in a sign-off. `runbook check NAME` runs one alone, and"
        " `--offenders DIR` writes all its offending rows; in a run they lie beside it, in `offenders/`.",
        table(("set", "checks"), [(f"[{name}](#{_anchor(TITLES[name])})", _names(checks, name)) for name in SETS]),
    ]
    for name in SETS:
        parts.append(f"## {TITLES[name]}")
        parts += [_entry(check) for check in checks if check.set == name]
    parts.append("## Gates")
    parts.append("What a gate says beyond its checks, step by step.")
    parts += [_gate(name, words) for name, words in WORDS.items()]
    return "\n\n".join(parts) + "\n"


def _gate(name: str, words: GateWords) -> str:
    holds = f"* **Green while** {words.means}."
    return f"### gate {name}\n\n{holds}\n* **Cause**: {words.cause}.\n* **Repair**: {words.do}."


def _names(checks: tuple[Check, ...], of_set: str) -> str:
    return ", ".join(f"[{check.name}](#{check.name})" for check in checks if check.set == of_set)


def _anchor(title: str) -> str:
    kept = "".join(letter for letter in title.lower() if letter.isalnum() or letter in " -")
    return kept.replace(" ", "-")


def _entry(check: Check) -> str:
    reads = ", ".join(f"`{name}`" for name in check.tables) or "every computed table of the phase"
    phase = f"phase {check.phase}" if check.phase else "each phase"
    lines = [
        f"### {check.name}",
        f"{SIGNS[check.severity]}, {phase}. Reads {reads}.",
        f"* **Finds** {check.means}.",
        f"* **Cause**: {check.cause}.",
        f"* **Repair**: {check.do}.",
    ]
    return "\n\n".join(lines[:2]) + "\n\n" + "\n".join(lines[2:])


def checklist_page(phase: int) -> str:
    """All of what COMPLETE means for a computed phase, as a checklist in Markdown."""
    settings = load_settings(ROOT / "runbook.toml")
    parts = [
        f"# Phase {phase}: what COMPLETE means",
        "This page is made from the code by `make docs`. Nobody ticks a box by hand: each is computed from the warehouse by"
        f" `runbook run --phase {phase}`, and again by whoever signs.",
        "## Steps and their gates",
        *(_step(step) for step in STEPS),
        "## Tables",
        _tables(phase, settings),
        f"Denominator: the expected dates of the range without the first {settings.gates.bootstrap_days} days of a season"
        " and without exclusions in force. "
        + (
            "An eligible date that is absent or partial is red, whatever the percentage."
            if phase >= FIRST_GATED_PHASE
            else "A date missing above the threshold is amber by name; a torn one is red."
        ),
        "## Checks",
        _checks(phase),
        "## Floors",
        _floors(phase),
    ]
    return "\n\n".join(parts) + "\n"


def _step(step: str) -> str:
    gates = sorted(GATES[step], key=list(WORDS).index)
    return f"**{step}**\n\n" + "\n".join(f"- [ ] `{gate}`: {WORDS[gate].means}" for gate in gates)


def _tables(phase: int, settings: Settings) -> str:
    needed = settings.coverage_pct(phase)
    return "\n".join(
        f"- [ ] `{one.name}`: {_expected(one, settings)}; full on at least {needed:g} % of its expected dates"
        for one in registry().computed
        if settings.phase_of(one.name) == phase
    )


def _expected(one: Table, settings: Settings) -> str:
    facts = settings.tables[one.name]
    entity = key_parts(one.contract)[1]
    least = f" with {facts.minimum_games} games and more" if facts.minimum_games else ""
    return f"a row for each `{entity}`{least} by rule `{facts.expected}`"


def _checks(phase: int) -> str:
    return "\n".join(
        f"- [ ] {SIGNS[check.severity]} [{check.name}](../checks.md#{check.name}): no {check.means}"
        for check in checks_of(phase)
    )


def _floors(phase: int) -> str:
    floors = [f"`gates.{name}` {floor} %" for number, (name, floor) in FLOORS.items() if number == str(phase)]
    floors += [f"`features.coverage` {name} {floor} %" for name, floor in FILLED.items() if phase == PHASES[0]]
    return (
        f"Below {', '.join(floors)}, with an exclusion of dates that have raw data, or of more than {EXCLUDED_PCT} % of a"
        " season, the phase stands on a waiver: a second person signs, and the state reads COMPLETE WITH WAIVER."
    )


def ml_checklist_page() -> str:
    """All of what ready to train means, as a checklist in Markdown."""
    rules = [(rule.__name__.strip("_").replace("_", " ")) for rule in RULES]
    parts = [
        "# Readiness and model: what COMPLETE means",
        "This page is made from the code by `make docs`. `runbook gate ml` judges the very matrix that is trained on.",
        "## Gates",
        "- [ ] the gates of phases 3 and 4 are not red",
        "\n".join(f"- [ ] `{gate}` of {step}" for step in ("60_train", "70_closing") for gate in sorted(GATES[step])),
        "## Rules of readiness",
        "\n".join(f"- [ ] {rule}" for rule in rules),
        "## Features",
        "\n".join(f"- [ ] `{name}`: filled and varied in every season" for name in TRAINING_21),
    ]
    return "\n\n".join(parts) + "\n"
