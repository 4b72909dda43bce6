"""Faults that can be switched on: each strikes a request of one kind a given number of times."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.bigquery_server.trouble import Refused

HTTP = {
    "rate limit": Refused(403, "rateLimitExceeded", "Exceeded rate limits: too many api requests per user per method"),
    "quota": Refused(403, "quotaExceeded", "Quota exceeded: your project exceeded quota for queries"),
    "500": Refused(500, "internalError", "An internal error occurred"),
    "503": Refused(503, "backendError", "Error encountered during execution. Retrying may solve the problem."),
}


@dataclass
class Fault:
    """``kind`` happens to requests whose ``METHOD path`` matches, *times* times after *skip* that are let through.

    Kinds: those of HTTP; ``409``: the job is there already; ``lost answer``: it takes effect and the line is cut;
    ``reset``: the line is cut before it takes effect; ``slow``: the first byte comes after *seconds*; ``cut``: half of
    the body comes; ``short``: rows are left out; ``serialization``: the transaction is aborted at its commit;
    ``never ends``: the job stays RUNNING until it is cancelled; ``job error``: the job fails once with backendError.
    """

    kind: str
    request: str = r"POST .*/jobs"
    times: int = 1
    skip: int = 0
    seconds: float = 0.0
    statement: str = ""  # only jobs whose statement matches
    on_strike: Callable[[], None] = lambda: None
    struck: int = field(default=0, init=False)

    def strikes(self, request: str, statement: str = "") -> bool:
        """Whether it happens to this request; counts."""
        if self.struck >= self.times or not re.search(self.request, request):
            return False
        if self.statement and not re.search(self.statement, statement):
            return False
        if self.skip > 0:
            self.skip -= 1
            return False
        self.struck += 1
        self.on_strike()
        return True
