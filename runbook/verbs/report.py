"""``runbook report``: a static page a run, and the list of runs."""

from __future__ import annotations

from pathlib import Path

import click

from lib.errors import BadInput
from lib.settings import load_settings
from lib.warehouse import Warehouse
from runbook.options import open_place, runs_folder, runs_option, warehouse_option


@click.command()
@click.argument("run", required=False)
@click.option("--all", "every", is_flag=True, help="Every run of the archive.")
@runs_option
@warehouse_option
def report(run: str | None, every: bool, runs: str | None, url: str | None) -> int:
    """Write RUN's report (else the newest run's): index.html in its folder, and the list of all runs beside the runs.

    One file that needs neither network nor script. It is made from the evidence and is no evidence itself: it may be
    made anew or deleted at any time. Verdict, timeline, coverage before and after, gates, failed attempts, signatures,
    fingerprints, and each executed notebook.

    \b
    Examples:
      runbook report
      runbook report 20260105T120000Z-1a2b3c4d
      runbook report --all
    """
    place = open_place(url)
    archive = runs_folder(runs, place.settings)
    for page in write_reports(archive, _chosen(archive, run, every), place.warehouse):
        place.console.print(f"Report: {page}", soft_wrap=True)
    return 0


def write_reports(archive: Path, names: list[str], warehouse: Warehouse) -> list[Path]:
    """The report of each run named, and the list of all."""
    from runbook.report import write_list, write_report  # Jinja and the rest take a tenth of a second
    from runbook.signing.check import read_book
    from runbook.signing.signers import trusted

    book = read_book(archive, trusted(warehouse), roles=load_settings().signing.roles)
    return [*(write_report(archive / name, warehouse, book) for name in names), write_list(archive, book)]


def try_report(archive: Path, name: str, warehouse: Warehouse) -> str:
    """Writes the report after a run and says where it lies; what goes wrong here never changes how the run ended."""
    try:
        return f"Report: {write_reports(archive, [name], warehouse)[0]}"
    except Exception as error:  # whatever it is, the run stands
        return f"The report could not be made ({error}); the run stands as it is. Try: runbook report {name}"


def _chosen(archive: Path, run: str | None, every: bool) -> list[str]:
    known = sorted(path.parent.name for path in archive.glob("*/manifest.json"))
    if every:
        return known
    name = Path(run).name if run else (known[-1] if known else "")
    if name not in known:
        raise BadInput(f"there is no run {run or ''} under {archive}: there are {', '.join(known) or 'none'}")
    return [name]
