"""Outbox, inbox, cursor, attempts and dead letters: how divisions tell each other facts, once and in order.

A fact is written beside the state that made it true, in the same transaction; the relay (`shared/worker.py`)
only carries it. This file is the whole protocol on the database's side and knows no queue and no web.

The rules that keep it safe, each learnt from a fault: a version is given out under a row lock, so a stream has
no holes; a letter travels only when nothing before it in its stream is under way or dead; a letter that was sent
before travels alone; a receiver moves its cursor in the transaction of the effect; nobody answers a hole by
sending early.
"""

import hashlib
import hmac
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, Literal
from uuid import UUID, uuid4

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    delete,
    event,
    func,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as NoConnection
from sqlalchemy.orm import Session, SessionTransaction

from shared import audit
from shared.database import NAMING, Database, utc_now
from shared.errors import Incomplete, NotFound, OutOfTurn, Refused
from shared.identity import Person
from shared.keys import SERVICES, Keys
from shared.log import logger
from shared.messages import Message

ENVELOPE_V: Final = 1
SKIPPED: Final = "Skipped"
"""Kind of the letter that moves a cursor without effect: an operator gave up what stood there."""
BATCH: Final = 50
BATCH_BYTES: Final = 500_000
LETTER_BYTES: Final = 64_000
MOST_FAILED: Final = 5
MOST_EARLY: Final = 40
"""A fact that comes before its turn waits about ten minutes for the others before somebody must look."""
RUN_SECONDS: Final = 0.25
"""A run of letters is committed after this long, so that neighbours and locks do not wait for all fifty."""
KEEP_INBOX: Final = timedelta(days=30)
KEEP_OUTBOX: Final = timedelta(days=90)
KEEP_ANSWERS: Final = timedelta(days=7)

metadata = MetaData(naming_convention=NAMING, schema="msg")

stream = Table(
    "stream",
    metadata,
    Column("dest", String(32), primary_key=True),
    Column("aggregate", String(200), primary_key=True),
    Column("version", BigInteger, nullable=False),
)
"""The last version given out for one receiver and aggregate: its row lock is what makes versions gapless."""

OPEN = "acked_at IS NULL AND dead_at IS NULL"

