"""The working time of each status that is over, so that reports add up instead of counting days."""

from datetime import UTC, datetime
from itertools import groupby
from typing import Any

import sqlalchemy as sa
from alembic import op

from shared.calendar import calendar_from
from shared.service_clock import Hours

revision = "proposal_0007"
down_revision = "proposal_0005"
branch_labels = None
depends_on = None

AT_ONCE = 5_000


def upgrade() -> None:
    op.add_column("case_status", sa.Column("step", sa.String(length=8), server_default="", nullable=False))
    op.add_column("case_status", sa.Column("left_at", sa.DateTime(timezone=True), nullable=True))
    for name in ("worked_minutes", "worked_days", "stay_minutes", "stay_days"):
        op.add_column("case_status", sa.Column(name, sa.Integer(), nullable=True))
    op.add_column("case_status", sa.Column("ends_stay", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    _fill()
    op.create_index(
        "ix_case_status_left_at",
        "case_status",
        ["left_at", "step", "stay_days", "case_id"],
        unique=False,
        postgresql_where=sa.text("ends_stay"),
    )
    op.create_index("ix_case_status_at", "case_status", ["at", "source", "status", "case_id"], unique=False)


def _fill() -> None:
    """Measure what is there, by the library's holidays; a year that the administrator enters is measured again."""
    clock = Hours(calendar_from({}, around=datetime.now(UTC).year))
    # Read whole before anything is written: a few numbers for each row.
    rows = (
        op.get_bind()
        .execute(sa.text("SELECT id, case_id, status, at FROM case_status ORDER BY case_id, at, created_at"))
        .all()
    )
    waiting: list[dict[str, Any]] = []
    for _, of_case in groupby(rows, key=lambda row: row.case_id):
        waiting += _measured(list(of_case), clock)
        if len(waiting) >= AT_ONCE:
            op.get_bind().execute(UPDATE, waiting)
            waiting = []
    if waiting:
        op.get_bind().execute(UPDATE, waiting)


def _measured(rows: list[Any], clock: Hours) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    minutes = days = 0
    for n, row in enumerate(rows):
        step = STEP.get(row.status, "")
        one: dict[str, Any] = dict.fromkeys(("left", "minutes", "days", "all_minutes", "all_days"))
        one |= {"id": row.id, "step": step, "ends": False}
        if n + 1 < len(rows):
            following = rows[n + 1]
            spent, passed = clock.minutes(row.at, following.at), clock.days(row.at, following.at)
            minutes, days = minutes + spent, days + passed
            one |= {"left": following.at, "minutes": spent, "days": passed, "all_minutes": minutes, "all_days": days}
            one["ends"] = STEP.get(following.status, "") != step
            if one["ends"]:
                minutes = days = 0
        found.append(one)
    return found


UPDATE = sa.text(
    "UPDATE case_status SET step = :step, left_at = :left, worked_minutes = :minutes, worked_days = :days, "
    "stay_minutes = :all_minutes, stay_days = :all_days, ends_stay = :ends WHERE id = :id"
)

STEP = {
    "submitted": "S01", "returned": "S01", "under_analysis": "F01", "awaiting_decision": "S02", "approved": "S02",
    "in_work_programme": "F02", "deferred": "S03", "discussed": "S04", "sent_to_planning": "S04", "budgeted": "S05",
    "in_development": "S05", "handed_over": "S07", "installed": "S08", "security_testing": "S08",
    "remediation": "S07", "cleared": "F04", "live": "S09", "suspended": "S08",
}  # fmt: skip
