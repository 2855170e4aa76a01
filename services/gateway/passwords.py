"""Passwords as argon2id hashes, with the same work for accounts that do not exist."""

from functools import cache
from threading import BoundedSemaphore

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from shared.errors import FieldError, Incomplete

HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
"""OWASP's setting for argon2id: 19 MiB, two passes, one lane."""
SHORTEST, LONGEST = 8, 200
AT_ONCE = BoundedSemaphore(4)
"""Many sign-ins at once must not eat the memory of everybody else."""


def hashed(password: str, *, username: str = "") -> str:
    """Return the argon2id hash of a new password; raise Incomplete for one that is too easy (ASVS 5.0 §6.2)."""
    words = ""
    if not SHORTEST <= len(password) <= LONGEST:
        words = f"Kata sandi harus {SHORTEST} sampai {LONGEST} huruf; kalimat pendek lebih mudah diingat."
    elif username and password.lower() == username.lower():
        words = "Kata sandi tidak boleh sama dengan nama pengguna."
    if words:
        raise Incomplete(words, errors=[FieldError("/password", words)])
    with AT_ONCE:
        return HASHER.hash(password)


def fits(password: str, password_hash: str | None) -> bool:
    """Tell whether the password belongs to the hash; None (no such account) costs the same time and is False."""
    with AT_ONCE:
        try:
            return HASHER.verify(password_hash or _nobody(), password) and password_hash is not None
        except (VerificationError, InvalidHashError):
            return False


def is_outdated(password_hash: str) -> bool:
    """Tell whether the hash was made with weaker settings than today's."""
    return HASHER.check_needs_rehash(password_hash)


@cache
def _nobody() -> str:
    return HASHER.hash("nobody has this password")
