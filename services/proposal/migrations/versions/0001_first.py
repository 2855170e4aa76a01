"""first."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "proposal_0001"
down_revision = None
branch_labels = ("proposal",)
depends_on = None


def upgrade() -> None:
    op.create_table(
        "application_case",
        sa.Column("number", sa.String(length=40), nullable=False),
        sa.Column("status", sa.String(length=30), nullable=False),
        sa.Column("entered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("status_reason", sa.Text(), nullable=False),
        sa.Column("sop_version", sa.Integer(), nullable=False),
        sa.Column("edition", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=30), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("unit", sa.String(length=20), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("tech", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("personal_data", sa.String(length=10), nullable=False),
        sa.Column("criticality", sa.String(length=10), nullable=False),
        sa.Column("expected_users", sa.Integer(), nullable=False),
        sa.Column("proposer_id", sa.Uuid(), nullable=False),
        sa.Column("proposer_name", sa.String(length=200), nullable=False),
        sa.Column("proposer_unit", sa.String(length=20), nullable=True),
        sa.Column("is_from_app_head", sa.Boolean(), nullable=False),
        sa.Column("parent_case_id", sa.Uuid(), nullable=True),
        sa.Column("evaluation_id", sa.Uuid(), nullable=True),
        sa.Column("merged_into_id", sa.Uuid(), nullable=True),
        sa.Column("is_taken_over", sa.Boolean(), nullable=False),
        sa.Column("fiscal_year", sa.Integer(), nullable=True),
        sa.Column("analysis_version", sa.Integer(), nullable=False),
        sa.Column("terms_version", sa.Integer(), nullable=False),
        sa.Column("recommended_by_id", sa.Uuid(), nullable=True),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("override_reason", sa.Text(), nullable=False),
        sa.Column("plan_version", sa.Integer(), nullable=True),
        sa.Column("plan_amount", sa.BigInteger(), nullable=True),
        sa.Column("is_plan_locked", sa.Boolean(), nullable=False),
        sa.Column("ceiling_amount", sa.BigInteger(), nullable=True),
        sa.Column("vendor", sa.String(length=40), nullable=True),
        sa.Column("vendor_name", sa.String(length=200), nullable=False),
        sa.Column("contract_number", sa.String(length=80), nullable=False),
        sa.Column("contract_amount", sa.BigInteger(), nullable=True),
        sa.Column("paid_amount", sa.BigInteger(), nullable=True),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("installed_digest", sa.String(length=64), nullable=False),
        sa.Column("live_digest", sa.String(length=64), nullable=False),
        sa.Column("address", sa.String(length=300), nullable=False),
        sa.Column("live_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "coalesce(plan_amount, 0) >= 0 AND coalesce(ceiling_amount, 0) >= 0"
            " AND coalesce(contract_amount, 0) >= 0 AND coalesce(paid_amount, 0) >= 0",
            name=op.f("ck_application_case_amounts_not_negative"),
        ),
        sa.CheckConstraint("expected_users >= 0", name=op.f("ck_application_case_expected_users_not_negative")),
        sa.ForeignKeyConstraint(
            ["merged_into_id"],
            ["application_case.id"],
            name=op.f("fk_application_case_merged_into_id_application_case"),
        ),
        sa.ForeignKeyConstraint(
            ["parent_case_id"],
            ["application_case.id"],
            name=op.f("fk_application_case_parent_case_id_application_case"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_application_case")),
        sa.UniqueConstraint("number", name=op.f("uq_application_case_number")),
    )
    op.create_index("ix_application_case_created_at_id", "application_case", ["created_at", "id"], unique=False)
    op.create_index("ix_application_case_parent_case_id", "application_case", ["parent_case_id"], unique=False)
    op.create_index(
        "ix_application_case_status_created_at", "application_case", ["status", "created_at", "id"], unique=False
    )
    op.create_index("ix_application_case_unit", "application_case", ["unit", "created_at", "id"], unique=False)
    op.create_index("ix_application_case_vendor", "application_case", ["vendor", "created_at", "id"], unique=False)
    op.create_index("ix_application_case_waiting", "application_case", ["status", "entered_at"], unique=False)
    op.create_index(
        "uq_application_case_code_open",
        "application_case",
        ["code"],
        unique=True,
        postgresql_where=sa.text("status NOT IN ('rejected', 'cancelled')"),
    )
    op.create_table(
        "counter",
        sa.Column("series", sa.String(length=40), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("series", "year", name=op.f("pk_counter")),
    )
    op.create_table(
        "meeting",
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("number", sa.String(length=80), nullable=False),
        sa.Column("on", sa.Date(), nullable=False),
        sa.Column("starts", sa.Time(), nullable=True),
        sa.Column("ends", sa.Time(), nullable=True),
        sa.Column("place", sa.String(length=200), nullable=False),
        sa.Column("chair", sa.String(length=200), nullable=False),
        sa.Column("note_taker", sa.String(length=200), nullable=False),
        sa.Column("attendees", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("made_by_id", sa.Uuid(), nullable=False),
        sa.Column("edition", sa.Integer(), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_by_id", sa.Uuid(), nullable=True),
        sa.Column("closed_by_name", sa.String(length=200), nullable=False),
        sa.Column("minutes_digest", sa.String(length=64), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_meeting")),
        sa.UniqueConstraint("number", name=op.f("uq_meeting_number")),
    )
    op.create_index("ix_meeting_created_at_id", "meeting", ["created_at", "id"], unique=False)
    op.create_table(
        "case_status",
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("source", sa.String(length=30), nullable=False),
        sa.Column("move", sa.String(length=40), nullable=False),
        sa.Column("status", sa.String(length=30), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by_id", sa.Uuid(), nullable=True),
        sa.Column("by_name", sa.String(length=200), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["case_id"], ["application_case.id"], name=op.f("fk_case_status_case_id_application_case")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_status")),
    )
    op.create_index("ix_case_status_case_id", "case_status", ["case_id", "at"], unique=False)
    op.create_table(
        "disposition",
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("act", sa.String(length=40), nullable=False),
        sa.Column("label", sa.String(length=200), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("by_id", sa.Uuid(), nullable=False),
        sa.Column("by_name", sa.String(length=200), nullable=False),
        sa.Column("as_what", sa.String(length=200), nullable=False),
        sa.Column("paper_digest", sa.String(length=64), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["case_id"], ["application_case.id"], name=op.f("fk_disposition_case_id_application_case")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_disposition")),
    )
    op.create_index("ix_disposition_case_id", "disposition", ["case_id", "created_at"], unique=False)
    op.create_table(
        "evaluation",
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.String(length=80), nullable=False),
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.Column("until_on", sa.Date(), nullable=False),
        sa.Column("status", sa.String(length=12), nullable=False),
        sa.Column("opened_by_id", sa.Uuid(), nullable=False),
        sa.Column("answered", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("obstacles", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("advice", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("advises", sa.String(length=20), nullable=False),
        sa.Column("report_version", sa.Integer(), nullable=False),
        sa.Column("report_digest", sa.String(length=64), nullable=False),
        sa.Column("reported_by_id", sa.Uuid(), nullable=True),
        sa.Column("reported_by_name", sa.String(length=200), nullable=False),
        sa.Column("meeting_id", sa.Uuid(), nullable=True),
        sa.Column("meeting_number", sa.String(length=80), nullable=False),
        sa.Column("presented_on", sa.Date(), nullable=True),
        sa.Column("decision", sa.String(length=20), nullable=False),
        sa.Column("decision_note", sa.Text(), nullable=False),
        sa.Column("decided_by_name", sa.String(length=200), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("follow_up_case_id", sa.Uuid(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["case_id"], ["application_case.id"], name=op.f("fk_evaluation_case_id_application_case")
        ),
        sa.ForeignKeyConstraint(
            ["follow_up_case_id"],
            ["application_case.id"],
            name=op.f("fk_evaluation_follow_up_case_id_application_case"),
        ),
        sa.ForeignKeyConstraint(["meeting_id"], ["meeting.id"], name=op.f("fk_evaluation_meeting_id_meeting")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_evaluation")),
        sa.UniqueConstraint("number", name=op.f("uq_evaluation_number")),
    )
    op.create_index("ix_evaluation_case_id", "evaluation", ["case_id", "created_at"], unique=False)
    op.create_index("ix_evaluation_status", "evaluation", ["status", "created_at"], unique=False)
    op.create_index(
        "uq_evaluation_open", "evaluation", ["case_id"], unique=True, postgresql_where=sa.text("status <> 'decided'")
    )
    op.create_table(
        "needs_analysis",
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("recommendation", sa.String(length=20), nullable=False),
        sa.Column("advice", sa.Text(), nullable=False),
        sa.Column("by_id", sa.Uuid(), nullable=False),
        sa.Column("by_name", sa.String(length=200), nullable=False),
        sa.Column("paper_digest", sa.String(length=64), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["case_id"], ["application_case.id"], name=op.f("fk_needs_analysis_case_id_application_case")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_needs_analysis")),
        sa.UniqueConstraint("case_id", "version", name=op.f("uq_needs_analysis_case_id_version")),
    )
    op.create_table(
        "proposal",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("letter_number", sa.String(length=120), nullable=False),
        sa.Column("letter_on", sa.Date(), nullable=True),
        sa.Column("letter_digest", sa.String(length=64), nullable=False),
        sa.Column("letter_file_name", sa.String(length=200), nullable=False),
        sa.Column("background", sa.Text(), nullable=False),
        sa.Column("benefit", sa.Text(), nullable=False),
        sa.Column("users", sa.Text(), nullable=False),
        sa.Column("indicators", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("more", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("agenda_number", sa.String(length=80), nullable=False),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["id"], ["application_case.id"], name=op.f("fk_proposal_id_application_case")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_proposal")),
    )
    op.create_table(
        "registered_application",
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("unit", sa.String(length=20), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("address", sa.String(length=300), nullable=False),
        sa.Column("release_number", sa.Integer(), nullable=True),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("live_since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["case_id"], ["application_case.id"], name=op.f("fk_registered_application_case_id_application_case")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_registered_application")),
        sa.UniqueConstraint("case_id", name=op.f("uq_registered_application_case_id")),
        sa.UniqueConstraint("code", name=op.f("uq_registered_application_code")),
    )
    op.create_index("ix_registered_application_name", "registered_application", ["name"], unique=False)
    op.create_table(
        "terms_of_reference",
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("sections", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("paper_digest", sa.String(length=64), nullable=False),
        sa.Column("by_id", sa.Uuid(), nullable=False),
        sa.Column("by_name", sa.String(length=200), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["case_id"], ["application_case.id"], name=op.f("fk_terms_of_reference_case_id_application_case")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_terms_of_reference")),
        sa.UniqueConstraint("case_id", "version", name=op.f("uq_terms_of_reference_case_id_version")),
    )
    op.create_table(
        "trace_entry",
        sa.Column("seq", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("step", sa.String(length=8), nullable=False),
        sa.Column("kind", sa.String(length=80), nullable=False),
        sa.Column("says", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("move", sa.String(length=40), nullable=False),
        sa.Column("status", sa.String(length=30), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.Column("person_name", sa.String(length=200), nullable=False),
        sa.Column("as_what", sa.String(length=200), nullable=False),
        sa.Column("acting_for", sa.String(length=200), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("path", sa.String(length=300), nullable=False),
        sa.Column("source", sa.String(length=32), nullable=False),
        sa.Column("message_id", sa.Uuid(), nullable=True),
        sa.Column("audit_service", sa.String(length=32), nullable=False),
        sa.Column("audit_seq", sa.BigInteger(), nullable=True),
        sa.Column("audit_hash", sa.String(length=64), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["case_id"], ["application_case.id"], name=op.f("fk_trace_entry_case_id_application_case")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_trace_entry")),
        sa.UniqueConstraint("message_id", name=op.f("uq_trace_entry_message_id")),
        sa.UniqueConstraint("seq", name=op.f("uq_trace_entry_seq")),
    )
    op.create_index("ix_trace_entry_case_id", "trace_entry", ["case_id", "at", "seq"], unique=False)
    op.create_table(
        "work_programme_entry",
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.String(length=40), nullable=False),
        sa.Column("fiscal_year", sa.Integer(), nullable=False),
        sa.Column("activity", sa.Text(), nullable=False),
        sa.Column("indicator", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("quarter", sa.String(length=20), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("estimated_amount", sa.BigInteger(), nullable=False),
        sa.Column("pic", sa.String(length=200), nullable=False),
        sa.Column("paper_digest", sa.String(length=64), nullable=False),
        sa.Column("by_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("estimated_amount >= 0", name=op.f("ck_work_programme_entry_estimated_amount_not_negative")),
        sa.ForeignKeyConstraint(
            ["case_id"], ["application_case.id"], name=op.f("fk_work_programme_entry_case_id_application_case")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_work_programme_entry")),
        sa.UniqueConstraint("case_id", "fiscal_year", name=op.f("uq_work_programme_entry_case_id_fiscal_year")),
        sa.UniqueConstraint("number", name=op.f("uq_work_programme_entry_number")),
    )
    op.create_index(
        "ix_work_programme_entry_fiscal_year",
        "work_programme_entry",
        ["fiscal_year", "priority", "number"],
        unique=False,
    )
    op.create_table(
        "evaluation_figure",
        sa.Column("evaluation_id", sa.Uuid(), nullable=False),
        sa.Column("division", sa.String(length=20), nullable=False),
        sa.Column("key", sa.String(length=80), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("label", sa.String(length=200), nullable=False),
        sa.Column("value", sa.Double(), nullable=False),
        sa.Column("unit", sa.String(length=40), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["evaluation_id"], ["evaluation.id"], name=op.f("fk_evaluation_figure_evaluation_id_evaluation")
        ),
        sa.PrimaryKeyConstraint("evaluation_id", "division", "key", name=op.f("pk_evaluation_figure")),
    )
    op.create_table(
        "meeting_item",
        sa.Column("meeting_id", sa.Uuid(), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=True),
        sa.Column("evaluation_id", sa.Uuid(), nullable=True),
        sa.Column("subject", sa.String(length=300), nullable=False),
        sa.Column("discussion", sa.Text(), nullable=False),
        sa.Column("decision", sa.String(length=10), nullable=False),
        sa.Column("follow_up", sa.Text(), nullable=False),
        sa.Column("pic", sa.String(length=200), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("performed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("by_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["case_id"], ["application_case.id"], name=op.f("fk_meeting_item_case_id_application_case")
        ),
        sa.ForeignKeyConstraint(
            ["evaluation_id"], ["evaluation.id"], name=op.f("fk_meeting_item_evaluation_id_evaluation")
        ),
        sa.ForeignKeyConstraint(["meeting_id"], ["meeting.id"], name=op.f("fk_meeting_item_meeting_id_meeting")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_meeting_item")),
        sa.UniqueConstraint("meeting_id", "ordinal", name=op.f("uq_meeting_item_meeting_id_ordinal")),
    )
    op.create_index("ix_meeting_item_case_id", "meeting_item", ["case_id"], unique=False)
    op.create_index("ix_meeting_item_evaluation_id", "meeting_item", ["evaluation_id"], unique=False)
    op.create_table(
        "paper",
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("trace_entry_id", sa.Uuid(), nullable=False),
        sa.Column("step", sa.String(length=8), nullable=False),
        sa.Column("kind", sa.String(length=60), nullable=False),
        sa.Column("title", sa.String(length=300), nullable=False),
        sa.Column("number", sa.String(length=120), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("file_name", sa.String(length=200), nullable=False),
        sa.Column("source", sa.String(length=32), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["application_case.id"], name=op.f("fk_paper_case_id_application_case")),
        sa.ForeignKeyConstraint(
            ["trace_entry_id"], ["trace_entry.id"], name=op.f("fk_paper_trace_entry_id_trace_entry")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_paper")),
    )
    op.create_index("ix_paper_case_id", "paper", ["case_id", "created_at"], unique=False)
    op.create_index("ix_paper_digest", "paper", ["digest"], unique=False)
    op.create_index("ix_paper_trace_entry_id", "paper", ["trace_entry_id"], unique=False)
    op.create_table(
        "proposal_version",
        sa.Column("proposal_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("content", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("submitted_by_id", sa.Uuid(), nullable=False),
        sa.Column("submitted_by_name", sa.String(length=200), nullable=False),
        sa.Column("paper_digest", sa.String(length=64), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["proposal_id"], ["proposal.id"], name=op.f("fk_proposal_version_proposal_id_proposal")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_proposal_version")),
        sa.UniqueConstraint("proposal_id", "version", name=op.f("uq_proposal_version_proposal_id_version")),
    )
