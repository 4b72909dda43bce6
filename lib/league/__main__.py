"""``python -m lib.league``: the simulated league beside real games, as a table or ``--json``."""

from __future__ import annotations

import json
from dataclasses import asdict

import click
from rich.console import Console
from rich.table import Table

from lib.league import full_league
from lib.league.calibrate import Figure, figures


@click.command()
@click.option("--seed", default=7, show_default=True, help="Seed of the league.")
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
def main(seed: int, as_json: bool) -> None:
    """Simulate the full league and print its figures beside those of real games."""
    rows = figures(full_league(seed))
    if as_json:
        click.echo(json.dumps([asdict(row) | {"fits": row.fits} for row in rows], indent=2))
    else:
        Console().print(_table(rows, seed))


def _table(rows: list[Figure], seed: int) -> Table:
    table = Table("figure", "simulated", "real", "tolerance", "fits", title=f"simulated league, seed {seed}")
    for row in rows:
        judged = ("", "") if row.real is None else (f"{row.real:g}", f"{row.tolerance:g}")
        table.add_row(
            row.name, f"{row.simulated:.3f}", *judged, "" if row.real is None else "yes" if row.fits else "no"
        )
    return table


if __name__ == "__main__":
    main()
