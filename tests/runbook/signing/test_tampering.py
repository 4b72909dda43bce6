"""Whatever is changed in an archive after it was signed, ``runbook verify`` says so and names it."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from runbook.cli import main
from runbook.signing.log import read_log
from tests.runbook.signing.conftest import Archive, person

Verify = Callable[..., tuple[int, str]]


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
    content = path.read_bytes()
    at = content.index(needle) + len(needle) // 2
    path.chmod(0o644)
    path.write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])


SIGN_OFF = "50_signoff.phase3.ipynb"
FLIPS = {
    "notebook output": (SIGN_OFF, b"application/vnd.runbook.gate"),
    "notebook source": (SIGN_OFF, b"step.validator()"),
    "manifest": ("manifest.json", b'"outcome": "proven"'),
    "manifest's engine": ("manifest.json", b'"engine": "duckdb'),
    "plan": ("plan.json", b'"as_of"'),
    "log of a step": (f"logs/{SIGN_OFF.removesuffix('.ipynb')}.log", b""),
}


@pytest.mark.parametrize("what", [name for name in FLIPS if name != "log of a step"])
def test_one_flipped_byte_is_found_and_its_file_named(archive: Archive, verify: Verify, what: str) -> None:
    name, needle = FLIPS[what]
    flip(archive.folder / name, needle)
    code, said = verify()
    assert code == 1, said
    assert name in said
    assert "not verified" in said


def test_a_flipped_byte_of_the_envelope_is_found(archive: Archive, verify: Verify) -> None:
    name = read_log(archive.runs)[0].envelope
    for needle in (b'"payload": "', b'"sig": "'):
        copy = (archive.signoffs / name).read_bytes()
        at = copy.index(needle) + len(needle) + 40
        (archive.signoffs / name).chmod(0o644)
        (archive.signoffs / name).write_bytes(
            copy[:at] + (b"A" if copy[at : at + 1] != b"A" else b"B") + copy[at + 1 :]
        )
        code, said = verify()
        assert code == 1, said
        assert name in said
        (archive.signoffs / name).write_bytes(copy)


def test_a_flipped_byte_of_the_log_is_found(archive: Archive, verify: Verify) -> None:
    flip(archive.signoffs / "log.jsonl", b'"phase":"3"')
    code, said = verify()
    assert code == 1
    assert "log" in said


@pytest.mark.parametrize("name", [SIGN_OFF, "plan.json", "manifest.json"])
def test_a_file_that_is_gone_is_named(archive: Archive, verify: Verify, name: str) -> None:
    (archive.folder / name).unlink()
    code, said = verify(archive.run)
    assert code == 1
    assert name in said


def test_a_file_that_was_added_or_swapped_is_named(archive: Archive, verify: Verify) -> None:
    (archive.folder / "more.ipynb").write_text("{}")
    assert "more.ipynb was added" in verify()[1]
    (archive.folder / "more.ipynb").unlink()
    plan, log = archive.folder / "plan.json", next((archive.folder / "logs").iterdir())
    held = plan.read_bytes()
    plan.chmod(0o644), log.chmod(0o644)
    plan.write_bytes(log.read_bytes()), log.write_bytes(held)
    code, said = verify()
    assert code == 1
    assert "plan.json is not what" in said
    assert f"logs/{log.name} is not what" in said


def test_an_envelope_that_is_gone_added_or_swapped_is_named(archive: Archive, verify: Verify) -> None:
    name = read_log(archive.runs)[0].envelope
    shutil.copy(archive.signoffs / name, archive.signoffs / "0009-mine.json")
    assert "0009-mine.json lies beside the log" in verify()[1]
    os.rename(archive.signoffs / "0009-mine.json", archive.signoffs / name)
    assert verify()[0] == 0
    (archive.signoffs / name).unlink()
    code, said = verify()
    assert code == 1
    assert f"{name}: is gone" in said


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


def test_an_old_manifest_is_still_read(archive: Archive, verify: Verify) -> None:
    path = archive.folder / "manifest.json"
    old = json.loads(path.read_text())
    del old["files"]
    old["schema_version"] = 1
    path.chmod(0o644)
    path.write_text(json.dumps(old))
    assert "manifest.json is not what was signed" in verify()[1]
    assert "damaged" not in verify()[1]
