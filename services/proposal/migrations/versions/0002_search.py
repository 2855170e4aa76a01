"""Search: each table's words in a generated column, an index on them, and one for words that look alike."""

from alembic import op

revision = "proposal_0002"
down_revision = "proposal_0001"
branch_labels = None
depends_on = None

FOLDED = "translate(lower({}), './-_:,;@#&+áàâäãåéèêëíìîïóòôöõúùûüñç', '           aaaaaaeeeeiiiiooooouuuunc')"
TABLES = {
    "application_case": (
        [
            ("simple", '"number" || \' \' || "code" || \' \' || "name"', "A"),
            ("indonesian", '"number" || \' \' || "code" || \' \' || "name"', "A"),
            ("simple", "\"unit\" || ' ' || coalesce(vendor, '') || ' ' || \"vendor_name\" || ' ' || \"address\"", "B"),
            (
                "indonesian",
                "\"unit\" || ' ' || coalesce(vendor, '') || ' ' || \"vendor_name\" || ' ' || \"address\"",
                "B",
            ),
            ("indonesian", 'left("purpose", 8000)', "C"),
        ],
        ["name", "code", "vendor_name"],
    ),
    "evaluation": (
        [
            ("simple", '"number"', "A"),
            ("indonesian", '"number"', "A"),
        ],
        ["number"],
    ),
    "meeting": (
        [
            ("simple", '"number"', "A"),
            ("indonesian", '"number"', "A"),
            ("simple", '"place" || \' \' || "chair"', "B"),
            ("indonesian", '"place" || \' \' || "chair"', "B"),
        ],
        ["chair"],
    ),
    "paper": (
        [
            ("simple", '"number" || \' \' || "title"', "A"),
            ("indonesian", '"number" || \' \' || "title"', "A"),
        ],
        ["title"],
    ),
    "proposal": (
        [
            ("simple", '"letter_number" || \' \' || "agenda_number"', "A"),
            ("indonesian", '"letter_number" || \' \' || "agenda_number"', "A"),
        ],
        ["agenda_number"],
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
