"""One question appends a line to the audit chain."""

from alembic import op

revision = "shared_0006"
down_revision = "shared_0005"
branch_labels = None
depends_on = None

# Whoever appends holds the chain until commit: each question of its own in that time would be waited for by everybody.
# A plpgsql function sees, after the lock, what was committed before it; a single SQL statement would not.
APPEND = """
CREATE FUNCTION audit.append(
    lock bigint, at timestamptz, act text, thing text, line_before_seq text, line_after_seq text,
    OUT seq bigint, OUT hash text
) LANGUAGE plpgsql AS $$
DECLARE
    last record;
    line text;
    previous text;
BEGIN
    PERFORM pg_advisory_xact_lock(lock);
    SELECT e.seq, e.hash INTO last FROM audit.entry e ORDER BY e.seq DESC LIMIT 1;
    seq := coalesce(last.seq, 0) + 1;
    previous := coalesce(last.hash, repeat('0', 64));
    line := line_before_seq || seq || line_after_seq;
    hash := encode(sha256(convert_to(previous || E'\\n' || line, 'UTF8')), 'hex');
    INSERT INTO audit.entry (seq, at, act, thing, line, previous, hash)
        VALUES (append.seq, append.at, append.act, append.thing, line, previous, append.hash);
END
$$;
"""


def upgrade() -> None:
    """Make the function."""
    op.execute(APPEND)


def downgrade() -> None:
    """Take it away."""
    op.execute("DROP FUNCTION audit.append")
