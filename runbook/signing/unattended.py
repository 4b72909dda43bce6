"""The one sign-off that nobody has to be asked for: a sandbox's own, with a throw-away key that signs nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from lib.calendar import read_calendar
from lib.errors import GateFailed, RunbookError
from lib.registry import registry
from lib.settings import Settings
from lib.standing import Standing, rules_of
from lib.warehouse import Warehouse
from runbook.manifest import Manifest
from runbook.signing.check import Book, read_book
from runbook.signing.sign import Desk, signable
from runbook.signing.signers import read_key, sandbox_files, sandbox_signers, trusted

NOTES = "signed by the sandbox itself"


def sign_sandbox(warehouse: Warehouse, settings: Settings, runs: Path, manifest: Manifest) -> Iterator[str]:
    """Signs what the run proves where the warehouse is a sandbox with its key; says what was signed, or why not."""
    if not signable(manifest):
        yield "PROVEN as far as the run went: no phase was closed, so there is nothing to sign."
        return
    secret, own = sandbox_files(warehouse)[0], sandbox_signers(warehouse)
    if not own or not secret.exists():
        yield f"PROVEN. Nobody has signed yet: runbook sign {manifest.run}"
        return
    book = read_book(runs, trusted(warehouse), roles=settings.signing.roles)
    due = [phase for phase in signable(manifest) if not _signed_before(book, settings, manifest, phase)]
    try:
        desk = Desk(warehouse, settings, runs, own[0], read_key(secret))
        signed, refused = _signed(desk, manifest.run, due)
        if not due:
            desk.catch_up()
    except RunbookError as error:
        yield f"PROVEN, not signed: {error}"
        return
    if not due:
        yield "Signed before, and nothing was computed since; 'runbook status' compares it with the data."
    short = {phase: why for phase in signed if (why := _short_of(warehouse, settings, runs, manifest, phase))}
    if whole := [phase for phase in signed if phase not in short]:
        yield f"COMPLETE, phases {', '.join(whole)}: signed by the sandbox's throw-away key."
    for phase, why in short.items():
        yield f"PROVEN, phase {phase}: signed by the sandbox's throw-away key; {why}."
    for phase, why in refused.items():
        yield f"PROVEN, phase {phase} not signed: {why}"


def _short_of(warehouse: Warehouse, settings: Settings, runs: Path, manifest: Manifest, phase: str) -> str:
    """What a sign-off of this run lacks to make *phase* COMPLETE; ``runbook status`` says the same."""
    book = read_book(runs, trusted(warehouse), roles=settings.signing.roles)
    own = (
        line.predicate.standing
        for line in book.standing_sign_offs
        if line.predicate and (line.entry.run, line.entry.phase) == (manifest.run, phase)
    )
    if (signed := next(own, None)) is None:
        return "it does not count, and 'runbook verify --all' says why"
    if signed.waivers or phase in settings.signing.second_person:
        return "a second person is needed"
    with warehouse.reading() as session:
        calendar = read_calendar(session, settings)
    early = all(calendar.is_bootstrap(day) for day in calendar.expected_dates(signed.first, signed.last))
    return "the range lies inside bootstrap" if early else ""


def _signed(desk: Desk, run: str, due: list[str]) -> tuple[list[str], dict[str, str]]:
    """The phases that are signed now, all at once where that can be; and those that are not, each with its reason."""
    try:
        return due if not due or desk.sign(run, due, notes=NOTES) else [], {}
    except GateFailed as error:
        if len(due) == 1:
            return [], {due[0]: str(error)}
    parts = [_signed(desk, run, [phase]) for phase in due]  # each for itself: what can be signed is
    return [phase for signed, _ in parts for phase in signed], {
        p: why for _, refused in parts for p, why in refused.items()
    }


def _signed_before(book: Book, settings: Settings, manifest: Manifest, phase: str) -> bool:
    """Whether this run is signed, or a sign-off of the same range and rules stands and it changed nothing."""
    if any((line.entry.run, line.entry.phase) == (manifest.run, phase) for line in book.standing_sign_offs):
        return True
    if any(record.template.endswith("20_launch.ipynb") for record in manifest.steps):
        return False
    contracts = {table.name: table.digest for table in registry().computed}
    return any(
        line.predicate is not None
        and (line.predicate.phase, line.predicate.warehouse_id) == (phase, manifest.warehouse_id)
        and _same(line.predicate.standing, settings, manifest, contracts)
        for line in book.standing_sign_offs
    )


def _same(signed: Standing, settings: Settings, manifest: Manifest, contracts: dict[str, str]) -> bool:
    return (
        (str(signed.first), str(signed.last)) == (manifest.first, manifest.last)
        and signed.rules == rules_of(settings, signed.phase)
        and all(contracts.get(name) == digest for name, digest in signed.contracts.items())
    )
