"""Finding audit lines by time, act and person; finding jobs that failed."""

import sqlalchemy as sa
from alembic import op

revision = "shared_0004"
down_revision = "shared_0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Worked out by the database from the line: what older code writes has it too, and it cannot be told otherwise.
    who = """substring(line, '"person":"([0-9a-f-]{36})","seq":'::text)"""
    op.add_column("entry", sa.Column("person", sa.String(length=36), sa.Computed(who, persisted=True)), schema="audit")
    op.create_index("ix_entry_at_seq", "entry", ["at", "seq"], unique=False, schema="audit")
    op.create_index("ix_entry_act_at_seq", "entry", ["act", "at", "seq"], unique=False, schema="audit")
    op.create_index("ix_entry_person_at_seq", "entry", ["person", "at", "seq"], unique=False, schema="audit")
    op.create_index(
        "ix_job_failed",
        "job",
        ["ended_at"],
        unique=False,
        schema="msg",
        postgresql_where=sa.text("state = 'failed'"),
    )
