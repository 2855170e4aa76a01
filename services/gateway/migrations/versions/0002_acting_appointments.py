"""acting appointments."""

import sqlalchemy as sa
from alembic import op

revision = "gateway_0002"
down_revision = "gateway_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "appointment",
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=3), nullable=False),
        sa.Column("for_person_id", sa.Uuid(), nullable=True),
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.Column("until_on", sa.Date(), nullable=False),
        sa.Column("letter_number", sa.String(length=100), nullable=False),
        sa.Column("appointed_by_id", sa.Uuid(), nullable=True),
        sa.Column("appointed_by_name", sa.String(length=200), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by_name", sa.String(length=200), nullable=True),
        sa.Column("end_reason", sa.String(length=4000), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("from_on <= until_on", name=op.f("ck_appointment_ends_after_it_begins")),
        sa.CheckConstraint("kind IN ('plt', 'plh')", name=op.f("ck_appointment_kind_is_known")),
        sa.CheckConstraint(
            "kind = 'plt' OR for_person_id IS NOT NULL", name=op.f("ck_appointment_plh_stands_in_for_somebody")
        ),
        sa.CheckConstraint("length(letter_number) > 0", name=op.f("ck_appointment_has_a_letter")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_appointment_person_id_person")),
        sa.ForeignKeyConstraint(["for_person_id"], ["person.id"], name=op.f("fk_appointment_for_person_id_person")),
        sa.ForeignKeyConstraint(["appointed_by_id"], ["person.id"], name=op.f("fk_appointment_appointed_by_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_appointment")),
    )
    op.create_index("ix_appointment_person_id", "appointment", ["person_id"], unique=False)
    op.create_index("ix_appointment_from_on", "appointment", ["from_on"], unique=False)
