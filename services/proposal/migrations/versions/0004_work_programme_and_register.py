"""The work programme as a whole with its revisions and sheets; what the register knows of an application."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "proposal_0004"
down_revision = "proposal_0003"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def born() -> list[sa.Column[Any]]:
    """Return the columns of a thing that is kept."""
    return [sa.Column("id", sa.Uuid(), nullable=False), sa.Column("created_at", MOMENT, nullable=False)]


def upgrade() -> None:
    op.create_table(
        "work_programme",
        *born(),
        sa.Column("fiscal_year", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("edition", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("changed_at", MOMENT, nullable=False),
        sa.Column("changed_by_name", sa.String(200), nullable=False),
        sa.Column("changed_what", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_work_programme")),
        sa.UniqueConstraint("fiscal_year", name=op.f("uq_work_programme_fiscal_year")),
    )
    op.execute("""
        INSERT INTO work_programme (id, created_at, fiscal_year, state, edition, revision, reason, changed_at,
            changed_by_name, changed_what)
        SELECT gen_random_uuid(), now(), fiscal_year, 'draft', 1, 0, '', now(), '', ''
        FROM work_programme_entry GROUP BY fiscal_year
    """)
    op.create_table(
        "programme_revision",
        *born(),
        sa.Column("fiscal_year", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("rows", JSONB(), nullable=False),
        sa.Column("total_amount", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.String(40), nullable=False),
        sa.Column("paper_digest", sa.String(64), nullable=False),
        sa.Column("by_id", sa.Uuid(), nullable=False),
        sa.Column("by_name", sa.String(200), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_programme_revision")),
        sa.UniqueConstraint("fiscal_year", "revision", name=op.f("uq_programme_revision_fiscal_year_revision")),
    )
    op.create_table(
        "programme_sheet",
        *born(),
        sa.Column("fiscal_year", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("file_name", sa.String(200), nullable=False),
        sa.Column("by_id", sa.Uuid(), nullable=False),
        sa.Column("by_name", sa.String(200), nullable=False),
        sa.Column("taken_at", MOMENT),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_programme_sheet")),
    )
    op.add_column("work_programme_entry", sa.Column("carried_to", sa.Integer()))
    op.add_column(
        "work_programme_entry",
        sa.Column("carried_reason", sa.Text(), nullable=False, server_default=sa.text("''")),
    )
    op.drop_index("ix_registered_application_name", table_name="registered_application")
    op.create_index("ix_registered_application_name", "registered_application", ["name", "id"])
    op.add_column(
        "registered_application", sa.Column("described", JSONB(), nullable=False, server_default=sa.text("'{}'::jsonb"))
    )
    op.add_column(
        "registered_application", sa.Column("edition", sa.Integer(), nullable=False, server_default=sa.text("1"))
    )
    op.create_table(
        "register_change",
        *born(),
        sa.Column("application_id", sa.Uuid(), nullable=False),
        sa.Column("by_id", sa.Uuid(), nullable=False),
        sa.Column("by_name", sa.String(200), nullable=False),
        sa.Column("says", JSONB(), nullable=False),
        sa.ForeignKeyConstraint(
            ["application_id"],
            ["registered_application.id"],
            name=op.f("fk_register_change_application_id_registered_application"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_register_change")),
    )
    op.create_index("ix_register_change_application_id", "register_change", ["application_id", "created_at"])
    op.create_table(
        "register_layout",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("columns", JSONB(), nullable=False),
        sa.Column("by_name", sa.String(200), nullable=False),
        sa.Column("changed_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_register_layout")),
    )
