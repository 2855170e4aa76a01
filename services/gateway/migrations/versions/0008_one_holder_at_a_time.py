"""A post that one person holds at a time has one holder and one deputy on each day: the database keeps it."""

import sqlalchemy as sa
from alembic import op

revision = "gateway_0008"
down_revision = "gateway_0007"
branch_labels = None
depends_on = None

POSTS = "'head', 'app_head', 'service_head', 'infra_head', 'security_head', 'ppk', 'treasurer'"
KINDS = {"one_holder": "kind = 'definitive'", "one_deputy": "kind <> 'definitive'"}
TWICE = f"""
SELECT DISTINCT a.role, p.username, q.username
FROM appointment a
JOIN appointment b ON b.role = a.role AND b.id > a.id
    AND (a.kind = 'definitive') = (b.kind = 'definitive')
    AND daterange(a.from_on, a.until_on, '[]') && daterange(b.from_on, b.until_on, '[]')
JOIN person p ON p.id = a.person_id JOIN person q ON q.id = b.person_id
WHERE a.ended_at IS NULL AND b.ended_at IS NULL AND a.role IN ({POSTS})
ORDER BY 1, 2, 3
"""  # noqa: S608 - nothing in it comes from outside


def upgrade() -> None:
    # Who of two keeps a post is nothing that a machine may decide: the operator is told whom to ask about.
    twice = op.get_bind().execute(sa.text(TWICE)).all()
    if twice:
        named = "; ".join(f"{role}: {one} dan {other}" for role, one, other in twice)
        raise RuntimeError(
            f"Satu jabatan dipegang dua orang pada hari yang sama ({named}). Akhiri salah satu penugasannya di halaman "
            "Penugasan dengan versi yang sekarang terpasang, lalu perbarui lagi. Belum ada yang berubah."
        )
    op.execute("CREATE EXTENSION IF NOT EXISTS btree_gist")
    for name, kind in KINDS.items():
        op.create_exclude_constraint(
            f"ex_appointment_{name}",
            "appointment",
            ("role", "="),
            (sa.literal_column("daterange(from_on, until_on, '[]')"), "&&"),
            where=sa.text(f"ended_at IS NULL AND {kind} AND role IN ({POSTS})"),
            using="gist",
        )
