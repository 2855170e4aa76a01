"""The hash chain of who did what as whom: insert-only, one chain for each service."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import BigInteger, Column, DateTime, MetaData, String, Table, Text, select, text
from sqlalchemy.orm import Session

from shared.database import NAMING, utc_now
from shared.identity import Person

audit_metadata = MetaData(naming_convention=NAMING, schema="audit")

entry = Table(
    "entry",
    audit_metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("act", String(80), nullable=False),
    Column("thing", String(200), nullable=False, index=True),
    Column("line", Text, nullable=False),
    Column("previous", String(64), nullable=False),
    Column("hash", String(64), nullable=False, unique=True),
)
"""`line` is the canonical JSON text that the hash covers; the other columns only help to find it."""

ORIGIN = "0" * 64
LOCK = 0x41554449


@dataclass(frozen=True)
class Link:
    """Where one line stands in its service's chain."""

    seq: int
    hash: str


def record(session: Session, by: Person | None, act: str, thing: Any, **facts: Any) -> Link:
    """Append one line to the chain in the session's transaction and return its place.

    Writers wait for each other until commit (an advisory lock): two lines never share a predecessor.
    """
    session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
    last = session.execute(select(entry.c.seq, entry.c.hash).order_by(entry.c.seq.desc()).limit(1)).first()
    seq, previous = (last.seq + 1, last.hash) if last else (1, ORIGIN)
    at = utc_now()
    name = thing if isinstance(thing, str) else f"{type(thing).__name__}:{getattr(thing, 'id', '-')}"
    line = orjson.dumps(
        {
            "seq": seq,
            "at": at.isoformat(),
            "act": act,
            "thing": name,
            "person": str(by.id) if by else None,
            "name": by.name if by else "Alur",
            "as": by.as_what if by else "Alur",
            "facts": facts,
        },
        default=str,
        option=orjson.OPT_SORT_KEYS,
    ).decode()
    digest = _hash(previous, line)
    session.execute(
        entry.insert().values(seq=seq, at=at, act=act, thing=name, line=line, previous=previous, hash=digest)
    )
    link = Link(seq, digest)
    session.info["audit"] = link
    return link


def _hash(previous: str, line: str) -> str:
    return hashlib.sha256(f"{previous}\n{line}".encode()).hexdigest()


@dataclass(frozen=True)
class Broken:
    """A place where the chain does not hold."""

    seq: int
    reason: str


def verify(session: Session, *, anchors: dict[int, str] | None = None) -> tuple[int, list[Broken]]:
    """Walk the whole chain; return the number of lines and every break.

    `anchors` are heads (seq -> hash) noted outside the database earlier; each must still stand.
    """
    broken: list[Broken] = []
    previous, expected = ORIGIN, 1
    wanted = dict(anchors or {})
    for row in _rows(session):
        if row.seq != expected:
            broken.append(Broken(row.seq, f"baris {expected} hilang"))
            expected = row.seq
        if row.previous != previous:
            broken.append(Broken(row.seq, "tidak menyambung ke baris sebelumnya"))
        if row.hash != _hash(row.previous, row.line):
            broken.append(Broken(row.seq, "isi baris tidak cocok dengan sidiknya"))
        if not _agrees(row):
            broken.append(Broken(row.seq, "kolom baris tidak cocok dengan isinya"))
        anchor = wanted.pop(row.seq, None)
        if anchor not in (None, row.hash):
            broken.append(Broken(row.seq, "berbeda dari kepala rantai yang dicatat di luar"))
        previous, expected = row.hash, expected + 1
    broken += [Broken(seq, "baris yang dicatat di luar sudah tidak ada") for seq in sorted(wanted)]
    return expected - 1, broken


def _agrees(row: Any) -> bool:
    """Tell whether the columns beside the line say the same as the line, however it was damaged."""
    try:
        told = orjson.loads(row.line)
        same_time = datetime.fromisoformat(told["at"]) == row.at
        return bool(same_time and told["seq"] == row.seq and told["act"] == row.act and told["thing"] == row.thing)
    except (ValueError, KeyError, TypeError):
        return False


def head(session: Session) -> Link | None:
    """Return the last line's place, or None for an empty chain."""
    last = session.execute(select(entry.c.seq, entry.c.hash).order_by(entry.c.seq.desc()).limit(1)).first()
    return Link(last.seq, last.hash) if last else None


def holds(session: Session, seq: int, digest: str) -> bool:
    """Tell whether line `seq` of this chain has that hash (a trace entry points here)."""
    found = session.execute(select(entry.c.hash).where(entry.c.seq == seq)).scalar_one_or_none()
    return found == digest


def _rows(session: Session) -> Iterator[Any]:
    yield from session.execute(select(entry).order_by(entry.c.seq).execution_options(yield_per=1000))
