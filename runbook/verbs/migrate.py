"""``runbook migrate``: brings the tables to changed contracts."""

from __future__ import annotations

import json

import click

from lib.lease import holding
from lib.migrate import Difference, differences, migrate
from lib.show import table_of
from runbook.options import Place, json_option, open_place, warehouse_option


@click.command("migrate")
@click.option("--dry-run", is_flag=True, help="Show what would be done and stop: nothing is changed.")
@json_option
@warehouse_option
def migrate_verb(dry_run: bool, as_json: bool, url: str | None) -> int:
    """Bring the tables to their contracts: create what is missing, add columns.

    Dates with an added column are outdated, and the next run computes them anew. A column that is not in the contract,
    or has another type, is refused with what to do; then nothing is changed. Where a runner is at work it is named, and
    nothing is done. Raw data that are read where they are belong to others: what is missing of them is said, and nothing is done.

    \b
    Examples:
      runbook migrate --dry-run
      runbook migrate
    """
    place = open_place(url, writes=not dry_run)
    if dry_run:
        found = differences(place.warehouse, place.settings)
    else:
        phases = place.computed_phases
        with holding(place.warehouse, phases, "runbook migrate", place.settings.backfill.lease_seconds):
            found = migrate(place.warehouse, place.settings)
    if as_json:
        click.echo(json.dumps({"dry_run": dry_run, "differences": [item.as_json() for item in found]}, indent=1))
    else:
        _show(place, found, dry_run)
    return 2 if any(difference.mend for difference in found) else 0


def _show(place: Place, found: list[Difference], dry_run: bool) -> None:
    if not found:
        place.console.print("Every table is what its contract says.")
        return
    rows = [{"table": item.table, "column": item.column or "-", "what": item.what, "mend": item.mend} for item in found]
    place.console.print(table_of(rows, "Would be done" if dry_run else "Done"))
    if not dry_run:
        place.console.print("The next 'runbook run' computes what this made outdated. What has a mend was not done.")
