"""Long work as rows: claimed with a lease and a fence, journalled step by step, followed line by line."""

from sqlalchemy import BigInteger, Column, DateTime, Index, Integer, String, Table, Text, Uuid, text
from sqlalchemy.dialects.postgresql import JSONB

from shared.mailbox import metadata

job = Table(
    "job",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("kind", String(80), nullable=False),
    Column("thing_id", String(200), nullable=False, index=True),
    Column("params", JSONB, nullable=False),
    Column("state", String(16), nullable=False),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("most_attempts", Integer, nullable=False),
    Column("due_at", DateTime(timezone=True), nullable=False),
    Column("hinted_at", DateTime(timezone=True)),
    Column("owner", String(200)),
    Column("fence", BigInteger, nullable=False, server_default="0"),
    Column("lease_until", DateTime(timezone=True)),
    Column("reason", Text),
    Column("result", JSONB),
    Column("trace", String(64), nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("started_at", DateTime(timezone=True)),
    Column("ended_at", DateTime(timezone=True)),
    Index("ix_job_open", "due_at", postgresql_where=text("state IN ('waiting', 'running')")),
)
"""`params` and `result` hold ids and numbers, never a secret."""

job_step = Table(
    "job_step",
    metadata,
    Column("job_id", Uuid, primary_key=True),
    Column("name", String(120), primary_key=True),
    Column("ordinal", Integer, nullable=False),
    Column("state", String(16), nullable=False),
    Column("note", Text, nullable=False, server_default=""),
    Column("fence", BigInteger, nullable=False),
    Column("started_at", DateTime(timezone=True), nullable=False),
    Column("ended_at", DateTime(timezone=True)),
)

job_line = Table(
    "job_line",
    metadata,
    Column("job_id", Uuid, primary_key=True),
    Column("seq", Integer, primary_key=True),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("text", Text, nullable=False),
    Column("step", String(120), nullable=False, server_default=""),
    Column("state", String(16), nullable=False, server_default=""),
)
