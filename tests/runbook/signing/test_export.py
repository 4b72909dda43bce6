"""An auditor checks an exported run with sha256sum, openssl and sed, by the procedure that lies beside it."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from lib.errors import BadInput, GateFailed
from runbook.export import export
from runbook.signing.check import read_book
from runbook.signing.signers import trusted
from tests.runbook.signing.conftest import Archive, person

TOOLS = ("sha256sum", "openssl", "sed")


@pytest.fixture(scope="module")
def exported_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the first test that needs it puts what it exported. Copy it; never change it."""
    return tmp_path_factory.mktemp("exported") / "out"


@pytest.fixture
def exported(request: pytest.FixtureRequest, exported_once: Path, tmp_path: Path) -> Path:
    """The signed run, exported for an auditor; a second person has signed, and one sign-off was revoked."""
    if not exported_once.exists():
        _export(request.getfixturevalue("archive"), exported_once)
    return shutil.copytree(exported_once, tmp_path / "out")


def _export(archive: Archive, folder: Path) -> None:
    person(archive).sign(archive.run)
    person(archive, "bob").revoke("0001-sign-off-phase-3.json", "a person has signed since")
    signers = trusted(archive.warehouse)
    assert export(archive.runs, archive.run, folder, read_book(archive.runs, signers), signers) == []


def audit(folder: Path) -> list[tuple[int, str]]:
    """Exit code and output of each block of the procedure, with nothing on the path but its tools."""
    path = folder.parent / "tools"
    path.mkdir(exist_ok=True)
    for tool in TOOLS:
        found = shutil.which(tool)
        assert found, f"{tool} is not installed"
        (path / tool).unlink(missing_ok=True)
        (path / tool).symlink_to(found)
    blocks = re.findall(r"```sh\n(.*?)```", (folder / "PROCEDURE.md").read_text(), re.DOTALL)
    assert len(blocks) == 6
    ended = [subprocess.run(["/bin/sh", "-c", block], cwd=folder, env={"PATH": str(path)}, capture_output=True, text=True, check=False) for block in blocks]  # fmt: skip
    return [(done.returncode, done.stdout + done.stderr) for done in ended]


def change(path: Path, old: bytes, new: bytes) -> None:
    content = path.read_bytes()
    assert old in content
    path.chmod(0o644)
    path.write_bytes(content.replace(old, new, 1))


def test_the_procedure_finds_nothing_wrong_with_what_was_exported(exported: Path) -> None:
    answers = audit(exported)
    assert [code for code, _ in answers] == [0] * 6, answers
    assert answers[1][1].count("Signature Verified Successfully") == 3
    assert "".join(said for at, (_, said) in enumerate(answers) if at != 1) == ""


@pytest.mark.parametrize(
    ("name", "old", "new", "blocks"),
    [
        ("run/50_signoff.phase3.ipynb", b'"green"', b'"amber"', {0, 3}),
        ("run/manifest.json", b'"proven"', b'"Proven"', {0, 3}),
        ("signoffs/0002-sign-off-phase-3.signed", b'"notes":""', b'"notes":" "', {0, 1, 2}),
        ("signoffs/0002-sign-off-phase-3.json", b'"payload": "ey', b'"payload": "eY', {0, 2, 4}),
        ("signoffs/log.jsonl", b'"sequence":1,', b'"sequence":9,', {0, 4}),
        ("code/lib/gates.py", b"coverage", b"Coverage", {0, 5}),
    ],
)
def test_the_procedure_finds_what_was_changed(exported: Path, name: str, old: bytes, new: bytes, blocks: set[int]) -> None:  # fmt: skip
    change(exported / name, old, new)
    assert {at for at, (code, _) in enumerate(audit(exported)) if code} == blocks


def test_another_key_under_the_signers_name_is_found(exported: Path) -> None:
    ada, bob = (next((exported / "keys").glob(f"{name}-*.pem")) for name in ("ada", "bob"))
    shutil.copy(bob, ada)
    assert audit(exported)[1][0] == 1


def test_nothing_damaged_is_exported_and_nothing_is_overwritten(archive: Archive, tmp_path: Path) -> None:
    signers = trusted(archive.warehouse)
    book = read_book(archive.runs, signers)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine").touch()
    with pytest.raises(BadInput, match="is not empty"):
        export(archive.runs, archive.run, tmp_path / "full", book, signers)
    (archive.folder / "plan.json").unlink()
    with pytest.raises(GateFailed, match=r"is not verified and would convince nobody: plan\.json"):
        export(archive.runs, archive.run, tmp_path / "out", book, signers)
    assert not (tmp_path / "out").exists()
