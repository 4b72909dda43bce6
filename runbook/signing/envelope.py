"""DSSE envelopes: a payload with its type, signed with Ed25519 over both (https://github.com/secure-systems-lab/dsse)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Callable
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from pydantic import BaseModel, ConfigDict, ValidationError

from lib.errors import CannotJudge

PAYLOAD_TYPE = "application/vnd.in-toto+json"


class Signature(BaseModel):
    """One signature; ``keyid`` is a hint, never trusted."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    keyid: str
    sig: str


class Envelope(BaseModel):
    """One signed statement as it lies in a file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    payload: str
    payloadType: str
    signatures: list[Signature]

    @property
    def statement(self) -> dict[str, Any]:
        """The statement inside; believe it only after ``signed_by``."""
        found: dict[str, Any] = json.loads(_decoded(self.payload))
        return found

    @property
    def signed_bytes(self) -> bytes:
        """The bytes that the signatures are over."""
        return pre_authentication_encoding(self.payloadType, _decoded(self.payload))

    def signature_of(self, key: Ed25519PublicKey) -> bytes:
        """The raw signature that *key* made; empty where it made none."""
        found = (s.sig for s in self.signatures if _holds(key, s.sig, self.signed_bytes))
        return _decoded(next(found, ""))

    def signed_by(self, key: Ed25519PublicKey) -> bool:
        """Whether *key* made one of the signatures."""
        return any(_holds(key, signature.sig, self.signed_bytes) for signature in self.signatures)


def pre_authentication_encoding(kind: str, payload: bytes) -> bytes:
    """DSSE's encoding: no byte of type or payload can be moved into the other."""
    return b"DSSEv1 %d %b %d %b" % (len(kind.encode()), kind.encode(), len(payload), payload)


def key_id(key: Ed25519PublicKey) -> str:
    """SHA-256 of the raw public key."""
    return hashlib.sha256(key.public_bytes_raw()).hexdigest()


def seal(statement: dict[str, Any], key: Ed25519PrivateKey) -> Envelope:
    """The statement in an envelope with one signature."""
    payload = json.dumps(statement, sort_keys=True, separators=(",", ":")).encode()
    signature = key.sign(pre_authentication_encoding(PAYLOAD_TYPE, payload))
    encoded: Callable[[bytes], str] = lambda content: base64.b64encode(content).decode()  # noqa: E731
    signed = Signature(keyid=key_id(key.public_key()), sig=encoded(signature))
    return Envelope(payload=encoded(payload), payloadType=PAYLOAD_TYPE, signatures=[signed])


def read_envelope(content: bytes, name: str) -> Envelope:
    """The envelope in *content*; CannotJudge, naming it, where there is none."""
    try:
        envelope = Envelope.model_validate_json(content)
        if envelope.payloadType != PAYLOAD_TYPE or not isinstance(envelope.statement, dict):
            raise ValueError("not an in-toto statement")
    except (ValidationError, ValueError) as error:
        raise CannotJudge(f"{name} is no envelope: {str(error).splitlines()[0]}") from error
    return envelope


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError("not base64") from error


def _holds(key: Ed25519PublicKey, signature: str, content: bytes) -> bool:
    try:
        key.verify(_decoded(signature), content)
    except (InvalidSignature, ValueError):
        return False
    return True
