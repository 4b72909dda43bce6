"""``runbook export``: a run with everything an auditor needs to check it with ``sha256sum`` and ``openssl`` alone."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from lib.errors import BadInput, GateFailed
from lib.settings import ROOT
from runbook.manifest import CODE, changed_code, file_digest
from runbook.signing.check import Book, Checked
from runbook.signing.envelope import key_id
from runbook.signing.evidence import faults_of, read_manifest
from runbook.signing.log import folder_of
from runbook.signing.signers import Signer

PROCEDURE = Path(__file__).with_name("procedure.md")
LEFT_OUT = {"__pycache__", ".ipynb_checkpoints"}


def export(runs: Path, run: str, target: Path, book: Book, signers: Sequence[Signer]) -> list[str]:
    """Writes the run, every sign-off, the keys, the code and the procedure into *target*; returns what is missing.

    Raises BadInput where *target* holds something already, GateFailed where the run is not what it left.
    """
    folder = runs / run
    if target.exists() and any(target.iterdir()):
        raise BadInput(f"{target} is not empty: an export goes into a new folder")
    if faults := [*faults_of(folder), *book.all_faults]:
        raise GateFailed(f"{run} is not verified and would convince nobody: {'; '.join(faults)}")
    target.mkdir(parents=True, exist_ok=True)
    _copy_run(folder, target / "run")
    _copy_sign_offs(runs, target, book)
    _write_keys(target / "keys", signers)
    _copy_code(target / "code")
    (target / "PROCEDURE.md").write_text(PROCEDURE.read_text().replace("{run}", run))
    _write_sums(target)
    return list(_missing(folder, run, book))


def _copy_run(folder: Path, target: Path) -> None:
    shutil.copytree(folder, target)


def _copy_sign_offs(runs: Path, target: Path, book: Book) -> None:
    """The whole log, because each line names the one before it; beside each envelope what ``openssl`` needs of it."""
    place = target / "signoffs"
    place.mkdir()
    if (folder_of(runs) / "log.jsonl").exists():
        shutil.copy(folder_of(runs) / "log.jsonl", place / "log.jsonl")
    for line in book.lines:
        shutil.copy(folder_of(runs) / line.entry.envelope, place / line.entry.envelope)
        _take_apart(line, place)


def _take_apart(line: Checked, place: Path) -> None:
    if line.envelope is None or line.signer is None:
        return
    name = Path(line.entry.envelope).stem
    (place / f"{name}.signed").write_bytes(line.envelope.signed_bytes)
    (place / f"{name}.signature").write_bytes(line.envelope.signature_of(line.signer.key))
    (place / f"{name}.signer").write_text(f"{_key_name(line.signer)}\n")


def _write_keys(place: Path, signers: Sequence[Signer]) -> None:
    place.mkdir()
    for signer in signers:
        pem = signer.key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        (place / f"{_key_name(signer)}.pem").write_bytes(pem)


def _key_name(signer: Signer) -> str:
    return f"{re.sub(r'[^A-Za-z0-9_-]', '_', signer.name)}-{key_id(signer.key)[:12]}"


def _copy_code(place: Path) -> None:
    """The code that the verdicts come from, where the manifest's ``code.json`` gives the digest of every file."""
    for name in CODE:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, place / name, ignore=shutil.ignore_patterns(*LEFT_OUT))
        elif (ROOT / name).exists():
            place.mkdir(exist_ok=True)
            shutil.copy(ROOT / name, place / name)


def _write_sums(target: Path) -> None:
    files = sorted(path for path in target.rglob("*") if path.is_file())
    lines = [f"{file_digest(path)}  {path.relative_to(target)}\n" for path in files]
    (target / "SHA256SUMS").write_text("".join(lines))


def _missing(folder: Path, run: str, book: Book) -> Iterator[str]:
    manifest = read_manifest(folder)
    if moved := changed_code(folder, manifest):
        yield f"code/ is not what the run was made with ({', '.join(moved)}): export from revision {manifest.revision}"
    if not any(line.entry.run == run and line.predicate for line in book.lines):
        yield f"nobody has signed {run}: the export shows what was run, and no person answers for it"
