"""``runbook keys``, ``sign``, ``revoke`` and ``verify``: who answers for a run, and whether that still holds."""

from __future__ import annotations

import getpass
import json
import shlex
from pathlib import Path

import click

from lib.errors import BadInput, CannotJudge
from runbook.options import Place, json_option, open_place, runs_folder, runs_option, warehouse_option
from runbook.signing.check import Book, read_book, subject_faults
from runbook.signing.derive import derived
from runbook.signing.evidence import faults_of, read_manifest
from runbook.signing.log import folder_of, witness_faults
from runbook.signing.sign import Desk
from runbook.signing.signers import Signer, line_of, new_key, read_key, signers_file, trusted
from runbook.signing.statement import Predicate
from runbook.verbs.report import try_report

KEYS = Path("~/.config/backfill-runbook")


@click.group()
def keys() -> None:
    """Make the keys that sign-offs are signed with."""


@keys.command("new")
@click.argument("name")
@click.option(
    "--role", default="data-lead", show_default=True, help="What the signer is; [signing] says who may sign what."
)
@click.option("--key", "path", type=click.Path(path_type=Path), help="Where the private key goes; else ~/.config.")
def new(name: str, role: str, path: Path | None) -> int:
    """Make a private key for NAME and print the lines that let it count.

    The private key stays on this machine, readable by you alone. Put the printed lines into signers.toml, in a commit
    that somebody else reviews: who may sign is decided there, and never by the archive that is signed.

    \b
    Example:
      runbook keys new ann --role data-lead
    """
    target = (path or KEYS / f"{name}.pem").expanduser()
    target.parent.mkdir(parents=True, exist_ok=True)
    key = new_key(target)
    click.echo(
        f"Private key: {target}\nAppend to {signers_file()}:\n\n{line_of(name, key, role)}\nThen: runbook sign RUN --key {shlex.quote(str(target))}"
    )
    return 0


@click.command()
@click.argument("run")
@click.option("--phase", "phases", multiple=True, help="Only this phase: 3, 4 or ml; repeat for several.")
@click.option(
    "--key", "path", type=click.Path(path_type=Path), help="Your private key; else ~/.config/backfill-runbook/USER.pem."
)
@click.option("--acknowledge", multiple=True, metavar="NAME", help="An amber finding that you have seen, by its name.")
@click.option("--notes", default="", help="Kept with the sign-off: lessons learned.")
@click.option(
    "--supersedes", default="", metavar="SIGNOFF", help="An earlier sign-off that this one takes the place of."
)
@runs_option
@warehouse_option
def sign(
    run: str,
    phases: tuple[str, ...],
    path: Path | None,
    acknowledge: tuple[str, ...],
    notes: str,
    supersedes: str,
    runs: str | None,
    url: str | None,
) -> int:
    """Sign what RUN proves, after deriving every verdict anew from the warehouse, in a fresh process.

    \b
    Refused, with the reason, where the run's folder is not as the run left it, the code is other code than it was run
    with, a gate is not green any more, an amber finding is not acknowledged, or the phase is not yours to sign.

    \b
    Example:
      runbook sign 20260105T120000Z-1a2b3c4d --phase 3 --notes "defence rebuilt after the January incident"
    """
    place = open_place(url)
    desk = desk_of(place, runs_folder(runs, place.settings), path)
    for entry in desk.sign(Path(run).name, phases, acknowledge, notes, supersedes):
        place.console.print(
            f"Phase {entry.phase} signed by {desk.signer.name}: {folder_of(desk.runs) / entry.envelope}"
        )
        place.console.print(f"  sequence {entry.sequence}, head {entry.head}")
    place.console.print(try_report(desk.runs, Path(run).name, place.warehouse), soft_wrap=True)
    return 0


@click.command()
@click.argument("signoff")
@click.option("--reason", required=True, help="Why it does not count any more.")
@click.option("--key", "path", type=click.Path(path_type=Path), help="Your private key.")
@runs_option
@warehouse_option
def revoke(signoff: str, reason: str, path: Path | None, runs: str | None, url: str | None) -> int:
    """Take a sign-off back: SIGNOFF is the name of its envelope. It stays in the log, and so does the reason.

    \b
    Example:
      runbook revoke 0001-sign-off-phase-3.json --reason "signed before the league corrected the box score"
    """
    place = open_place(url)
    entry = desk_of(place, runs_folder(runs, place.settings), path).revoke(signoff, reason)
    place.console.print(f"{signoff} is revoked: sequence {entry.sequence}, head {entry.head}")
    place.console.print(try_report(runs_folder(runs, place.settings), entry.run, place.warehouse), soft_wrap=True)
    return 0


