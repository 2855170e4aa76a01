"""An application that was retired."""

import sqlalchemy as sa
from alembic import op

revision = "helpdesk_0003"
down_revision = "helpdesk_0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("live_application", sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True))
