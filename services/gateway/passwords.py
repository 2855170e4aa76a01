"""Passwords: what a good one is, and argon2id hashes with the same work for accounts that do not exist."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from threading import BoundedSemaphore
from typing import Literal

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from services.gateway.leaked import is_leaked
from shared.errors import FieldError, Incomplete
from shared.sentence import Sentence, together

HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
"""OWASP's setting for argon2id: 19 MiB, two passes, one lane."""
AT_ONCE = BoundedSemaphore(4)
"""Many sign-ins at once must not eat the memory of everybody else."""
SITE_WORDS = frozenset({"alur", "pustipd"})
"""Words of this site that alone, or with digits and signs around them, make no password (ASVS 5.0, 6.2.11)."""
KINDS = (
    (Sentence("huruf besar"), str.isupper),
    (Sentence("huruf kecil"), str.islower),
    (Sentence("angka"), str.isdecimal),
)

ProfileName = Literal["asvs", "bssn"]


@dataclass(frozen=True)
class Profile:
    """What a site asks of passwords.

    ASVS 5.0 asks for at least 8 characters and recommends 15 (6.2.1), a list of leaked ones (6.2.4, 6.2.12), neither
    composition (6.2.5) nor rotation (6.2.10), and room for 64 and more (6.2.9). Twelve stands between the two: a
    second factor is there, and a sentence of three words has it.
    """

    shortest: int = 12
    longest: int = 200
    needs_four_kinds: bool = False
    valid_for: timedelta | None = None

    def is_over(self, set_at: datetime, now: datetime) -> bool:
        """Tell whether a password set then has to be changed by now."""
        return self.valid_for is not None and now - set_at >= self.valid_for

    @property
    def rules(self) -> str:
        """Say what a password needs, in one sentence for the form."""
        told: list[str] = [
            Sentence("Paling sedikit {shortest} huruf; kalimat pendek lebih mudah diingat.", shortest=self.shortest)
        ]
        if self.needs_four_kinds:
            told.append("Pakai huruf besar, huruf kecil, angka, dan tanda.")
        if self.valid_for:
            told.append(Sentence("Berlaku {days} hari.", days=self.valid_for.days))
        return together(told)


PROFILES: dict[str, Profile] = {
    "asvs": Profile(),
    "bssn": Profile(needs_four_kinds=True, valid_for=timedelta(days=90)),
}
"""`bssn` for sites whose auditor asks for composition and validity, beside what ASVS asks."""
ASVS = PROFILES["asvs"]


def hashed(password: str, *, username: str = "", profile: Profile = ASVS) -> str:
    """Return the argon2id hash of a new password; raise Incomplete for one that is too easy."""
    words = _fault(password, username.casefold(), profile)
    if words:
        raise Incomplete(words, errors=[FieldError("/password", words)])
    with AT_ONCE:
        return HASHER.hash(password)


def _fault(password: str, username: str, profile: Profile) -> str:
    """Return what is wrong with a new password, in words; empty when nothing is."""
    if not profile.shortest <= len(password) <= profile.longest:
        return Sentence(
            "Kata sandi harus {shortest} sampai {longest} huruf; kalimat pendek lebih mudah diingat.",
            shortest=profile.shortest,
            longest=profile.longest,
        )
    plain = password.casefold()
    names = {username, *username.replace("_", ".").replace("-", ".").split(".")} if username else set()
    if any(name in plain for name in names if len(name) >= 4):
        return "Kata sandi tidak boleh memuat nama pengguna. Pilih kata-kata lain."
    words = set(re.findall(r"[^\W\d_]+", plain))
    if (words and words <= SITE_WORDS) or is_leaked(password):
        return (
            "Kata sandi ini terlalu umum: ia, atau kata di dalamnya, ada pada daftar kata sandi yang pernah bocor. "
            "Angka atau tanda di tepinya tidak menolong; pakailah beberapa kata yang tidak berhubungan."
        )
    if profile.needs_four_kinds:
        lacking = [name for name, is_kind in KINDS if not any(map(is_kind, password))]
        lacking += [] if any(not sign.isalnum() and not sign.isspace() for sign in password) else [Sentence("tanda")]
        if lacking:
            return Sentence(
                "Kata sandi ini belum memuat {lacking}. Ketentuan di sini meminta keempat jenisnya.",
                lacking=lacking,
            )
    return ""


def fits(password: str, password_hash: str | None) -> bool:
    """Tell whether the password belongs to the hash; None (no such account, or none set) costs the same, is False."""
    with AT_ONCE:
        try:
            return HASHER.verify(password_hash or _nobody(), password) and bool(password_hash)
        except (VerificationError, InvalidHashError):
            return False


def rehashed(password: str) -> str:
    """Return the hash of a password that is in use already, by today's settings; it is not judged again."""
    with AT_ONCE:
        return HASHER.hash(password)


def is_outdated(password_hash: str) -> bool:
    """Tell whether the hash was made with weaker settings than today's."""
    return HASHER.check_needs_rehash(password_hash)


@cache
def _nobody() -> str:
    return HASHER.hash("nobody has this password")
