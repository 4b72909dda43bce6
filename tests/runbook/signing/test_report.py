"""The report of a signed run: it says who signed and whether that holds, and is no evidence itself."""

from __future__ import annotations

import pytest

from runbook.signing.envelope import read_envelope
from runbook.signing.evidence import faults_of
from runbook.signing.log import read_log
from runbook.signing.statement import predicate_of
from runbook.verbs.report import write_reports
from tests.runbook.signing.conftest import Archive, person
from tests.runbook.signing.test_tampering import flip


def _page(archive: Archive) -> str:
    return write_reports(archive.runs, [archive.run], archive.warehouse)[0].read_text()


def test_a_run_ends_with_its_report_and_the_list_of_runs(archive: Archive) -> None:
    page, listed = (archive.folder / "index.html").read_text(), (archive.runs / "index.html").read_text()
    assert "● PROVEN" in page
    assert "Phase 3 signed by sandbox." in page
    assert "signature, place in the log and every file hold" in page
    assert "Phase 3, as the run left it" in page
    assert "3 by sandbox" in listed


def test_the_report_is_no_evidence(archive: Archive) -> None:
    assert faults_of(archive.folder) == []
    left = {
        path: path.read_bytes() for path in archive.folder.rglob("*") if path.is_file() and path.name != "index.html"
    }
    _page(archive)
    assert faults_of(archive.folder) == []
    (archive.folder / "index.html").unlink()
    assert faults_of(archive.folder) == []
    assert {path: path.read_bytes() for path in left} == left


@pytest.mark.parametrize("name", ["50_signoff.phase3.ipynb", "manifest.json"])
def test_an_archive_that_was_changed_is_shown_as_not_verified(archive: Archive, name: str) -> None:
    flip(archive.folder / name, b'"phase": 3' if name == "manifest.json" else b"step.validator()")
    page = _page(archive)
    assert "■ NOT VERIFIED" in page
    assert "● PROVEN" not in page
    assert f"{name} is not what was signed" in page


def test_a_person_who_signs_or_revokes_is_in_the_report(archive: Archive) -> None:
    desk = person(archive, "ada")
    entry = desk.sign(archive.run, ("3",), notes="defence rebuilt")[0]
    page = _page(archive)
    assert "Phase 3 signed by ada." in page
    assert "defence rebuilt" in page
    assert entry.head in page
    desk.revoke(entry.envelope, "the wrong range")
    assert "revoked: the wrong range" in _page(archive)


def test_a_signature_of_nobody_known_is_called_so(archive: Archive) -> None:
    person(archive, "ada").sign(archive.run, ("3",))
    (archive.runs.parent / "signers.toml").unlink()
    assert "nobody who is trusted" in _page(archive)


def test_fingerprints_stand_in_full(archive: Archive) -> None:
    page = _page(archive)
    envelope = archive.signoffs / read_log(archive.runs)[0].envelope
    prints = predicate_of(read_envelope(envelope.read_bytes(), envelope.name), envelope.name).fingerprints
    assert prints
    assert all(held["sha256"] in page for seasons in prints.values() for held in seasons.values())
