"""The command line, called from inside the program: what a person would type, and what it said."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from typing import Any

from lib.verdicts import AMBER, GREEN, RED, Finding

UNKNOWN = "unknown"
RANKS = (RED, UNKNOWN, AMBER, GREEN)  # what is red is mended first: a phase above it may be unknown for it


@dataclass(frozen=True)
class Said:
    """Exit code and output of one command."""

    words: tuple[str, ...]
    code: int
    out: str
    err: str

    @property
    def findings(self) -> list[Finding]:
        """Every finding in the JSON output, and what could not be judged as a finding of its own; worst first."""
        try:
            found = list(_findings(json.loads(self.out)))
        except ValueError:
            found = [Finding(UNKNOWN, self.words[0], self.err.strip(), self.err.strip())] if self.code else []
        return sorted(dict.fromkeys(found), key=lambda finding: RANKS.index(finding.severity))


def say(words: Sequence[str], environment: Mapping[str, str]) -> Said:
    """Runs ``runbook *words*`` in this process, with *environment* added to its own."""
    from runbook.cli import answer

    out, err = StringIO(), StringIO()
    with _environment(environment), redirect_stdout(out), redirect_stderr(err):
        code = answer(list(words))
    if code == 130:
        raise KeyboardInterrupt
    return Said(tuple(words), code, out.getvalue(), err.getvalue())


def _findings(told: Any) -> Iterator[Finding]:
    if isinstance(told, dict):
        if told.keys() >= {"severity", "where", "what", "mend"}:
            yield Finding(told["severity"], told["where"], told["what"], told["mend"])
        elif isinstance(told.get("error"), str) and told["error"]:
            yield Finding(UNKNOWN, f"phase {told.get('phase')}", told["error"], told["error"])
        told = list(told.values())
    if isinstance(told, list):
        for part in told:
            yield from _findings(part)


@contextmanager
def _environment(changes: Mapping[str, str]) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.update(changes)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
