"""A run's folder is written by one process at a time."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lib.errors import BadInput


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """The run's folder for this process alone; BadInput where another one is still at work in it."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as error:
        raise BadInput(f"{folder.name} is still going on: wait for it to end, or end it") from error
    finally:
        os.close(handle)
