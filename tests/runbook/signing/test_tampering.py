"""Whatever is changed in an archive after it was signed, ``runbook verify`` says so and names it."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from runbook.cli import main
from runbook.signing.check import read_book, subject_faults
from runbook.signing.evidence import faults_of, read_manifest
from runbook.signing.signers import trusted
from tests.lib.at_work import change
from tests.runbook.signing.conftest import Archive, person

Verify = Callable[..., tuple[int, str]]
Manifest = dict[str, Any]


@pytest.fixture
def verify(archive: Archive, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Verify:
    """``runbook verify --all`` with more words: exit code and what it says."""

    def _verify(*words: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["runbook", "verify", *(words or ("--all",)), "--runs", str(archive.runs), "--warehouse", archive.warehouse.url])  # fmt: skip
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capsys.readouterr()
        assert "Traceback" not in out + err
        return int(ended.value.code or 0), " ".join((out + err).split())

    return _verify


def test_what_was_signed_and_left_alone_is_verified(archive: Archive, verify: Verify) -> None:
    code, said = verify()
    assert code == 0, said
    assert f"● {archive.run}: verified; phase 3 signed by sandbox" in said
    assert "1 lines of the log hold" in said


def flip(path: Path, needle: bytes) -> None:
    """Changes one byte of *path*, inside *needle*, and nothing else."""
    at = path.read_bytes().index(needle) + len(needle) // 2
    flip_at(path, at)


def flip_at(path: Path, at: int) -> None:
    """Changes the byte at one place of *path*."""
    content = path.read_bytes()
    path.chmod(0o644)
    path.write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])


def remove(path: Path) -> None:
    path.unlink()


def swap(one: Path, other: Path) -> None:
    """Each file under the other's name."""
    held = one.read_bytes()
    one.chmod(0o644), other.chmod(0o644)
    one.write_bytes(other.read_bytes()), other.write_bytes(held)


def cut(log: Path) -> None:
    """The last line of the log is gone, and its envelope with it."""
    lines = log.read_text().splitlines(keepends=True)
    log.write_text("".join(lines[:-1]))
    (log.parent / json.loads(lines[-1])["envelope"]).unlink()


def link(path: Path) -> None:
    """A file is a link to one outside the archive."""
    outside = path.parents[2] / "elsewhere"
    shutil.copy(path, outside)
    path.unlink()
    path.symlink_to(outside)


SIGN_OFF = "50_signoff.phase3.ipynb"
ENVELOPE = "0001-sign-off-phase-3.json"
# what is done, and what ``verify`` then says
TAMPERINGS: dict[str, tuple[Callable[[Archive], None], str]] = {
    "flip: notebook output": (lambda a: flip(a.folder / SIGN_OFF, b"vnd.runbook.gate"), f"{SIGN_OFF} is not what"),
    "flip: notebook source": (lambda a: flip(a.folder / SIGN_OFF, b"step.validator()"), f"{SIGN_OFF} is not what"),
    "flip: manifest": (lambda a: flip(a.folder / "manifest.json", b'"outcome": "proven"'), "manifest.json"),
    "flip: manifest, a figure": (lambda a: flip(a.folder / "manifest.json", b'"engine": "duckdb'), "manifest.json"),
    "flip: plan": (lambda a: flip(a.folder / "plan.json", b'"as_of"'), "plan.json is not what"),
    "flip: code": (lambda a: flip(a.folder / "code.json", b"lib/gates.py"), "code.json is not what"),
    "flip: envelope, payload": (lambda a: flip(a.signoffs / ENVELOPE, b'"payload": "eyJfdHlwZSI6'), ENVELOPE),
    "flip: envelope, signature": (
        lambda a: flip_at(a.signoffs / ENVELOPE, (a.signoffs / ENVELOPE).read_bytes().index(b'"sig": "') + 40),
        ENVELOPE,
    ),
    "flip: log entry": (lambda a: flip(a.signoffs / "log.jsonl", b'"phase":"3"'), "log"),
    "delete: notebook": (lambda a: remove(a.folder / SIGN_OFF), f"{SIGN_OFF} is gone"),
    "delete: plan": (lambda a: remove(a.folder / "plan.json"), "plan.json is gone"),
    "delete: step's log": (lambda a: remove(a.folder / "logs" / "50_signoff.phase3.log"), "phase3.log is gone"),
    "delete: envelope": (lambda a: remove(a.signoffs / ENVELOPE), f"{ENVELOPE}: is gone"),
    "delete: log": (lambda a: remove(a.signoffs / "log.jsonl"), f"{ENVELOPE} lies beside the log"),
    "delete: the run": (lambda a: shutil.rmtree(a.folder), f"{ENVELOPE}: manifest.json is gone"),
    "delete: manifest": (lambda a: remove(a.folder / "manifest.json"), "holds no manifest.json: it is no run"),
    "add: notebook": (lambda a: shutil.copy(a.folder / SIGN_OFF, a.folder / "x.ipynb"), "x.ipynb was added"),
    "add: hidden file": (lambda a: (a.folder / ".x").write_text(""), ".x was added"),
    "add: envelope": (lambda a: shutil.copy(a.signoffs / ENVELOPE, a.signoffs / "9-x.json"), "9-x.json lies beside"),
    "swap: plan and code": (lambda a: swap(a.folder / "plan.json", a.folder / "code.json"), "plan.json is not what"),
    "swap: manifest of another run": (
        lambda a: a.folder.rename(a.folder.with_name("20200101T000000Z-00000000")),
        "manifest.json is of run 2",
    ),
    "swap: a link": (lambda a: link(a.folder / "plan.json"), "plan.json is a link"),
    "cut: the log's tail": (lambda a: cut(a.signoffs / "log.jsonl"), "its tail is cut off"),
}  # fmt: skip


