"""The hash chain of who did what as whom: insert-only, one chain for each service."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import (
    BigInteger,
    Column,
    Computed,
    DateTime,
    Index,
    MetaData,
    String,
    Table,
    Text,
    select,
    text,
    tuple_,
)
from sqlalchemy.orm import Session

from shared.database import NAMING, utc_now
from shared.identity import Person

audit_metadata = MetaData(naming_convention=NAMING, schema="audit")

WHO = """substring(line, '"person":"([0-9a-f-]{36})","seq":'::text)"""
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
    # Worked out by the database from the line itself: older code need not write it, and it cannot say otherwise.
    Column("person", String(36), Computed(WHO, persisted=True)),
    Index("ix_entry_at_seq", "at", "seq"),
    Index("ix_entry_act_at_seq", "act", "at", "seq"),
    Index("ix_entry_person_at_seq", "person", "at", "seq"),
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
    at = utc_now()
    name = _name(thing)
    told = {
        "at": at.isoformat(),
        "act": act,
        "person": str(by.id) if by else None,
        "name": by.name if by else "Alur",
        "as": by.as_what if by else "Alur",
        "facts": facts,
    }
    # The keys of a line stand in the order of the alphabet; only the database knows the number of this one.
    before = orjson.dumps(told, default=str, option=orjson.OPT_SORT_KEYS).decode().removesuffix("}")
    row = session.execute(
        _APPEND,
        {
            "lock": LOCK,
            "at": at,
            "act": act,
            "thing": name,
            "before": f'{before},"seq":',
            "after": f',"thing":{orjson.dumps(name).decode()}}}',
        },
    ).one()
    link = Link(row.seq, row.hash)
    session.info["audit"] = link
    return link


def has_line(session: Session, by: Person, act: str, thing: Any, *, since: datetime) -> bool:
    """Tell whether this person has a line of this act on this thing from that moment on."""
    asked = select(entry.c.seq).where(
        entry.c.thing == _name(thing), entry.c.act == act, entry.c.person == str(by.id), entry.c.at >= since
    )
    return session.execute(asked.limit(1)).first() is not None


def _name(thing: Any) -> str:
    return thing if isinstance(thing, str) else f"{type(thing).__name__}:{getattr(thing, 'id', '-')}"


# It does not begin with SELECT, by which a session that only reads would take it for a question.
_APPEND = text("/* writes */ SELECT seq, hash FROM audit.append(:lock, :at, :act, :thing, :before, :after)")


def _hash(previous: str, line: str) -> str:
    return hashlib.sha256(f"{previous}\n{line}".encode()).hexdigest()


@dataclass(frozen=True)
class Broken:
    """A place where the chain does not hold."""

    seq: int
    reason: str


SLICE = 5_000
"""Lines that are read at once while a chain is walked."""


@dataclass
class Walk:
    """The walk along one chain, slice by slice: where it is, and every break so far.

    `anchors` are heads (seq -> hash) noted outside the table earlier; each must still stand.
    """

    anchors: dict[int, str] = field(default_factory=dict)
    seq: int = 0
    hash: str = ORIGIN
    broken: list[Broken] = field(default_factory=list)

    def take(self, rows: Iterable[Any]) -> None:
        """Go on along lines, which follow those taken before in the order of their numbers."""
        for row in rows:
            if row.seq != self.seq + 1:
                self.broken.append(Broken(row.seq, f"baris {self.seq + 1} hilang"))
            if row.previous != self.hash:
                self.broken.append(Broken(row.seq, "tidak menyambung ke baris sebelumnya"))
            if row.hash != _hash(row.previous, row.line):
                self.broken.append(Broken(row.seq, "isi baris tidak cocok dengan sidiknya"))
            if not _agrees(row):
                self.broken.append(Broken(row.seq, "kolom baris tidak cocok dengan isinya"))
            anchor = self.anchors.pop(row.seq, None)
            if anchor not in (None, row.hash):
                self.broken.append(Broken(row.seq, "berbeda dari kepala rantai yang dicatat di luar"))
            self.seq, self.hash = row.seq, row.hash

    def end(self) -> list[Broken]:
        """Return every break, now that no line is left: what was noted outside and is no more counts too."""
        lost = [Broken(seq, "baris yang dicatat di luar sudah tidak ada") for seq in sorted(self.anchors)]
        self.anchors = {}
        self.broken += lost
        return self.broken


def verify(session: Session, *, anchors: dict[int, str] | None = None) -> tuple[int, list[Broken]]:
    """Walk the whole chain; return the number of its last line and every break (see `Walk`)."""
    walk = Walk(dict(anchors or {}))
    while rows := lines_after(session, walk.seq):
        walk.take(rows)
    return walk.seq, walk.end()


def lines_after(session: Session, seq: int) -> Sequence[Any]:
    """Return the next lines of the chain after line `seq`, in order."""
    return session.execute(select(entry).where(entry.c.seq > seq).order_by(entry.c.seq).limit(SLICE)).all()


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


@dataclass(frozen=True)
class Wanted:
    """Which lines of a chain are looked for; what is empty does not narrow."""

    act: str = ""
    thing: str = ""
    """The thing's name, or the beginning of it."""
    people: Sequence[str] = ()
    """Ids of persons; the empty text stands for Alur itself."""
    seqs: Sequence[int] = ()
    since: datetime | None = None
    until: datetime | None = None
    """The first moment that no longer counts."""
    before: tuple[datetime, int] | None = None
    """Time and number: only what stands before this place."""


def newest(session: Session, wanted: Wanted, *, limit: int) -> Sequence[Any]:
    """Return lines of this chain, newest first, at most `limit`."""
    asked = select(entry)
    if wanted.act:
        asked = asked.where(entry.c.act == wanted.act)
    if wanted.thing:
        asked = asked.where(entry.c.thing.startswith(wanted.thing, autoescape=True))
    if wanted.people:
        found = entry.c.person.in_([one for one in wanted.people if one])
        asked = asked.where(found if "" not in wanted.people else found | entry.c.person.is_(None))
    if wanted.seqs:
        asked = asked.where(entry.c.seq.in_(wanted.seqs))
    if wanted.since:
        asked = asked.where(entry.c.at >= wanted.since)
    if wanted.until:
        asked = asked.where(entry.c.at < wanted.until)
    if wanted.before:
        asked = asked.where(tuple_(entry.c.at, entry.c.seq) < wanted.before)
    return session.execute(asked.order_by(entry.c.at.desc(), entry.c.seq.desc()).limit(limit)).all()


def read_anchors(path: Path) -> dict[int, str]:
    """Return the heads of a chain that were noted outside the database: seq -> hash."""
    if not path.exists():
        return {}
    rows = [orjson.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    return {row["seq"]: row["hash"] for row in rows}


def note_anchor(path: Path, link: Link, *, at: datetime) -> None:
    """Note the head of a chain outside the database, once for each head."""
    if read_anchors(path).get(link.seq) == link.hash:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as file:
        file.write(orjson.dumps({"seq": link.seq, "hash": link.hash, "at": at.isoformat()}) + b"\n")
