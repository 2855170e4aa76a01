"""Drafts and versions of the terms of reference."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "proposal_0010"
down_revision = "proposal_0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("terms_of_reference", sa.Column("plan_version", sa.Integer(), nullable=True))
    op.add_column("terms_of_reference", sa.Column("plan_amount", sa.BigInteger(), nullable=True))
    op.create_table(
        "terms_draft",
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("section", sa.String(length=30), nullable=False),
        sa.Column("content", postgresql.JSONB(none_as_null=True), nullable=True),
        sa.Column("rough", postgresql.JSONB(), nullable=False),
        sa.Column("edition", sa.Integer(), nullable=False),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("saved_by_id", sa.Uuid(), nullable=False),
        sa.Column("saved_by_name", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(
            ["case_id"], ["application_case.id"], name=op.f("fk_terms_draft_case_id_application_case")
        ),
        sa.PrimaryKeyConstraint("case_id", "section", name=op.f("pk_terms_draft")),
    )
