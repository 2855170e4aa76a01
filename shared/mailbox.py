"""Outbox, inbox, cursor, attempts and dead letters: how divisions tell each other facts, once and in order.

A fact is written beside the state that made it true, in the same transaction; the relay (`shared/worker.py`)
only carries it. This file is the whole protocol on the database's side and knows no queue and no web.

The rules that keep it safe, each learnt from a fault: a version is given out under a row lock, so a stream
has no holes; a letter travels only when nothing before it in its stream is under way or dead; a letter that
was sent before travels alone; a receiver moves its cursor in the transaction of the effect; nobody answers a
hole by sending early.
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
RELAY_LOCK: Final = 0x52454C59
"""The advisory lock that an active relay holds (`shared/worker.py`)."""
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
    Index("ix_outbox_fresh", "dest", "seq", postgresql_where=text(f"sent_at IS NULL AND {OPEN}")),
    Index("ix_outbox_due", "dest", "due_at", postgresql_where=text(f"sent_at IS NOT NULL AND {OPEN}")),
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


# --- what is carried --------------------------------------------------------------------------------------


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
    """Envelopes for one receiver that travel in one task, with their places in the outbox."""

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
    """Return an outbox row as it goes over the wire: canonical text, signature, number of sends."""
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
    """Return the letter in a wire form; raise NotAuthentic unless its source signed it for `dest`."""
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


# --- the producer's side ----------------------------------------------------------------------------------

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

    It leaves with the commit and not before. `by` is who acted (nobody: Alur itself); `actor` passes on
    that of another letter. When the act was audited in this transaction, the letter points to that line. A
    message that is too large or holds a NUL character is a bug of the caller: ValueError.
    """
    kind = type(message).__name__
    body = message.model_dump_json()
    if len(body.encode()) > LETTER_BYTES - 4_000 or "\\u0000" in body:
        raise ValueError(f"{kind} does not fit into a letter")
    if not message.to:
        raise ValueError(f"{kind} is addressed to nobody")
    who = _passed_on(session, actor) if actor else _actor(session, by)
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


def _passed_on(session: Session, actor: Actor | dict[str, Any]) -> Actor:
    # The line that it pointed to stands in another service's chain; ours is the one written in this transaction.
    told = actor if isinstance(actor, Actor) else Actor.model_validate(actor)
    link: audit.Link | None = session.info.get("audit")
    return told.model_copy(update={"audit_seq": link.seq if link else None, "audit_hash": link.hash if link else None})


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
_COLUMNS = """o.seq, o.id, o.dest, o.aggregate, o.version, o.kind, o.schema_v, o.body, o.digest, o.actor,
    o.trace, o.created_at, o.tries"""
# Each receiver has its own share: one with a long backlog must not keep the others waiting.
_FRESH = text(f"""
SELECT letter.* FROM unnest(CAST(:dests AS text[]), CAST(:shares AS int[])) AS room(dest, share)
CROSS JOIN LATERAL (
    SELECT {_COLUMNS} FROM msg.outbox o
    WHERE o.dest = room.dest AND o.sent_at IS NULL AND o.acked_at IS NULL AND o.dead_at IS NULL
    {_HEAD_OF_LINE}
    ORDER BY o.seq LIMIT room.share
) AS letter ORDER BY letter.seq
""")  # noqa: S608 - put together from constants
# A due time far ahead comes from a clock that was set back since: it counts as due.
_DUE = text(f"""
SELECT letter.* FROM unnest(CAST(:dests AS text[]), CAST(:shares AS int[])) AS room(dest, share)
CROSS JOIN LATERAL (
    SELECT {_COLUMNS} FROM msg.outbox o
    WHERE o.dest = room.dest AND o.sent_at IS NOT NULL AND o.acked_at IS NULL AND o.dead_at IS NULL
    AND (o.due_at <= clock_timestamp() OR o.due_at > clock_timestamp() + interval '1 minute') {_HEAD_OF_LINE}
    ORDER BY o.due_at, o.seq LIMIT room.share
) AS letter
""")  # noqa: S608 - put together from constants
_SENT = text("""
UPDATE msg.outbox SET sent_at = clock_timestamp(), refused_at = NULL, tries = tries + 1,
    due_at = clock_timestamp() + (ARRAY[3, 6, 12, 15])[least(tries + 1, 4)] * interval '1 second'
WHERE seq = ANY(CAST(:seqs AS bigint[]))
""")