@pytest.mark.parametrize("what", TAMPERINGS)
def test_whatever_is_tampered_with_is_found_and_named(archive: Archive, verify: Verify, what: str) -> None:
    tamper, said = TAMPERINGS[what]
    tamper(archive)
    code, found = verify()
    assert code == 1, found
    assert said in found


def test_every_byte_counts_of_every_file(archive: Archive) -> None:
    """A sample of the places of each file, one byte flipped at a time."""
    signers = trusted(archive.warehouse)
    files = [path for path in archive.runs.rglob("*") if path.is_file() and path.name not in (".lock", "index.html")]
    places = [(path, size * part // 7) for path in files if (size := path.stat().st_size) for part in range(7)]
    assert len(places) == 7 * 6  # notebook, manifest, plan, code; envelope, log
    for path, at in places:
        flip_at(path, at)
        book = read_book(archive.runs, signers)
        signed = [line.envelope for line in book.lines if line.envelope]
        faults = [*book.all_faults, *faults_of(archive.folder), *(f for e in signed for f in subject_faults(archive.folder, e))]  # fmt: skip
        assert faults, f"{path.name} at {at}"
        flip_at(path, at)
    assert faults_of(archive.folder) == []


def test_a_cut_off_tail_is_found_by_the_warehouse_and_by_a_witness(archive: Archive, verify: Verify) -> None:
    entry = person(archive).sign(archive.run)[0]
    lines = (archive.signoffs / "log.jsonl").read_text().splitlines(keepends=True)
    (archive.signoffs / "log.jsonl").write_text(lines[0])
    (archive.signoffs / entry.envelope).unlink()
    code, said = verify()
    assert code == 1
    assert "the log ends before sequence 2, which the warehouse has seen: its tail is cut off" in said
    assert "its tail is cut off" in verify("--all", "--expect-head", entry.head)[1]


def test_another_log_of_the_same_length_is_found(archive: Archive, verify: Verify) -> None:
    with archive.warehouse.writing() as connection:
        connection.execute("UPDATE runbook.signoffs SET head = repeat('a', 64)")
    code, said = verify()
    assert code == 1
    assert "the warehouse has seen another line" in said


def test_a_new_signer_breaks_nothing(archive: Archive, verify: Verify) -> None:
    person(archive, "grace")
    assert verify()[0] == 0


def test_trust_comes_from_a_place_the_archive_does_not_control(
    archive: Archive, verify: Verify, tmp_path: Path
) -> None:
    trust = tmp_path / "elsewhere.toml"
    trust.write_text("")
    code, said = verify("--all", "--trust", str(trust))
    assert code == 1
    assert "nobody who is trusted signed it" in said
    assert "there is no file" in verify("--all", "--trust", str(tmp_path / "nowhere.toml"))[1]


def test_data_that_moved_is_found_on_request(archive: Archive, verify: Verify) -> None:
    assert verify(archive.run, "--data")[0] == 0
    with archive.warehouse.writing() as connection:
        connection.execute("UPDATE nba_analytics.team_offense_game_summary SET points_scored = 1 WHERE game_date = (SELECT min(game_date) FROM nba_analytics.team_offense_game_summary)")  # fmt: skip
    assert verify(archive.run)[0] == 0
    code, said = verify(archive.run, "--data")
    assert code == 1
    assert "nba_analytics.team_offense_game_summary, season from 2023-10-24: its rows are not those" in said


def test_a_folder_without_runs_is_no_pass(archive: Archive, verify: Verify, tmp_path: Path) -> None:
    shutil.rmtree(archive.runs)
    assert "its tail is cut off" in verify()[1], "the warehouse has seen a sign-off"
    change(archive.warehouse, "DELETE FROM runbook.signoffs")
    code, said = verify()
    assert (code, "so nothing was verified: name the runs' folder with --runs" in said) == (2, True)


def unsigned(archive: Archive) -> None:
    """Nobody ever signed the run."""
    shutil.rmtree(archive.signoffs)
    change(archive.warehouse, "DELETE FROM runbook.signoffs")


@pytest.mark.parametrize("words", [(), ("--all",)], ids=["one run", "all"])
def test_data_are_not_compared_with_what_nobody_signed(archive: Archive, verify: Verify, words: tuple[str]) -> None:
    desk = person(archive)
    desk.revoke(ENVELOPE, "signed by mistake")
    chosen = words or (archive.run,)
    for found in (verify(*chosen, "--data"), unsigned(archive) or verify(*chosen, "--data")):
        assert (found[0], "nobody signed it, so there is nothing to compare the data with" in found[1]) == (1, True)
    assert verify(*chosen)[0] == 0


def claim_more(manifest: Manifest) -> None:
    """What did not end well is called proven."""
    manifest["steps"][0]["state"] = "not proven"


def invent_a_notebook(manifest: Manifest) -> None:
    """A step is proven by a notebook that there never was."""
    told = {"step": "40_validate.phase3", "template": "notebooks/40_validate.ipynb", "archive": "40.ipynb"}
    manifest["steps"].append(manifest["steps"][0] | told | {"archive_digest": None})


def call_it_another_step(manifest: Manifest) -> None:
    """What one step proved is said of another."""
    manifest["steps"][0]["step"] = manifest["chain"][0]["name"] = "50_signoff.phase4"


def forget_a_step(manifest: Manifest) -> None:
    """A step of the chain was never executed."""
    manifest["chain"].append(manifest["chain"][0] | {"name": "60_train", "notebook": "60_train"})


CLAIMS = {
    claim_more: "says that the run is proven, and its steps say that it is not proven",
    invent_a_notebook: "40.ipynb is gone",
    call_it_another_step: "is recorded as 50_signoff.phase4, and its template and parameters are those of 50_signoff.phase3",
    forget_a_step: "says that the run is proven, and holds no record of 60_train",
}


@pytest.mark.parametrize("edit", CLAIMS, ids=lambda edit: edit.__name__)
def test_a_manifest_that_claims_more_than_its_notebooks_is_found_though_nobody_signed_it(
    archive: Archive, verify: Verify, edit: Callable[[Manifest], None]
) -> None:
    unsigned(archive)
    assert verify()[0] == 0
    path = archive.folder / "manifest.json"
    manifest = json.loads(path.read_text())
    edit(manifest)
    path.chmod(0o644)
    path.write_text(json.dumps(manifest))
    code, said = verify()
    assert (code, CLAIMS[edit] in said) == (1, True), said


@pytest.mark.parametrize("schema", [1, 2])
def test_a_run_of_an_older_schema_is_still_read_and_judged(schema: int, tmp_path: Path) -> None:
    folder = tmp_path / "20260105T120000Z-00000000"
    folder.mkdir()
    shutil.copy(Path(__file__).parent / "schemas" / f"manifest_{schema}.json", folder / "manifest.json")
    manifest = read_manifest(folder)
    assert (manifest.schema_version, manifest.outcome, len(manifest.steps)) == (schema, "proven", 2)
    assert manifest.chain == []
    faults = faults_of(folder)
    assert "30_monitor.phase3.ipynb is gone" in faults
    assert not any("damaged" in fault for fault in faults)
    assert ("progress.jsonl is gone" in faults) == (schema == 2)


def test_a_schema_that_is_not_known_yet_is_named(tmp_path: Path) -> None:
    text = (Path(__file__).parent / "schemas" / "manifest_2.json").read_text()
    (tmp_path / "manifest.json").write_text(text.replace('"schema_version": 2', '"schema_version": 2, "mood": "good"'))
    assert "is damaged: mood: Extra inputs are not permitted" in faults_of(tmp_path)[0]


def test_an_envelope_that_a_crash_left_beside_the_log_is_set_aside_by_the_next_signature(
    archive: Archive, verify: Verify
) -> None:
    shutil.copy(archive.signoffs / ENVELOPE, archive.signoffs / "0002-sign-off-phase-4.json")
    assert verify()[0] == 1
    person(archive).sign(archive.run)
    assert verify()[0] == 0
    assert [path.name[:21] for path in (archive.signoffs / "aborted").iterdir()] == ["0002-sign-off-phase-4"]


def test_a_head_that_a_crash_kept_from_the_warehouse_is_caught_up_on(archive: Archive, verify: Verify) -> None:
    with archive.warehouse.writing() as connection:
        connection.execute("DELETE FROM runbook.signoffs")
    assert "the warehouse has never seen this line" in verify()[1]
    person(archive).catch_up()
    assert verify()[0] == 0


def test_half_a_page_that_a_crash_left_is_no_finding(archive: Archive, verify: Verify) -> None:
    (archive.folder / ".index.html.4711").write_text("<html")
    assert verify()[0] == 0
    (archive.folder / ".index.html.4711.ipynb").write_text("{}")
    assert ".index.html.4711.ipynb was added" in verify()[1]
    (archive.folder / ".index.html.4711.ipynb").unlink()
    (archive.folder / "logs").mkdir(exist_ok=True)
    (archive.folder / "logs" / ".50_signoff.phase3.log.4712").write_text("half a")
    assert verify()[0] == 0
