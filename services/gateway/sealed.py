"""What must be read again, but not by whoever gets hold of the database: sealed with a key from the keys' folder."""

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from shared.errors import NotFound
from shared.keys import GATEWAY, Keys

NONCE = 12
HELD, FACTOR = "held form", "second factor"
"""What is sealed: a form kept for its sender; the secret of a second factor."""


class Seal:
    """Seals bytes for one use (AES-256-GCM); what was sealed for one thing opens for no other."""

    def __init__(self, keys: Keys, use: str) -> None:
        secret = keys.secret(GATEWAY)
        derived = HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=f"alur {use}".encode()).derive(secret)
        self._cipher = AESGCM(derived)

    def close(self, content: bytes, *, of: str) -> bytes:
        """Return the content sealed; `of` names the thing that it belongs to."""
        nonce = os.urandom(NONCE)
        return nonce + self._cipher.encrypt(nonce, content, of.encode())

    def open(self, sealed: bytes, *, of: str) -> bytes:
        """Return what was sealed for this thing; raise NotFound when the key or the thing is another."""
        try:
            return self._cipher.decrypt(sealed[:NONCE], sealed[NONCE:], of.encode())
        except InvalidTag:
            raise NotFound("Data tersegel ini tidak dapat dibuka dengan kunci yang sekarang.") from None
