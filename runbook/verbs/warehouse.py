"""``runbook sandbox`` and ``runbook ingest``: where a warehouse comes from."""

from __future__ import annotations

import json
import shlex
import time
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path

import click

from lib.errors import BadInput
from lib.settings import load_settings
from lib.warehouse import as_file
from runbook.options import Place, json_option, open_place, warehouse_option


@click.command()
@click.option("--empty", is_flag=True, help="Leave the computed tables empty.")
@click.option("--if-missing", is_flag=True, help="Do nothing where there is a warehouse already.")
@click.option("--pocket", is_flag=True, help="A league of 6 teams and 2 seasons instead of the full one.")
@click.option(
    "--seed", type=click.IntRange(0), default=7, show_default=True, help="The same seed gives the same league."
)
@warehouse_option
def sandbox(empty: bool, if_missing: bool, pocket: bool, seed: int, url: str | None) -> int:
    """Make a warehouse to practise on: a simulated league, as the incident of 5 January 2026 left it.

    Raw data is complete; of the five analytics tables two are full and three are short.

    \b
    Examples:
      runbook sandbox
      runbook sandbox --empty --warehouse duckdb:////data/practice.duckdb
      runbook sandbox --pocket --warehouse duckdb:////data/pocket.duckdb

    With --pocket its settings are written beside it, for a season of 22 games: RUNBOOK_CONFIG has to name them.
    """
    from lib.league import full_league, pocket_league
    from lib.sandbox import compute_all, load_raw, made_whole, take_away
    from runbook.signing.signers import make_sandbox_key

    place = open_place(url)
    if if_missing and place.warehouse.exists():
        place.console.print(f"There is a warehouse at {place.warehouse.place}.")
        return 0
    refuse_existing(place)
    if pocket:
        place = with_pocket_settings(place)
    started = time.monotonic()
    place.console.print("Simulating the league ...")
    league = pocket_league(seed) if pocket else full_league(seed)
    with made_whole(place.warehouse) as making:
        load_raw(making, league.tables, league.as_of, "sandbox")
        if not empty:
            compute_all(making, place.settings, say=place.console.print)
            if not pocket:
                take_away(as_file(making), place.settings)
        identity = making.meta()["id"]
    make_sandbox_key(place.warehouse, identity)
    place.console.print(
        f"Sandbox at {place.warehouse.place}, as-of {league.as_of}, in {time.monotonic() - started:.1f} s."
    )
    if pocket:
        place.console.print(
            f"Before anything is asked of it: export RUNBOOK_CONFIG={shlex.quote(str(settings_beside(place)))}"
        )
    return 0


def settings_beside(place: Place) -> Path:
    """Where the settings of a pocket sandbox lie."""
    return as_file(place.warehouse).path.resolve().with_suffix(".toml")


def with_pocket_settings(place: Place) -> Place:
    """Writes settings that fit the pocket league beside the warehouse, which is their default, and uses them."""
    from lib.pocket import write_pocket_settings

    beside = settings_beside(place)
    beside.parent.mkdir(parents=True, exist_ok=True)
    write_pocket_settings(beside, warehouse=place.warehouse.absolute_url)
    return replace(place, settings=load_settings(beside))


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--into", is_flag=True, help="Correct the warehouse that is there instead of making a new one.")
@click.option("--dry-run", is_flag=True, help="With --into: say what would change, and change nothing.")
@json_option
@warehouse_option
def ingest(folder: Path, into: bool, dry_run: bool, as_json: bool, url: str | None) -> int:
    """Load files in the shapes of stats.nba.com from FOLDER into a new warehouse.

    Parquet or CSV: LeagueGameLog of players and of teams, LeagueGameFinder (the schedule), ShotChartDetail, game
    lines. Ends with a table of what was read, loaded and dropped, and with what the files do not hold.

    With --into the rows of FOLDER take the place of the raw rows of the same tables and dates, all or none. FOLDER may
    then hold files with a raw table's own columns, too. Afterwards 'runbook plan' shows the dates that are outdated.

    \b
    Examples:
      runbook ingest downloads --warehouse duckdb:////data/nba.duckdb
      runbook ingest corrections --into --dry-run
    """
    place = open_place(url)
    if dry_run and not into:
        raise BadInput("--dry-run goes with --into: a new warehouse replaces nothing")
    if into:
        return correct_from(place, folder, dry_run, as_json)
    refuse_existing(place)
    return load_folder(place, folder, as_json)


def correct_from(place: Place, folder: Path, dry_run: bool, as_json: bool) -> int:
    """Replaces raw rows by those of *folder*, or rehearses it, and shows what changed by table and date."""
    from lib.ingest.correction import correct
    from lib.ingest.report import render_changes

    before = place.warehouse.meta().get("as_of")
    done = correct(as_file(place.warehouse), folder, rehearse=dry_run)
    if as_json:
        said = {**asdict(done), "rehearsed": dry_run}
        click.echo(json.dumps(said, default=str, indent=1))
        return 0
    for part in render_changes(done):
        place.console.print(part)
    moved = f" As-of {'would move' if dry_run else 'moves'} to {done.as_of}." if str(done.as_of) != before else ""
    if dry_run:
        place.console.print(f"Nothing was written.{moved}")
    elif done.changes:
        place.console.print(f"Written to {place.warehouse.place}.{moved} What is outdated now: runbook plan")
    return 0


def load_folder(place: Place, folder: Path, as_json: bool, told: Mapping[str, object] | None = None) -> int:
    """Loads the files of *folder* into a new warehouse and shows what was read and what is not there.

    Machines are told *told*, too.
    """
    from lib.ingest import read_folder
    from lib.ingest.report import render_report
    from lib.sandbox import load_raw, made_whole

    found = read_folder(folder)
    with made_whole(place.warehouse) as making:
        load_raw(making, found.tables, found.as_of, "ingested")
    if as_json:
        report = [
            source.__dict__ | {"dropped": dict(source.dropped), "per_season": dict(source.per_season)}
            for source in found.report
        ]
        said = {"as_of": str(found.as_of), "sources": report, "findings": found.findings, **(told or {})}
        click.echo(json.dumps(said, default=str, indent=1))
        return 0
    place.console.print(render_report(found))
    for finding in found.findings:
        place.console.print(f"  ▲ {finding}")
    place.console.print(f"Warehouse {place.warehouse.place}, as-of {found.as_of}.")
    return 0


def refuse_existing(place: Place) -> None:
    """BadInput where there is a warehouse already: nothing is overwritten."""
    if place.warehouse.exists():
        raise BadInput(
            f"there is a warehouse at {place.warehouse.place} already: remove it, choose another --warehouse, or "
            "correct its raw rows with 'runbook ingest DIR --into'"
        )
