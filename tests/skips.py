"""In CI a skipped test is a failed one, unless its reason is listed here with what makes it right."""

from __future__ import annotations

import os
import re

ALLOWED = {
    r"no real data": "files of the real league are nobody's to commit",
    r"^bqemulator is not installed": "an emulator has an environment of its own: make emulators",
    r"^local-bigquery needs Python 3.13": "this project runs on 3.11 as well",
}


def in_ci() -> bool:
    """Whether this is a machine that must be able to run every test."""
    return os.environ.get("CI", "").lower() in ("1", "true", "yes")


def allowed(reason: str) -> bool:
    """Whether a test may be skipped in CI for *reason*."""
    return any(re.search(pattern, reason) for pattern in ALLOWED)