def take(session: Session, *, source: str, keys: Keys, room: Mapping[str, int]) -> list[Parcel]:
    """Return the parcels that may travel now; `room` says how many each receiver may be given.

    What was sent before goes first, each alone; then fresh letters, at most 50 together, no stream in two
    parcels. Nothing is marked: call `mark_sent` after publishing, in the same transaction.
    """
    left = {dest: places for dest, places in room.items() if places > 0}
    if not left:
        return []
    parcels: list[Parcel] = []
    for row in session.execute(_DUE, {"dests": list(left), "shares": list(left.values())}):
        left[row.dest] -= 1
        parcels.append(Parcel(row.dest, (seal(row, source=source, keys=keys),), (row.seq,)))
    shares = {dest: BATCH * places for dest, places in left.items() if places > 0}
    if shares:
        fresh = session.execute(_FRESH, {"dests": list(shares), "shares": list(shares.values())}).all()
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
        if box is None or not box.fits(row):
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


_FULL = _Open(most=0)


def mark_sent(session: Session, parcels: Iterable[Parcel]) -> None:
    """Note that parcels were published: due again after 3, 6, 12 and then every 15 seconds."""
    session.execute(_SENT, {"seqs": [seq for parcel in parcels for seq in parcel.seqs]})


def due_now(session: Session) -> int:
    """Let everything sent and not acknowledged be due at once (the broker forgot); return how many."""
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


# --- the consumer's side ----------------------------------------------------------------------------------


def receive(
    database: Database,
    wires: Sequence[Mapping[str, Any]],
    *,
    service: str,
    keys: Keys,
    handlers: Handlers,
    interrupts: tuple[type[Exception], ...] = (),
) -> list[Outcome]:
    """Let each letter take effect once and in order, and return what became of each that is authentic.

    A letter without an outcome (forged, or the database went away) is not acknowledged: an authentic one
    comes again. `interrupts` are exceptions by which the worker ends a handler that takes too long: they
    count as a failed attempt, and the rest of the parcel comes again.
    """
    letters: list[Letter] = []
    for wire in wires:
        try:
            letters.append(unseal(wire, dest=service, keys=keys))
        except NotAuthentic as reason:
            logger().error("letter_forged", service=service, source=reason.source, reason=str(reason))
            with database.transaction() as session:
                sound_alarm(session, "signature", reason.source, service, str(reason))
    receiver = _Receiver(database, service, handlers, interrupts)
    return receiver.receive(letters)


@dataclass
class _Place:
    """Where a stream stands, locked by the running transaction."""

    version: int
    last_id: UUID | None
    last_digest: str | None
    moved: bool = False


