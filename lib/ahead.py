"""What the gates of a step are going to ask, asked all at once: where each job is dear, one does the work of many.

Nothing is answered here, and a question that is forgotten here is asked when its gate needs it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date

from lib.blocking import FIRST_GATED_PHASE
from lib.checks import Scope, ask_checks, checks_of, named
from lib.checks.model import FEATURES, POST_BACKFILL, RECONCILIATION, REGRESSION, UNKNOWNS
from lib.coverage import Judge
from lib.history import LATEST
from lib.monitor import LATEST_ATTEMPTS
from lib.phase4_gate import ask_defaults
from lib.plan import ask_seconds
from lib.preflight import ask_games_without
from lib.raw_gate import ask_raw

Ask = Callable[[Judge, int, date, date], object]


def ask_ahead(step: str, judge: Judge, phase: int, first: date, last: date) -> None:
    """Asks for all that *step* will judge of *phase* from *first* to *last*; nothing where jobs cost next to nothing."""
    if judge.session.jobs_are_dear:
        for ask in AHEAD.get(step, ()):
            ask(judge, phase, first, last)


def _coverage(judge: Judge, phase: int, first: date, last: date) -> None:
    judge.ask([phase], first, last)
    if phase >= FIRST_GATED_PHASE:
        ask_defaults(judge, first, last)


def _below(judge: Judge, phase: int, first: date, last: date) -> None:
    if phase == FIRST_GATED_PHASE - 1:
        ask_raw(judge.session, judge.settings, judge.calendar, first, last)


def _sources(judge: Judge, phase: int, first: date, last: date) -> None:
    ask_raw(judge.session, judge.settings, judge.calendar, first, last)
    ask_games_without(judge, first, last)


def _doubled(judge: Judge, phase: int, first: date, last: date) -> None:
    ask_checks(Scope(judge, phase, first, last), named("keys_are_unique"))


def _checks(judge: Judge, phase: int, first: date, last: date) -> None:
    ask_checks(Scope(judge, phase, first, last), checks_of(phase))


def _checks_by_gate(judge: Judge, phase: int, first: date, last: date) -> None:
    for sets in VALIDATED:
        ask_checks(Scope(judge, phase, first, last), checks_of(phase, sets))


def _seconds(judge: Judge, phase: int, first: date, last: date) -> None:
    ask_seconds(judge)


def _attempts(judge: Judge, phase: int, first: date, last: date) -> None:
    judge.session.ask(LATEST_ATTEMPTS, first=first, last=last)


def _latest_run(judge: Judge, phase: int, first: date, last: date) -> None:
    judge.session.ask(LATEST)


def _readiness(judge: Judge, phase: int, first: date, last: date) -> None:
    from lib.ml.readiness import ask_readiness  # scikit-learn takes a second, and no other step needs it

    ask_readiness(judge, first, last)


VALIDATED = ((POST_BACKFILL, UNKNOWNS), (FEATURES, REGRESSION), (RECONCILIATION,))  # the gates of 40_validate
AHEAD: Mapping[str, tuple[Ask, ...]] = {
    "10_preflight": (_coverage, _sources, _doubled, _seconds),
    "30_monitor": (_coverage, _attempts, _latest_run),
    "40_validate": (_coverage, _checks_by_gate),
    "50_signoff": (_coverage, _below, _checks, _attempts),
    "60_train": (_coverage, _readiness),
    "70_closing": (_coverage, _readiness),
}
