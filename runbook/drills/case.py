"""What a drill is: a file of ``cases/`` with its fault, or with the test that shows the fault cannot happen."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from lib.errors import BadInput

FOLDER = Path(__file__).parent / "cases"
WATCHMAN = "watchman --days 40"
US, OTHERS = "us", "something else"


class Case(BaseModel):
    """One incident or defect: *drill* has a fault, *impossible by construction* a test that would fail."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    title: str
    happened: str  # what the old pipeline did
    kind: Literal["drill", "impossible by construction"]
    fault: str = ""  # DuckDB SQL, changed behind the runbook's back
    rows_by: Literal["us", "something else"] = (
        "us"  # without receipts: the whole warehouse was written by something else
    )
    computed: bool = False  # the fault lies in raw data, and the backfill ran over it
    exclusions: tuple[
        Mapping[str, Any], ...
    ] = ()  # of runbook.toml; a person takes them out before the printed command
    reload: tuple[str, ...] = ()  # raw tables that a person loads anew before the printed command
    step: str = WATCHMAN  # the ordinary command that has to notice
    says: int = 1  # how many different things it has to say: a fault of many parts is caught when all of them are named
    test: str = ""
    because: str = ""  # why it cannot happen

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.kind == "drill" and not (self.fault and not self.test and not self.because):
            raise ValueError("a drill has a fault, and neither test nor because")
        if self.kind != "drill" and not (self.test and self.because and not self.fault):
            raise ValueError("what is impossible by construction has a test and a because, and no fault")
        return self

    @property
    def is_drill(self) -> bool:
        """Whether it is rehearsed."""
        return self.kind == "drill"


@cache
def cases() -> tuple[Case, ...]:
    """Every case: incidents, then defects, then what the checks know beyond them; BadInput names a faulty file."""
    return tuple(sorted((_read(path) for path in FOLDER.glob("*.toml")), key=lambda case: _place(case.id)))


def case_of(identity: str) -> Case:
    """The case with that id, in any case of letters; BadInput with the ids there are."""
    for case in cases():
        if case.id.lower() == identity.lower():
            return case
    raise BadInput(f"no drill is called {identity}: choose one of {', '.join(case.id for case in cases())}")


def _read(path: Path) -> Case:
    try:
        return Case.model_validate({"id": path.stem, **tomllib.loads(path.read_text())})
    except (tomllib.TOMLDecodeError, ValidationError) as error:
        raise BadInput(f"{path} is no drill: {error}") from error


def _place(identity: str) -> tuple[int, str, int, str]:
    numbered = re.fullmatch(r"([CIVK])(\d+)([a-z]?)", identity)
    if numbered is None:
        return 4, identity, 0, ""
    letter, number, part = numbered.groups()
    return "ICVK".index(letter), "", int(number), part
