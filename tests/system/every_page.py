"""Every page that there is: who sees most of it, where a thing of its kind stands, what it takes to come there.

The list is that of the attacks, in which every route must stand, so a new page is looked at without being named here:
it only has to be linked from another page, and its first segment says in `SEEN_BY` who reads it if the Head does not.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from tests.attacks.test_seen_by_everybody import BOUNDED, ELSEWHERE, FOR_NOBODY, TABLE

NO_PAGES = {
    **dict.fromkeys(
        ["/audit/unduhan", "/dasbor/{part}/{panel}/{table}.csv", "/hari-kerja/{year}/berkas", "/waktu/{name}.csv"],
        "a file",
    ),
    **dict.fromkeys(["/rapat/kalender.ics", "/rapat/{meeting_id}/rapat.ics"], "a calendar for programs"),
    **dict.fromkeys(
        [
            "/masuk/akun-kampus/{name}", "/masuk/akun-kampus/{name}/kembali", "/saya/akun-kampus/{name}",
            "/undangan/akun-kampus/{name}",
        ],
        "leads away to the identity provider and back",
    ),
    "/hari-kerja": "leads on to the calendar of this year",
    "/undangan/{token}": "puts the token into a cookie and leads on to /undangan, so that it stands in no history",
}  # fmt: skip
"""Addresses that are no page, and what they are."""
PAGES = frozenset(path for path in {*TABLE, *BOUNDED, *FOR_NOBODY, *ELSEWHERE} if not path.startswith("/api"))
NOBODY = ""
SEEN_BY = {
    **dict.fromkeys(["/masuk", "/periksa", "/ikuti", "/pendapat", "/undangan"], NOBODY),
    **dict.fromkeys(
        [
            "/aplikasi-kolom", "/aplikasi-terdaftar", "/evaluasi", "/hosting", "/kontrak", "/menunggu", "/paket",
            "/pemberitahuan", "/penyedia", "/perkara", "/proker", "/rab", "/rapat", "/survei", "/tindak-lanjut",
        ],
        "koor.aplikasi",
    ),
    "/perkara/{number}/kak": "staf.aplikasi1",
    "/usulan": "pengusul.bpeg",
    "/sop": "petugas.mutu",
    "/tagihan": "bendahara",
    **dict.fromkeys(["/instalasi", "/rilis", "/server"], "koor.infra"),
    "/uji-keamanan": "koor.keamanan",
    "/tiket": "koor.layanan",
    **dict.fromkeys(["/hari-kerja", "/orang", "/wewenang/langkah-kedua"], "admin"),
}  # fmt: skip
"""Who sees most of a page, by the beginning of its address; of all others it is the Head."""
_KINDS = sorted(
    (path.count("{"), path, re.compile(re.sub(r"{\w+}", "[^/]+", re.sub(r"\.", r"\\.", path)))) for path in PAGES
)


def kind_of(address: str) -> str | None:
    """Return the page that an address shows, as it stands in the tables; None for what is no page of ours."""
    path = urlsplit(address).path
    return next((kind for _, kind, shape in _KINDS if shape.fullmatch(path)), None)


def who_sees(kind: str) -> str:
    """Return the username of who sees most of a page; empty for a page without an account."""
    beginnings = [one for one in SEEN_BY if kind == one or kind.startswith(f"{one}/")]
    return SEEN_BY[max(beginnings, key=len)] if beginnings else "kepala"


@dataclass
class Tour:
    """The way through all pages: each kind once, at the first address that a page before it linked to."""

    places: dict[str, str] = field(default_factory=dict)
    _ahead: list[str] = field(default_factory=list)

    def note(self, addresses: Iterable[str]) -> None:
        """Put the kinds that were not met yet onto the way."""
        for address in addresses:
            kind = kind_of(address)
            if kind is not None and kind not in NO_PAGES and kind not in self.places:
                self.places[kind] = address
                self._ahead.append(kind)

    def __iter__(self) -> Iterator[tuple[str, str]]:
        """Yield each kind with its address; what is noted meanwhile comes too."""
        while self._ahead:
            kind = self._ahead.pop(0)
            yield kind, self.places[kind]

    @property
    def missed(self) -> set[str]:
        """Return the pages that nobody came to."""
        return set(PAGES - set(NO_PAGES) - set(self.places))
