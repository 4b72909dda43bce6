"""The warehouse: one small interface, whatever engine is behind it."""

from __future__ import annotations

from lib.errors import BadInput
from lib.warehouse.embedded import EmbeddedWarehouse, Publication, Session

__all__ = ["EmbeddedWarehouse", "Publication", "Session", "connect"]

SCHEMES = "duckdb:///path/to/warehouse.duckdb"


def connect(url: str, wait: float = 60) -> EmbeddedWarehouse:
    """The warehouse at *url*; no connection is opened yet.

    *wait* is how long, in seconds, to queue for a file that others hold. Raises BadInput for a URL of no known kind.
    """
    scheme, separator, path = url.partition(":///")
    if scheme == "duckdb" and separator and path.strip("/"):
        return EmbeddedWarehouse.at(url, wait)
    raise BadInput(f"'{url}' is no warehouse URL; say {SCHEMES}")
