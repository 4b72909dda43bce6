"""Errors as BigQuery words them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass
class Refused(Exception):
    """An answer other than 200: HTTP status, reason and message."""

    status: int
    reason: str
    message: str

    def __str__(self) -> str:
        return f"{self.status} {self.reason}: {self.message}"

    @property
    def result(self) -> dict[str, str]:
        """As it stands in a job's status."""
        return {"reason": self.reason, "message": self.message}

    @property
    def body(self) -> dict[str, Any]:
        """As it stands in an HTTP answer."""
        item = {"domain": "global", "reason": self.reason, "message": self.message}
        return {"error": {"code": self.status, "message": self.message, "errors": [item], "status": self.reason}}


class NotStrict(Exception):
    """The adapter sent what this server does not know: the test fails."""


def only(given: dict[str, Any], known: set[str], where: str) -> None:
    """Fails the test where *given* holds a field that is not *known*."""
    unknown = sorted(set(given) - known)
    if unknown:
        raise NotStrict(f"{where}: unknown {', '.join(unknown)}")


def not_found(what: str) -> Refused:
    """404."""
    return Refused(404, "notFound", f"Not found: {what}")


def invalid(message: str) -> Refused:
    """400, the statement's own fault."""
    return Refused(400, "invalidQuery", message)
