"""What can go wrong, and the exit code each kind of trouble ends with.

Every message says what happened, where, and what to do; a traceback is a bug.
"""

from __future__ import annotations


class RunbookError(Exception):
    """Base of every error a person is meant to read; ends a command with exit code 3."""

    exit_code = 3

    def _render_traceback_(self) -> list[str]:
        """What a notebook shows instead of a traceback: the sentence alone."""
        return [f"{type(self).__name__}: {self}"]


class CannotJudge(RunbookError):
    """Something could not be judged or executed: an error is never 0 % and never a pass."""


class QueryFailed(CannotJudge):
    """The engine refused a query over the data: other dates may well be computed."""


class BadInput(RunbookError):
    """Bad usage or bad input: nothing was changed."""

    exit_code = 2


class GateFailed(RunbookError):
    """A gate is red."""

    exit_code = 1
