"""Search: each table's words in a generated column, an index on them, and one for words that look alike."""

from alembic import op

revision = "budget_0004"
down_revision = "budget_0003"
branch_labels = None
depends_on = None

FOLDED = "translate(lower({}), './-_:,;@#&+áàâäãåéèêëíìîïóòôöõúùûüñç', '           aaaaaaeeeeiiiiooooouuuunc')"
TABLES = {
    "budget_plan": (
        [
            ("simple", '"case_number" || \' \' || "application_code" || \' \' || "application_name"', "A"),
            ("indonesian", '"case_number" || \' \' || "application_code" || \' \' || "application_name"', "A"),
            ("simple", '"application_unit"', "B"),
            ("indonesian", '"application_unit"', "B"),
        ],
        ["application_name", "application_code"],
    ),
    "claim": (
        [
            ("simple", '"invoice_number"', "A"),
            ("indonesian", '"invoice_number"', "A"),
            ("indonesian", 'left("note", 8000)', "C"),
        ],
        ["invoice_number"],
    ),
    "contract": (
        [
            ("simple", '"number"', "A"),
            ("indonesian", '"number"', "A"),
            ("simple", '"rup_code" || \' \' || "procurement_ref"', "B"),
            ("indonesian", '"rup_code" || \' \' || "procurement_ref"', "B"),
            ("indonesian", 'left("scope", 8000)', "C"),
        ],
        ["number"],
    ),
    "handover": (
        [
            ("simple", '"number"', "A"),
            ("indonesian", '"number"', "A"),
        ],
        ["number"],
    ),
    "vendor": (
        [
            ("simple", '"code" || \' \' || "name"', "A"),
            ("indonesian", '"code" || \' \' || "name"', "A"),
            ("simple", '"city" || \' \' || "director"', "B"),
            ("indonesian", '"city" || \' \' || "director"', "B"),
        ],
        ["name"],
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
