"""Secrets do not reach an archive: what looks like one, or is known to be one, is replaced by a mark that names its kind.

Known are the values of environment variables whose names say so, and the key in Google's credentials file.
"""

from __future__ import annotations

import base64
import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import quote

SECRET_NAME = re.compile(
    r"(^|_)(password|passwd|pwd|secret|token|api_?key|private_?key|access_?key|credentials?)(_|$)"
    r"|(password|passwd|(?<!by)pass)$",  # PGPASSWORD, DB_PASS
    re.IGNORECASE,
)
_NO_SECRETS = {"PWD", "OLDPWD"}
_SHORTEST = 8  # characters; a shorter value is no secret worth the name, and may be any word of a table
_NOT_INSIDE = r"(?<![\w+/-])"  # not in the middle of an encoded picture
_PATTERNS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (kind, re.compile(pattern))
    for kind, pattern in (
        ("private key", r"-----BEGIN [A-Z ]*PRIVATE KEY(?:(?!-----END)[\s\S])*(?:-----END [A-Z ]*PRIVATE KEY-----)?"),
        ("service account key", r'(?<=private_key_id)[\\"\':\s]+[0-9a-f]{20,}'),
        ("Amazon access key", _NOT_INSIDE + r"AKIA[0-9A-Z]{16}(?![\w+/=-])"),
        ("Google API key", _NOT_INSIDE + r"AIza[\w-]{35}(?![\w+/=-])"),
        ("access token", r"\bya29\.[\w-]{20,}"),
        ("refresh token", _NOT_INSIDE + r"1//0[\w-]{20,}"),
        ("access token", r"\b(?:gh[pousr]_\w{20,}|github_pat_\w{20,}|glpat-[\w-]{16,}|xox[abpr]-[\w-]{10,})"),
        ("JSON web token", r"\beyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]*"),
        ("bearer token", r"(?<=[Bb]earer )[\w.~+/-]{16,}=*"),
        ("password", r"(?<=://)[^/\s:@\[\]]+:[^/\s:@]+(?=@)"),
        ("signature of a private URL", r"(?<=[?&])(?:X-Goog-Signature|X-Amz-Signature|access_token)=[^&\s\"'<>\\]+"),
    )
)


def is_secret(text: str) -> bool:
    """Whether *text* holds something that looks like a secret or is known to be one."""
    return redacted(text) != text


def redacted(text: str, known: Iterable[str] | None = None) -> str:
    """*text* with a mark in place of every secret; *known* are literal secrets, those of this process by default."""
    return _marked(text, tuple(known_secrets() if known is None else known))


@lru_cache(maxsize=4096)  # a notebook is saved after every cell, with all that stood in it before
def _marked(text: str, known: tuple[str, ...]) -> str:
    for secret in known:
        text = text.replace(secret, "[redacted: known secret]")
    for kind, pattern in _PATTERNS:
        text = pattern.sub(f"[redacted: {kind}]", text)
    return text


def redact(value: Any, known: Iterable[str] | None = None) -> Any:
    """JSON with a mark in place of every secret, in keys and values."""
    known = tuple(known_secrets() if known is None else known)
    match value:
        case str():
            return redacted(value, known)
        case list():
            return [redact(item, known) for item in value]
        case dict():
            return {redacted(str(key), known): redact(item, known) for key, item in value.items()}
    return value


def known_secrets(environment: Mapping[str, str] | None = None) -> tuple[str, ...]:
    """Every spelling of every secret that this process was given, the longest first."""
    environment = os.environ if environment is None else environment
    values = {*_of_environment(environment), *_of_credentials(environment)}
    spelt = {spelling for value in values for spelling in _spellings(value)}
    return tuple(sorted(spelt, key=lambda text: (-len(text), text)))


def redacted_notebook(text: str) -> str:
    """A notebook's JSON whose outputs hold no secret. Sources stay as they are: they must equal the template's."""
    content = json.loads(text)
    known, changed = known_secrets(), False
    for cell in content["cells"]:
        if "outputs" in cell:
            outputs = redact(_joined_streams(cell["outputs"]), known)
            changed = changed or outputs != cell["outputs"]
            cell["outputs"] = outputs
    metadata = redact(content["metadata"], known)
    if not changed and metadata == content["metadata"]:
        return text
    content["metadata"] = metadata
    return json.dumps(content, indent=1, ensure_ascii=False, sort_keys=True, separators=(",", ": ")) + "\n"


def _joined_streams(outputs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Neighbouring pieces of one stream in one: a secret may have been written in two."""
    joined: list[dict[str, Any]] = []
    for output in outputs:
        last = joined[-1] if joined else {}
        if output.get("output_type") == "stream" == last.get("output_type") and last["name"] == output["name"]:
            joined[-1] = last | {"text": _text(last["text"]) + _text(output["text"])}
        else:
            joined.append({key: _text(item) if key == "text" else item for key, item in output.items()})
    return joined


def _text(lines: str | list[str]) -> str:
    return lines if isinstance(lines, str) else "".join(lines)


def _of_environment(environment: Mapping[str, str]) -> Iterator[str]:
    for name, value in environment.items():
        named = SECRET_NAME.search(name) and name not in _NO_SECRETS
        if named and len(value) >= _SHORTEST and not os.path.exists(value):
            yield value


def _of_credentials(environment: Mapping[str, str]) -> Iterator[str]:
    try:
        facts = json.loads(Path(environment.get("GOOGLE_APPLICATION_CREDENTIALS", "")).read_text())
        held = [str(facts[name]) for name in ("private_key", "private_key_id", "refresh_token") if name in facts]
    except (OSError, ValueError, TypeError):
        return
    for value in held:
        yield from (line for line in value.splitlines() if len(line) >= _SHORTEST and not line.startswith("-----"))


def _spellings(secret: str) -> set[str]:
    coded = base64.b64encode(secret.encode()).decode()
    in_html = {escape(secret), escape(secret, quote=False)}
    return {secret, json.dumps(secret)[1:-1], repr(secret)[1:-1], quote(secret, safe=""), coded, *in_html}
