"""``runbook export`` and ``runbook adopt``: evidence that leaves, and evidence that comes from a person's own hands."""

from __future__ import annotations

from pathlib import Path

import click

from lib.errors import BadInput
from lib.places import near, url_from_project
from lib.warehouse import connect
from runbook.options import open_place, runs_folder, runs_option, warehouse_option
from runbook.resume import find_run
from runbook.signing.check import read_book
from runbook.signing.signers import trusted


@click.command("export")
@click.argument("run")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@runs_option
@warehouse_option
def export_verb(run: str, folder: Path, runs: str | None, url: str | None) -> int:
    """Write RUN into FOLDER with everything an auditor needs to check it without this program.

    The run, all sign-offs with the signed bytes and signatures as files, the signers' public keys, the code, and
    PROCEDURE.md: one page of commands that use sha256sum and openssl. FOLDER must be new or empty.

    \b
    Example:
      runbook export 20260105T120000Z-1a2b3c4d /tmp/for-the-auditor
    """
    from runbook.export import export

    place = open_place(url)
    archive = runs_folder(runs, place.settings)
    name, signers = find_run(archive, run).name, trusted(place.warehouse)
    missing = export(archive, name, folder, read_book(archive, signers), signers)
    place.console.print(f"{name} is in {folder}: begin with {folder / 'PROCEDURE.md'}")
    for what in missing:
        place.console.print(f"  ▲ {what}")
    return 0


@click.command("adopt")
@click.argument("notebook", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--run", default="", help="An unfinished run that waits for this step; else a run of its own.")
@runs_option
@warehouse_option
def adopt_verb(notebook: Path, run: str, runs: str | None, url: str | None) -> int:
    """Take NOTEBOOK, executed cell by cell and saved in JupyterLab, as evidence.

    \b
    It must be a copy, named after its template (40_validate.ipynb, 40_validate-ada.ipynb), and equal it, byte by byte, but for the
    literals of the parameters cell; every cell must have run once and in order ("Restart Kernel and Run All Cells", or
    step by step from a fresh kernel). Its verdicts are derived anew from the warehouse and must be the same.

    \b
    Example:
      runbook adopt lab/50_signoff.ipynb
    """
    from runbook.adopt import adopt, read_by_hand

    by_hand = read_by_hand(notebook)
    place = open_place(executed_on(str(by_hand.parameters.get("warehouse") or ""), url))
    manifest = adopt(place, runs_folder(runs, place.settings), by_hand, run)
    place.console.print(
        f"{notebook.name} is the step {by_hand.step} of run {manifest.run}, which is {manifest.outcome}."
    )
    return 0


def executed_on(given: str, url: str | None) -> str | None:
    """The warehouse that the notebook's parameter names, read as the notebook reads it; else what the option says."""
    if not given:
        return url
    there = url_from_project(given, near)
    if url and connect(url).absolute_url != connect(there).absolute_url:
        raise BadInput(f"the notebook was executed on {there}, and --warehouse says {url}: leave --warehouse out")
    return there
