"""first."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "security_0001"
down_revision = None
branch_labels = ("security",)
depends_on = None


def upgrade() -> None:
    op.create_table(
        "known_case",
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("case_number", sa.String(length=40), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("unit", sa.String(length=20), nullable=False),
        sa.Column("vendor", sa.String(length=20), nullable=False),
        sa.Column("live_digest", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("case_id", name=op.f("pk_known_case")),
        sa.UniqueConstraint("case_number", name=op.f("uq_known_case_case_number")),
    )
    op.create_table(
        "finding",
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("fingerprint", sa.String(length=32), nullable=False),
        sa.Column("engine", sa.String(length=40), nullable=False),
        sa.Column("rule", sa.String(length=80), nullable=False),
        sa.Column("control", sa.String(length=4), nullable=False),
        sa.Column("cwe", sa.String(length=20), nullable=False),
        sa.Column("severity", sa.String(length=10), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("risk", sa.Text(), nullable=False),
        sa.Column("where", sa.Text(), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("recommendation", sa.Text(), nullable=False),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("first_round", sa.Integer(), nullable=False),
        sa.Column("last_round", sa.Integer(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["known_case.case_id"], name=op.f("fk_finding_case_id_known_case")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_finding")),
        sa.UniqueConstraint("case_id", "fingerprint", name=op.f("uq_finding_case_id_fingerprint")),
    )
    op.create_index(
        "ix_finding_open", "finding", ["case_id"], unique=False, postgresql_where=sa.text("status = 'open'")
    )
    op.create_table(
        "security_test",
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("release_id", sa.Uuid(), nullable=False),
        sa.Column("release_number", sa.Integer(), nullable=False),
        sa.Column("hosting", sa.String(length=100), nullable=False),
        sa.Column("closed_host", sa.String(length=300), nullable=False),
        sa.Column("connect_address", sa.String(length=300), nullable=False),
        sa.Column("connect_port", sa.Integer(), nullable=False),
        sa.Column("installed_by_id", sa.Uuid(), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("tester_id", sa.Uuid(), nullable=True),
        sa.Column("tester_name", sa.String(length=200), nullable=False),
        sa.Column("number", sa.String(length=80), nullable=False),
        sa.Column("paper_digest", sa.String(length=64), nullable=False),
        sa.Column("verdict_note", sa.Text(), nullable=False),
        sa.Column("verdict_by_id", sa.Uuid(), nullable=True),
        sa.Column("verdict_by_name", sa.String(length=200), nullable=False),
        sa.Column("verdict_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["known_case.case_id"], name=op.f("fk_security_test_case_id_known_case")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_security_test")),
        sa.UniqueConstraint("case_id", "round", name=op.f("uq_security_test_case_id_round")),
        sa.UniqueConstraint("release_id", name=op.f("uq_security_test_release_id")),
    )
    op.create_index("ix_security_test_created_at_id", "security_test", ["created_at", "id"], unique=False)
    op.create_index("ix_security_test_status", "security_test", ["status", "created_at"], unique=False)
    op.create_table(
        "control_answer",
        sa.Column("test_id", sa.Uuid(), nullable=False),
        sa.Column("control", sa.String(length=4), nullable=False),
        sa.Column("answer", sa.String(length=20), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("by_name", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(
            ["test_id"], ["security_test.id"], name=op.f("fk_control_answer_test_id_security_test")
        ),
        sa.PrimaryKeyConstraint("test_id", "control", name=op.f("pk_control_answer")),
    )
    op.create_table(
        "permit",
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("test_id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("signed", sa.Text(), nullable=False),
        sa.Column("valid_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("given_by_id", sa.Uuid(), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_reason", sa.Text(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["known_case.case_id"], name=op.f("fk_permit_case_id_known_case")),
        sa.ForeignKeyConstraint(["test_id"], ["security_test.id"], name=op.f("fk_permit_test_id_security_test")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_permit")),
        sa.UniqueConstraint("test_id", name=op.f("uq_permit_test_id")),
    )
    op.create_index("ix_permit_case_id", "permit", ["case_id", "created_at"], unique=False)
    op.create_table(
        "scan",
        sa.Column("test_id", sa.Uuid(), nullable=False),
        sa.Column("engine", sa.String(length=40), nullable=False),
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("is_complete", sa.Boolean(), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("result", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["test_id"], ["security_test.id"], name=op.f("fk_scan_test_id_security_test")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_scan")),
    )
    op.create_index("ix_scan_test_id", "scan", ["test_id", "created_at"], unique=False)
