"""The registry refuses what would be slow or wrong for good."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from lib.errors import CannotJudge
from lib.registry import TABLES, Table, registry

BOUND = re.compile(r"\w+ BETWEEN @\w+ AND @\w+|\w+ IN UNNEST\(@dates\)")


@pytest.mark.parametrize("table", registry().computed, ids=lambda table: table.name)
def test_a_select_that_reads_a_table_without_bounds_is_refused(tmp_path: Path, table: Table) -> None:
    shutil.copytree(TABLES, tmp_path, dirs_exist_ok=True)
    path = tmp_path / f"{table.name.replace('.', '/')}.sql"
    text, count = BOUND.subn("TRUE", path.read_text())
    assert count
    path.write_text(text)
    with pytest.raises(CannotJudge, match="needs BETWEEN bounds"):
        registry(tmp_path)
