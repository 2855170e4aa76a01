"""Drafts with their files, comments, codes to follow a case, and the index of what applications are for."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "proposal_0003"
down_revision = "proposal_0002"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "draft",
        sa.Column("proposal_id", sa.Uuid(), nullable=False),
        sa.Column("rough", JSONB(), nullable=False),
        sa.Column("saved_at", MOMENT, nullable=False),
        sa.Column("saved_by_id", sa.Uuid(), nullable=False),
        sa.Column("saved_by_name", sa.String(200), nullable=False),
        sa.ForeignKeyConstraint(["proposal_id"], ["proposal.id"], name="fk_draft_proposal_id_proposal"),
        sa.PrimaryKeyConstraint("proposal_id", name="pk_draft"),
    )
    op.create_table(
        "attachment",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("proposal_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("file_name", sa.String(200), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("by_id", sa.Uuid(), nullable=False),
        sa.Column("by_name", sa.String(200), nullable=False),
        sa.Column("removed_at", MOMENT),
        sa.ForeignKeyConstraint(["proposal_id"], ["proposal.id"], name="fk_attachment_proposal_id_proposal"),
        sa.PrimaryKeyConstraint("id", name="pk_attachment"),
    )
    op.create_index("ix_attachment_proposal_id", "attachment", ["proposal_id", "created_at"])
    op.create_table(
        "comment",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("author_id", sa.Uuid(), nullable=False),
        sa.Column("author_name", sa.String(200), nullable=False),
        sa.Column("as_what", sa.String(200), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("is_internal", sa.Boolean(), nullable=False),
        sa.Column("mentions", JSONB(), nullable=False),
        sa.Column("edited_at", MOMENT),
        sa.Column("withdrawn_at", MOMENT),
        sa.ForeignKeyConstraint(["case_id"], ["application_case.id"], name="fk_comment_case_id_application_case"),
        sa.PrimaryKeyConstraint("id", name="pk_comment"),
    )
    op.create_index("ix_comment_case_id", "comment", ["case_id", "created_at", "id"])
    op.create_table(
        "follow_code",
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(12), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["application_case.id"], name="fk_follow_code_case_id_application_case"),
        sa.PrimaryKeyConstraint("case_id", name="pk_follow_code"),
    )
    op.add_column(
        "proposal_version",
        sa.Column("attachments", JSONB(), nullable=False, server_default=sa.text("'[]'::jsonb")),
    )
    op.execute("CREATE INDEX ix_application_case_purpose_near ON application_case USING gin (purpose gin_trgm_ops)")
