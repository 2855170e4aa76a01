"""Papers of the division; later cases of one application."""

import sqlalchemy as sa
from alembic import op

revision = "deploy_0002"
down_revision = "deploy_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_constraint(op.f("uq_application_code"), "application", type_="unique")
    op.create_index("ix_application_code", "application", ["code"], unique=False)
    op.add_column("hosting", sa.Column("paper_digest", sa.String(length=64), nullable=True))
    op.add_column("installation", sa.Column("paper_number", sa.String(length=80), nullable=True))
    op.add_column("installation", sa.Column("paper_digest", sa.String(length=64), nullable=True))
    op.add_column("release", sa.Column("paper_digest", sa.String(length=64), nullable=True))
