"""Stages: private files, each of which shows that a process computes something for a warehouse."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import psutil

CLOCK_TOLERANCE_SECONDS = 2.0


def new_stage(folder: Path, attempt: str) -> Path:
    """A stage of this process, empty; it is there from the first moment, so that whoever looks sees the runner."""
    folder.mkdir(parents=True, exist_ok=True)
    stage = folder / f"{socket.gethostname()}-{os.getpid()}-{attempt}.parquet"
    stage.touch()
    return stage


def owners(folder: Path) -> Iterator[tuple[Path, int | None]]:
    """The stages of this host, each with the PID of its live owner, None where that is gone."""
    for stage in folder.glob(f"{socket.gethostname()}-*-*.parquet"):
        pid = stage.stem.rsplit("-", 2)[1]
        if pid.isdigit():
            yield stage, int(pid) if _owns(int(pid), stage) else None


def _owns(pid: int, stage: Path) -> bool:
    """Whether the process is the one that wrote the stage, and no later one that was given the same PID."""
    try:
        return psutil.Process(pid).create_time() <= stage.stat().st_mtime + CLOCK_TOLERANCE_SECONDS
    except (psutil.NoSuchProcess, FileNotFoundError):
        return False
