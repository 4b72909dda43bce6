"""A strict loopback server for the part of BigQuery's REST interface that the adapter uses.

It runs the statements on DuckDB. A request, a field or a statement that it does not know fails the test.
"""

from tests.bigquery_server.faults import Fault
from tests.bigquery_server.serving import Served, serving

__all__ = ["Fault", "Served", "serving"]
