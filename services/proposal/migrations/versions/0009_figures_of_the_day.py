"""The tally of all cases, and indexes for those that are late and for what somebody proposed."""

import sqlalchemy as sa
from alembic import op

revision = "proposal_0009"
down_revision = "proposal_0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "tally",
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("unit", sa.String(length=20), nullable=False),
        sa.Column("fiscal_year", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("key", sa.String(length=61), nullable=False),
        sa.Column("on", sa.Date(), nullable=False),
        sa.Column("days", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("minutes", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(
            "kind",
            "unit",
            "fiscal_year",
            "key",
            "on",
            "days",
            name=op.f("pk_tally"),
            postgresql_include=["times", "minutes"],
        ),
    )
    op.create_table(
        "tally_change",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("unit", sa.String(length=20), nullable=False),
        sa.Column("fiscal_year", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=61), nullable=False),
        sa.Column("on", sa.Date(), nullable=False),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("minutes", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tally_change")),
    )
    for statement in FILL:
        op.execute(statement)
    for name, columns in INDEXES.items():
        op.create_index(name, "application_case", columns, unique=False)
    op.create_index(
        "ix_registered_application_near",
        "registered_application",
        ["name", "code"],
        unique=False,
        postgresql_using="gin",
        postgresql_ops={"name": "gin_trgm_ops", "code": "gin_trgm_ops"},
    )
    # Nobody adds up the histories any more.
    op.drop_index("ix_case_status_at", table_name="case_status")
    op.drop_index("ix_case_status_left_at", table_name="case_status", postgresql_where=sa.text("ends_stay"))


INDEXES = {
    "ix_application_case_proposer_id": ["proposer_id", "created_at", "id"],
    "ix_application_case_unit_waiting": ["unit", "status", "entered_at"],
    "ix_application_case_fiscal_year": ["fiscal_year", "created_at", "id"],
}

FILL = (
    """
CREATE TEMP TABLE station AS
SELECT * FROM (VALUES ('draft', 1), ('submitted', 1), ('returned', 1), ('under_analysis', 2), ('awaiting_decision', 2),
    ('approved', 2), ('rejected', 2), ('in_work_programme', 3), ('deferred', 3), ('discussed', 4),
    ('sent_to_planning', 4), ('budgeted', 5), ('in_development', 5), ('handed_over', 7), ('installed', 8),
    ('security_testing', 8), ('remediation', 7), ('cleared', 8), ('live', 9), ('suspended', 8), ('retired', 11),
    ('cancelled', 1)) AS s(status, place)
""",
    """
INSERT INTO tally_change (kind, unit, fiscal_year, key, "on", days, times, minutes)
SELECT 'known', unit, coalesce(fiscal_year, 0), '', DATE '0001-01-01', 0, count(*), 0
FROM application_case WHERE status <> 'draft' GROUP BY 2, 3
UNION ALL
SELECT 'standing', unit, coalesce(fiscal_year, 0), status,
    CASE status WHEN 'live' THEN DATE '0001-01-01' ELSE (entered_at AT TIME ZONE 'Asia/Jakarta')::date END AS entered,
    0, count(*), 0
FROM application_case WHERE status NOT IN ('draft', 'rejected', 'cancelled', 'retired') GROUP BY 2, 3, 4, 5
UNION ALL
SELECT 'back', c.unit, coalesce(c.fiscal_year, 0), h.source || '>' || h.status,
    date_trunc('month', h.at AT TIME ZONE 'Asia/Jakarta')::date, 0, count(*), 0
FROM case_status AS h JOIN application_case AS c ON c.id = h.case_id JOIN station AS b ON b.status = h.source
    JOIN station AS e ON e.status = h.status
WHERE h.status <> 'cancelled' AND e.place < b.place GROUP BY 2, 3, 4, 5
UNION ALL
SELECT k.kind, c.unit, coalesce(c.fiscal_year, 0), CASE k.kind WHEN 'passed' THEN h.status ELSE h.step END,
    date_trunc(k.period, h.left_at AT TIME ZONE 'Asia/Jakarta')::date,
    CASE k.kind WHEN 'passed' THEN h.worked_days ELSE h.stay_days END, count(*),
    sum(CASE k.kind WHEN 'passed' THEN h.worked_minutes ELSE 0 END)
FROM case_status AS h JOIN application_case AS c ON c.id = h.case_id
    JOIN (VALUES ('passed', 'year'), ('stay', 'month'), ('stay_of_year', 'year')) AS k(kind, period)
    ON k.kind = 'passed' OR h.ends_stay
WHERE h.left_at IS NOT NULL AND h.step <> '' GROUP BY 1, 2, 3, 4, 5, 6
UNION ALL
SELECT 'finished', unit, fiscal_year, '', date_trunc('year', live_at AT TIME ZONE 'Asia/Jakarta')::date, days,
    count(*), 0
FROM (SELECT c.unit, coalesce(c.fiscal_year, 0) AS fiscal_year, c.live_at, sum(h.worked_days)::integer AS days
    FROM application_case AS c JOIN case_status AS h ON h.case_id = c.id AND h.left_at <= c.live_at
        AND h.status NOT IN ('draft', 'rejected', 'cancelled', 'retired', 'live')
    WHERE NOT c.is_taken_over GROUP BY c.id) AS f
GROUP BY 2, 3, 5, 6
""",
    """
WITH gone AS (DELETE FROM tally_change RETURNING *)
INSERT INTO tally (kind, unit, fiscal_year, key, "on", days, times, minutes)
SELECT g.kind, s.unit, s.fiscal_year, g.key, g."on", g.days, sum(g.times), sum(g.minutes)
FROM gone AS g CROSS JOIN LATERAL (
    SELECT u.unit, y.fiscal_year
    FROM (SELECT '' UNION SELECT g.unit) AS u(unit),
        (SELECT 0 UNION ALL SELECT unnest(ARRAY[1, g.fiscal_year]) WHERE g.fiscal_year <> 0) AS y(fiscal_year)
) AS s
GROUP BY 1, 2, 3, 4, 5, 6
ORDER BY 1, 2, 3, 4, 5, 6
""",
    "DROP TABLE station",
)
"""Counts what is there, once; from now on each move notes what it changes."""
