"""Who may sign: ``signers.toml`` with public keys, roles and times; and the throw-away key of a sandbox."""

from __future__ import annotations

import base64
import binascii
import os
import tomllib
from datetime import UTC, date, datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from lib.errors import BadInput
from lib.settings import ROOT
from lib.warehouse import Warehouse
from runbook.signing.envelope import Envelope

SANDBOX = "sandbox"  # the role that signs unattended, and nothing but its own sandbox


class Signer(BaseModel):
    """One line of ``signers.toml``. ``warehouse`` binds a key to one warehouse's id; empty means any."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(min_length=1)
    public_key: str
    role: str = Field(min_length=1)
    valid_from: date
    valid_until: date
    warehouse: str = ""

    @field_validator("public_key")
    @classmethod
    def _is_a_key(cls, text: str) -> str:
        try:
            Ed25519PublicKey.from_public_bytes(base64.b64decode(text, validate=True))
        except (ValueError, binascii.Error) as error:
            raise ValueError("is no Ed25519 public key in base64") from error
        return text

    @property
    def key(self) -> Ed25519PublicKey:
        """The public key."""
        return Ed25519PublicKey.from_public_bytes(base64.b64decode(self.public_key))

    def may_sign_at(self, when: datetime, warehouse_id: str) -> str:
        """Why the key did not count at *when* for a warehouse; empty where it did."""
        if not self.valid_from <= when.date() <= self.valid_until:
            return f"{self.name}'s key is valid from {self.valid_from} to {self.valid_until}, not on {when.date()}"
        if (self.warehouse or self.role == SANDBOX) and self.warehouse != warehouse_id:
            return f"{self.name}'s key is bound to another warehouse"
        return ""


class _Signers(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    signer: tuple[Signer, ...] = ()


def signers_file() -> Path:
    """``RUNBOOK_SIGNERS``, else the project's ``signers.toml``."""
    return Path(os.environ.get("RUNBOOK_SIGNERS") or ROOT / "signers.toml")


def read_signers(path: Path) -> tuple[Signer, ...]:
    """Everybody *path* names, nobody where it is not there; BadInput names the line that is wrong."""
    try:
        return _Signers.model_validate(tomllib.loads(path.read_text())).signer
    except FileNotFoundError:
        return ()
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadInput(f"{path} is no TOML: {error}") from error
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors())
        raise BadInput(f"{path}: {faults}") from error


def trusted(warehouse: Warehouse | None, trust: Path | None = None) -> tuple[Signer, ...]:
    """The signers that count: those of *trust* alone where it is given, else the project's and a sandbox's own."""
    if trust is not None:
        if not trust.exists():
            raise BadInput(f"there is no file {trust}: --trust names a list of signers, such as signers.toml")
        return read_signers(trust)
    return read_signers(signers_file()) + (sandbox_signers(warehouse) if warehouse else ())


def sandbox_signers(warehouse: Warehouse) -> tuple[Signer, ...]:
    """Who signs for a sandbox, by the file beside it: throw-away keys and nobody else; of any other warehouse nobody.

    Whoever may write beside a warehouse may write that file: a person is named in the project's alone.
    """
    own = tuple(signer for signer in read_signers(sandbox_files(warehouse)[1]) if signer.role == SANDBOX)
    # where the sandbox is gone its evidence is still its own: each line is bound to the id of one warehouse
    return own if own and (not warehouse.exists() or warehouse.meta().get("kind") == SANDBOX) else ()


def signer_of(envelope: Envelope, signers: tuple[Signer, ...]) -> Signer | None:
    """Who made the envelope's signature; None where nobody that is trusted did."""
    return next((signer for signer in signers if envelope.signed_by(signer.key)), None)


def sandbox_files(warehouse: Warehouse) -> tuple[Path, Path]:
    """A sandbox's throw-away key and the line about it, beside its file."""
    return warehouse.beside("key"), warehouse.beside("signers.toml")


def new_key(path: Path) -> Ed25519PrivateKey:
    """A new private key, readable by its owner alone; BadInput where there is a file already."""
    key = Ed25519PrivateKey.generate()
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise BadInput(
            f"there is a file {path} already: a key is never overwritten; choose another name or --key"
        ) from error
    with os.fdopen(handle, "wb") as stream:
        stream.write(pem)
    return key


def read_key(path: Path) -> Ed25519PrivateKey:
    """The private key in *path*; BadInput where there is none, or where others may read it."""
    try:
        if path.stat().st_mode & 0o077:
            raise BadInput(f"{path} may be read by others: chmod 600 it, or make a new key")
        key = load_pem_private_key(path.read_bytes(), password=None)
    except OSError as error:
        raise BadInput(f"there is no key {path}: make one with 'runbook keys new NAME'") from error
    except (ValueError, TypeError) as error:
        raise BadInput(f"{path} is not a private key: make one with 'runbook keys new NAME'") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise BadInput(f"{path} is no Ed25519 key")
    return key


def line_of(name: str, key: Ed25519PrivateKey, role: str, years: int = 1, warehouse: str = "") -> str:
    """The lines of ``signers.toml`` that make a key count."""
    today = datetime.now(UTC).date()
    until = date(today.year + years, today.month, min(today.day, 28))
    public = base64.b64encode(key.public_key().public_bytes_raw()).decode()
    bound = f'warehouse = "{warehouse}"\n' if warehouse else ""
    return (
        f'[[signer]]\nname = "{name}"\npublic_key = "{public}"\nrole = "{role}"\n'
        f"valid_from = {today}\nvalid_until = {until}\n{bound}"
    )


def make_sandbox_key(warehouse: Warehouse, warehouse_id: str) -> None:
    """A throw-away key that may sign this sandbox and nothing else; an old one beside the file is replaced."""
    secret, public = sandbox_files(warehouse)
    secret.unlink(missing_ok=True)
    public.write_text(line_of("sandbox", new_key(secret), SANDBOX, 50, warehouse_id))
