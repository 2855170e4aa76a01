"""surveys and proof packs."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "proposal_0008"
down_revision = "proposal_0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # The yearly timetable opens evaluations too: then nobody did.
    op.alter_column("evaluation", "opened_by_id", existing_type=sa.Uuid(), nullable=True)
    op.add_column("evaluation", sa.Column("asked_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column(
        "evaluation",
        sa.Column("actuals", postgresql.JSONB(), server_default=sa.text("'[]'::jsonb"), nullable=False),
    )
    op.create_table(
        "proof_pack",
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("until_seq", sa.BigInteger(), nullable=False),
        sa.Column("asked_by_id", sa.Uuid(), nullable=False),
        sa.Column("asked_by_name", sa.String(length=200), nullable=False),
        sa.Column("asked_as", sa.String(length=200), nullable=False),
        sa.Column("answered", postgresql.JSONB(), nullable=False),
        sa.Column("job_id", sa.Uuid(), nullable=True),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("files", sa.Integer(), nullable=False),
        sa.Column("refusal", sa.Text(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["case_id"], ["application_case.id"], name=op.f("fk_proof_pack_case_id_application_case")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_proof_pack")),
    )
    op.create_index("ix_proof_pack_case_id", "proof_pack", ["case_id", "created_at"], unique=False)
    op.create_table(
        "proof_part",
        sa.Column("pack_id", sa.Uuid(), nullable=False),
        sa.Column("division", sa.String(length=20), nullable=False),
        sa.Column("part", sa.Integer(), nullable=False),
        sa.Column("parts", sa.Integer(), nullable=False),
        sa.Column("head_seq", sa.BigInteger(), nullable=False),
        sa.Column("head_hash", sa.String(length=64), nullable=False),
        sa.Column("items", postgresql.JSONB(), nullable=False),
        sa.ForeignKeyConstraint(["pack_id"], ["proof_pack.id"], name=op.f("fk_proof_part_pack_id_proof_pack")),
        sa.PrimaryKeyConstraint("pack_id", "division", "part", name=op.f("pk_proof_part")),
    )
    op.create_table(
        "survey",
        sa.Column("evaluation_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["evaluation_id"], ["evaluation.id"], name=op.f("fk_survey_evaluation_id_evaluation")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_survey")),
        sa.UniqueConstraint("evaluation_id", name=op.f("uq_survey_evaluation_id")),
    )
    op.create_table(
        "survey_voter",
        sa.Column("survey_id", sa.Uuid(), nullable=False),
        sa.Column("voter", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["survey_id"], ["survey.id"], name=op.f("fk_survey_voter_survey_id_survey")),
        sa.PrimaryKeyConstraint("survey_id", "voter", name=op.f("pk_survey_voter")),
    )
    op.create_table(
        "survey_answer",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("survey_id", sa.Uuid(), nullable=False),
        sa.Column("scores", postgresql.ARRAY(sa.SmallInteger()), nullable=False),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["survey_id"], ["survey.id"], name=op.f("fk_survey_answer_survey_id_survey")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_survey_answer")),
    )
    op.create_index("ix_survey_answer_survey_id", "survey_answer", ["survey_id"], unique=False)
