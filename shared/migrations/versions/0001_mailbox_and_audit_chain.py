"""The mailbox, jobs, the timetable's marks and the audit chain of every service."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "shared_0001"
down_revision = None
branch_labels = ("shared",)
depends_on = None

# An audit line is written once. A superuser can take the triggers away; the hash chain then tells.
KEEP_AS_WRITTEN = """
CREATE FUNCTION audit.keep_as_written() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'audit.entry is insert-only' USING ERRCODE = 'insufficient_privilege';
END
$$;
CREATE TRIGGER keep_as_written BEFORE UPDATE OR DELETE OR TRUNCATE ON audit.entry
    FOR EACH STATEMENT EXECUTE FUNCTION audit.keep_as_written();
"""

# PostgreSQL sends the notice with the commit, once for each transaction: no round trip of its own.
NUDGE_THE_RELAY = """
CREATE FUNCTION msg.nudge() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('msg_outbox', '');
    RETURN NULL;
END
$$;
CREATE TRIGGER nudge AFTER INSERT ON msg.outbox FOR EACH STATEMENT EXECUTE FUNCTION msg.nudge();
CREATE TRIGGER nudge AFTER INSERT ON msg.job FOR EACH STATEMENT EXECUTE FUNCTION msg.nudge();
"""


def upgrade() -> None:
    op.execute("CREATE SCHEMA IF NOT EXISTS audit")
    op.execute("CREATE SCHEMA IF NOT EXISTS msg")
    op.create_table(
        "entry",
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("act", sa.String(length=80), nullable=False),
        sa.Column("thing", sa.String(length=200), nullable=False),
        sa.Column("line", sa.Text(), nullable=False),
        sa.Column("previous", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_entry")),
        sa.UniqueConstraint("hash", name=op.f("uq_entry_hash")),
        schema="audit",
    )
    op.create_index(op.f("ix_entry_thing"), "entry", ["thing"], unique=False, schema="audit")
    op.create_table(
        "alarm",
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("source", sa.String(length=32), nullable=False),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("first_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("kind", "source", "subject", name=op.f("pk_alarm")),
        schema="msg",
    )
    op.create_table(
        "attempt",
        sa.Column("source", sa.String(length=32), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("failed", sa.Integer(), server_default="0", nullable=False),
        sa.Column("early", sa.Integer(), server_default="0", nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("source", "id", name=op.f("pk_attempt")),
        schema="msg",
    )
    op.create_table(
        "cursor",
        sa.Column("source", sa.String(length=32), nullable=False),
        sa.Column("aggregate", sa.String(length=200), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("last_id", sa.Uuid(), nullable=True),
        sa.Column("last_digest", sa.String(length=64), nullable=True),
        sa.PrimaryKeyConstraint("source", "aggregate", name=op.f("pk_cursor")),
        schema="msg",
    )
    op.create_table(
        "idempotency",
        sa.Column("actor", sa.String(length=64), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("request_digest", sa.String(length=64), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("headers", postgresql.JSONB(), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("actor", "key", name=op.f("pk_idempotency")),
        schema="msg",
    )
    op.create_table(
        "inbox",
        sa.Column("source", sa.String(length=32), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("aggregate", sa.String(length=200), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=80), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("source", "id", name=op.f("pk_inbox")),
        schema="msg",
    )
    op.create_index("ix_inbox_place", "inbox", ["source", "aggregate", "version"], unique=False, schema="msg")
    op.create_table(
        "job",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=80), nullable=False),
        sa.Column("thing_id", sa.String(length=200), nullable=False),
        sa.Column("params", postgresql.JSONB(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("most_attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("hinted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("owner", sa.String(length=200), nullable=True),
        sa.Column("fence", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("result", postgresql.JSONB(), nullable=True),
        sa.Column("trace", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job")),
        schema="msg",
    )
    op.create_index(
        "ix_job_open",
        "job",
        ["due_at"],
        unique=False,
        schema="msg",
        postgresql_where=sa.text("state IN ('waiting', 'running')"),
    )
    op.create_index(op.f("ix_job_thing_id"), "job", ["thing_id"], unique=False, schema="msg")
    op.create_table(
        "job_line",
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("step", sa.String(length=120), server_default="", nullable=False),
        sa.Column("state", sa.String(length=16), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("job_id", "seq", name=op.f("pk_job_line")),
        schema="msg",
    )
    op.create_table(
        "job_step",
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("job_id", "name", name=op.f("pk_job_step")),
        schema="msg",
    )
    op.create_table(
        "mark",
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("period", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_mark")),
        schema="msg",
    )
    op.create_table(
        "outbox",
        sa.Column("seq", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("dest", sa.String(length=32), nullable=False),
        sa.Column("aggregate", sa.String(length=200), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=80), nullable=False),
        sa.Column("schema_v", sa.Integer(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("trace", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tries", sa.Integer(), server_default="0", nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("refused_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("refusal", sa.Text(), nullable=True),
        sa.Column("acked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("dead_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("dead_reason", sa.Text(), nullable=True),
        sa.Column("skipped_body", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_outbox")),
        sa.UniqueConstraint("dest", "aggregate", "version", name=op.f("uq_outbox_dest_aggregate_version")),
        sa.UniqueConstraint("id", name=op.f("uq_outbox_id")),
        schema="msg",
    )
    op.create_index(
        "ix_outbox_due",
        "outbox",
        ["dest", "due_at"],
        unique=False,
        schema="msg",
        postgresql_where=sa.text("sent_at IS NOT NULL AND acked_at IS NULL AND dead_at IS NULL"),
    )
    op.create_index(
        "ix_outbox_fresh",
        "outbox",
        ["dest", "seq"],
        unique=False,
        schema="msg",
        postgresql_where=sa.text("sent_at IS NULL AND acked_at IS NULL AND dead_at IS NULL"),
    )
    op.create_index(
        "ix_outbox_holding",
        "outbox",
        ["dest", "aggregate", "version"],
        unique=False,
        schema="msg",
        postgresql_where=sa.text("acked_at IS NULL AND (sent_at IS NOT NULL OR dead_at IS NOT NULL)"),
    )
    op.create_table(
        "relay",
        sa.Column("service", sa.String(length=32), nullable=False),
        sa.Column("epoch", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("service", name=op.f("pk_relay")),
        schema="msg",
    )
    op.create_table(
        "stream",
        sa.Column("dest", sa.String(length=32), nullable=False),
        sa.Column("aggregate", sa.String(length=200), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("dest", "aggregate", name=op.f("pk_stream")),
        schema="msg",
    )
    op.create_table(
        "letter_counter",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("office", sa.Text(), server_default="", nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("last >= 1", name=op.f("letter_counter_last_positive")),
        sa.PrimaryKeyConstraint("kind", "office", "year", name=op.f("pk_letter_counter")),
    )
    op.execute(KEEP_AS_WRITTEN)
    op.execute(NUDGE_THE_RELAY)