@dataclass
class _Receiver:
    """One call of `receive`: the letters' way through the transactions."""

    database: Database
    service: str
    handlers: Handlers
    interrupts: tuple[type[Exception], ...]
    outcomes: list[Outcome] = field(default_factory=list)
    interrupted: bool = False

    def receive(self, letters: Sequence[Letter]) -> list[Outcome]:
        """Take first-time letters together and repeated ones alone."""
        try:
            fresh = [letter for letter in letters if letter.sent <= 1]
            # One order of locks for all workers; letters of one stream stay in theirs.
            fresh.sort(key=lambda letter: (letter.source, letter.aggregate, letter.version))
            while fresh and not self.interrupted:
                fresh = fresh[self._run(fresh, counted=False) :]
            for letter in letters:
                if letter.sent > 1 and not self.interrupted and self._count(letter):
                    self._run([letter], counted=True)
        except (DBAPIError, NoConnection) as reason:
            # The transaction is undone whole and its letters have no outcome: the producer sends them again.
            logger().warning("letters_undone", service=self.service, reason=_reason(reason))
        return self.outcomes

    def _count(self, letter: Letter) -> bool:
        """Commit one more attempt before the handler runs, for it may kill us; tell whether to run it."""
        with self.database.transaction() as session:
            known = _known(session, [letter])
            place = session.execute(
                select(cursor.c.version).where(cursor.c.source == letter.source, cursor.c.aggregate == letter.aggregate)
            ).scalar_one_or_none()
            if (letter.source, letter.id) in known or letter.version != (place or 0) + 1:
                return True  # no handler will run: nothing to count
            if self._stranger(letter):
                return True
            row = insert(attempt).values(source=letter.source, id=letter.id, failed=1, early=0, at=utc_now())
            failed = session.execute(
                row.on_conflict_do_update(
                    index_elements=["source", "id"],
                    set_={"failed": attempt.c.failed + 1, "at": row.excluded.at},
                ).returning(attempt.c.failed, attempt.c.reason)
            ).one()
            if failed.failed <= MOST_FAILED:
                return True
            self.outcomes.append(_outcome(letter, "dead", failed.reason or "the worker was killed each time"))
        return False

    def _run(self, letters: Sequence[Letter], *, counted: bool) -> int:
        """Handle letters in one transaction and return how many have an outcome; a long run is cut short."""
        outcomes: list[Outcome] = []
        taken: list[Letter] = []
        begun = time.monotonic()
        with self.database.transaction() as session:
            places = _lock_places(session, letters)
            known = _known(session, letters)
            if not counted:
                _start_counting_anew(session, letters)
            for letter in letters:
                place = places[letter.source, letter.aggregate]
                outcome = self._without_handler(session, letter, place, known)
                if outcome is None:
                    outcome = self._handle(session, letter, counted=counted)
                    if outcome.result == "done":
                        place.version, place.last_id, place.last_digest = (
                            letter.version,
                            letter.id,
                            letter.digest,
                        )
                        place.moved = True
                        known.add((letter.source, letter.id))
                        taken.append(letter)
                outcomes.append(outcome)
                if self.interrupted or time.monotonic() - begun > RUN_SECONDS:
                    break
            _record(session, taken, places, clear_attempts=counted)
        self.outcomes += outcomes
        return len(outcomes)

    def _stranger(self, letter: Letter) -> bool:
        handler = self.handlers.get(letter.kind)
        return letter.kind != SKIPPED and (handler is None or letter.schema_v > handler.message.schema_v)

    def _without_handler(
        self, session: Session, letter: Letter, place: _Place, known: set[tuple[str, UUID]]
    ) -> Outcome | None:
        if self._stranger(letter):
            told = f"{letter.kind} v{letter.schema_v} is not known here yet"
            sound_alarm(session, "unknown", letter.source, f"{letter.kind} v{letter.schema_v}", told)
            return _outcome(letter, "refused", told)
        if (letter.source, letter.id) in known:
            return _outcome(letter, "done")
        if letter.version > place.version + 1:
            return _outcome(letter, "refused", f"version {place.version + 1} has not come yet")
        if letter.version <= place.version:
            return self._old(session, letter, place)
        return None

    def _old(self, session: Session, letter: Letter, place: _Place) -> Outcome:
        """Judge a letter whose place in its stream is taken by another id: the same fact again, or a fork."""
        digest = place.last_digest
        if letter.version < place.version:
            # Nothing found: so old that the inbox was pruned.
            digest = session.execute(
                select(inbox.c.digest).where(
                    inbox.c.source == letter.source,
                    inbox.c.aggregate == letter.aggregate,
                    inbox.c.version == letter.version,
                )
            ).scalar()
        if digest in (None, letter.digest) or letter.kind == SKIPPED:
            return _outcome(letter, "done")
        told = f"fork: {letter.aggregate} version {letter.version} was another fact here"
        logger().error("stream_forked", service=self.service, source=letter.source, aggregate=letter.aggregate)
        sound_alarm(session, "fork", letter.source, letter.aggregate, f"version {letter.version}: {letter.id}")
        return _outcome(letter, "dead", told)

    def _handle(self, session: Session, letter: Letter, *, counted: bool) -> Outcome:
        if letter.kind == SKIPPED:
            return _outcome(letter, "done")
        handler = self.handlers[letter.kind]
        session.info.pop("audit", None)
        session.info["trace"] = letter.trace
        try:
            with session.begin_nested():
                message = handler.message.model_validate_json(orjson.dumps(letter.body))
                handler.call(session, message, letter)
        except OutOfTurn as reason:
            return self._failed(session, letter, reason, early=1, counted=counted)
        except self.interrupts as reason:
            self.interrupted = True
            return self._failed(session, letter, reason, failed=1, counted=counted)
        except (DBAPIError, NoConnection) as reason:
            if not session.is_active or getattr(reason, "connection_invalidated", False):
                raise
            if _is_transient(reason):
                return self._failed(session, letter, reason, early=1, counted=counted)
            return self._failed(session, letter, reason, failed=1, counted=counted)
        except Exception as reason:  # the edge: whatever a handler raises is this letter's trouble alone
            return self._failed(session, letter, reason, failed=1, counted=counted)
        return _outcome(letter, "done")

    def _failed(
        self,
        session: Session,
        letter: Letter,
        reason: BaseException,
        *,
        failed: int = 0,
        early: int = 0,
        counted: bool,
    ) -> Outcome:
        told = _reason(reason)
        # A repeated letter was counted as failed before it ran.
        more = failed - (1 if counted else 0)
        row = insert(attempt).values(
            source=letter.source, id=letter.id, failed=failed, early=early, reason=told, at=utc_now()
        )
        count = session.execute(
            row.on_conflict_do_update(
                index_elements=["source", "id"],
                set_={
                    "failed": attempt.c.failed + more,
                    "early": attempt.c.early + early,
                    "reason": told,
                    "at": row.excluded.at,
                },
            ).returning(attempt.c.failed, attempt.c.early)
        ).one()
        dead = count.failed >= MOST_FAILED or count.early >= MOST_EARLY
        logger().warning(
            "letter_not_handled",
            service=self.service,
            source=letter.source,
            message=str(letter.id),
            kind=letter.kind,
            failed=count.failed,
            early=count.early,
            reason=told,
            exc_info=None if isinstance(reason, Refused) else reason,
        )
        return _outcome(letter, "dead" if dead else "refused", told)


