"""The accounts that campuses with BLU status begin with; the finance office keeps the list from then on."""

import sqlalchemy as sa
from alembic import op

revision = "budget_0003"
down_revision = "budget_0002"
branch_labels = None
depends_on = None

ACCOUNTS = (
    ("525112", "Belanja Barang", "52", "PNBP BLU"),
    ("525113", "Belanja Jasa", "52", "PNBP BLU"),
    ("525114", "Belanja Pemeliharaan", "52", "PNBP BLU"),
    ("525115", "Belanja Perjalanan", "52", "PNBP BLU"),
    ("537115", "Belanja Modal Lainnya", "53", "PNBP BLU"),
)


def upgrade() -> None:
    account = sa.table("account", *(sa.column(name, sa.String) for name in ("code", "name", "kind", "fund_source")))
    op.bulk_insert(account, [dict(zip(("code", "name", "kind", "fund_source"), row, strict=True)) for row in ACCOUNTS])
