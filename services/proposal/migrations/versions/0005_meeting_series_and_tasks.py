"""meeting series and tasks."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "proposal_0005"
down_revision = "proposal_0004"
branch_labels = None
depends_on = None


def moment(name: str, *, nullable: bool = True) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def born() -> list[sa.Column[object]]:
    return [sa.Column("id", sa.Uuid(), nullable=False), moment("created_at", nullable=False)]


def add(table: str, name: str, kind: sa.String | sa.Integer, given: str) -> None:
    """Add a column that may not be empty; rows that are there get a value, new ones bring their own."""
    op.add_column(table, sa.Column(name, kind, nullable=False, server_default=given))
    op.alter_column(table, name, server_default=None)


def upgrade() -> None:
    op.create_table(
        "meeting_series",
        *born(),
        sa.Column("kind", sa.String(10), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("weekday", sa.Integer()),
        sa.Column("month", sa.Integer()),
        sa.Column("day", sa.Integer()),
        sa.Column("starts", sa.Time(), nullable=False),
        sa.Column("ends", sa.Time()),
        sa.Column("place", sa.String(200), nullable=False),
        sa.Column("chair_role", sa.String(40), nullable=False),
        sa.Column("note_taker", sa.String(200), nullable=False),
        sa.Column("invited_roles", JSONB(), nullable=False),
        sa.Column("invited_people", JSONB(), nullable=False),
        sa.Column("standing_items", JSONB(), nullable=False),
        sa.Column("quorum", sa.Integer()),
        sa.Column("made_by_id", sa.Uuid(), nullable=False),
        moment("ended_at"),
        sa.Column("ended_reason", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "(weekday IS NOT NULL AND month IS NULL AND day IS NULL)"
            " OR (weekday IS NULL AND month IS NOT NULL AND day IS NOT NULL)",
            name=op.f("ck_meeting_series_weekday_or_day_of_the_year"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_meeting_series")),
    )
    _meeting()
    _attendance()
    _items()
    op.create_table(
        "minutes_version",
        *born(),
        sa.Column("meeting_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("content", JSONB(), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        moment("closed_at", nullable=False),
        sa.Column("closed_by_name", sa.String(200), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["meeting_id"], ["meeting.id"], name=op.f("fk_minutes_version_meeting_id_meeting")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_minutes_version")),
        sa.UniqueConstraint("meeting_id", "version", name=op.f("uq_minutes_version_meeting_id_version")),
    )
    op.create_table(
        "action_item",
        *born(),
        sa.Column("meeting_id", sa.Uuid(), nullable=False),
        sa.Column("meeting_item_id", sa.Uuid(), nullable=False),
        sa.Column("subject", sa.String(300), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Uuid()),
        sa.Column("person_name", sa.String(200), nullable=False),
        sa.Column("due_on", sa.Date()),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        moment("settled_at"),
        sa.Column("settled_by_name", sa.String(200), nullable=False),
        sa.CheckConstraint("(state = 'open') = (settled_at IS NULL)", name=op.f("ck_action_item_settled_is_not_open")),
        sa.ForeignKeyConstraint(["meeting_id"], ["meeting.id"], name=op.f("fk_action_item_meeting_id_meeting")),
        sa.ForeignKeyConstraint(
            ["meeting_item_id"], ["meeting_item.id"], name=op.f("fk_action_item_meeting_item_id_meeting_item")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_action_item")),
        sa.UniqueConstraint("meeting_item_id", name=op.f("uq_action_item_meeting_item_id")),
    )
    op.create_index("ix_action_item_person_id", "action_item", ["person_id", "state"])
    op.create_index("ix_action_item_open", "action_item", ["due_on"], postgresql_where=sa.text("state = 'open'"))
    op.create_index("ix_action_item_created_at_id", "action_item", ["created_at", "id"])
    op.create_table(
        "calendar_key",
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        moment("made_at", nullable=False),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_calendar_key")),
        sa.UniqueConstraint("digest", name=op.f("uq_calendar_key_digest")),
    )
    op.create_index(
        "ix_trace_entry_ticket",
        "trace_entry",
        ["path", "kind"],
        postgresql_where=sa.text("kind IN ('TicketOpened', 'TicketClosed')"),
    )


def _meeting() -> None:
    for column in (
        sa.Column("series_id", sa.Uuid()),
        sa.Column("series_on", sa.Date()),
        sa.Column("quorum", sa.Integer()),
        moment("cancelled_at"),
        moment("reopened_at"),
    ):
        op.add_column("meeting", column)
    add("meeting", "sequence", sa.Integer(), "0")
    add("meeting", "version", sa.Integer(), "1")
    for name, kind in (
        ("moved_reason", sa.Text()),
        ("cancelled_by_name", sa.String(200)),
        ("cancelled_reason", sa.Text()),
        ("invitation_number", sa.String(120)),
        ("invitation_digest", sa.String(64)),
        ("attendance_digest", sa.String(64)),
        ("reopened_by_name", sa.String(200)),
        ("reopened_reason", sa.Text()),
    ):
        add("meeting", name, kind, "")
    op.create_foreign_key(
        op.f("fk_meeting_series_id_meeting_series"), "meeting", "meeting_series", ["series_id"], ["id"]
    )
    op.create_unique_constraint(op.f("uq_meeting_series_id_series_on"), "meeting", ["series_id", "series_on"])
    op.create_index("ix_meeting_on", "meeting", ["on"])
    op.create_index(
        "ix_meeting_coming",
        "meeting",
        ["kind", "on"],
        postgresql_where=sa.text("closed_at IS NULL AND cancelled_at IS NULL"),
    )


def _attendance() -> None:
    op.create_table(
        "meeting_attendance",
        *born(),
        sa.Column("meeting_id", sa.Uuid(), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Uuid()),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("title", sa.String(210), nullable=False),
        sa.Column("presence", sa.String(10), nullable=False),
        sa.Column("is_late", sa.Boolean(), nullable=False),
        sa.Column("note", sa.String(300), nullable=False),
        sa.ForeignKeyConstraint(["meeting_id"], ["meeting.id"], name=op.f("fk_meeting_attendance_meeting_id_meeting")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_meeting_attendance")),
    )
    op.create_index("ix_meeting_attendance_meeting_id", "meeting_attendance", ["meeting_id", "ordinal"])
    op.execute("""
        INSERT INTO meeting_attendance
            (id, created_at, meeting_id, ordinal, name, title, presence, is_late, note)
        SELECT gen_random_uuid(), m.created_at, m.id, a.ordinal, left(a.name, 200), '', 'present', false, ''
        FROM meeting m CROSS JOIN LATERAL jsonb_array_elements_text(m.attendees) WITH ORDINALITY AS a (name, ordinal)
    """)
    op.drop_column("meeting", "attendees")


def _items() -> None:
    op.alter_column("meeting_item", "decision", existing_type=sa.String(10), nullable=True)
    add("meeting_item", "source", sa.String(12), "other")
    add("meeting_item", "source_key", sa.String(140), "")
    add("meeting_item", "source_path", sa.String(300), "")
    add("meeting_item", "edition", sa.Integer(), "1")
    add("meeting_item", "moved_count", sa.Integer(), "0")
    add("meeting_item", "written_by_name", sa.String(200), "")
    op.add_column("meeting_item", sa.Column("moved_to_id", sa.Uuid()))
    op.execute("""
        UPDATE meeting_item i SET
            source = CASE WHEN i.evaluation_id IS NOT NULL THEN 'evaluation'
                WHEN i.case_id IS NOT NULL THEN 'case' ELSE 'other' END,
            source_key = CASE WHEN i.evaluation_id IS NOT NULL THEN 'evaluation:' || i.evaluation_id
                WHEN i.case_id IS NOT NULL THEN 'case:' || i.case_id ELSE 'other:' || i.id END,
            source_path = CASE WHEN i.evaluation_id IS NOT NULL THEN '/evaluasi/' || i.evaluation_id
                ELSE coalesce((SELECT '/perkara/' || c.number FROM application_case c WHERE c.id = i.case_id), '') END
    """)
    op.create_foreign_key(
        op.f("fk_meeting_item_moved_to_id_meeting"), "meeting_item", "meeting", ["moved_to_id"], ["id"]
    )
    op.drop_constraint(op.f("uq_meeting_item_meeting_id_ordinal"), "meeting_item", type_="unique")
    op.create_unique_constraint(
        op.f("uq_meeting_item_meeting_id_ordinal"),
        "meeting_item",
        ["meeting_id", "ordinal"],
        deferrable=True,
        initially="DEFERRED",
    )
    op.create_unique_constraint(
        op.f("uq_meeting_item_meeting_id_source_key"), "meeting_item", ["meeting_id", "source_key"]
    )
    op.create_index("ix_meeting_item_source_key", "meeting_item", ["source_key"])
    op.create_check_constraint(
        op.f("ck_meeting_item_performed_is_decided"), "meeting_item", "performed_at IS NULL OR decision IS NOT NULL"
    )
