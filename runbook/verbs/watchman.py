"""``runbook watchman``: a look at every phase that cron and CI can trust."""

from __future__ import annotations

import json
from datetime import date

import click

from lib.errors import RunbookError
from lib.show import table_of
from runbook.options import Place, json_option, open_place, range_options, warehouse_option
from runbook.watch import UNKNOWN, Watch, lines, look


@click.command()
@click.option("--days", type=click.IntRange(1), default=7, show_default=True, help="Game dates of the trailing window.")
@range_options
@click.option("--strict", is_flag=True, help="Amber ends with exit code 1, too.")
@json_option
@warehouse_option
def watchman(
    days: int, start_date: date | None, end_date: date | None, strict: bool, as_json: bool, url: str | None
) -> int:
    """Look at every phase, and at the last DAYS game dates on their own; change nothing.

    For cron and CI. The window is judged by itself, so that a week of missing dates is not hidden by four seasons that
    are full. Exit code 0 green or amber, 1 red, 3 where anything could not be looked at: that is never "all right".

    \b
    Examples:
      runbook watchman
      runbook watchman --days 40 --json
    """
    try:
        place = open_place(url, start_date, end_date)
        watch = look(place, days)
    except RunbookError as error:
        if as_json:
            click.echo(json.dumps({"verdict": UNKNOWN, "error": str(error), "phases": []}, indent=1))
        click.echo(f"error: the watchman could not look: {error}", err=True)
        return 3
    if as_json:
        click.echo(json.dumps(watch.as_json(), indent=1))
    else:
        _show(place, watch)
    return watch.exit_code(strict)


def _show(place: Place, watch: Watch) -> None:
    window = f"last {len(watch.window)} game dates {watch.window[0]}..{watch.window[-1]}"
    place.console.print(
        table_of(lines(watch), f"Watch over {place.warehouse.place}, {watch.first} to {watch.last}, {window}")
    )
    for sight in watch.phases:
        for finding in sight.findings:
            place.console.print(f"{finding.severity} {finding.where}: {finding.what}")
            if finding.mend:
                place.console.print(f"    mend: {finding.mend}")
    place.console.print(f"{watch.state.upper()}.")
