"""The warehouse: one small interface, whatever engine is behind it."""

from __future__ import annotations

from lib.errors import BadInput
from lib.warehouse.embedded import EmbeddedWarehouse
from lib.warehouse.interface import Publication, Session, Warehouse

__all__ = ["EmbeddedWarehouse", "Publication", "Session", "Warehouse", "as_file", "connect", "in_place"]

SCHEMES = "duckdb:///path/to/warehouse.duckdb, or bigquery://PROJECT?location=us-west2&dataset_prefix=trial_"


def connect(url: str, wait: float = 60) -> Warehouse:
    """The warehouse at *url*; no connection is opened yet.

    *wait* is how long, in seconds, to queue for a file that others hold. Raises BadInput for a URL of no known kind.
    """
    scheme, separator, path = url.partition(":///")
    if scheme == "duckdb" and separator and path.strip("/"):
        return EmbeddedWarehouse.at(url, wait)
    if url.startswith("bigquery://"):
        from lib.warehouse.bigquery import BigQueryWarehouse  # the client takes a second, and a file needs none of it

        return BigQueryWarehouse.at(url)
    raise BadInput(f"'{url}' is no warehouse URL; say {SCHEMES}")


def in_place(url: str) -> str:
    """The URL of production's own datasets in the project of *url*; BadInput for a URL that is not BigQuery's."""
    if not url.startswith("bigquery://"):
        raise BadInput(
            f"--in-place is for BigQuery: '{url}' has nothing beside it that it could be told from; leave it out"
        )
    from lib.warehouse.bigquery.address import read_address

    return read_address(url if "in_place=" in url else f"{url}{'&' if '?' in url else '?'}in_place=1").url


def as_file(warehouse: Warehouse) -> EmbeddedWarehouse:
    """The same, known to be a DuckDB file; BadInput where it is another engine: a sandbox is a file."""
    if isinstance(warehouse, EmbeddedWarehouse):
        return warehouse
    raise BadInput(f"{warehouse.place} is no file: this needs a warehouse such as duckdb:///path/to/warehouse.duckdb")
