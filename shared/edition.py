"""Editions of what two people may edit: the tag that a reader gets, and whether a writer saw the present one.

A tag names the state of a thing, not the bytes of an answer. So a tag that an outer proxy has weakened (`W/`, as nginx
does when it compresses) still counts in If-Match, though RFC 9110 §13.1.1 would compare strongly: the edition is what
must not have changed, and no byte range is ever asked for.
"""

import re
from collections.abc import Sequence

from shared.errors import FieldError, Incomplete, Stale

_TAG = re.compile(r'\s*(?:W/)?"([\x21\x23-\x7e\x80-\xff]*)"\s*')
STALE = (
    "Data ini sudah diubah orang lain sejak Anda membukanya. Yang Anda tulis tidak hilang, tetapi belum disimpan. "
    "Bandingkan dengan keadaan sekarang, lalu kirim lagi bila masih perlu."
)


def tag_of(edition: object) -> str:
    """Return the ETag of an edition."""
    return f'"{edition}"'


def tags(header: str) -> frozenset[str] | None:
    """Return the tags that a header names, None for "*"; raise Incomplete for what is no list of tags."""
    if header.strip() == "*":
        return None
    found: set[str] = set()
    at = 0
    while at < len(header):
        match = _TAG.match(header, at)
        if match is None or (match.end() < len(header) and header[match.end()] != ","):
            raise Incomplete("If-Match tidak dikenal; kirim nilai ETag yang diterima saat membaca.", code="tag_unknown")
        found.add(match[1])
        at = match.end() + 1
    return frozenset(found)


def must_be_present(
    if_match: str | None, edition: object, *, words: str = STALE, errors: Sequence[FieldError] = ()
) -> None:
    """Raise Stale when the writer saw another edition than the present one; without a header nothing is asked."""
    if if_match is None:
        return
    seen = tags(if_match)
    if seen is not None and str(edition) not in seen:
        raise Stale(words, errors=errors)


def is_unchanged(if_none_match: str | None, etag: str | None) -> bool:
    """Tell whether a reader has the present edition already (RFC 9110 §13.1.2: compared weakly)."""
    if not if_none_match or not etag:
        return False
    try:
        held = tags(if_none_match)
    except Incomplete:
        # A header that says nothing asks nothing.
        return False
    present = _TAG.fullmatch(etag)
    return present is not None and (held is None or present[1] in held)
