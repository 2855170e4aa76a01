"""Outbox, inbox, cursor, attempts and dead letters: how divisions tell each other facts, once and in order.

A fact is written beside the state that made it true, in the same transaction; the relay (`shared/worker.py`) only
carries it. This file is the whole protocol on the database's side and knows no queue and no web.
"""

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
    text,
)

from shared.database import NAMING

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
"""`body` and `actor` are the very JSON texts that are signed; a later change of the code cannot change them."""

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
"""What did not go well: `failed` counts runs of the handler, `early` counts facts that came before their turn."""

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
    Column("headers", Text),
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
