"""first."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "budget_0001"
down_revision = None
branch_labels = ("budget",)
depends_on = None


def upgrade() -> None:
    op.create_table(
        "account",
        sa.Column("code", sa.String(length=10), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("fund_source", sa.String(length=60), nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_account")),
    )
    op.create_table(
        "budget_plan",
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("case_number", sa.String(length=40), nullable=False),
        sa.Column("application_code", sa.String(length=40), nullable=False),
        sa.Column("application_name", sa.String(length=200), nullable=False),
        sa.Column("application_unit", sa.String(length=20), nullable=False),
        sa.Column("application", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("fiscal_year", sa.Integer(), nullable=False),
        sa.Column("estimated_amount", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("halted_status", sa.String(length=40), nullable=False),
        sa.Column("halted_note", sa.Text(), nullable=False),
        sa.Column("minutes", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("terms_of_reference_digest", sa.String(length=64), nullable=False),
        sa.Column("meetings_concluded_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("live_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_budget_plan")),
        sa.UniqueConstraint("case_id", name=op.f("uq_budget_plan_case_id")),
        sa.UniqueConstraint("case_number", name=op.f("uq_budget_plan_case_number")),
    )
    op.create_index("ix_budget_plan_created_at_id", "budget_plan", ["created_at", "id"], unique=False)
    op.create_index("ix_budget_plan_status", "budget_plan", ["status", "created_at"], unique=False)
    op.create_index("ix_budget_plan_unit", "budget_plan", ["application_unit", "created_at"], unique=False)
    op.create_table(
        "vendor",
        sa.Column("code", sa.String(length=20), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("npwp", sa.String(length=30), nullable=False),
        sa.Column("is_pkp", sa.Boolean(), nullable=False),
        sa.Column("city", sa.String(length=100), nullable=False),
        sa.Column("director", sa.String(length=200), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vendor")),
        sa.UniqueConstraint("code", name=op.f("uq_vendor_code")),
    )
    op.create_table(
        "ceiling",
        sa.Column("plan_id", sa.Uuid(), nullable=False),
        sa.Column("fiscal_year", sa.Integer(), nullable=False),
        sa.Column("fund_source", sa.String(length=60), nullable=False),
        sa.Column("document_number", sa.String(length=80), nullable=False),
        sa.Column("set_on", sa.Date(), nullable=False),
        sa.Column("amount", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("committed_amount", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("distributed_amount", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("paid_amount", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("amount >= 0", name=op.f("ck_ceiling_amount")),
        sa.CheckConstraint("committed_amount BETWEEN 0 AND amount", name=op.f("ck_ceiling_committed_within")),
        sa.CheckConstraint("distributed_amount BETWEEN 0 AND amount", name=op.f("ck_ceiling_distributed_within")),
        sa.CheckConstraint("paid_amount BETWEEN 0 AND committed_amount", name=op.f("ck_ceiling_paid_within")),
        sa.ForeignKeyConstraint(["plan_id"], ["budget_plan.id"], name=op.f("fk_ceiling_plan_id_budget_plan")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ceiling")),
        sa.UniqueConstraint("plan_id", "fiscal_year", name=op.f("uq_ceiling_plan_id_fiscal_year")),
    )
    op.create_table(
        "plan_version",
        sa.Column("plan_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("fiscal_year", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("vat_percent", sa.Integer(), nullable=False),
        sa.Column("vat_numerator", sa.Integer(), nullable=False),
        sa.Column("vat_denominator", sa.Integer(), nullable=False),
        sa.Column("vat_source", sa.String(length=60), nullable=False),
        sa.Column("subtotal_amount", sa.BigInteger(), nullable=False),
        sa.Column("tax_base_amount", sa.BigInteger(), nullable=False),
        sa.Column("vat_amount", sa.BigInteger(), nullable=False),
        sa.Column("total_before_rounding_amount", sa.BigInteger(), nullable=False),
        sa.Column("rounding_amount", sa.BigInteger(), nullable=False),
        sa.Column("total_amount", sa.BigInteger(), nullable=False),
        sa.Column("by_account", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("drafted_by_id", sa.Uuid(), nullable=True),
        sa.Column("drafted_by_name", sa.String(length=200), nullable=False),
        sa.Column("locked_by_id", sa.Uuid(), nullable=True),
        sa.Column("locked_by_name", sa.String(length=200), nullable=False),
        sa.Column("locked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("paper_id", sa.Uuid(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("locked_at IS NULL OR total_amount > 0", name=op.f("ck_plan_version_locked_with_total")),
        sa.CheckConstraint("rounding_amount BETWEEN -999 AND 0", name=op.f("ck_plan_version_rounding")),
        sa.CheckConstraint("tax_base_amount BETWEEN 0 AND subtotal_amount", name=op.f("ck_plan_version_tax_base")),
        sa.CheckConstraint(
            "total_amount = total_before_rounding_amount + rounding_amount", name=op.f("ck_plan_version_total")
        ),
        sa.CheckConstraint(
            "total_before_rounding_amount = subtotal_amount + vat_amount", name=op.f("ck_plan_version_before_rounding")
        ),
        sa.ForeignKeyConstraint(["plan_id"], ["budget_plan.id"], name=op.f("fk_plan_version_plan_id_budget_plan")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plan_version")),
        sa.UniqueConstraint("plan_id", "version", name=op.f("uq_plan_version_plan_id_version")),
    )
    op.create_table(
        "ceiling_decision",
        sa.Column("ceiling_id", sa.Uuid(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("accounts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("decided_on", sa.Date(), nullable=False),
        sa.Column("decided_by_id", sa.Uuid(), nullable=True),
        sa.Column("decided_by_name", sa.String(length=200), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("paper_id", sa.Uuid(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("amount <> 0", name=op.f("ck_ceiling_decision_amount")),
        sa.ForeignKeyConstraint(["ceiling_id"], ["ceiling.id"], name=op.f("fk_ceiling_decision_ceiling_id_ceiling")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ceiling_decision")),
    )
    op.create_index(op.f("ix_ceiling_decision_ceiling_id"), "ceiling_decision", ["ceiling_id"], unique=False)
    op.create_table(
        "contract",
        sa.Column("plan_id", sa.Uuid(), nullable=False),
        sa.Column("ceiling_id", sa.Uuid(), nullable=False),
        sa.Column("vendor_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.String(length=80), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("form", sa.String(length=20), nullable=False),
        sa.Column("form_reason", sa.Text(), nullable=False),
        sa.Column("method", sa.String(length=30), nullable=False),
        sa.Column("category", sa.String(length=20), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("account_code", sa.String(length=10), nullable=False),
        sa.Column("start_on", sa.Date(), nullable=False),
        sa.Column("end_on", sa.Date(), nullable=False),
        sa.Column("tax_base_amount", sa.BigInteger(), nullable=False),
        sa.Column("vat_percent", sa.Integer(), nullable=False),
        sa.Column("vat_numerator", sa.Integer(), nullable=False),
        sa.Column("vat_denominator", sa.Integer(), nullable=False),
        sa.Column("vat_source", sa.String(length=60), nullable=False),
        sa.Column("vat_amount", sa.BigInteger(), nullable=False),
        sa.Column("value_amount", sa.BigInteger(), nullable=False),
        sa.Column("committed_amount", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("paid_amount", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("source_code_owner", sa.String(length=200), nullable=False),
        sa.Column("late_fee_permille", sa.Integer(), nullable=False),
        sa.Column("warranty_months", sa.Integer(), nullable=False),
        sa.Column("rup_code", sa.String(length=60), nullable=False),
        sa.Column("procurement_ref", sa.String(length=80), nullable=False),
        sa.Column("drafted_by_id", sa.Uuid(), nullable=True),
        sa.Column("drafted_by_name", sa.String(length=200), nullable=False),
        sa.Column("signed_by_id", sa.Uuid(), nullable=True),
        sa.Column("signed_by_name", sa.String(length=200), nullable=False),
        sa.Column("signed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("paper_id", sa.Uuid(), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by_id", sa.Uuid(), nullable=True),
        sa.Column("ended_by_name", sa.String(length=200), nullable=False),
        sa.Column("end_reason", sa.Text(), nullable=False),
        sa.Column("documentation_accepted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("documentation_accepted_by_id", sa.Uuid(), nullable=True),
        sa.Column("documentation_accepted_by_name", sa.String(length=200), nullable=False),
        sa.Column("documentation_paper_id", sa.Uuid(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("committed_amount BETWEEN 0 AND value_amount", name=op.f("ck_contract_committed_within")),
        sa.CheckConstraint("paid_amount BETWEEN 0 AND committed_amount", name=op.f("ck_contract_paid_within")),
        sa.CheckConstraint("start_on <= end_on", name=op.f("ck_contract_period")),
        sa.CheckConstraint(
            "value_amount = tax_base_amount + vat_amount AND value_amount > 0", name=op.f("ck_contract_value")
        ),
        sa.ForeignKeyConstraint(["account_code"], ["account.code"], name=op.f("fk_contract_account_code_account")),
        sa.ForeignKeyConstraint(["ceiling_id"], ["ceiling.id"], name=op.f("fk_contract_ceiling_id_ceiling")),
        sa.ForeignKeyConstraint(["plan_id"], ["budget_plan.id"], name=op.f("fk_contract_plan_id_budget_plan")),
        sa.ForeignKeyConstraint(["vendor_id"], ["vendor.id"], name=op.f("fk_contract_vendor_id_vendor")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contract")),
        sa.UniqueConstraint("number", name=op.f("uq_contract_number")),
    )
    op.create_index("ix_contract_created_at_id", "contract", ["created_at", "id"], unique=False)
    op.create_index("ix_contract_plan_id", "contract", ["plan_id", "created_at"], unique=False)
    op.create_index("ix_contract_vendor_id", "contract", ["vendor_id", "created_at", "id"], unique=False)
    op.create_index(
        "uq_contract_in_force",
        "contract",
        ["plan_id"],
        unique=True,
        postgresql_where="status IN ('signed', 'handed_over')",
    )
    op.create_table(
        "conveyance",
        sa.Column("plan_id", sa.Uuid(), nullable=False),
        sa.Column("version_id", sa.Uuid(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("conveyed_by_id", sa.Uuid(), nullable=True),
        sa.Column("conveyed_by_name", sa.String(length=200), nullable=False),
        sa.Column("approved_by_id", sa.Uuid(), nullable=True),
        sa.Column("approved_by_name", sa.String(length=200), nullable=False),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("letter_number", sa.String(length=80), nullable=False),
        sa.Column("letter_id", sa.Uuid(), nullable=True),
        sa.Column("answered_by_id", sa.Uuid(), nullable=True),
        sa.Column("answered_by_name", sa.String(length=200), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["plan_id"], ["budget_plan.id"], name=op.f("fk_conveyance_plan_id_budget_plan")),
        sa.ForeignKeyConstraint(
            ["version_id"], ["plan_version.id"], name=op.f("fk_conveyance_version_id_plan_version")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_conveyance")),
        sa.UniqueConstraint("plan_id", "round", name=op.f("uq_conveyance_plan_id_round")),
    )
    op.create_index(
        "uq_conveyance_open", "conveyance", ["plan_id"], unique=True, postgresql_where="status IN ('preparing', 'sent')"
    )
    op.create_table(
        "plan_line",
        sa.Column("version_id", sa.Uuid(), nullable=False),
        sa.Column("no", sa.Integer(), nullable=False),
        sa.Column("group_name", sa.String(length=100), nullable=False),
        sa.Column("account_code", sa.String(length=10), nullable=False),
        sa.Column("description", sa.String(length=300), nullable=False),
        sa.Column("volume", sa.BigInteger(), nullable=False),
        sa.Column("unit", sa.String(length=40), nullable=False),
        sa.Column("unit_price_amount", sa.BigInteger(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("taxable", sa.Boolean(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("amount = volume * unit_price_amount", name=op.f("ck_plan_line_amount")),
        sa.CheckConstraint("volume > 0 AND unit_price_amount >= 0", name=op.f("ck_plan_line_not_negative")),
        sa.ForeignKeyConstraint(["account_code"], ["account.code"], name=op.f("fk_plan_line_account_code_account")),
        sa.ForeignKeyConstraint(["version_id"], ["plan_version.id"], name=op.f("fk_plan_line_version_id_plan_version")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plan_line")),
        sa.UniqueConstraint("version_id", "no", name=op.f("uq_plan_line_version_id_no")),
    )
    op.create_table(
        "conveyance_signature",
        sa.Column("conveyance_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("person_name", sa.String(length=200), nullable=False),
        sa.Column("person_title", sa.String(length=200), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["conveyance_id"], ["conveyance.id"], name=op.f("fk_conveyance_signature_conveyance_id_conveyance")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_conveyance_signature")),
        sa.UniqueConstraint("conveyance_id", "person_id", name=op.f("uq_conveyance_signature_conveyance_id_person_id")),
        sa.UniqueConstraint("conveyance_id", "role", name=op.f("uq_conveyance_signature_conveyance_id_role")),
    )
    op.create_table(
        "distribution",
        sa.Column("ceiling_id", sa.Uuid(), nullable=False),
        sa.Column("contract_id", sa.Uuid(), nullable=True),
        sa.Column("account_code", sa.String(length=10), nullable=False),
        sa.Column("activity", sa.String(length=200), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("distributed_by_id", sa.Uuid(), nullable=True),
        sa.Column("distributed_by_name", sa.String(length=200), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("amount <> 0", name=op.f("ck_distribution_amount")),
        sa.ForeignKeyConstraint(["account_code"], ["account.code"], name=op.f("fk_distribution_account_code_account")),
        sa.ForeignKeyConstraint(["ceiling_id"], ["ceiling.id"], name=op.f("fk_distribution_ceiling_id_ceiling")),
        sa.ForeignKeyConstraint(["contract_id"], ["contract.id"], name=op.f("fk_distribution_contract_id_contract")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_distribution")),
    )
    op.create_index(op.f("ix_distribution_ceiling_id"), "distribution", ["ceiling_id"], unique=False)
    op.create_index(op.f("ix_distribution_contract_id"), "distribution", ["contract_id"], unique=False)
    op.create_table(
        "document",
        sa.Column("contract_id", sa.Uuid(), nullable=False),
        sa.Column("item", sa.String(length=40), nullable=False),
        sa.Column("file_name", sa.String(length=200), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.String(length=12), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("uploaded_by_id", sa.Uuid(), nullable=True),
        sa.Column("uploaded_by_name", sa.String(length=200), nullable=False),
        sa.Column("reviewed_by_id", sa.Uuid(), nullable=True),
        sa.Column("reviewed_by_name", sa.String(length=200), nullable=False),
        sa.Column("reviewed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["contract_id"], ["contract.id"], name=op.f("fk_document_contract_id_contract")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_document")),
    )
    op.create_index("ix_document_contract_id", "document", ["contract_id", "item", "created_at"], unique=False)
    op.create_table(
        "financial_report",
        sa.Column("contract_id", sa.Uuid(), nullable=False),
        sa.Column("fiscal_year", sa.Integer(), nullable=False),
        sa.Column("as_of_on", sa.Date(), nullable=False),
        sa.Column("rows", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("ceiling_amount", sa.BigInteger(), nullable=False),
        sa.Column("realised_amount", sa.BigInteger(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("stored_by_id", sa.Uuid(), nullable=True),
        sa.Column("stored_by_name", sa.String(length=200), nullable=False),
        sa.Column("paper_id", sa.Uuid(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["contract_id"], ["contract.id"], name=op.f("fk_financial_report_contract_id_contract")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_financial_report")),
    )
    op.create_index(op.f("ix_financial_report_contract_id"), "financial_report", ["contract_id"], unique=False)
    op.create_table(
        "handover",
        sa.Column("contract_id", sa.Uuid(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(length=80), nullable=False),
        sa.Column("status", sa.String(length=12), nullable=False),
        sa.Column("statement", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("drafted_by_id", sa.Uuid(), nullable=True),
        sa.Column("drafted_by_name", sa.String(length=200), nullable=False),
        sa.Column("signed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("paper_id", sa.Uuid(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["contract_id"], ["contract.id"], name=op.f("fk_handover_contract_id_contract")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_handover")),
        sa.UniqueConstraint("contract_id", "round", name=op.f("uq_handover_contract_id_round")),
        sa.UniqueConstraint("number", name=op.f("uq_handover_number")),
    )
    op.create_table(
        "issued_paper",
        sa.Column("plan_id", sa.Uuid(), nullable=False),
        sa.Column("contract_id", sa.Uuid(), nullable=True),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("title", sa.String(length=300), nullable=False),
        sa.Column("number", sa.String(length=80), nullable=False),
        sa.Column("code", sa.String(length=20), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["contract_id"], ["contract.id"], name=op.f("fk_issued_paper_contract_id_contract")),
        sa.ForeignKeyConstraint(["plan_id"], ["budget_plan.id"], name=op.f("fk_issued_paper_plan_id_budget_plan")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_issued_paper")),
        sa.UniqueConstraint("code", name=op.f("uq_issued_paper_code")),
    )
    op.create_index("ix_issued_paper_contract_id", "issued_paper", ["contract_id", "created_at"], unique=False)
    op.create_index("ix_issued_paper_plan_id", "issued_paper", ["plan_id", "created_at"], unique=False)
    op.create_table(
        "term",
        sa.Column("contract_id", sa.Uuid(), nullable=False),
        sa.Column("no", sa.Integer(), nullable=False),
        sa.Column("percent", sa.Integer(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("condition", sa.String(length=300), nullable=False),
        sa.Column("paid_amount", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("amount > 0", name=op.f("ck_term_amount")),
        sa.CheckConstraint("paid_amount BETWEEN 0 AND amount", name=op.f("ck_term_paid_within")),
        sa.ForeignKeyConstraint(["contract_id"], ["contract.id"], name=op.f("fk_term_contract_id_contract")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_term")),
        sa.UniqueConstraint("contract_id", "no", name=op.f("uq_term_contract_id_no")),
    )
    op.create_table(
        "claim",
        sa.Column("contract_id", sa.Uuid(), nullable=False),
        sa.Column("term_id", sa.Uuid(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("invoice_number", sa.String(length=80), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("status", sa.String(length=12), nullable=False),
        sa.Column("claimed_by_id", sa.Uuid(), nullable=True),
        sa.Column("claimed_by_name", sa.String(length=200), nullable=False),
        sa.Column("verified_by_id", sa.Uuid(), nullable=True),
        sa.Column("verified_by_name", sa.String(length=200), nullable=False),
        sa.Column("verified_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answered_by_id", sa.Uuid(), nullable=True),
        sa.Column("answered_by_name", sa.String(length=200), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("amount > 0", name=op.f("ck_claim_amount")),
        sa.ForeignKeyConstraint(["contract_id"], ["contract.id"], name=op.f("fk_claim_contract_id_contract")),
        sa.ForeignKeyConstraint(["term_id"], ["term.id"], name=op.f("fk_claim_term_id_term")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_claim")),
    )
    op.create_index("ix_claim_contract_id", "claim", ["contract_id", "created_at"], unique=False)
    op.create_index("ix_claim_created_at_id", "claim", ["created_at", "id"], unique=False)
    op.create_index("ix_claim_status", "claim", ["status", "created_at"], unique=False)
    op.create_index("uq_claim_standing", "claim", ["term_id"], unique=True, postgresql_where="status <> 'refused'")
    op.create_table(
        "entry",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("ceiling_id", sa.Uuid(), nullable=False),
        sa.Column("contract_id", sa.Uuid(), nullable=True),
        sa.Column("term_id", sa.Uuid(), nullable=True),
        sa.Column("account_code", sa.String(length=10), server_default=sa.text("''"), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("source_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("kind IN ('ceiling', 'commitment', 'distribution', 'payment')", name=op.f("ck_entry_kind")),
        sa.CheckConstraint("amount <> 0", name=op.f("ck_entry_amount")),
        sa.ForeignKeyConstraint(["ceiling_id"], ["ceiling.id"], name=op.f("fk_entry_ceiling_id_ceiling")),
        sa.ForeignKeyConstraint(["contract_id"], ["contract.id"], name=op.f("fk_entry_contract_id_contract")),
        sa.ForeignKeyConstraint(["term_id"], ["term.id"], name=op.f("fk_entry_term_id_term")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_entry")),
    )
    op.create_index("ix_entry_ceiling_id_id", "entry", ["ceiling_id", "id"], unique=False)
    op.create_index("ix_entry_contract_id_id", "entry", ["contract_id", "id"], unique=False)
    op.create_table(
        "handover_signature",
        sa.Column("handover_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("person_name", sa.String(length=200), nullable=False),
        sa.Column("person_title", sa.String(length=200), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["handover_id"], ["handover.id"], name=op.f("fk_handover_signature_handover_id_handover")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_handover_signature")),
        sa.UniqueConstraint("handover_id", "person_id", name=op.f("uq_handover_signature_handover_id_person_id")),
        sa.UniqueConstraint("handover_id", "role", name=op.f("uq_handover_signature_handover_id_role")),
    )
    op.create_table(
        "payment",
        sa.Column("contract_id", sa.Uuid(), nullable=False),
        sa.Column("term_id", sa.Uuid(), nullable=False),
        sa.Column("claim_id", sa.Uuid(), nullable=True),
        sa.Column("corrects_id", sa.Uuid(), nullable=True),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("account_code", sa.String(length=10), nullable=False),
        sa.Column("paid_on", sa.Date(), nullable=False),
        sa.Column("spm_number", sa.String(length=80), nullable=False),
        sa.Column("sp2d_number", sa.String(length=80), nullable=False),
        sa.Column("is_before_permit", sa.Boolean(), nullable=False),
        sa.Column("paid_by_id", sa.Uuid(), nullable=True),
        sa.Column("paid_by_name", sa.String(length=200), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("paper_id", sa.Uuid(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "CASE WHEN corrects_id IS NULL THEN amount > 0 ELSE amount < 0 END", name=op.f("ck_payment_amount")
        ),
        sa.ForeignKeyConstraint(["account_code"], ["account.code"], name=op.f("fk_payment_account_code_account")),
        sa.ForeignKeyConstraint(["claim_id"], ["claim.id"], name=op.f("fk_payment_claim_id_claim")),
        sa.ForeignKeyConstraint(["contract_id"], ["contract.id"], name=op.f("fk_payment_contract_id_contract")),
        sa.ForeignKeyConstraint(["corrects_id"], ["payment.id"], name=op.f("fk_payment_corrects_id_payment")),
        sa.ForeignKeyConstraint(["term_id"], ["term.id"], name=op.f("fk_payment_term_id_term")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment")),
    )
    op.create_index("ix_payment_contract_id", "payment", ["contract_id", "created_at"], unique=False)
    op.create_index("uq_payment_claim_id", "payment", ["claim_id"], unique=True)
