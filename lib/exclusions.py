"""Exclusions beside the calendar: which are in force for a phase, and which say nothing any more."""

from __future__ import annotations

from collections.abc import Iterable

from lib.calendar import Calendar
from lib.settings import Exclusion, Settings
from lib.verdicts import AMBER, Finding
from lib.waivers import told

TAKE_OUT = "take it out of runbook.toml, or write down why it still holds"


def in_force(settings: Settings, calendar: Calendar, tables: Iterable[str]) -> list[Exclusion]:
    """The exclusions that cover one of *tables* as of now."""
    wanted = set(tables)
    return [rule for rule in settings.exclusions if wanted & {*rule.tables} and calendar.as_of <= rule.expires]


def exclusion_findings(settings: Settings, calendar: Calendar, tables: Iterable[str]) -> list[Finding]:
    """Amber for every exclusion of one of *tables* that has expired, or that names a date on which no game counts."""
    wanted = set(tables)
    rules = [rule for rule in settings.exclusions if wanted & {*rule.tables}]
    return [finding for rule in rules if (finding := _fault(rule, calendar))]


def _fault(rule: Exclusion, calendar: Calendar) -> Finding | None:
    where = f"exclusion '{rule.reason}'"
    if rule.expires < calendar.as_of:
        return Finding(AMBER, where, f"expired {rule.expires}, its dates count again: {told(rule)}", TAKE_OUT)
    idle = [day for day in rule.dates if day not in calendar.games]
    if idle or not any(rule.names(day) for day in calendar.games):
        what = f"no game counts on {', '.join(map(str, idle)) or 'any of its dates'}: {told(rule)}"
        return Finding(AMBER, where, what, TAKE_OUT)
    return None
