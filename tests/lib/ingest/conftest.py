"""Reads rows by way of files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from lib.ingest import Ingested, read_folder
from tests.lib.ingest.raw_files import (
    Read,
    Row,
    side_rows,
    write,
)


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Reads the named kinds; the schedule is GAME's where none is given."""

    def _read(**files: Sequence[Row]) -> Ingested:
        for name, rows in ({"schedule": side_rows()} | files).items():
            write(tmp_path, f"{name}.csv", rows)
        return read_folder(tmp_path)

    return _read
