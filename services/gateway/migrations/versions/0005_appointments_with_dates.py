"""Every post is an appointment with dates: the roles of a person become definitive appointments without an end."""

import sqlalchemy as sa
from alembic import op

revision = "gateway_0005"
down_revision = "gateway_0004"
branch_labels = None
depends_on = None

# Since when a post was held before is not known: the day (WIB) on which the account was made stands for it.
ROLES_BECOME_APPOINTMENTS = """
INSERT INTO appointment (
    id, created_at, person_id, role, kind, title, from_on, until_on, letter_number, appointed_by_name
)
SELECT gen_random_uuid(), p.created_at, p.id, held.role, 'definitive', p.title,
    (p.created_at AT TIME ZONE 'Asia/Jakarta')::date, NULL, '', 'Operator'
FROM person p CROSS JOIN LATERAL unnest(p.roles) AS held(role)
"""


def upgrade() -> None:
    op.drop_constraint(op.f("ck_appointment_kind_is_known"), "appointment", type_="check")
    op.drop_constraint(op.f("ck_appointment_plh_stands_in_for_somebody"), "appointment", type_="check")
    op.drop_constraint(op.f("ck_appointment_has_a_letter"), "appointment", type_="check")
    op.alter_column("appointment", "kind", type_=sa.String(length=10), existing_type=sa.String(length=3))
    op.alter_column("appointment", "until_on", existing_type=sa.Date(), nullable=True)
    op.add_column("appointment", sa.Column("title", sa.String(length=200), server_default="", nullable=False))
    op.alter_column("appointment", "title", server_default=None)
    op.add_column("appointment", sa.Column("end_letter_number", sa.String(length=100), nullable=True))
    op.create_check_constraint(
        op.f("ck_appointment_kind_is_known"), "appointment", "kind IN ('definitive', 'plt', 'plh')"
    )
    op.create_check_constraint(
        op.f("ck_appointment_plh_stands_in_for_somebody"), "appointment", "kind <> 'plh' OR for_person_id IS NOT NULL"
    )
    op.create_check_constraint(
        op.f("ck_appointment_acting_ends"), "appointment", "kind = 'definitive' OR until_on IS NOT NULL"
    )
    op.create_check_constraint(
        op.f("ck_appointment_acting_has_a_letter"), "appointment", "kind = 'definitive' OR length(letter_number) > 0"
    )
    op.drop_index("ix_appointment_from_on", table_name="appointment")
    op.create_index("ix_appointment_created_at", "appointment", ["created_at", "id"], unique=False)
    op.create_index("ix_appointment_role", "appointment", ["role", "created_at", "id"], unique=False)
    op.execute(ROLES_BECOME_APPOINTMENTS)
    op.drop_constraint(op.f("ck_person_has_a_role"), "person", type_="check")
    op.drop_column("person", "roles")
    op.drop_column("person", "title")
