"""Raw answers on disk, one file each, whole or not at all: what was pulled once is not asked for again."""

from __future__ import annotations

import gzip
import json
import os
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from lib.fetch.pulls import Pull, is_over

STALE = timedelta(days=1)  # of a season that still goes on


@dataclass(frozen=True)
class Cache:
    """A folder of raw answers. ``refresh`` takes none of those that were there before ``began``."""

    folder: Path
    began: datetime
    refresh: bool = False

    def get(self, pull: Pull) -> dict[str, Any] | None:
        """The raw answer of a pull; None where it is not there, was of other parameters, or is no longer good."""
        try:
            kept = json.loads(gzip.decompress(self._path(pull).read_bytes()))
            fetched = datetime.fromisoformat(kept["fetched_at"])
            if kept["parameters"] != _plain(pull.parameters) or not self._good(pull, fetched):
                return None
            answer: dict[str, Any] = kept["answer"]
        except (OSError, ValueError, KeyError, TypeError, EOFError, zlib.error):
            return None
        return answer

    def put(self, pull: Pull, answer: Mapping[str, Any]) -> None:
        """Keeps the raw answer of a pull."""
        path = self._path(pull)
        path.parent.mkdir(parents=True, exist_ok=True)
        kept = {"pull": pull.name, "endpoint": pull.endpoint, "parameters": _plain(pull.parameters)}
        kept |= {"fetched_at": datetime.now(UTC).isoformat(timespec="seconds"), "answer": answer}
        temporary = path.with_name(f".{path.name}.{os.getpid()}")
        temporary.write_bytes(gzip.compress(json.dumps(kept).encode(), mtime=0))
        os.replace(temporary, path)

    def _good(self, pull: Pull, fetched: datetime) -> bool:
        if fetched >= self.began:
            return True
        if self.refresh:
            return False
        return is_over(pull.season, fetched.date()) or datetime.now(UTC) - fetched < STALE

    def _path(self, pull: Pull) -> Path:
        return self.folder / f"{re.sub(r'[^A-Za-z0-9.-]+', '_', pull.name)}.json.gz"


def _plain(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters as JSON gives them back."""
    plain: dict[str, Any] = json.loads(json.dumps(dict(parameters)))
    return plain