@click.command()
@click.argument("run", required=False)
@click.option("--all", "every", is_flag=True, help="Every run of the archive.")
@click.option(
    "--trust", type=click.Path(path_type=Path), help="Who may sign, from a file that the archive does not control."
)
@click.option("--expect-head", default="", metavar="SHA256", help="A head of the log that a witness noted.")
@click.option(
    "--data", is_flag=True, help="Derive verdicts and fingerprints anew and compare them with what was signed."
)
@json_option
@runs_option
@warehouse_option
def verify(
    run: str | None,
    every: bool,
    trust: Path | None,
    expect_head: str,
    data: bool,
    as_json: bool,
    runs: str | None,
    url: str | None,
) -> int:
    """Check a run's evidence again: every digest, template, executed notebook, signature and link of the log.

    Exit code 1 where something is not as it was left or signed, or a run that was signed is gone; each fault names its
    file. Where there is no run at all nothing was verified: exit code 2. With --data a run that nobody signed is a
    fault; with --all --data the signed ones are compared.

    \b
    Examples:
      runbook verify --all
      runbook verify 20260105T120000Z-1a2b3c4d --trust ../keys/signers.toml --data
    """
    place = open_place(url)
    archive = runs_folder(runs, place.settings)
    book = read_book(archive, trusted(place.warehouse, trust), expect_head, place.settings.signing.roles)
    log_faults = [*book.all_faults, *_witnessed(place, book)]
    names = _chosen(archive, run, every, book)
    if not names and not log_faults:
        raise BadInput(f"there is no run under {archive}, so nothing was verified: name the runs' folder with --runs")
    faults = {name: [*faults_of(archive / name), *_signed_faults(archive / name, book)] for name in names}
    for name in ([name for name in names if _standing(name, book)] or names) if data else ():
        faults[name] += _data_faults(place, archive / name, book)
    bad = bool(log_faults or any(faults.values()))
    if as_json:
        signed = {name: [line.entry.envelope for line in book.lines if line.entry.run == name] for name in names}
        click.echo(json.dumps({"runs": faults, "log": log_faults, "signed": signed}, indent=1))
    else:
        _show(place, book, faults, log_faults)
    return int(bad)


def desk_of(place: Place, runs: Path, path: Path | None) -> Desk:
    """Where this person signs; BadInput where the key is nobody's."""
    chosen = (path or KEYS / f"{getpass.getuser()}.pem").expanduser()
    key = read_key(chosen)
    public = key.public_key().public_bytes_raw()
    known: tuple[Signer, ...] = trusted(place.warehouse)
    signer = next((signer for signer in known if signer.key.public_bytes_raw() == public), None)
    if signer is None:
        raise BadInput(
            f"{chosen} is the key of nobody in {signers_file()}: append the lines that 'runbook keys new' printed"
        )
    return Desk(place.warehouse, place.settings, runs, signer, key)


def _chosen(archive: Path, run: str | None, every: bool, book: Book) -> list[str]:
    """The runs that are looked at: those that lie there, and those that the log names, whether or not they are there."""
    known = {path.parent.name for path in archive.glob("*/manifest.json")}
    known |= {Path(line.entry.run).name for line in book.lines}
    if every:
        return sorted(known)
    if run is None:
        raise BadInput("name a run, or say --all")
    if Path(run).name not in known and not (archive / Path(run).name).is_dir():
        raise BadInput(f"there is no run {run} under {archive}: there are {', '.join(sorted(known)) or 'none'}")
    return [Path(run).name]


def _signed_faults(folder: Path, book: Book) -> list[str]:
    mine = [line for line in book.lines if line.entry.run == folder.name and line.envelope and line.predicate]
    return [
        f"{line.entry.envelope}: {fault}"
        for line in mine
        if line.envelope
        for fault in subject_faults(folder, line.envelope)
    ]


def _standing(run: str, book: Book) -> dict[str, Predicate]:
    """What of a run is signed and not taken back, by phase."""
    mine = [line for line in book.lines if line.entry.run == run and not line.revoked]
    return {line.predicate.phase: line.predicate for line in mine if line.predicate}


def _data_faults(place: Place, folder: Path, book: Book) -> list[str]:
    if not (signed := _standing(folder.name, book)):
        return ["nobody signed it, so there is nothing to compare the data with: leave out --data, or sign it"]
    try:
        manifest = read_manifest(folder)
        now = derived(place.warehouse.absolute_url, folder, manifest.first, manifest.last, list(signed))
    except CannotJudge as error:
        return [str(error)]
    faults = []
    for phase, predicate in signed.items():
        for table, seasons in predicate.fingerprints.items():
            found = now[phase]["fingerprints"].get(table, {})
            faults += [
                f"{table}, season from {s}: its rows are not those that were signed"
                for s in {*seasons, *found}
                if seasons.get(s) != found.get(s)
            ]
        red = [v["gate"] for v in now[phase]["verdicts"] if v["verdict"] == "red"]
        faults += [f"phase {phase}: gate {gate} is red now" for gate in red]
    return faults


def _witnessed(place: Place, book: Book) -> list[str]:
    entries = tuple(line.entry for line in book.lines)
    return witness_faults(place.warehouse, entries) if place.warehouse.exists() and not book.faults else []


def _show(place: Place, book: Book, faults: dict[str, list[str]], log_faults: list[str]) -> None:
    for name, found in faults.items():
        signed = ", ".join(_told(book, name)) or "nobody signed it"
        place.console.print(f"{'■' if found else '●'} {name}: {'not verified' if found else 'verified'}; {signed}")
        for fault in found:
            place.console.print(f"    {fault}")
    for fault in log_faults:
        place.console.print(f"■ sign-offs: {fault}")
    if book.lines and not log_faults:
        place.console.print(f"● {len(book.lines)} lines of the log hold; head {book.lines[-1].entry.head}")


def _told(book: Book, run: str) -> list[str]:
    lines = [line for line in book.lines if line.entry.run == run and line.predicate]
    return [
        f"phase {line.entry.phase} {'revoked: ' + line.revoked if line.revoked else 'signed by ' + (line.signer.name if line.signer else 'nobody known')}"
        for line in lines
    ]
