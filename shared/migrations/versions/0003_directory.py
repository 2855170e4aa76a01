"""Every division's own copy of the people, units and posts."""

import sqlalchemy as sa
from alembic import op

revision = "shared_0003"
down_revision = "shared_0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "directory_unit",
        sa.Column("code", sa.String(length=20), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_directory_unit")),
    )
    op.create_table(
        "directory_person",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("username", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("unit", sa.String(length=20), nullable=True),
        sa.Column("vendor", sa.String(length=20), nullable=True),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_directory_person")),
    )
    op.create_index("ix_directory_person_username", "directory_person", ["username"], unique=False)
    op.create_table(
        "directory_appointment",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("title", sa.String(length=210), nullable=False),
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.Column("until_on", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(
            ["person_id"], ["directory_person.id"], name=op.f("fk_directory_appointment_person_id_directory_person")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_directory_appointment")),
    )
    op.create_index("ix_directory_appointment_person_id", "directory_appointment", ["person_id"], unique=False)
    op.create_index("ix_directory_appointment_role", "directory_appointment", ["role", "from_on"], unique=False)
