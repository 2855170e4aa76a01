"""The permit: the security division's signed word on which very files may run where, and until when.

What is signed is the exact text that travels, so there is no doubt about its canonical form. Deploy and the
host both verify it, each for itself; doubt of any kind is a no.
"""

import hashlib
import json
import os
from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Literal, NoReturn, Self
from uuid import UUID

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    PlainSerializer,
    StringConstraints,
    ValidationError,
    model_validator,
)

from shared.errors import Refused

PRIVATE_KEY = "permit.key"
PUBLIC_KEY = "permit.pub"
CLOCK_SLACK = timedelta(minutes=2)
"""How far the clocks of two machines may differ before a fresh permit counts as not yet valid."""


def _whole_seconds(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(microsecond=0)


def _zulu(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


Moment = Annotated[AwareDatetime, AfterValidator(_whole_seconds), PlainSerializer(_zulu, return_type=str)]
Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}\z")]
Name = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[ -~]+\z")]


class PermitRefused(Refused):
    """A permit that is not there, not genuine, not for this, or not for now; `code` says which."""

    status = 403
    code = "permit_refused"
    title = "Izin keamanan tidak berlaku"


class Permit(BaseModel):
    """What may run where, and on which tests that rests (S08)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    v: Literal[1] = 1
    id: UUID
    case: Name
    application: Name
    digest: Digest
    """The build: SHA-256 of its canonical manifest."""
    hosting: Name
    policy: Digest
    """The rules under which it passed."""
    scans: tuple[Name, ...] = Field(min_length=1)
    round: int = Field(ge=1)
    issued_at: Moment
    install_until: Moment
    """Until when it may be opened for the first time."""
    valid_until: Moment
    """Until when what was opened may go on, and may be rolled back to."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if not self.issued_at < self.install_until <= self.valid_until:
            raise ValueError("issued_at < install_until <= valid_until must hold")
        return self

    def text(self) -> str:
        """Return the canonical JSON that is signed: keys sorted, no spaces, times RFC 3339 in UTC."""
        return json.dumps(self.model_dump(mode="json"), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


class SignedPermit(BaseModel):
    """A permit as it travels: the exact text, its Ed25519 signature, and which key made it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    permit: str = Field(max_length=20_000)
    signature: str = Field(pattern=r"^[0-9a-f]{128}\z")
    key: str = Field(pattern=r"^[0-9a-f]{16}\z")

    def unverified(self) -> Permit:
        """Read the permit without trusting it, for showing only; refuses `PermitRefused` (malformed)."""
        try:
            return Permit.model_validate_json(self.permit)
        except ValidationError:
            _refuse("malformed", "Isi izin keamanan tidak dapat dibaca.")


def key_id(public_key: Ed25519PublicKey) -> str:
    """Return the name of a key: the first 16 hex digits of the SHA-256 of its 32 raw bytes."""
    return hashlib.sha256(public_key.public_bytes_raw()).hexdigest()[:16]


def sign(permit: Permit, private_key: Ed25519PrivateKey) -> SignedPermit:
    """Sign a permit (S08)."""
    text = permit.text()
    return SignedPermit(
        permit=text,
        signature=private_key.sign(text.encode()).hex(),
        key=key_id(private_key.public_key()),
    )


def verify(
    signed: SignedPermit | None,
    public_key: Ed25519PublicKey | Sequence[Ed25519PublicKey],
    *,
    digest: str,
    application: str,
    hosting: str,
    now: datetime,
    first_opening: bool = True,
    policy: str | None = None,
    revoked: Collection[UUID] = (),
) -> Permit:
    """Return the permit if it lets this build of this application run on this hosting now (F04).

    `first_opening=False` is for what was opened before (a roll-back): then only `valid_until` counts.
    With `policy` the permit must rest on these very rules. Several public keys allow a change of keys.
    Refuses `PermitRefused` with code no_permit, key_unknown, forged, malformed, revoked, other_digest,
    other_application, other_hosting, other_policy, not_yet_valid, install_expired, expired.
    """
    if signed is None:
        _refuse("no_permit", "Aplikasi ini belum mempunyai izin keamanan (S08).")
    keys = [public_key] if isinstance(public_key, Ed25519PublicKey) else list(public_key)
    signer = next((key for key in keys if key_id(key) == signed.key), None)
    if signer is None:
        _refuse("key_unknown", "Izin keamanan ditandatangani dengan kunci yang tidak dikenal.")
    try:
        signer.verify(bytes.fromhex(signed.signature), signed.permit.encode())
    except (InvalidSignature, ValueError):
        _refuse("forged", "Tanda tangan izin keamanan tidak cocok dengan isinya.")
    permit = signed.unverified()
    if permit.id in revoked:
        _refuse("revoked", "Izin keamanan ini telah dicabut.")
    if permit.digest != digest:
        _refuse("other_digest", "Izin keamanan ini untuk kemasan lain; kemasan ini belum lulus uji.")
    if permit.application != application:
        _refuse("other_application", "Izin keamanan ini untuk aplikasi lain.")
    if permit.hosting != hosting:
        _refuse("other_hosting", "Izin keamanan ini untuk hosting lain.")
    if policy is not None and permit.policy != policy:
        _refuse("other_policy", "Izin keamanan ini diberikan menurut aturan uji yang sudah diganti.")
    if now < permit.issued_at - CLOCK_SLACK:
        _refuse("not_yet_valid", "Izin keamanan ini belum mulai berlaku; mohon periksa jam server.")
    if now >= permit.valid_until:
        _refuse("expired", "Masa berlaku izin keamanan ini sudah habis.")
    if first_opening and now >= permit.install_until:
        _refuse("install_expired", "Batas waktu pemasangan pada izin keamanan ini sudah lewat.")
    return permit


def new_key_pair(folder: Path) -> str:
    """Make `permit.key` (PEM, readable by its owner only) and `permit.pub` (PEM); return the key's id.

    Refuses `PermitRefused` (key_exists) when there is one: permits out there rest on it.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    private = Ed25519PrivateKey.generate()
    secret = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    open_part = private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    part = folder / f"{PRIVATE_KEY}.{os.getpid()}.part"
    _write(part, secret, mode=0o600)
    try:
        # A link refuses to replace: of two processes that make keys at once, one loses and is told.
        os.link(part, folder / PRIVATE_KEY)
    except FileExistsError:
        _refuse("key_exists", "Kunci izin keamanan sudah ada dan tidak ditimpa.")
    finally:
        part.unlink()
    _write(folder / PUBLIC_KEY, open_part, mode=0o644)
    return key_id(private.public_key())


def private_key(folder: Path) -> Ed25519PrivateKey:
    """Read `permit.key`; refuses `PermitRefused` (key_unknown) when it is not a readable Ed25519 key."""
    try:
        key = serialization.load_pem_private_key((folder / PRIVATE_KEY).read_bytes(), None)
    except (OSError, ValueError):
        _refuse("key_unknown", "Kunci penanda tangan izin keamanan tidak ada atau tidak terbaca.")
    if not isinstance(key, Ed25519PrivateKey):
        _refuse("key_unknown", "Kunci penanda tangan izin keamanan bukan kunci Ed25519.")
    return key


def public_key(folder: Path) -> Ed25519PublicKey:
    """Read `permit.pub`; refuses `PermitRefused` (key_unknown) when it is not a readable Ed25519 key."""
    try:
        key = serialization.load_pem_public_key((folder / PUBLIC_KEY).read_bytes())
    except (OSError, ValueError):
        _refuse("key_unknown", "Kunci pemeriksa izin keamanan tidak ada atau tidak terbaca.")
    if not isinstance(key, Ed25519PublicKey):
        _refuse("key_unknown", "Kunci pemeriksa izin keamanan bukan kunci Ed25519.")
    return key


def _write(path: Path, content: bytes, *, mode: int) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _refuse(code: str, words: str) -> NoReturn:
    raise PermitRefused(f"{words} Aplikasi tidak dibuka. Mohon hubungi Divisi Monitoring dan Security.", code=code)
