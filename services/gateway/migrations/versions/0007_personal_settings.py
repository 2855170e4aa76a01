"""personal settings."""

import sqlalchemy as sa
from alembic import op

revision = "gateway_0007"
down_revision = "gateway_0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "personal_setting",
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("theme", sa.String(length=5), nullable=False),
        sa.Column("language", sa.String(length=2), nullable=False),
        sa.CheckConstraint("theme IN ('auto', 'light', 'dark')", name=op.f("ck_personal_setting_theme_is_known")),
        sa.CheckConstraint("language IN ('id', 'en')", name=op.f("ck_personal_setting_language_is_known")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_personal_setting_person_id_person")),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_personal_setting")),
    )
