"""A misspelt parameter is an error, also where a notebook is run by plain Papermill."""

from __future__ import annotations

import pytest

from lib.errors import BadInput
from lib.injected import refuse_unknown_parameters

DECLARED = 'phase: int = 3  # phase to work on\nwarehouse: str = ""'


def test_a_misspelt_parameter_is_refused_with_the_one_that_was_meant() -> None:
    with pytest.raises(BadInput, match=r"no parameter phse; did you mean phase\?"):
        refuse_unknown_parameters(["", DECLARED, "# Parameters\nphase = 3\nphse = 4\n"])


def test_declared_parameters_and_whatever_a_person_typed_are_let_through() -> None:
    refuse_unknown_parameters(
        ["", DECLARED, '# Parameters\nphase = 4\nwarehouse = "duckdb:///w.duckdb"\n', "!ls", "x = 1"]
    )
    refuse_unknown_parameters(["", "%matplotlib", DECLARED, "mine = 1"])
    refuse_unknown_parameters([])