outbox = Table(
    "outbox",
    metadata,
    Column("seq", BigInteger, Identity(), primary_key=True),
    Column("id", Uuid, nullable=False, unique=True),
    Column("dest", String(32), nullable=False),
    Column("aggregate", String(200), nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("kind", String(80), nullable=False),
    Column("schema_v", Integer, nullable=False),
    Column("body", Text, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("actor", Text, nullable=False),
    Column("trace", String(64), nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("tries", Integer, nullable=False, server_default="0"),
    Column("sent_at", DateTime(timezone=True)),
    Column("due_at", DateTime(timezone=True), nullable=False),
    Column("refused_at", DateTime(timezone=True)),
    Column("refusal", Text),
    Column("acked_at", DateTime(timezone=True)),
    Column("dead_at", DateTime(timezone=True)),
    Column("dead_reason", Text),
    Column("skipped_body", Text),
    UniqueConstraint("dest", "aggregate", "version"),
    Index("ix_outbox_fresh", "seq", postgresql_where=text(f"sent_at IS NULL AND {OPEN}")),
    Index("ix_outbox_due", "due_at", postgresql_where=text(f"sent_at IS NOT NULL AND {OPEN}")),
    Index(
        "ix_outbox_holding",
        "dest",
        "aggregate",
        "version",
        postgresql_where=text("acked_at IS NULL AND (sent_at IS NOT NULL OR dead_at IS NOT NULL)"),
    ),
)
"""`body` and `actor` are the very JSON texts that are signed: later code cannot change them."""

inbox = Table(
    "inbox",
    metadata,
    Column("source", String(32), primary_key=True),
    Column("id", Uuid, primary_key=True),
    Column("aggregate", String(200), nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("kind", String(80), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    Index("ix_inbox_place", "source", "aggregate", "version"),
)

cursor = Table(
    "cursor",
    metadata,
    Column("source", String(32), primary_key=True),
    Column("aggregate", String(200), primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("last_id", Uuid),
    Column("last_digest", String(64)),
)
"""How far this service has come with each stream of each sender; kept for ever."""

attempt = Table(
    "attempt",
    metadata,
    Column("source", String(32), primary_key=True),
    Column("id", Uuid, primary_key=True),
    Column("failed", Integer, nullable=False, server_default="0"),
    Column("early", Integer, nullable=False, server_default="0"),
    Column("reason", Text),
    Column("at", DateTime(timezone=True), nullable=False),
)
"""What did not go well: `failed` counts runs of the handler, `early` facts that came before their turn."""

alarm = Table(
    "alarm",
    metadata,
    Column("kind", String(32), primary_key=True),
    Column("source", String(32), primary_key=True),
    Column("subject", String(200), primary_key=True),
    Column("count", BigInteger, nullable=False),
    Column("detail", Text, nullable=False),
    Column("first_at", DateTime(timezone=True), nullable=False),
    Column("last_at", DateTime(timezone=True), nullable=False),
)
"""What an operator must look at: wrong signatures, forks, unknown kinds."""

idempotency = Table(
    "idempotency",
    metadata,
    Column("actor", String(64), primary_key=True),
    Column("key", String(200), primary_key=True),
    Column("request_digest", String(64), nullable=False),
    Column("status", Integer),
    Column("headers", JSONB),
    Column("body", LargeBinary),
    Column("created_at", DateTime(timezone=True), nullable=False),
)
"""The stored answer to a write that carried an `Idempotency-Key`; used by `shared/web.py`."""

relay = Table(
    "relay",
    metadata,
    Column("service", String(32), primary_key=True),
    Column("epoch", String(64), nullable=False),
)
"""The broker's epoch that the relay saw last: another one means that the broker forgot everything."""


# --- what is carried ------------------------------------------------------------------------------------------


class Actor(BaseModel):
    """Who caused a fact, and where the act stands in the audit chain of the service that tells it."""

    model_config = ConfigDict(frozen=True, populate_by_name=True)

    id: UUID | None = None
    """Empty when Alur acted by itself."""
    name: str = "Alur"
    as_what: str = Field(default="Alur", alias="as")
    audit_seq: int | None = None
    audit_hash: str | None = None


@dataclass(frozen=True, slots=True)
class Letter:
    """One envelope as its receiver reads it, the signature proven."""

    id: UUID
    source: str
    dest: str
    aggregate: str
    version: int
    kind: str
    schema_v: int
    created_at: datetime
    trace: str
    actor: Actor
    body: dict[str, Any]
    digest: str
    sent: int
    """How often the relay has sent it, this time included; not signed, so only a hint."""


class NotAuthentic(Exception):  # noqa: N818 - it names the letter, as Refused names the request
    """An envelope that was not signed by the service that it names, or is none at all."""

    def __init__(self, source: str, detail: str) -> None:
        super().__init__(detail)
        self.source = source


@dataclass(frozen=True)
class Parcel:
    """Envelopes for one receiver that travel in one task, ready for the wire, with their places in the outbox."""

    dest: str
    wires: tuple[dict[str, Any], ...]
    seqs: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one letter; the producer is told."""

    source: str
    id: UUID
    result: Literal["done", "dead", "refused"]
    reason: str = ""


@dataclass(frozen=True)
class Handler:
    """What a service does about one kind of message."""

    message: type[Message]
    call: Callable[[Session, Any, Letter], None]


Handlers = Mapping[str, Handler]


def seal(row: Any, *, source: str, keys: Keys) -> dict[str, Any]:
    """Return an outbox row as it goes over the wire: the canonical text, its signature, the number of sends."""
    told = {
        "v": ENVELOPE_V,
        "id": str(row.id),
        "source": source,
        "dest": row.dest,
        "aggregate": row.aggregate,
        "version": row.version,
        "kind": row.kind,
        "schema_v": row.schema_v,
        "created_at": row.created_at.isoformat(),
        "trace": row.trace,
        "actor": orjson.Fragment(row.actor),
        "body": orjson.Fragment(row.body),
        "digest": row.digest,
    }
    letter = orjson.dumps(told, option=orjson.OPT_SORT_KEYS)
    key = keys.pair(source, row.dest, use="message")
    return {"letter": letter.decode(), "sig": _sign(key, letter), "try": row.tries + 1}


def unseal(wire: Mapping[str, Any], *, dest: str, keys: Keys) -> Letter:
    """Return the letter in a wire form; raise NotAuthentic unless its source signed exactly this for `dest`."""
    source = "?"
    try:
        written = str(wire["letter"]).encode()
        if len(written) > 2 * LETTER_BYTES:
            raise NotAuthentic(source, "too large")
        told = orjson.loads(written)
        if told["source"] in SERVICES:
            source = told["source"]
        if source in ("?", dest) or told["dest"] != dest or told["v"] != ENVELOPE_V:
            raise NotAuthentic(source, "not for this service")
        key = keys.pair(source, dest, use="message")
        if not hmac.compare_digest(_sign(key, written), str(wire["sig"])):
            raise NotAuthentic(source, "wrong signature")
        return Letter(
            id=UUID(told["id"]),
            source=source,
            dest=dest,
            aggregate=told["aggregate"],
            version=told["version"],
            kind=told["kind"],
            schema_v=told["schema_v"],
            created_at=datetime.fromisoformat(told["created_at"]),
            trace=told["trace"],
            actor=Actor.model_validate(told["actor"]),
            body=told["body"],
            digest=told["digest"],
            sent=int(wire.get("try", 1)),
        )
    except (KeyError, TypeError, ValueError, AttributeError, FileNotFoundError, ValidationError) as reason:
        raise NotAuthentic(source, f"not an envelope: {type(reason).__name__}") from None


def _sign(key: bytes, written: bytes) -> str:
    return hmac.digest(key, written, hashlib.sha256).hex()


# --- the producer's side --------------------------------------------------------------------------------------

# The counter's row lock lasts until commit: the next version is given out only when this one is certain, and
# the identity column grows in the same order. Receivers are taken in the order of their names: no deadlock.
_POST = text("""
WITH next AS (
    INSERT INTO msg.stream AS s (dest, aggregate, version)
    SELECT dest, :aggregate, 1 FROM unnest(CAST(:dests AS text[])) AS dest ORDER BY dest
    ON CONFLICT (dest, aggregate) DO UPDATE SET version = s.version + 1
    RETURNING s.dest, s.version
)
INSERT INTO msg.outbox
    (id, dest, aggregate, version, kind, schema_v, body, digest, actor, trace, created_at, due_at)
SELECT given.id, next.dest, :aggregate, next.version, :kind, :schema_v, :body, :digest, :actor, :trace,
    clock_timestamp(), clock_timestamp()
FROM next JOIN unnest(CAST(:dests AS text[]), CAST(:ids AS uuid[])) AS given(dest, id) USING (dest)
""")


def post(
    session: Session, message: Message, by: Person | None = None, actor: Actor | dict[str, Any] | None = None
) -> tuple[UUID, ...]:
    """Write a message into the outbox, once for each receiver, in the session's transaction; return the ids.

    It leaves with the commit and not before. `by` is who acted (nobody: Alur itself); `actor` passes on another's
    letter. When the act was audited in this transaction, the letter points to that line. A message that is too
    large or holds a NUL character is a bug of the caller: ValueError.
    """
    kind = type(message).__name__
    body = message.model_dump_json()
    if len(body.encode()) > LETTER_BYTES - 4_000 or "\\u0000" in body:
        raise ValueError(f"{kind} does not fit into a letter")
    if not message.to:
        raise ValueError(f"{kind} is addressed to nobody")
    who = actor if isinstance(actor, Actor) else Actor.model_validate(actor) if actor else _actor(session, by)
    dests = sorted(message.to)
    ids = [uuid4() for _ in dests]
    session.execute(
        _POST,
        {
            "aggregate": message.aggregate,
            "dests": dests,
            "ids": ids,
            "kind": kind,
            "schema_v": message.schema_v,
            "body": body,
            "digest": _digest(kind, message.schema_v, body),
            "actor": who.model_dump_json(by_alias=True),
            "trace": session.info.get("trace") or uuid4().hex,
        },
    )
    return tuple(ids)


def _actor(session: Session, by: Person | None) -> Actor:
    link: audit.Link | None = session.info.get("audit")
    seq, digest = (link.seq, link.hash) if link else (None, None)
    if by is None:
        return Actor(audit_seq=seq, audit_hash=digest)
    return Actor(id=by.id, name=by.name, as_what=by.as_what, audit_seq=seq, audit_hash=digest)


def _digest(kind: str, schema_v: int, body: str) -> str:
    return hashlib.sha256(f"{kind}\n{schema_v}\n{body}".encode()).hexdigest()


@event.listens_for(Session, "after_transaction_end")
def _forget_the_audit_line(session: Session, transaction: SessionTransaction) -> None:
    # A later act in the same session must not point to this act's line.
    if transaction.parent is None:
        session.info.pop("audit", None)


_HEAD_OF_LINE = """
    AND NOT EXISTS (
        SELECT 1 FROM msg.outbox e
        WHERE e.dest = o.dest AND e.aggregate = o.aggregate AND e.version < o.version
        AND e.acked_at IS NULL AND (e.sent_at IS NOT NULL OR e.dead_at IS NOT NULL)
    )
"""
_COLUMNS = "o.seq, o.id, o.dest, o.aggregate, o.version, o.kind, o.schema_v, o.body, o.digest, o.actor, o.trace"
_FRESH = text(f"""
SELECT {_COLUMNS}, o.created_at, o.tries FROM msg.outbox o
WHERE o.sent_at IS NULL AND o.acked_at IS NULL AND o.dead_at IS NULL AND o.dest = ANY(:dests) {_HEAD_OF_LINE}
ORDER BY o.seq LIMIT :limit
""")  # noqa: S608 - put together from constants
# A due time far ahead comes from a clock that was set back since: it counts as due.
_DUE = text(f"""
SELECT {_COLUMNS}, o.created_at, o.tries FROM msg.outbox o
WHERE o.sent_at IS NOT NULL AND o.acked_at IS NULL AND o.dead_at IS NULL AND o.dest = ANY(:dests)
AND (o.due_at <= clock_timestamp() OR o.due_at > clock_timestamp() + interval '1 minute') {_HEAD_OF_LINE}
ORDER BY o.due_at, o.seq LIMIT :limit
""")  # noqa: S608 - put together from constants
_SENT = text("""
UPDATE msg.outbox SET sent_at = clock_timestamp(), refused_at = NULL, tries = tries + 1,
    due_at = clock_timestamp() + (ARRAY[3, 6, 12, 15])[least(tries + 1, 4)] * interval '1 second'
WHERE seq = ANY(CAST(:seqs AS bigint[]))
""")


def take(session: Session, *, source: str, keys: Keys, room: Mapping[str, int]) -> list[Parcel]:
    """Return the parcels that may travel now; `room` says how many each receiver may be given.

    What was sent before goes first, each alone; then fresh letters, at most 50 together, each stream whole in one
    parcel. Nothing is marked: `mark_sent` after publishing, in the same transaction.
    """
    left = {dest: places for dest, places in room.items() if places > 0}
    if not left:
        return []
    parcels: list[Parcel] = []
    again = session.execute(_DUE, {"dests": list(left), "limit": sum(left.values())}).all()
    for row in again:
        if left[row.dest] > 0:
            left[row.dest] -= 1
            parcels.append(Parcel(row.dest, (seal(row, source=source, keys=keys),), (row.seq,)))
    wanted = [dest for dest, places in left.items() if places > 0]
    if wanted:
        limit = BATCH * sum(left[dest] for dest in wanted)
        fresh = session.execute(_FRESH, {"dests": wanted, "limit": limit}).all()
        parcels += _pack(fresh, left, source=source, keys=keys)
    return parcels


def _pack(rows: Sequence[Any], left: dict[str, int], *, source: str, keys: Keys) -> Iterator[Parcel]:
    """Yield parcels in which no stream is split: what does not fit waits for the acknowledgement."""
    parcels: dict[str, list[_Open]] = {}
    places: dict[tuple[str, str], _Open] = {}
    for row in rows:
        mine = parcels.setdefault(row.dest, [])
        box = places.get((row.dest, row.aggregate)) or (mine[-1] if mine and mine[-1].fits(row) else None)
        if box is None and len(mine) < left[row.dest]:
            box = _Open()
            mine.append(box)
        if box is None or not box.fits(row) or box.closed_to(row):
            # Later letters of this stream must stay too, or there would be a hole.
            places[row.dest, row.aggregate] = _FULL
            continue
        places[row.dest, row.aggregate] = box
        box.rows.append(row)
        box.size += len(row.body)
    for dest, boxes in parcels.items():
        for box in boxes:
            wires = tuple(seal(row, source=source, keys=keys) for row in box.rows)
            yield Parcel(dest, wires, tuple(row.seq for row in box.rows))


@dataclass
class _Open:
    """A parcel that is being filled."""

    rows: list[Any] = field(default_factory=list)
    size: int = 0
    most: int = BATCH

    def fits(self, row: Any) -> bool:
        return len(self.rows) < self.most and (not self.rows or self.size + len(row.body) <= BATCH_BYTES)

    def closed_to(self, row: Any) -> bool:
        return self.most == 0


_FULL = _Open(most=0)


def mark_sent(session: Session, parcels: Iterable[Parcel]) -> None:
    """Note that parcels were published: due again after 3, 6, 12 and then every 15 seconds."""
    session.execute(_SENT, {"seqs": [seq for parcel in parcels for seq in parcel.seqs]})


def due_now(session: Session) -> int:
    """Let everything that was sent and not acknowledged be due at once: the broker forgot; return how many."""
    done = session.execute(
        text(
            "UPDATE msg.outbox SET due_at = clock_timestamp()"
            " WHERE sent_at IS NOT NULL AND acked_at IS NULL AND dead_at IS NULL"
        )
    )
    return int(done.rowcount)  # type: ignore[attr-defined]


def broker_epoch(session: Session, service: str) -> str | None:
    """Return the broker's epoch that this service's relay saw last."""
    return session.execute(select(relay.c.epoch).where(relay.c.service == service)).scalar_one_or_none()


def note_epoch(session: Session, service: str, epoch: str) -> None:
    """Remember the broker's epoch."""
    new = insert(relay).values(service=service, epoch=epoch)
    session.execute(new.on_conflict_do_update(index_elements=["service"], set_={"epoch": epoch}))


def seal_acks(outcomes: Iterable[Outcome], *, consumer: str, source: str, keys: Keys) -> dict[str, Any]:
    """Return signed acknowledgements of one consumer for one producer, as they go over the wire."""
    acks = [[str(one.id), one.result, one.reason] for one in outcomes if one.source == source]
    written = orjson.dumps({"v": ENVELOPE_V, "consumer": consumer, "producer": source, "acks": acks})
    return {"acks": written.decode(), "sig": _sign(keys.pair(consumer, source, use="ack"), written)}


_ACK = text("""
UPDATE msg.outbox AS o SET
    acked_at = CASE WHEN a.result = 'done' THEN clock_timestamp() ELSE o.acked_at END,
    dead_at = CASE WHEN a.result = 'dead' THEN clock_timestamp() END,
    dead_reason = CASE WHEN a.result = 'dead' THEN a.reason END,
    refused_at = CASE WHEN a.result = 'refused' THEN clock_timestamp() ELSE o.refused_at END,
    refusal = CASE WHEN a.result = 'refused' THEN a.reason ELSE o.refusal END
FROM unnest(CAST(:ids AS uuid[]), CAST(:results AS text[]), CAST(:reasons AS text[])) AS a(id, result, reason)
WHERE o.id = a.id AND o.dest = :consumer AND o.acked_at IS NULL AND (o.dead_at IS NULL OR a.result = 'done')
""")


def acknowledge(session: Session, wire: Mapping[str, Any], *, producer: str, keys: Keys) -> None:
    """Take in what a consumer did with our letters: done and dead ones are not sent again.

    Acknowledgements that the consumer did not sign are counted and dropped.
    """
    try:
        told = orjson.loads(wire["acks"])
        consumer = told["consumer"]
        if consumer not in SERVICES or told["producer"] != producer:
            raise ValueError("not for this service")
        key = keys.pair(consumer, producer, use="ack")
        if not hmac.compare_digest(_sign(key, wire["acks"].encode()), str(wire["sig"])):
            raise ValueError("wrong signature")
        acks = [(UUID(id_), result, reason) for id_, result, reason in told["acks"]]
    except (KeyError, TypeError, ValueError, AttributeError, FileNotFoundError) as reason:
        sound_alarm(session, "signature", "ack", producer, f"acknowledgement dropped: {reason}")
        return
    ids, results, reasons = [list(column) for column in zip(*acks, strict=True)] or [[], [], []]
    session.execute(_ACK, {"consumer": consumer, "ids": ids, "results": results, "reasons": reasons})
    for id_, result, reason_told in acks:
        if result == "dead":
            logger().error("message_dead", message=str(id_), consumer=consumer, reason=reason_told)
    # What waited behind these may go now; the rules, not this nudge, decide.
    session.execute(text("SELECT pg_notify('msg_outbox', '')"))
