"""Exclusions beside the calendar: which dates they cover, which are in force, and which say nothing any more."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import date

from lib.calendar import Calendar, as_ranges
from lib.settings import ANY_DATE, NO_BOX_SCORE, Exclusion, Settings
from lib.verdicts import AMBER, Finding

TAKE_OUT = "take it out of runbook.toml, or write down why it still holds"
KINDS = {"play_in": "005", "playoffs": "004", "cup_final": "006"}  # of games, by rule


def days_of(rule: Exclusion, calendar: Calendar, first: date = ANY_DATE[0], last: date = ANY_DATE[1]) -> list[date]:
    """The game dates from *first* to *last* that the exclusion names, in force or not, in order."""
    days = (day for day in calendar.games if first <= day <= last and rule.names(day))
    return sorted(day for day in days if rule.rule is None or _falls_under(rule.rule, day, calendar))


def excluded_days(settings: Settings, calendar: Calendar, table: str) -> frozenset[date]:
    """The game dates that exclusions in force take out for *table*."""
    rules = in_force(settings, calendar, [table])
    return frozenset(day for rule in rules for day in days_of(rule, calendar))


def in_force(settings: Settings, calendar: Calendar, tables: Iterable[str]) -> list[Exclusion]:
    """The exclusions that cover one of *tables* as of now."""
    wanted = set(tables)
    return [rule for rule in settings.exclusions if wanted & {*rule.tables} and calendar.as_of <= rule.expires]


def told(rule: Exclusion, calendar: Calendar, first: date = ANY_DATE[0], last: date = ANY_DATE[1]) -> str:
    """An exclusion in words. Of a rule, with the dates from *first* to *last* that it covers now."""
    when = ", ".join(map(str, rule.dates)) or f"{rule.first}..{rule.last}"
    if rule.rule:
        covered = as_ranges(days_of(rule, calendar, first, last), list(calendar.games))
        when = f"by rule {rule.rule}: {covered or 'no date'}"
    return f"{', '.join(rule.tables)} {when}: {rule.reason} ({rule.owner}, expires {rule.expires})"


def exclusion_findings(settings: Settings, calendar: Calendar, tables: Iterable[str]) -> list[Finding]:
    """Amber for every exclusion of one of *tables* that has expired, names a date without a counted game, or overlaps."""
    wanted = set(tables)
    rules = [rule for rule in settings.exclusions if wanted & {*rule.tables}]
    found = [finding for rule in rules if (finding := _fault(rule, calendar))]
    return found + _twice(settings, calendar, sorted(wanted))


def _falls_under(rule: str, day: date, calendar: Calendar) -> bool:
    if rule == NO_BOX_SCORE:
        return day in calendar.unboxed
    return calendar.kinds.get(day) == KINDS[rule]


def _fault(rule: Exclusion, calendar: Calendar) -> Finding | None:
    where = f"exclusion '{rule.reason}'"
    if rule.expires < calendar.as_of:
        return Finding(AMBER, where, f"expired {rule.expires}, its dates count again: {told(rule, calendar)}", TAKE_OUT)
    idle = [day for day in rule.dates if day not in calendar.games and day not in calendar.open]
    if idle or not days_of(rule, calendar):
        what = f"no game counts on {', '.join(map(str, idle)) or 'any of its dates'}: {told(rule, calendar)}"
        return Finding(AMBER, where, what, TAKE_OUT)
    return None


def _twice(settings: Settings, calendar: Calendar, tables: Iterable[str]) -> list[Finding]:
    """Dates that two exclusions name, which only the schedule can say where one of them is a rule."""
    found = []
    for table in tables:
        rules = in_force(settings, calendar, [table])
        counts = Counter(day for rule in rules for day in days_of(rule, calendar))
        if twice := [day for day, count in counts.items() if count > 1]:
            reasons = ", ".join(f"'{rule.reason}'" for rule in rules if {*twice} & {*days_of(rule, calendar)})
            dates = as_ranges(twice, list(calendar.games))
            what = f"exclusions {reasons} overlap on {dates}: a date of a table is excluded once"
            found.append(Finding(AMBER, table, what, "narrow one of them in runbook.toml by first and last"))
    return found