def _outcome(letter: Letter, result: Literal["done", "dead", "refused"], reason: str = "") -> Outcome:
    return Outcome(letter.source, letter.id, result, reason)


def _reason(error: BaseException) -> str:
    told = f"{type(error).__name__}: {getattr(error, 'orig', None) or error}"
    return told.replace("\x00", "").strip()[:500]


def _is_transient(error: DBAPIError | NoConnection) -> bool:
    """Tell whether the database, not the letter, is the cause: deadlock, lock, no room, going down."""
    state = str(getattr(getattr(error, "orig", None), "sqlstate", None) or "")
    return isinstance(error, NoConnection) or state[:2] in ("08", "40", "53") or state in ("55P03", "57P01")


def _known(session: Session, letters: Sequence[Letter]) -> set[tuple[str, UUID]]:
    found = session.execute(
        text(
            "SELECT i.source, i.id FROM msg.inbox i"
            " JOIN unnest(CAST(:sources AS text[]), CAST(:ids AS uuid[])) AS l(source, id) USING (source, id)"
        ),
        {"sources": [letter.source for letter in letters], "ids": [letter.id for letter in letters]},
    )
    return {(row.source, row.id) for row in found}


_NEW_PLACES = text("""
INSERT INTO msg.cursor (source, aggregate, version)
SELECT source, aggregate, 0 FROM unnest(CAST(:sources AS text[]), CAST(:aggregates AS text[]))
    AS w(source, aggregate)
ORDER BY source, aggregate ON CONFLICT DO NOTHING
""")
_PLACES = text("""
SELECT c.source, c.aggregate, c.version, c.last_id, c.last_digest FROM msg.cursor c
JOIN unnest(CAST(:sources AS text[]), CAST(:aggregates AS text[])) AS w(source, aggregate)
    USING (source, aggregate)
ORDER BY c.source, c.aggregate FOR UPDATE OF c
""")


