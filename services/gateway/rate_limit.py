"""How often one session, token or address may ask: a bucket of tokens for each, kept in this process.

Why in memory and for each process: this guards the door's own time, not an account (guesses at passwords are counted
in the database, `actions/sign_in.py`). A campus has one gateway; with several, each lets as much through as it can
serve. Nothing is lost when the process ends, and no request waits for Redis (P9).

The headers are those of draft-ietf-httpapi-ratelimit-headers-10: RateLimit-Policy says what is allowed, RateLimit what
is left of it, Retry-After (RFC 9110 §10.2.3) when to come again.
"""

import ipaddress
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from math import ceil
from typing import Literal

from shared.errors import TooMany
from shared.sentence import Sentence

Kind = Literal["read", "write", "upload", "anonymous"]
MOST_KEPT = 20_000
"""Most buckets; past it the one that was asked for longest ago is forgotten, which can only be too kind."""
WINDOW = 60
"""Seconds for which a quota is told."""
WORDS: dict[Kind, str] = {
    "read": Sentence("membaca halaman"),
    "write": Sentence("mengirim perubahan"),
    "upload": Sentence("mengunggah berkas"),
    "anonymous": Sentence("meminta halaman tanpa masuk"),
}


class TooFast(TooMany):
    """Somebody asks faster than their bucket fills; `seconds` says when the next request may come."""

    code = "rate_limited"
    title = "Terlalu cepat"

    def __init__(self, allowance: "Allowance") -> None:
        super().__init__(
            Sentence(
                "Dari sesi atau jaringan ini terlalu sering {kind}: paling banyak {quota} kali per menit. Belum "
                "ada yang berubah. Mohon tunggu {wait} detik, lalu ulangi.",
                kind=WORDS[allowance.kind],
                quota=allowance.quota,
                wait=allowance.wait,
            )
        )
        self.allowance = allowance
        self.seconds = allowance.wait


@dataclass(frozen=True)
class Allowance:
    """What one request found in its bucket."""

    kind: Kind
    quota: int
    """Requests for each minute."""
    left: int
    reset: int
    """Seconds until the bucket is full again."""
    wait: int = 0
    """Seconds until the next one fits; 0 when this one did."""

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        """Return the headers that tell a program how it stands."""
        return [
            (b"ratelimit-policy", f'"{self.kind}";q={self.quota};w={WINDOW}'.encode()),
            (b"ratelimit", f'"{self.kind}";r={self.left};t={self.reset}'.encode()),
        ]


class RateLimit:
    """The buckets of everybody, each as large as a minute's quota and filled evenly."""

    def __init__(
        self, quotas: dict[Kind, int], *, clock: Callable[[], float] = time.monotonic, most: int = MOST_KEPT
    ) -> None:
        self._quotas = quotas
        self._clock = clock
        self._most = most
        self._buckets: OrderedDict[tuple[Kind, str], tuple[float, float]] = OrderedDict()

    def claim(self, kind: Kind, whose: str) -> Allowance:
        """Take one request out of somebody's bucket; raise TooFast when it is empty."""
        quota, now = self._quotas[kind], self._clock()
        key = (kind, whose)
        level, at = self._buckets.pop(key, (float(quota), now))
        # A monotonic clock never goes back; a test's may.
        level = min(float(quota), level + max(0.0, now - at) * quota / WINDOW)
        # What fills by fractions is never quite whole.
        is_allowed = level >= 1 - 1e-9
        level = max(0.0, level - is_allowed)
        self._buckets[key] = (level, now)
        if len(self._buckets) > self._most:
            self._buckets.popitem(last=False)
        reset = _seconds((quota - level) * WINDOW / quota)
        if not is_allowed:
            raise TooFast(Allowance(kind, quota, 0, reset, max(1, _seconds((1 - level) * WINDOW / quota))))
        return Allowance(kind, quota, int(level), reset)

    def __len__(self) -> int:
        """Return how many buckets are kept."""
        return len(self._buckets)


def _seconds(exact: float) -> int:
    """Return whole seconds that are enough, without one more for what floating point adds."""
    return ceil(round(exact, 6))


def place_of(address: str) -> str:
    """Return what counts as one place: an IPv4 address, or the /64 that one IPv6 customer has for themselves."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    if found.version == 6:
        if found.ipv4_mapped:
            return str(found.ipv4_mapped)
        return str(ipaddress.ip_network((found, 64), strict=False).network_address)
    return str(found)
