"""The keys by which the parts of one installation trust each other, as files in one folder."""

import hashlib
import hmac
import os
import secrets
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

GATEWAY = "gateway"
DIVISIONS = ("proposal", "budget", "deploy", "security", "helpdesk")
SERVICES = (GATEWAY, *DIVISIONS)
PROOF = "proof"
"""Name of the key that signs proof packs and nothing else; `proof.pub` is its public half, in hexadecimal."""


class Keys:
    """A folder of secrets; a container of the split shape mounts only those that it needs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._pairs: dict[tuple[str, str], bytes] = {}

    def pair(self, source: str, dest: str, *, use: str = "message") -> bytes:
        """Return the 32-byte key with which `source` speaks to `dest`, for one use only.

        Directed: what one division signs cannot be passed off as the other's answer.
        """
        key = (f"{source}--{dest}", use)
        if key not in self._pairs:
            path = self.folder / f"{source}--{dest}.key"
            self._pairs[key] = hmac.digest(path.read_bytes(), use.encode(), hashlib.sha256)
        return self._pairs[key]

    def secret(self, name: str) -> bytes:
        """Return the secret of one service that it shares with nobody."""
        return (self.folder / f"{name}.key").read_bytes()

    def proof(self) -> Ed25519PrivateKey:
        """Return the key that signs proof packs."""
        return Ed25519PrivateKey.from_private_bytes(self.secret(PROOF))

    def proof_public(self) -> str:
        """Return the public key of proof packs as 64 hexadecimal digits; empty where there is none yet."""
        path = self.folder / f"{PROOF}.pub"
        return path.read_text(encoding="ascii").strip() if path.exists() else ""


def make_keys(folder: Path) -> None:
    """Make every key that is lacking; what exists is never changed."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    names = [f"{a}--{b}" for a in SERVICES for b in SERVICES if a != b] + [*SERVICES, PROOF]
    for name in names:
        path = folder / f"{name}.key"
        if path.exists():
            continue
        part = path.with_suffix(".part")
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(secrets.token_bytes(32))
        part.rename(path)
    public = Keys(folder).proof().public_key().public_bytes_raw().hex()
    (folder / f"{PROOF}.pub").write_text(public + "\n", encoding="ascii")


def make_ssh_key(folder: Path) -> None:
    """Make the key with which Alur signs in to servers (`ssh.key`, `ssh.key.pub`); what exists is never changed."""
    path = folder / "ssh.key"
    if path.exists():
        return
    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    path.with_suffix(".key.pub").write_bytes(public + b" alur\n")
    part = path.with_suffix(".part")
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(private)
    part.rename(path)
