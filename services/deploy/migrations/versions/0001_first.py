"""first."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "deploy_0001"
down_revision = None
branch_labels = ("deploy",)
depends_on = None


def upgrade() -> None:
    op.create_table(
        "application",
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("case_number", sa.String(length=40), nullable=False),
        sa.Column("code", sa.String(length=31), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("unit", sa.String(length=20), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("personal_data", sa.String(length=20), nullable=False),
        sa.Column("criticality", sa.String(length=20), nullable=False),
        sa.Column("vendor", sa.String(length=20), nullable=False),
        sa.Column("vendor_name", sa.String(length=200), nullable=False),
        sa.Column("contract_number", sa.String(length=80), nullable=False),
        sa.Column("handover_number", sa.String(length=80), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("last_release", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("case_id", name=op.f("pk_application")),
        sa.UniqueConstraint("case_number", name=op.f("uq_application_case_number")),
        sa.UniqueConstraint("code", name=op.f("uq_application_code")),
    )
    op.create_index("ix_application_created_at", "application", ["created_at", "case_id"], unique=False)
    op.create_index("ix_application_vendor", "application", ["vendor", "created_at"], unique=False)
    op.create_table(
        "probe",
        sa.Column("address", sa.String(length=253), nullable=False),
        sa.Column("port", sa.Integer(), nullable=False),
        sa.Column("job_id", sa.Uuid(), nullable=True),
        sa.Column("host_key", sa.String(length=200), nullable=False),
        sa.Column("fingerprint", sa.String(length=80), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("asked_by_id", sa.Uuid(), nullable=False),
        sa.Column("asked_by_name", sa.String(length=200), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_probe")),
    )
    op.create_index("ix_probe_created_at_id", "probe", ["created_at", "id"], unique=False)
    op.create_table(
        "revoked_permit",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_revoked_permit")),
    )
    op.create_table(
        "server",
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("address", sa.String(length=253), nullable=False),
        sa.Column("port", sa.Integer(), nullable=False),
        sa.Column("username", sa.String(length=32), nullable=False),
        sa.Column("host_key", sa.String(length=200), nullable=False),
        sa.Column("fingerprint", sa.String(length=80), nullable=False),
        sa.Column("base_domain", sa.String(length=200), nullable=False),
        sa.Column("connect_address", sa.String(length=253), nullable=False),
        sa.Column("connect_port", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("registered_by_id", sa.Uuid(), nullable=False),
        sa.Column("registered_by_name", sa.String(length=200), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("host_key LIKE 'ssh-ed25519 %%'", name=op.f("ck_server_host_key_is_ed25519")),
        sa.CheckConstraint("connect_port BETWEEN 1 AND 65535", name=op.f("ck_server_connect_port")),
        sa.CheckConstraint("port BETWEEN 1 AND 65535", name=op.f("ck_server_port")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_server")),
        sa.UniqueConstraint("name", name=op.f("uq_server_name")),
    )
    op.create_index("ix_server_created_at_id", "server", ["created_at", "id"], unique=False)
    op.create_index(
        "uq_server_address_in_use", "server", ["address", "port"], unique=True, postgresql_where="status <> 'retired'"
    )
    op.create_table(
        "build",
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("files", sa.Integer(), nullable=False),
        sa.Column("total_size", sa.BigInteger(), nullable=False),
        sa.Column("file_name", sa.String(length=255), nullable=False),
        sa.Column("received_by_id", sa.Uuid(), nullable=False),
        sa.Column("received_by_name", sa.String(length=200), nullable=False),
        sa.Column("defect_reason", sa.Text(), nullable=False),
        sa.Column("defect_by_name", sa.String(length=200), nullable=False),
        sa.Column("defect_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["application.case_id"], name=op.f("fk_build_case_id_application")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_build")),
        sa.UniqueConstraint("case_id", "digest", name=op.f("uq_build_case_id_digest")),
    )
    op.create_index("ix_build_created_at_id", "build", ["created_at", "id"], unique=False)
    op.create_table(
        "hosting",
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("subdomain", sa.String(length=40), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("runtime", sa.String(length=10), nullable=False),
        sa.Column("disk_mb", sa.Integer(), nullable=False),
        sa.Column("until_on", sa.Date(), nullable=True),
        sa.Column("administrative_contact", sa.String(length=200), nullable=False),
        sa.Column("administrative_whatsapp", sa.String(length=20), nullable=False),
        sa.Column("technical_contact", sa.String(length=200), nullable=False),
        sa.Column("technical_whatsapp", sa.String(length=20), nullable=False),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("server_id", sa.Uuid(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("requested_by_id", sa.Uuid(), nullable=False),
        sa.Column("requested_by_name", sa.String(length=200), nullable=False),
        sa.Column("decided_by_id", sa.Uuid(), nullable=True),
        sa.Column("decided_by_name", sa.String(length=200), nullable=False),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("status <> 'ready' OR server_id IS NOT NULL", name=op.f("ck_hosting_ready_has_server")),
        sa.CheckConstraint("disk_mb BETWEEN 1 AND 1048576", name=op.f("ck_hosting_disk_mb")),
        sa.ForeignKeyConstraint(["case_id"], ["application.case_id"], name=op.f("fk_hosting_case_id_application")),
        sa.ForeignKeyConstraint(["server_id"], ["server.id"], name=op.f("fk_hosting_server_id_server")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hosting")),
    )
    op.create_index("ix_hosting_created_at_id", "hosting", ["created_at", "id"], unique=False)
    op.create_index("uq_hosting_case_id", "hosting", ["case_id"], unique=True, postgresql_where="status <> 'refused'")
    op.create_index(
        "uq_hosting_subdomain", "hosting", ["subdomain"], unique=True, postgresql_where="status <> 'refused'"
    )
    op.create_table(
        "installation",
        sa.Column("hosting_id", sa.Uuid(), nullable=False),
        sa.Column("build_id", sa.Uuid(), nullable=False),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("plan", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("plan_digest", sa.String(length=64), nullable=False),
        sa.Column("approved_digest", sa.String(length=64), nullable=False),
        sa.Column("maker", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("made_by_id", sa.Uuid(), nullable=False),
        sa.Column("made_by_name", sa.String(length=200), nullable=False),
        sa.Column("approved_by_id", sa.Uuid(), nullable=True),
        sa.Column("approved_by_name", sa.String(length=200), nullable=False),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("plan_job_id", sa.Uuid(), nullable=True),
        sa.Column("job_id", sa.Uuid(), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["build_id"], ["build.id"], name=op.f("fk_installation_build_id_build")),
        sa.ForeignKeyConstraint(["hosting_id"], ["hosting.id"], name=op.f("fk_installation_hosting_id_hosting")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_installation")),
    )
    op.create_index("ix_installation_created_at_id", "installation", ["created_at", "id"], unique=False)
    op.create_index(
        "uq_installation_hosting_id",
        "installation",
        ["hosting_id"],
        unique=True,
        postgresql_where="status IN ('planning', 'planned', 'approved')",
    )
    op.create_table(
        "operation",
        sa.Column("hosting_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("thing_id", sa.Uuid(), nullable=False),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.Column("job_id", sa.Uuid(), nullable=True),
        sa.Column("actor", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["hosting_id"], ["hosting.id"], name=op.f("fk_operation_hosting_id_hosting")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_operation")),
    )
    op.create_index("ix_operation_hosting_id_created_at", "operation", ["hosting_id", "created_at"], unique=False)
    op.create_index("ix_operation_thing_id", "operation", ["thing_id", "created_at"], unique=False)
    op.create_index(
        "uq_operation_hosting_id", "operation", ["hosting_id"], unique=True, postgresql_where="status = 'running'"
    )
    op.create_table(
        "release",
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("build_id", sa.Uuid(), nullable=False),
        sa.Column("hosting_id", sa.Uuid(), nullable=False),
        sa.Column("installation_id", sa.Uuid(), nullable=False),
        sa.Column("status", sa.String(length=12), nullable=False),
        sa.Column("installed_by_id", sa.Uuid(), nullable=False),
        sa.Column("installed_by_name", sa.String(length=200), nullable=False),
        sa.Column("failed_note", sa.Text(), nullable=False),
        sa.Column("authorised_by_id", sa.Uuid(), nullable=True),
        sa.Column("authorised_by_name", sa.String(length=200), nullable=False),
        sa.Column("authorised_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("postponed_reason", sa.Text(), nullable=False),
        sa.Column("live_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("is_closed", sa.Boolean(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("number > 0", name=op.f("ck_release_number")),
        sa.ForeignKeyConstraint(["build_id"], ["build.id"], name=op.f("fk_release_build_id_build")),
        sa.ForeignKeyConstraint(["case_id"], ["application.case_id"], name=op.f("fk_release_case_id_application")),
        sa.ForeignKeyConstraint(["hosting_id"], ["hosting.id"], name=op.f("fk_release_hosting_id_hosting")),
        sa.ForeignKeyConstraint(
            ["installation_id"], ["installation.id"], name=op.f("fk_release_installation_id_installation")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_release")),
        sa.UniqueConstraint("case_id", "number", name=op.f("uq_release_case_id_number")),
    )
    op.create_index("ix_release_case_id_digest", "release", ["case_id", "digest"], unique=False)
    op.create_index("ix_release_created_at_id", "release", ["created_at", "id"], unique=False)
    op.create_index("uq_release_hosting_id", "release", ["hosting_id"], unique=True, postgresql_where="status = 'live'")
    op.create_table(
        "measurement",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("release_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("milliseconds", sa.Integer(), nullable=False),
        sa.Column("is_up", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["application.case_id"], name=op.f("fk_measurement_case_id_application")),
        sa.ForeignKeyConstraint(["release_id"], ["release.id"], name=op.f("fk_measurement_release_id_release")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_measurement")),
    )
    op.create_index("ix_measurement_case_id_at", "measurement", ["case_id", "at"], unique=False)
    op.create_table(
        "permit",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("release_id", sa.Uuid(), nullable=False),
        sa.Column("signed", sa.Text(), nullable=False),
        sa.Column("install_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("valid_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["release_id"], ["release.id"], name=op.f("fk_permit_release_id_release")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_permit")),
    )
    op.create_index("ix_permit_release_id", "permit", ["release_id", "received_at"], unique=False)
