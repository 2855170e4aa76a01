"""Numbers of letters: their patterns as data with a start date, and a counter that the database keeps."""

import re
from collections.abc import Sequence
from datetime import date
from string import Formatter
from typing import Final

from pydantic import BaseModel, ConfigDict, field_validator
from sqlalchemy import BigInteger, CheckConstraint, Column, Integer, MetaData, Table, Text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from shared.errors import Incomplete
from shared.sentence import Sentence

letters_metadata = MetaData()

letter_counter = Table(
    "letter_counter",
    letters_metadata,
    Column("kind", Text, primary_key=True),
    Column("office", Text, primary_key=True, server_default=""),
    Column("year", Integer, primary_key=True),
    Column("last", BigInteger, CheckConstraint("last >= 1", name="letter_counter_last_positive"), nullable=False),
    schema="public",
)
"""The last number given in each series; a row is only ever raised, so no number comes twice in a year."""

NATURES: Final = {"biasa": "B", "segera": "B", "rahasia": "R", "sangat rahasia": "SR"}
"""Letters carry their secrecy before the number (KMA 9/2016); haste is written in the letter, not in it."""

_ROMAN_MONTHS: Final = ("I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII")
_WIDTH: Final = re.compile(r"(?:0[1-9]d)?")
_FIELDS: Final = frozenset({"nature", "n", "office", "classification", "month", "roman_month", "year"})


class NumberPattern(BaseModel):
    """How numbers of one kind of letter are written from a date on."""

    model_config = ConfigDict(frozen=True)

    kind: str
    template: str
    """Fields: nature, n, office, classification, month, roman_month (I-XII), year."""
    valid_from: date

    @field_validator("template")
    @classmethod
    def _only_known_fields(cls, template: str) -> str:
        # A template is typed by an administrator; "{n.__class__}" and the like must not reach str.format.
        parts = [part for part in Formatter().parse(template) if part[1] is not None]
        fields = {part[1] for part in parts}
        plain = all(not part[3] and _WIDTH.fullmatch(part[2] or "") for part in parts)
        if not plain or not fields <= _FIELDS or not {"n", "year"} <= fields:
            raise ValueError("pola nomor hanya memakai isian yang dikenal dan harus memuat {n} dan {year}")
        return template


PATTERNS: Final = (
    # KMA 9/2016; other campuses write the month in Roman figures: {roman_month}.
    NumberPattern(
        kind="letter",
        template="{nature}-{n:04d}/{office}/{classification}/{month:02d}/{year}",
        valid_from=date(2016, 1, 1),
    ),
    NumberPattern(
        kind="memo",
        template="{n:03d}/{office}/{classification}/{month:02d}/{year}",
        valid_from=date(2016, 1, 1),
    ),
    NumberPattern(kind="record", template="{n:03d}/{office}/{month:02d}/{year}", valid_from=date(2016, 1, 1)),
    NumberPattern(kind="minutes", template="{n:02d}/{office}/{month:02d}/{year}", valid_from=date(2016, 1, 1)),
)
"""The patterns of the Ministry of Religious Affairs."""


def number(
    kind: str,
    n: int,
    on: date,
    *,
    office: str,
    classification: str = "",
    nature: str = "biasa",
    patterns: Sequence[NumberPattern] = PATTERNS,
) -> str:
    """Write the number of a letter of this kind on this day: "B-0412/Un.99/B.II/TI.01/08/2025" (domain §6).

    Refuses with `Incomplete` a kind without a pattern on that day, an unknown nature, and a missing office or
    classification where the pattern asks for one.
    """
    valid = [pattern for pattern in patterns if pattern.kind == kind and pattern.valid_from <= on]
    if not valid:
        raise Incomplete(
            Sentence(
                "Belum ada pola nomor surat untuk jenis “{kind}” pada tanggal itu. Mohon hubungi admin.",
                kind=kind,
            )
        )
    template = max(valid, key=lambda pattern: pattern.valid_from).template
    if nature.lower() not in NATURES:
        raise Incomplete(
            Sentence(
                "Sifat surat “{nature}” tidak dikenal. Silakan pilih: {natures}.",
                nature=nature,
                natures=", ".join(NATURES),
            )
        )
    values = {
        "nature": NATURES[nature.lower()],
        "n": n,
        "office": office,
        "classification": classification,
        "month": on.month,
        "roman_month": _ROMAN_MONTHS[on.month - 1],
        "year": on.year,
    }
    missing = [name for name in ("office", "classification") if f"{{{name}}}" in template and not values[name]]
    if missing:
        words = {"office": "kode unit", "classification": "kode klasifikasi"}
        raise Incomplete(Sentence("Nomor surat memerlukan {name}.", name=" dan ".join(words[name] for name in missing)))
    return template.format_map(values)


def next_number(session: Session, kind: str, year: int, *, office: str = "") -> int:
    """Take the next number of this series, from 1 in each calendar year; never the same number twice.

    The number is taken with the caller's transaction: two who ask at once wait for each other, and a number
    whose letter is rolled back was never given. Series are counted in the caller's own database, so divisions
    that number the same kind must use offices that differ.
    """
    first = insert(letter_counter).values(kind=kind, office=office, year=year, last=1)
    taken = first.on_conflict_do_update(
        index_elements=["kind", "office", "year"], set_={"last": letter_counter.c.last + 1}
    ).returning(letter_counter.c.last)
    return int(session.execute(taken).scalar_one())
