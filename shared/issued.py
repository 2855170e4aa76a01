"""The register of printed papers: a code on each, by which anybody who holds one may check it.

Every division that prints keeps its own register. The code is taken before the paper is printed, because it stands on
it; the paper counts as genuine only once the digest of the printed file is sealed under its code.
"""

import secrets
from collections.abc import Sequence
from datetime import date, datetime
from typing import Final

from pydantic import AwareDatetime, BaseModel, ConfigDict
from sqlalchemy import Column, Date, DateTime, Index, MetaData, String, Table, Text, insert, select, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session

from shared.database import utc_now
from shared.errors import NotFound, OutOfTurn

LETTERS: Final = {"proposal": "P", "budget": "B", "deploy": "D", "security": "S"}
"""The first letter of a code tells which division to ask."""
ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base32: no letter that looks like another sign."""
LENGTH: Final = 12
REPLACED: Final = "Digantikan oleh terbitan yang lebih baru."
_MISREAD: Final = str.maketrans("OIL", "011")

register_metadata = MetaData()

registered_paper = Table(
    "registered_paper",
    register_metadata,
    Column("code", String(LENGTH), primary_key=True),
    Column("kind", String(60), nullable=False),
    Column("title", String(400), nullable=False),
    Column("number", String(120), nullable=False),
    Column("on", Date, nullable=False),
    Column("signers", JSONB, nullable=False),
    Column("case_number", String(40), nullable=False),
    Column("series", String(120), nullable=False),
    Column("digest", String(64)),
    Column("withdrawn_at", DateTime(timezone=True)),
    Column("withdrawn_reason", Text),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Index("ix_registered_paper_series", "series"),
    schema="public",
)
"""Papers by code. `digest` is empty until the printed file is sealed; of a `series` only the newest paper counts."""


class Signer(BaseModel):
    """Who signed, as what, and when."""

    model_config = ConfigDict(frozen=True)

    name: str
    as_what: str
    signed_at: AwareDatetime


class GenuinePaper(BaseModel):
    """What anybody may know of a paper whose code they hold: no notes, no amounts."""

    model_config = ConfigDict(frozen=True, from_attributes=True)

    code: str
    """As printed: three groups of four."""
    kind: str
    title: str
    number: str
    on: date
    signers: tuple[Signer, ...]
    digest: str
    """sha256 of the PDF file."""
    withdrawn_at: datetime | None = None
    withdrawn_reason: str | None = None
    """Why the paper no longer counts, although it is genuine."""


def issue(
    session: Session,
    division: str,
    *,
    kind: str,
    title: str,
    number: str,
    on: date,
    signers: Sequence[Signer],
    case_number: str = "",
    series: str = "",
) -> str:
    """Take a new code for a paper about to be printed; return it as printed, e.g. "B7Q2-9XKD-04TM".

    `series` names papers of which only the newest counts, e.g. the versions of one plan; empty: this one stands alone.
    Raises KeyError for a division that prints no papers.
    """
    code = LETTERS[division] + "".join(secrets.choice(ALPHABET) for _ in range(LENGTH - 1))
    session.execute(
        insert(registered_paper).values(
            code=code,
            kind=kind,
            title=title[:400],
            number=number[:120],
            on=on,
            signers=[signer.model_dump(mode="json") for signer in signers],
            case_number=case_number,
            series=series,
            created_at=utc_now(),
        )
    )
    return grouped(code)


def seal(session: Session, code: str, digest: str) -> None:
    """Name the digest of the printed file: from now on the paper is genuine, older ones of its series are withdrawn.

    Raises NotFound for a code that was never taken, OutOfTurn for one that is sealed already.
    """
    row = registered_paper.c
    sealed = session.execute(
        update(registered_paper)
        .where(row.code == normalised(code), row.digest.is_(None))
        .values(digest=digest)
        .returning(row.series)
    ).scalar_one_or_none()
    if sealed is None:
        known = session.scalar(select(row.code).where(row.code == normalised(code)))
        if known is None:
            raise NotFound("Kode dokumen ini tidak ada. Mohon periksa kembali kodenya.")
        raise OutOfTurn("Dokumen dengan kode ini sudah terbit. Terbitkan dokumen baru dengan kode baru.")
    if sealed:
        _withdraw_older(session, normalised(code), sealed)


def _withdraw_older(session: Session, code: str, series: str) -> None:
    row = registered_paper.c
    older = row.series == series, row.code != code, row.digest.is_not(None), row.withdrawn_at.is_(None)
    session.execute(update(registered_paper).where(*older).values(withdrawn_at=utc_now(), withdrawn_reason=REPLACED))


def withdraw(session: Session, code: str, *, reason: str) -> None:
    """Say that a paper no longer counts, and why; the first reason stays. Raises NotFound for an unknown code."""
    row = registered_paper.c
    if session.scalar(select(row.code).where(row.code == normalised(code))) is None:
        raise NotFound("Kode dokumen ini tidak ada. Mohon periksa kembali kodenya.")
    session.execute(
        update(registered_paper)
        .where(row.code == normalised(code), row.withdrawn_at.is_(None))
        .values(withdrawn_at=utc_now(), withdrawn_reason=reason)
    )


def find(session: Session, code: str) -> GenuinePaper | None:
    """Return the genuine paper with this code, withdrawn or not; None for an unknown or unsealed code."""
    row = registered_paper.c
    found = session.execute(
        select(registered_paper).where(row.code == normalised(code), row.digest.is_not(None))
    ).one_or_none()
    if found is None:
        return None
    return GenuinePaper.model_validate({**found._mapping, "code": grouped(found.code)})


def normalised(typed: str) -> str:
    """Return a code as it is kept, from however it was typed; empty when it cannot be a code.

    Case, spaces and dashes do not matter; O is read as 0, I and L as 1 (Crockford).
    """
    # Far more than any code: nobody's novel is looked through.
    bare = "".join(sign for sign in typed[:100] if sign not in " -–—\t\r\n\u00a0.").upper().translate(_MISREAD)
    is_code = len(bare) == LENGTH and bare[0] in LETTERS.values() and all(sign in ALPHABET for sign in bare)
    return bare if is_code else ""


def grouped(code: str) -> str:
    """Return a code as it is printed: three groups of four."""
    return "-".join(code[n : n + 4] for n in range(0, len(code), 4))


def division_of(code: str) -> str:
    """Return the division that keeps this code, empty when no division does."""
    return next((division for division, letter in LETTERS.items() if code[:1] == letter), "")
