"""Signing is refused where anything is not green, not verified, or not one's own to sign."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from lib.errors import BadInput, CannotJudge, GateFailed
from lib.settings import ROOT
from runbook import manifest as manifests
from runbook.manifest import CODE
from runbook.signing import sign as signing
from runbook.signing.check import read_book
from runbook.signing.envelope import pre_authentication_encoding, read_envelope
from runbook.signing.log import read_log
from runbook.signing.signers import new_key, read_key, read_signers, trusted
from runbook.signing.statement import predicate_of, subjects
from tests.lib.at_work import TEAM_OFFENSE, change
from tests.runbook.signing.conftest import Archive, person


def manifest_sources(archive: Archive) -> dict[str, str]:
    return dict(json.loads((archive.folder / "code.json").read_text()))


def test_a_sign_off_binds_person_range_verdicts_bytes_and_data(archive: Archive) -> None:
    entry = person(archive).sign(archive.run, notes="seen")[0]
    envelope = read_envelope((archive.signoffs / entry.envelope).read_bytes(), "it")
    signed = predicate_of(envelope, "it")
    assert (signed.signer, signed.role, signed.phase, signed.notes) == ("ada", "data-lead", "3", "seen")
    assert (str(signed.standing.first), str(signed.standing.last)) == ("2023-10-24", "2024-12-01")
    assert {verdict["gate"]: verdict["verdict"] for verdict in signed.verdicts} == {
        "coverage": "green",
        "quality": "green",
    }
    named = subjects(envelope)
    assert {"manifest.json", "plan.json", "50_signoff.phase3.ipynb"} <= set(named)
    assert f"{TEAM_OFFENSE}/2023-10-24" in named
    assert signed.verifier["code"].keys() >= {"lib", "runbook", "notebooks", "runbook.toml"}


def test_the_encoding_is_that_of_dsse() -> None:
    assert pre_authentication_encoding("http://example.com/HelloWorld", b"hello world") == (
        b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )


def test_each_line_names_the_one_before_it_and_stands_in_the_warehouse(archive: Archive) -> None:
    person(archive).sign(archive.run)
    first, second = read_log(archive.runs)
    assert (second.sequence, second.previous) == (2, first.head)
    with archive.warehouse.reading() as session:
        heads = session.rows("SELECT sequence, head FROM runbook.signoffs ORDER BY sequence")
    assert heads == [(1, first.head), (2, second.head)]


def test_a_role_that_may_not_sign_is_refused(archive: Archive) -> None:
    with pytest.raises(BadInput, match="phase 3 may be signed by data-lead, and eve is intern"):
        person(archive, "eve", "intern").sign(archive.run)


def test_a_key_out_of_its_time_is_refused(archive: Archive) -> None:
    desk = person(archive)
    path = archive.runs.parent / "signers.toml"
    path.write_text(path.read_text().replace("valid_from = 2", "valid_from = 1").replace("valid_until = 2", "valid_until = 1"))  # fmt: skip
    late = read_signers(path)[0]
    with pytest.raises(BadInput, match="ada's key is valid from"):
        signing.Desk(desk.warehouse, desk.settings, desk.runs, late, desk.key).sign(archive.run)


def test_the_sandbox_key_signs_no_other_warehouse(archive: Archive) -> None:
    signer = next(signer for signer in trusted(archive.warehouse) if signer.role == "sandbox")
    assert signer.may_sign_at(datetime.now(UTC), signer.warehouse) == ""
    assert "bound to another warehouse" in signer.may_sign_at(datetime.now(UTC), "another")


def test_a_run_of_another_warehouse_is_refused(archive: Archive) -> None:
    change(archive.warehouse, "UPDATE runbook.meta SET value = 'another' WHERE name = 'id'")
    with pytest.raises(BadInput, match="was run on another warehouse"):
        person(archive).sign(archive.run)


def test_a_phase_that_the_run_does_not_prove_is_refused(archive: Archive) -> None:
    with pytest.raises(BadInput, match="does not prove phase 4: it proves 3"):
        person(archive).sign(archive.run, ["4"])
    with pytest.raises(CannotJudge, match="it is no run"):
        person(archive, "bob").sign("elsewhere")


def test_a_warehouse_that_is_red_by_now_is_refused_though_the_notebooks_are_green(archive: Archive) -> None:
    change(archive.warehouse, f"DELETE FROM {TEAM_OFFENSE} WHERE game_date = '2024-11-20' AND home_game")
    with pytest.raises(GateFailed, match=r"phase 3 is not green any more.*gate 'coverage' is red"):
        person(archive).sign(archive.run)
    assert len(read_log(archive.runs)) == 1


def test_an_edited_gate_function_is_refused_by_name(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(manifests, "code_digests", lambda: {"lib": "0" * 64})
    monkeypatch.setattr(manifests, "source_digests", lambda: manifest_sources(archive) | {"lib/gates.py": "0" * 64})
    with pytest.raises(GateFailed, match=r"^lib/gates\.py is not what .* was run with"):
        person(archive).sign(archive.run)


def test_a_dirty_tree_is_refused_where_the_policy_says_so(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    strict = archive.settings.signing.model_copy(update={"dirty_tree": False})
    archive.settings = archive.settings.model_copy(update={"signing": strict})
    monkeypatch.setattr(signing, "verifier", lambda: {"dirty": True})
    with pytest.raises(GateFailed, match="differs from its revision"):
        person(archive).sign(archive.run)


def test_evidence_that_was_touched_is_refused(archive: Archive) -> None:
    (archive.folder / "plan.json").chmod(0o644)
    (archive.folder / "plan.json").write_text("{}")
    with pytest.raises(GateFailed, match=r"is not verified: .*plan\.json"):
        person(archive).sign(archive.run)


def test_amber_must_be_acknowledged_by_name(archive: Archive) -> None:
    change(archive.warehouse, "DELETE FROM runbook.receipts WHERE table_name = ? AND day = '2024-11-20'", TEAM_OFFENSE)
    desk = person(archive)
    with pytest.raises(GateFailed, match=f"amber, and not acknowledged: {TEAM_OFFENSE}"):
        desk.sign(archive.run)
    with pytest.raises(GateFailed, match="amber, and not acknowledged: rows_have_a_receipt;"):
        desk.sign(archive.run, acknowledged=[TEAM_OFFENSE])
    due = [TEAM_OFFENSE, "rows_have_a_receipt"]
    entry = desk.sign(archive.run, acknowledged=due)[0]
    assert predicate_of(read_envelope((archive.signoffs / entry.envelope).read_bytes(), "it"), "it").acknowledged == due  # fmt: skip


def test_a_crash_before_the_warehouse_saw_the_head_is_mended_by_the_next_sign_off(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = person(archive)
    with monkeypatch.context() as patched:
        patched.setattr(signing, "witness", _crash)
        with pytest.raises(KeyboardInterrupt):
            desk.sign(archive.run)
    desk.sign(archive.run)
    with archive.warehouse.reading() as session:
        assert session.rows("SELECT COUNT(*) FROM runbook.signoffs") == [(3,)]
    assert read_book(archive.runs, trusted(archive.warehouse)).all_faults == []


def _crash(*_: object) -> None:
    raise KeyboardInterrupt


def test_a_private_key_is_never_overwritten_and_never_open_to_others(tmp_path: Path) -> None:
    path = tmp_path / "me.pem"
    new_key(path)
    assert path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(BadInput, match="never overwritten"):
        new_key(path)
    path.chmod(0o644)
    with pytest.raises(BadInput, match="may be read by others"):
        read_key(path)
    with pytest.raises(BadInput, match="runbook keys new"):
        read_key(tmp_path / "nobody.pem")


@pytest.mark.parametrize("line", ['public_key = "xx"', "valid_from = 5", 'colour = "red"'])
def test_a_line_of_signers_toml_that_is_wrong_is_refused_by_name(tmp_path: Path, line: str) -> None:
    path = tmp_path / "signers.toml"
    path.write_text(f'[[signer]]\nname = "x"\nrole = "y"\n{line}\n')
    with pytest.raises(BadInput, match=line.split()[0]):
        read_signers(path)


@pytest.mark.full
def test_a_gate_that_was_edited_to_say_green_signs_nothing_and_is_named(archive: Archive, tmp_path: Path) -> None:
    """In a copy of the project whose gates are blind, on a warehouse that has a hole."""
    change(archive.warehouse, f"DELETE FROM {TEAM_OFFENSE} WHERE game_date = '2024-11-20' AND home_game")
    edited = tmp_path / "edited"
    for name in CODE:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        edited.mkdir(exist_ok=True)
        copy(ROOT / name, edited / name)
    gates = (edited / "lib" / "gates.py").read_text()
    assert "verdict=worst(" in gates
    blind = gates.replace("verdict=worst(", "verdict=_green(") + "\n\ndef _green(of):\n    return 'green'\n"
    (edited / "lib" / "gates.py").write_text(blind)
    person(archive)
    command = [sys.executable, "-m", "runbook", "sign", archive.run, "--key", str(tmp_path / "ada.pem"), "--runs", str(archive.runs), "--warehouse", archive.warehouse.absolute_url]  # fmt: skip
    ended = subprocess.run(command, cwd=edited, capture_output=True, text=True, timeout=120, check=False)
    assert ended.returncode == 1, ended.stdout + ended.stderr
    assert ended.stderr.startswith(f"error: lib/gates.py is not what {archive.run} was run with")
    assert len(read_log(archive.runs)) == 1
