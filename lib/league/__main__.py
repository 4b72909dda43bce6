"""``python -m lib.league``: the simulated league beside real games, as a table, Markdown or JSON."""

from __future__ import annotations

import json
from dataclasses import asdict

import click
from rich.console import Console
from rich.table import Table

from lib.league import full_league
from lib.league.calibrate import Figure, figures

COLUMNS = ("figure", "simulated", "real", "tolerance", "fits")


@click.command()
@click.option("--seed", default=7, show_default=True, help="Seed of the league.")
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
@click.option("--markdown", "as_markdown", is_flag=True, help="Print the table of docs/league.md.")
def main(seed: int, as_json: bool, as_markdown: bool) -> None:
    """Simulate the full league and print its figures beside those of real games."""
    rows = figures(full_league(seed))
    if as_json:
        click.echo(json.dumps([asdict(row) | {"fits": row.fits} for row in rows], indent=2))
    elif as_markdown:
        click.echo(markdown(rows))
    else:
        table = Table(*COLUMNS, title=f"simulated league, seed {seed}")
        for row in rows:
            table.add_row(*cells(row))
        Console().print(table)


def cells(row: Figure) -> tuple[str, ...]:
    """The figure as text, column by column."""
    if row.real is None:
        return row.name, f"{row.simulated:.2f}", "", "", ""
    return row.name, f"{row.simulated:.2f}", f"{row.real:g}", f"{row.tolerance:g}", "yes" if row.fits else "no"


def markdown(rows: list[Figure]) -> str:
    """The figures as a Markdown table."""
    lines = [COLUMNS, tuple("---" for _ in COLUMNS), *(cells(row) for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


if __name__ == "__main__":
    main()