def _lock_places(session: Session, letters: Sequence[Letter]) -> dict[tuple[str, str], _Place]:
    streams = sorted({(letter.source, letter.aggregate) for letter in letters})
    values = {"sources": [one for one, _ in streams], "aggregates": [one for _, one in streams]}
    session.execute(_NEW_PLACES, values)
    # Locked in one order by everybody; read after the lock, so that a twin's commit is seen.
    rows = session.execute(_PLACES, values)
    return {(row.source, row.aggregate): _Place(row.version, row.last_id, row.last_digest) for row in rows}


def _start_counting_anew(session: Session, letters: Sequence[Letter]) -> None:
    """Forget attempts of letters that come for the first time: an operator asked for another try."""
    session.execute(
        text(
            "DELETE FROM msg.attempt a"
            " USING unnest(CAST(:sources AS text[]), CAST(:ids AS uuid[])) AS l(source, id)"
            " WHERE a.source = l.source AND a.id = l.id"
        ),
        {"sources": [letter.source for letter in letters], "ids": [letter.id for letter in letters]},
    )


def _record(
    session: Session,
    taken: Sequence[Letter],
    places: Mapping[tuple[str, str], _Place],
    *,
    clear_attempts: bool,
) -> None:
    """Write the inbox and the cursors of the letters that took effect, in the transaction of the effects."""
    if not taken:
        return
    session.execute(
        text(
            "INSERT INTO msg.inbox (source, id, aggregate, version, kind, digest, at)"
            " SELECT *, clock_timestamp() FROM unnest(CAST(:sources AS text[]), CAST(:ids AS uuid[]),"
            " CAST(:aggregates AS text[]), CAST(:versions AS bigint[]), CAST(:kinds AS text[]),"
            " CAST(:digests AS text[]))"
        ),
        {
            "sources": [letter.source for letter in taken],
            "ids": [letter.id for letter in taken],
            "aggregates": [letter.aggregate for letter in taken],
            "versions": [letter.version for letter in taken],
            "kinds": [letter.kind for letter in taken],
            "digests": [letter.digest for letter in taken],
        },
    )
    moved = [(source, aggregate, place) for (source, aggregate), place in places.items() if place.moved]
    session.execute(
        text(
            "UPDATE msg.cursor AS c SET version = m.version, last_id = m.last_id, last_digest = m.last_digest"
            " FROM unnest(CAST(:sources AS text[]), CAST(:aggregates AS text[]), CAST(:versions AS bigint[]),"
            " CAST(:ids AS uuid[]), CAST(:digests AS text[]))"
            " AS m(source, aggregate, version, last_id, last_digest)"
            " WHERE c.source = m.source AND c.aggregate = m.aggregate"
        ),
        {
            "sources": [source for source, _, _ in moved],
            "aggregates": [aggregate for _, aggregate, _ in moved],
            "versions": [place.version for _, _, place in moved],
            "ids": [place.last_id for _, _, place in moved],
            "digests": [place.last_digest for _, _, place in moved],
        },
    )
    if clear_attempts:
        _start_counting_anew(session, taken)


def sound_alarm(session: Session, kind: str, source: str, subject: str, detail: str) -> None:
    """Count something that an operator must look at, one row for each kind, source and subject."""
    now = utc_now()
    row = insert(alarm).values(
        kind=kind,
        source=source,
        subject=subject[:200],
        count=1,
        detail=detail.replace("\x00", "")[:500],
        first_at=now,
        last_at=now,
    )
    session.execute(
        row.on_conflict_do_update(
            index_elements=["kind", "source", "subject"],
            set_={"count": alarm.c.count + 1, "detail": row.excluded.detail, "last_at": now},
        )
    )


# --- for operators ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class DeadLetter:
    """A letter that its receiver gave up, and how many wait behind it."""

    id: UUID
    dest: str
    kind: str
    aggregate: str
    version: int
    created_at: datetime
    dead_at: datetime
    reason: str
    case_number: str
    held: int


def dead_letters(session: Session) -> list[DeadLetter]:
    """Return the dead letters of this service, oldest first and at most 200."""
    rows = session.execute(
        text("""
        SELECT o.id, o.dest, o.kind, o.aggregate, o.version, o.created_at, o.dead_at, o.dead_reason AS reason,
            coalesce(o.body::json ->> 'case_number', '') AS case_number,
            (SELECT count(*) FROM msg.outbox w WHERE w.dest = o.dest AND w.aggregate = o.aggregate
                AND w.version > o.version AND w.acked_at IS NULL) AS held
        FROM msg.outbox o WHERE o.dead_at IS NOT NULL ORDER BY o.seq LIMIT 200
        """)
    )
    return [DeadLetter(**row._mapping) for row in rows]


