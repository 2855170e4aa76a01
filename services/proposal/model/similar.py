"""Where similar applications are looked for: the trigram index on what they are for, beside the one on names."""

from sqlalchemy import Index

from services.proposal.model.case import Case

LIKE_NAME, LIKE_PURPOSE = 0.35, 0.30
"""How alike (0 to 1) names and purposes must be to be worth a look."""
LONGEST_NAME, LONGEST_PURPOSE = 200, 300
"""Characters that are compared."""

Index(
    "ix_application_case_purpose_near",
    Case.purpose,
    postgresql_using="gin",
    postgresql_ops={"purpose": "gin_trgm_ops"},
)
