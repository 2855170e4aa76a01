"""Search: each table's words in a generated column, an index on them, and one for words that look alike."""

from alembic import op

revision = "deploy_0003"
down_revision = "deploy_0002"
branch_labels = None
depends_on = None

FOLDED = "translate(lower({}), './-_:,;@#&+áàâäãåéèêëíìîïóòôöõúùûüñç', '           aaaaaaeeeeiiiiooooouuuunc')"
TABLES = {
    "application": (
        [
            ("simple", '"case_number" || \' \' || "code" || \' \' || "name"', "A"),
            ("indonesian", '"case_number" || \' \' || "code" || \' \' || "name"', "A"),
            ("simple", '"unit" || \' \' || "vendor" || \' \' || "vendor_name" || \' \' || "contract_number"', "B"),
            ("indonesian", '"unit" || \' \' || "vendor" || \' \' || "vendor_name" || \' \' || "contract_number"', "B"),
        ],
        ["name", "code", "vendor_name"],
    ),
    "hosting": (
        [
            ("simple", '"subdomain"', "A"),
            ("indonesian", '"subdomain"', "A"),
            ("indonesian", 'left("purpose", 8000)', "C"),
        ],
        ["subdomain"],
    ),
    "server": (
        [
            ("simple", '"name" || \' \' || "address" || \' \' || "base_domain"', "A"),
            ("indonesian", '"name" || \' \' || "address" || \' \' || "base_domain"', "A"),
            ("simple", '"connect_address"', "B"),
            ("indonesian", '"connect_address"', "B"),
        ],
        ["name", "base_domain"],
    ),
}
"""Of each table: configuration, columns and weight of its words; and the columns of which misspellings are found."""


def upgrade() -> None:
    # A trusted extension: the owner of a database may create it.
    op.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    for table, (parts, near) in TABLES.items():
        words = " || ".join(
            f"setweight(to_tsvector('{configuration}'::regconfig, {FOLDED.format(columns)}), '{weight}')"
            for configuration, columns, weight in parts
        )
        op.execute(f"ALTER TABLE {table} ADD COLUMN search_words tsvector GENERATED ALWAYS AS ({words}) STORED")
        op.execute(f"CREATE INDEX ix_{table}_search_words ON {table} USING gin (search_words)")
        alike = ", ".join(f"{column} gin_trgm_ops" for column in near)
        op.execute(f"CREATE INDEX ix_{table}_near ON {table} USING gin ({alike})")
