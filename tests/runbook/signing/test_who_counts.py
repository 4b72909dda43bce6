"""Which sign-offs count: by whose key, in which role, and not once they are taken back, whatever becomes of that."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from lib.verdicts import GREEN, RED
from lib.wording import counted
from runbook.options import Place
from runbook.signing import state as states
from runbook.signing.check import read_book
from runbook.signing.evidence import read_manifest
from runbook.signing.signers import line_of, read_signers, sandbox_files, trusted
from runbook.signing.unattended import _short_of, sign_sandbox
from runbook.verbs import run as running
from tests.lib.at_work import TEAM_OFFENSE, change
from tests.runbook.signing.conftest import LAST, Archive, person
from tests.runbook.signing.test_states import changed


def faults(archive: Archive, roles: dict[str, tuple[str, ...]] | None = None) -> list[str]:
    known = roles if roles is not None else archive.settings.signing.roles
    return read_book(archive.runs, trusted(archive.warehouse), roles=known).all_faults


def test_who_signs_under_a_policy_of_her_own_is_found_by_everybody_elses(archive: Archive) -> None:
    desk = person(archive, "eve", "intern")
    loose = changed(archive.settings, "signing", roles={"3": ("intern",)})
    entry = replace(desk, settings=loose).sign(archive.run)[0]
    assert faults(archive) == [f"{entry.envelope}: eve is intern, who may not sign phase 3"]
    take_the_sandbox_back(archive)
    name, says = archive.state()
    assert (name, "eve is intern, who may not sign phase 3" in says) == ("PROVEN", True)
    assert archive.state(settings=loose)[0] == "COMPLETE"


def take_the_sandbox_back(archive: Archive) -> None:
    person(archive, "boss").revoke("0001-sign-off-phase-3.json", "not asked for")


def test_a_second_person_is_another_key_and_not_another_name(archive: Archive) -> None:
    desk = person(archive)
    grace = replace(desk, signer=desk.signer.model_copy(update={"name": "grace"}))
    desk.sign(archive.run)
    entry = grace.sign(archive.run)[0]
    take_the_sandbox_back(archive)
    assert faults(archive) == [f"{entry.envelope}: says that grace signed it, with the key of ada"]
    archive.settings = changed(archive.settings, "signing", second_person=("3",))
    name, says = archive.state()
    assert (name, "a second person is needed" in says) == ("PROVEN", True)


def test_a_revocation_outlives_its_envelope_and_its_signer(archive: Archive) -> None:
    entry = person(archive).revoke("0001-sign-off-phase-3.json", "numbers were wrong")
    assert archive.state()[0] == "PROVEN"
    signers = archive.runs.parent / "signers.toml"
    kept = signers.read_text()
    signers.write_text("")  # she left
    assert read_signers(signers) == ()
    assert archive.state()[0] == "PROVEN"
    signers.write_text(kept)
    envelope = archive.signoffs / entry.envelope
    envelope.chmod(0o644)
    envelope.write_text(envelope.read_text()[:-9])
    assert archive.state()[0] == "PROVEN"
    envelope.unlink()
    assert archive.state()[0] == "PROVEN"
    log = archive.signoffs / "log.jsonl"
    log.write_text(log.read_text().splitlines(keepends=True)[0])
    name, says = archive.state()
    assert (name, "its tail is cut off" in says) == ("PROVEN", True)


def test_a_revocation_by_a_key_that_nobody_knows_is_named_and_takes_back_no_other_line(archive: Archive) -> None:
    desk = person(archive, "mallory")
    (archive.runs.parent / "signers.toml").write_text("")
    entry = desk.revoke("0001-sign-off-phase-3.json", "because I can")
    name, says = archive.state()
    assert (name, f"{entry.envelope}: nobody who is trusted signed it" in says) == ("PROVEN", True)
    later = person(archive).sign(archive.run)[0]
    assert archive.state()[0] == "COMPLETE"  # whoever signs again has seen it
    assert "signed by ada" in archive.state()[1]
    assert later.sequence > entry.sequence


@pytest.mark.parametrize("role", ["data-lead", "sandbox"])
def test_who_writes_beside_the_warehouse_names_no_signer_of_it(archive: Archive, role: str) -> None:
    """Not a person, and of a warehouse that is no sandbox nobody at all."""
    desk = person(archive, "mallory", "data-lead")
    (archive.runs.parent / "signers.toml").write_text("")
    if role == "sandbox":
        change(archive.warehouse, "UPDATE runbook.meta SET value = 'ingested' WHERE name = 'kind'")
    beside = sandbox_files(archive.warehouse)[1]
    beside.write_text(beside.read_text() + line_of("mallory", desk.key, role, warehouse=archive.warehouse.meta()["id"]))
    assert [signer.name for signer in trusted(archive.warehouse)] == (["sandbox"] if role == "data-lead" else [])
    entry = desk.sign(archive.run)[0]
    assert f"{entry.envelope}: nobody who is trusted signed it" in faults(archive)


def test_only_dates_of_the_range_that_is_asked_about_wait_for_a_signature(archive: Archive) -> None:
    for last, waiting in ((LAST, False), (None, True)):
        lines = running.phase_states(Place(archive.warehouse, archive.settings, end_date=last), archive.runs)
        found = next(line for line in lines if line["phase"] == 3)
        assert found["state"] == "COMPLETE"
        assert bool(found["unsigned_dates"]) == waiting


def test_a_sandbox_says_no_more_than_status_of_what_it_signed(archive: Archive) -> None:
    manifest = read_manifest(archive.folder)
    for name in ("log.jsonl", "0001-sign-off-phase-3.json"):
        (archive.signoffs / name).unlink()
    change(archive.warehouse, "DELETE FROM runbook.signoffs")
    two = changed(archive.settings, "signing", second_person=("3",))
    said = list(sign_sandbox(archive.warehouse, two, archive.runs, manifest))
    assert said == ["PROVEN, phase 3: signed by the sandbox's throw-away key; a second person is needed."]
    assert archive.state(settings=two)[0] == "PROVEN"
    (again,) = sign_sandbox(archive.warehouse, two, archive.runs, manifest)
    assert again.startswith("Signed before, and nothing was computed since")
    gone = manifest.model_copy(update={"run": "another"})
    assert "does not count" in _short_of(archive.warehouse, two, archive.runs, gone, "3")


def test_a_sign_off_above_a_red_gate_is_stale_though_nothing_that_was_signed_has_moved(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    change(archive.warehouse, f"DELETE FROM {TEAM_OFFENSE} WHERE game_date = '2023-12-05' AND home_game")
    monkeypatch.setattr(states, "differences", lambda signed, now: [])
    name, says = archive.state()
    assert (name, "since then: its gate is red: Phase 3 is not complete" in says) == ("STALE", True)


def test_a_range_inside_bootstrap_completes_nothing(archive: Archive) -> None:
    book = read_book(archive.runs, trusted(archive.warehouse))
    (line,) = book.standing_sign_offs
    assert line.predicate is not None
    early = line.predicate.standing.model_copy(update={"last": date(2023, 11, 1)})
    with Place(archive.warehouse, archive.settings).judge() as (judge, _, _):
        short = replace(line, predicate=line.predicate.model_copy(update={"standing": early}))
        found = states._complete(judge, [short], date(2024, 12, 20))
    assert (found.name, "lies inside bootstrap: it completes nothing" in found.says) == ("PROVEN", True)


def test_a_run_that_closes_no_phase_is_not_called_complete(archive: Archive) -> None:
    manifest: Any = SimpleNamespace(latest={}, outcome="proven", phases=[3], run=archive.run)
    (said,) = sign_sandbox(archive.warehouse, archive.settings, archive.runs, manifest)
    assert said == "PROVEN as far as the run went: no phase was closed, so there is nothing to sign."


@pytest.mark.parametrize(("unsigned", "phase"), [(0, ""), (3, "3")])
def test_a_phase_with_dates_that_nobody_has_signed_lets_nothing_above_it_begin(
    archive: Archive, monkeypatch: pytest.MonkeyPatch, unsigned: int, phase: str
) -> None:
    asked: list[dict[str, str]] = []
    monkeypatch.setattr(running, "phase_states", lambda place, runs: [{"phase": 3, "state": "COMPLETE", "unsigned_dates": unsigned}])  # fmt: skip
    monkeypatch.setattr(running, "until_unsigned", lambda chain, known: asked.append(known) or (chain, ""))
    settings = changed(archive.settings, "signing", wait_for_signature=True)
    running._waiting(Place(archive.warehouse, settings), object(), Path())  # type: ignore[arg-type]
    assert asked == [{} if phase else {"3": "COMPLETE"}]


def test_status_tells_machines_how_many_dates_nobody_has_signed(archive: Archive) -> None:
    place = Place(archive.warehouse, archive.settings)
    line = next(line for line in running.phase_states(place, archive.runs) if line["phase"] == 3)
    assert line["says"].endswith(f"{counted(line['unsigned_dates'], 'date')} since not signed")
    assert line["unsigned_dates"] > 0
    assert line["verdict"] in (GREEN, RED)


def test_the_evidence_of_a_sandbox_that_is_gone_is_still_its_own(archive: Archive) -> None:
    (archive.runs.parent / "signers.toml").write_text("")
    archive.warehouse.path.unlink()
    assert [signer.name for signer in trusted(archive.warehouse)] == ["sandbox"]
