"""Asking stats.nba.com: with its own headers, never in a hurry, and again where an answer did not come whole."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from lib.errors import BadInput, CannotJudge
from lib.fetch.pulls import Answer, Pull

ADDRESS = "https://stats.nba.com/stats"
TOO_MANY, SERVER_ERROR = 429, 500
TRIES = 5
LONGEST_WAIT = 300.0


class Again(Exception):
    """An answer that did not come, or not whole; ``wait`` is what the source asked for, seconds."""

    def __init__(self, why: str, wait: float = 0.0) -> None:
        super().__init__(why)
        self.wait = wait


def require_nba_api() -> None:
    """BadInput, with the command that mends it, where the extra is not installed."""
    try:
        import nba_api.stats.library.http  # noqa: F401
        import requests  # noqa: F401
    except ImportError as error:
        raise BadInput(
            f"fetch needs the package nba_api ({error.name} is not installed): pip install 'backfill-runbook[fetch]'"
        ) from error


class Refused(CannotJudge):
    """The source does not want to answer, now or later."""


@dataclass
class Source:
    """The site. Between two requests lie *pause* seconds and a little more; after a refusal longer and longer waits."""

    address: str = ADDRESS
    pause: float = 1.0
    timeout: float = 30.0
    said: Callable[[str], None] = lambda text: None
    sleep: Callable[[float], None] = time.sleep
    _session: Any = field(default=None, repr=False)
    _last: float = float("-inf")

    def get(self, pull: Pull) -> dict[str, Any]:
        """The raw answer of a pull, whole and with rows as wide as their header.

        Raises CannotJudge where it does not come whole in five tries, Refused where it is refused for good.
        """
        for number in range(1, TRIES + 1):
            try:
                return self._asked(pull)
            except Again as error:
                if number == TRIES:
                    raise CannotJudge(
                        f"{pull.name}: no whole answer in {TRIES} tries, the last: {error}. What came is kept: run the "
                        "same command again later to go on"
                    ) from error
                if error.wait > LONGEST_WAIT:
                    raise CannotJudge(
                        f"{pull.name}: {error}, and asks to be left alone for {error.wait:.0f} s. What came is kept: run"
                        " the same command again then"
                    ) from error
                wait = min(LONGEST_WAIT, max(error.wait, self.pause * 2**number)) * random.uniform(1, 1.2)
                self.said(f"{pull.name}: {error}; again in {wait:.0f} s ({number} of {TRIES} tries)")
                self.sleep(wait)
        raise AssertionError

    def _asked(self, pull: Pull) -> dict[str, Any]:
        import requests
        from nba_api.stats.library.http import NBAStatsHTTP

        self._wait()
        self._session = self._session or requests.Session()
        try:
            answer = self._session.get(
                f"{self.address}/{pull.endpoint}", params=sorted(pull.parameters.items()), headers=NBAStatsHTTP.headers,
                timeout=self.timeout,
            )  # fmt: skip
        except requests.Timeout as error:
            raise Again(f"no answer within {self.timeout:g} s") from error
        except requests.RequestException as error:
            raise Again(f"the connection failed ({type(error).__name__})") from error
        finally:
            self._last = time.monotonic()
        _refuse_bad_status(pull, answer.status_code, answer.headers)
        return _whole(pull, answer.text)

    def _wait(self) -> None:
        left = self._last + self.pause * random.uniform(1, 1.3) - time.monotonic()
        if left > 0:
            self.sleep(left)


def _refuse_bad_status(pull: Pull, status: int, headers: Mapping[str, str]) -> None:
    if status == TOO_MANY or status >= SERVER_ERROR:
        raise Again(f"the source answered {status}", _seconds(headers.get("Retry-After", "")))
    if status != 200:
        raise Refused(
            f"{pull.name}: the source refused with status {status}; it may know you by your address: try from another "
            "network, or later"
        )


def _seconds(asked: str) -> float:
    """How long a source asks to be left alone: it says seconds, or a date."""
    if asked.isdigit():
        return float(asked)
    with suppress(ValueError, TypeError):  # neither: it asks for nothing
        return max(0.0, (parsedate_to_datetime(asked) - datetime.now(UTC)).total_seconds())
    return 0.0


def _whole(pull: Pull, text: str) -> dict[str, Any]:
    try:
        raw: dict[str, Any] = json.loads(text)
    except ValueError as error:
        raise Again(f"half an answer: {len(text):,} characters that are no JSON") from error
    answer_of(pull, raw)
    return raw


def answer_of(pull: Pull, raw: Mapping[str, Any]) -> Answer:
    """The wanted part of a raw answer.

    Raises Again where it is not whole, CannotJudge where a column that is needed has gone or changed its name.
    """
    if not isinstance(raw, dict):
        raise Again("an answer that holds nothing by name")
    found = raw.get("resultSets") or raw.get("resultSet") or ()
    sets = [found] if isinstance(found, dict) else found
    wanted = next((item for item in sets if isinstance(item, dict) and item.get("name") == pull.result_set), None)
    if wanted is None or not all(isinstance(wanted.get(name), list) for name in ("headers", "rowSet")):
        raise Again(f"an answer without {pull.result_set}")
    columns = tuple(str(name) for name in wanted["headers"])
    if any(len(row) != len(columns) for row in wanted["rowSet"]):
        raise Again(f"an answer with rows that are not {len(columns)} columns wide")
    have = {name.lower() for name in columns}
    gone = [f.name.upper() for f in pull.kind.fields if not f.optional and f.name not in have]
    if gone:
        raise CannotJudge(
            f"{pull.name}: the source no longer gives {', '.join(gone)} (it gives {', '.join(columns)}); nothing was "
            f"written from it: {pull.kind.title} has changed, and lib/ingest/kinds.py has to know how"
        )
    return Answer(columns, tuple(tuple(row) for row in wanted["rowSet"]))
