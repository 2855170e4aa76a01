"""Search: each table's words in a generated column, an index on them, and one for words that look alike."""

from alembic import op

revision = "security_0002"
down_revision = "security_0001"
branch_labels = None
depends_on = None

FOLDED = "translate(lower({}), './-_:,;@#&+áàâäãåéèêëíìîïóòôöõúùûüñç', '           aaaaaaeeeeiiiiooooouuuunc')"
TABLES = {
    "finding": (
        [
            ("simple", '"title" || \' \' || "cwe" || \' \' || "rule" || \' \' || "control"', "A"),
            ("indonesian", '"title" || \' \' || "cwe" || \' \' || "rule" || \' \' || "control"', "A"),
            ("indonesian", 'left("where" || \' \' || "risk", 8000)', "C"),
        ],
        ["title"],
    ),
    "known_case": (
        [
            ("simple", '"case_number" || \' \' || "code" || \' \' || "name"', "A"),
            ("indonesian", '"case_number" || \' \' || "code" || \' \' || "name"', "A"),
            ("simple", '"unit" || \' \' || "vendor"', "B"),
            ("indonesian", '"unit" || \' \' || "vendor"', "B"),
        ],
        ["name"],
    ),
    "security_test": (
        [
            ("simple", '"number"', "A"),
            ("indonesian", '"number"', "A"),
            ("simple", '"closed_host"', "B"),
            ("indonesian", '"closed_host"', "B"),
        ],
        ["closed_host"],
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
