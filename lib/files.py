"""Files that are whole or not there: written under a temporary name, fsynced, renamed."""

from __future__ import annotations

import os
import re
from pathlib import Path

from lib.moments import moment

READ_ONLY = 0o444
_TEMPORARY = re.compile(r"\..+\.\d+")


def write_whole(path: Path, content: bytes, what: str, mode: int = 0o644) -> None:
    """Writes a file that a crash leaves as it was or whole; *what* names it to `lib.moments`."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    with temporary.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    temporary.chmod(mode)
    moment(f"{what} saved")
    os.replace(temporary, path)
    sync_folder(path.parent)
    moment(f"{what} named")


def is_temporary(path: Path) -> bool:
    """Whether *path* is named like a file that is being written, and has another name or none in a moment."""
    return _TEMPORARY.fullmatch(path.name) is not None


def sync_folder(folder: Path) -> None:
    """The names in *folder* are on disk when this returns."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
