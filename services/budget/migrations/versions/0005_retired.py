"""An application that was retired."""

import sqlalchemy as sa
from alembic import op

revision = "budget_0005"
down_revision = "budget_0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("budget_plan", sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True))
