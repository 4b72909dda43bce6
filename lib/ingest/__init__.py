"""Reading a user's own files into the raw tables: what is there is loaded, what is not is said.

``read_folder`` recognises files by their columns, parses every value strictly and gives the raw tables of the registry
as Arrow tables, with a report per file and a list of findings. It refuses what it cannot read and invents no value.
"""

from lib.ingest.folder import read_folder
from lib.ingest.model import Ingested, SourceReport
from lib.ingest.people import player_lookup
from lib.ingest.report import render_report

__all__ = ["Ingested", "SourceReport", "player_lookup", "read_folder", "render_report"]