@dataclass(frozen=True)
class Standing:
    """How a service's mailbox stands."""

    waiting: int
    dead: int
    oldest_at: datetime | None
    alarms: int


def standing(session: Session) -> Standing:
    """Return how much waits, is dead, and since when the oldest waits (health and metrics)."""
    row = session.execute(
        text("""
        SELECT count(*) FILTER (WHERE dead_at IS NULL) AS waiting, count(dead_at) AS dead,
            min(created_at) FILTER (WHERE dead_at IS NULL) AS oldest_at,
            (SELECT count(*) FROM msg.alarm) AS alarms
        FROM msg.outbox WHERE acked_at IS NULL
        """)
    ).one()
    return Standing(row.waiting, row.dead, row.oldest_at, row.alarms)


def retry(session: Session, letter_id: UUID, *, by: Person | None = None) -> None:
    """Send a dead letter again as if for the first time; raise NotFound or OutOfTurn (it is not dead)."""
    _dead(session, letter_id)
    audit.record(session, by, "retry_message", f"outbox:{letter_id}")
    session.execute(update(outbox).where(outbox.c.id == letter_id).values(**_FRESH_AGAIN))
    session.execute(text("SELECT pg_notify('msg_outbox', '')"))


def skip(session: Session, letter_id: UUID, *, reason: str, by: Person | None = None) -> None:
    """Give a dead letter up: a letter without effect takes its place, and what waits behind it goes on.

    What it said is kept beside it. Raise Incomplete (no reason), NotFound or OutOfTurn (it is not dead).
    """
    if not reason.strip():
        raise Incomplete("Mohon tuliskan alasan mengapa pesan ini dilewati.")
    row = _dead(session, letter_id)
    body = orjson.dumps({"kind": row.kind, "digest": row.digest, "reason": reason}).decode()
    audit.record(session, by, "skip_message", f"outbox:{letter_id}", kind=row.kind, reason=reason)
    session.execute(
        update(outbox)
        .where(outbox.c.id == letter_id)
        .values(
            kind=SKIPPED,
            schema_v=1,
            body=body,
            digest=_digest(SKIPPED, 1, body),
            skipped_body=row.body,
            **_FRESH_AGAIN,
        )
    )
    session.execute(text("SELECT pg_notify('msg_outbox', '')"))


_FRESH_AGAIN: Final[dict[str, Any]] = {
    "dead_at": None,
    "dead_reason": None,
    "sent_at": None,
    "refused_at": None,
    "tries": 0,
    "due_at": func.clock_timestamp(),
}


def _dead(session: Session, letter_id: UUID) -> Any:
    row = session.execute(select(outbox).where(outbox.c.id == letter_id).with_for_update()).first()
    if row is None:
        raise NotFound("Pesan itu tidak ada di kotak keluar divisi ini.")
    if row.dead_at is None:
        raise OutOfTurn("Pesan itu tidak berhenti; ia masih dalam perjalanan atau sudah diterima.")
    return row


def prune(session: Session, *, now: datetime | None = None) -> dict[str, int]:
    """Delete what need not be kept (inbox 30 days, acknowledged letters 90, answers 7); return how many.

    Cursors are kept for ever, so an old letter that comes again is still recognised.
    """
    moment = now or utc_now()
    counts = {
        "inbox": delete(inbox).where(inbox.c.at < moment - KEEP_INBOX),
        "attempt": delete(attempt).where(attempt.c.at < moment - KEEP_INBOX),
        "outbox": delete(outbox).where(outbox.c.acked_at < moment - KEEP_OUTBOX),
        "idempotency": delete(idempotency).where(idempotency.c.created_at < moment - KEEP_ANSWERS),
    }
    return {name: session.execute(done).rowcount for name, done in counts.items()}  # type: ignore[attr-defined]
