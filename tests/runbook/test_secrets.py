"""No byte of a secret reaches a run's folder: outputs, errors, logs and the manifest are scanned before they are written."""

from __future__ import annotations

import base64
import hashlib
import json
from html import escape
from pathlib import Path

import pytest

from lib.errors import BadInput
from runbook.archive import template_faults
from runbook.manifest import Manifest
from runbook.parameters import checked
from runbook.report.cells import parts_of
from runbook.secrets import known_secrets, redact, redacted, redacted_notebook
from tests.runbook.running import CANARY, NOTEBOOKS, Group

SECRETS = ("hunter2hunter2", "MIIEvQIBADANBgkq", "0123456789abcdefghijKLMN", "0123456789abcdef0123456789abcdef01234567")


def test_no_byte_of_a_known_secret_reaches_the_folder_of_a_run(group: Group) -> None:
    held = {path: path.read_bytes() for path in group.folder.rglob("*") if path.is_file()}
    assert len(held) > 20
    for secret in (CANARY, base64.b64encode(CANARY.encode()).decode()):
        assert [path.name for path, content in held.items() if secret.encode() in content] == []
    outputs = json.dumps([cell.get("outputs") for cell in group.cells("leaks")])
    assert [secret for secret in SECRETS if secret in outputs] == []
    assert group.by_name["leaks"].state == "proven"
    assert "ValueError: [redacted: known secret]" in group.by_name["leaks_by_error"].reason


def test_nor_does_one_reach_what_the_report_shows_of_a_notebook(group: Group) -> None:
    shown = {path.name: repr(parts_of(path)) for path in group.folder.glob("*.ipynb")}
    assert "[redacted: known secret]" in shown["leaks.ipynb"]
    assert [name for name, text in shown.items() if CANARY in text] == []


def test_a_mark_stands_where_a_secret_was_and_names_its_kind(group: Group) -> None:
    text = (group.folder / "leaks.ipynb").read_text()
    for kind in ("known secret", "private key", "access token", "password", "service account key"):
        assert f"[redacted: {kind}]" in text
    assert "postgres://[redacted: password]@db/nba" in text


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("AKIA" + "IOSFODNN7EXAMPLE", "[redacted: Amazon access key]"),
        ("key=AIza" + "SyA1234567890abcdefghijklmnopqrst-w", "key=[redacted: Google API key]"),
        ("ya29." + "a0AfH6SMBx1234567890abcd", "[redacted: access token]"),
        ("eyJhbGciOiJI.eyJzdWIiOiIx." + "SflKxwRJ", "[redacted: JSON web token]"),
        ("Authorization: Bearer " + "abcdefghijklmnop", "Authorization: Bearer [redacted: bearer token]"),
        ("https://s/x?a=1&X-Goog-Signature=" + "abc123&b=2", "https://s/x?a=1&[redacted: signature of a private URL]&b=2"),
        ("12:30 at ada@db, bigquery://project?location=us-west2", "12:30 at ada@db, bigquery://project?location=us-west2"),
        ("token of the lease: 17; sha256 " + "0" * 64, "token of the lease: 17; sha256 " + "0" * 64),
    ],
)  # fmt: skip
def test_what_looks_like_a_secret_is_redacted_and_nothing_else(text: str, left: str) -> None:
    assert redacted(text) == left
    assert redacted(left) == left


def test_what_is_known_is_found_in_every_spelling(tmp_path: Path) -> None:
    key = {
        "private_key": "-----BEGIN PRIVATE KEY-----\nabcdefghij\n-----END PRIVATE KEY-----\n",
        "private_key_id": "12345678",
    }
    (tmp_path / "key.json").write_text(json.dumps(key))
    known = known_secrets({"DB_PASSWORD": 'pass"wört/1', "PWD": "/home/ada", "GITHUB_TOKEN": "short", "GOOGLE_APPLICATION_CREDENTIALS": str(tmp_path / "key.json")})  # fmt: skip
    assert {"abcdefghij", "12345678", 'pass"wört/1', 'pass\\"w\\u00f6rt/1', "pass%22w%C3%B6rt%2F1"} <= set(known)
    assert not {"/home/ada", "short", str(tmp_path / "key.json")} & set(known)
    assert redact({"a": ['x pass"wört/1', 7]}, known) == {"a": ["x [redacted: known secret]", 7]}


def test_a_known_secret_is_found_in_html(tmp_path: Path) -> None:
    secret = "a&b<c>\"d'e-swordfish"
    known = known_secrets({"DB_PASSWORD": secret})
    for shown in (escape(secret), escape(secret, quote=False)):
        assert redacted(f"<td>{shown}</td>", known) == "<td>[redacted: known secret]</td>"


@pytest.mark.parametrize("name", ["PGPASSWORD", "DBPASSWORD", "MYSQL_PASSWD", "DB_PASS", "dbpass", "API_TOKEN"])
def test_a_variable_whose_name_ends_in_password_holds_a_secret(name: str) -> None:
    assert "swordfish-1" in known_secrets({name: "swordfish-1"})


@pytest.mark.parametrize("name", ["PROXY_BYPASS", "PASSENGERS", "COMPASSES"])
def test_a_variable_of_another_name_holds_none(name: str) -> None:
    assert known_secrets({name: "localhost"}) == ()


def test_sources_stay_as_they_are_and_clean_notebooks_are_not_touched() -> None:
    text = (NOTEBOOKS / "good.ipynb").read_text()
    assert redacted_notebook(text) == text


def test_a_template_or_a_parameter_with_a_secret_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DB_PASSWORD", "swordfish-swordfish")
    with pytest.raises(BadInput, match="label looks like a secret"):
        checked(NOTEBOOKS / "good.ipynb", {"label": "swordfish-swordfish"})
    text = (NOTEBOOKS / "good.ipynb").read_text()
    (tmp_path / "t.ipynb").write_text(
        text.replace("print(phase", "key = 'gh" + "p_0123456789abcdefghijKLMN'; print(phase", 1)
    )
    assert any("holds what looks like a secret" in fault for fault in template_faults(tmp_path / "t.ipynb"))


def test_the_manifest_and_what_was_noted_are_scanned_as_well(tmp_path: Path) -> None:
    facts = {"run": "r", "warehouse_id": "", "engine": "", "as_of": "", "first": "", "last": "", "phases": [3]}
    manifest = Manifest(**facts, warehouse="db://ada:hunter2hunter2@host", plan_digest="", code={}, revision=None, dirty=None, versions={})  # fmt: skip
    (tmp_path / "progress.jsonl").write_text('{"why": "no answer from db://ada:hunter2hunter2@host"}\n')
    manifest.close(tmp_path, "proven")
    assert b"hunter2" not in (tmp_path / "manifest.json").read_bytes()
    noted = (tmp_path / "progress.jsonl").read_bytes()
    assert b"hunter2" not in noted
    assert manifest.files["progress.jsonl"] == hashlib.sha256(noted).hexdigest()
