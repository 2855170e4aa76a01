"""The tally counts by the version of the SOP what is judged by its times, and by month what came into use."""

from alembic import op

revision = "proposal_0014"
down_revision = "proposal_0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for statement in FILL:
        op.execute(statement)


FILL = (
    "DELETE FROM tally WHERE kind IN ('standing', 'stay_of_year', 'finished')",
    "DELETE FROM tally_change WHERE kind IN ('standing', 'stay_of_year', 'finished')",
    """
WITH counted AS (
SELECT 'standing' AS kind, unit, coalesce(fiscal_year, 0) AS fiscal_year, status || '@' || sop_version AS key,
    CASE status WHEN 'live' THEN DATE '0001-01-01' ELSE (entered_at AT TIME ZONE 'Asia/Jakarta')::date END AS "on",
    0 AS days, count(*) AS times
FROM application_case WHERE status NOT IN ('draft', 'rejected', 'cancelled', 'retired') GROUP BY 2, 3, 4, 5
UNION ALL
SELECT 'stay_of_year', c.unit, coalesce(c.fiscal_year, 0), h.step || '@' || c.sop_version,
    date_trunc('year', h.left_at AT TIME ZONE 'Asia/Jakarta')::date, h.stay_days, count(*)
FROM case_status AS h JOIN application_case AS c ON c.id = h.case_id
WHERE h.ends_stay AND h.left_at IS NOT NULL AND h.step <> '' GROUP BY 2, 3, 4, 5, 6
UNION ALL
SELECT 'finished', unit, fiscal_year, '@' || sop_version,
    date_trunc('month', live_at AT TIME ZONE 'Asia/Jakarta')::date, days, count(*)
FROM (SELECT c.unit, coalesce(c.fiscal_year, 0) AS fiscal_year, c.sop_version, c.live_at,
        sum(h.worked_days)::integer AS days
    FROM application_case AS c JOIN case_status AS h ON h.case_id = c.id AND h.left_at <= c.live_at
        AND h.status NOT IN ('draft', 'rejected', 'cancelled', 'retired', 'live')
    WHERE NOT c.is_taken_over GROUP BY c.id) AS f
GROUP BY 2, 3, 4, 5, 6
)
INSERT INTO tally (kind, unit, fiscal_year, key, "on", days, times, minutes)
SELECT g.kind, s.unit, s.fiscal_year, g.key, g."on", g.days, sum(g.times), 0
FROM counted AS g CROSS JOIN LATERAL (
    SELECT u.unit, y.fiscal_year
    FROM (SELECT '' UNION SELECT g.unit) AS u(unit),
        (SELECT 0 UNION ALL SELECT unnest(ARRAY[1, g.fiscal_year]) WHERE g.fiscal_year <> 0) AS y(fiscal_year)
) AS s
GROUP BY 1, 2, 3, 4, 5, 6
ORDER BY 1, 2, 3, 4, 5, 6
""",
)
"""Counts these kinds anew, once."""
