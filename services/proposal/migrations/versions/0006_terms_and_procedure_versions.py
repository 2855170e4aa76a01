"""terms and procedure versions."""

revision = "proposal_0006"
down_revision = "proposal_0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass
