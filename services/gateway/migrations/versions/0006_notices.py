"""notices."""

import sqlalchemy as sa
from alembic import op

revision = "gateway_0006"
down_revision = "gateway_0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "notice",
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("title", sa.String(length=300), nullable=False),
        sa.Column("about", sa.String(length=300), nullable=False),
        sa.Column("case_number", sa.String(length=60), nullable=False),
        sa.Column("path", sa.String(length=500), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("source", sa.String(length=20), nullable=False),
        sa.Column("thing", sa.String(length=64), nullable=False),
        sa.Column("is_open", sa.Boolean(), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "kind IN ('waiting', 'reminder', 'escalation', 'news', 'urgent')", name=op.f("ck_notice_kind_is_known")
        ),
        sa.CheckConstraint(
            "NOT is_open OR (read_at IS NULL AND done_at IS NULL)", name=op.f("ck_notice_open_is_unread_and_not_done")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_notice_person_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice")),
        sa.UniqueConstraint("person_id", "key", name=op.f("uq_notice_person_id_key")),
    )
    op.create_index(
        "ix_notice_person_id_is_open_created_at_id",
        "notice",
        ["person_id", "is_open", "created_at", "id"],
        unique=False,
    )
    op.create_index(
        "ix_notice_standing",
        "notice",
        ["thing", "person_id"],
        unique=False,
        postgresql_where=sa.text("done_at IS NULL AND thing <> ''"),
    )
    op.create_table(
        "notice_setting",
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("digest_hour", sa.Integer(), nullable=False),
        sa.Column("quiet_from", sa.Integer(), nullable=False),
        sa.Column("quiet_until", sa.Integer(), nullable=False),
        sa.Column("quiet_days", sa.Boolean(), nullable=False),
        sa.CheckConstraint("digest_hour BETWEEN 0 AND 23", name=op.f("ck_notice_setting_digest_hour_is_an_hour")),
        sa.CheckConstraint("quiet_from BETWEEN 0 AND 23", name=op.f("ck_notice_setting_quiet_from_is_an_hour")),
        sa.CheckConstraint("quiet_until BETWEEN 0 AND 23", name=op.f("ck_notice_setting_quiet_until_is_an_hour")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_notice_setting_person_id_person")),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_notice_setting")),
    )
    op.create_table(
        "channel",
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("address", sa.String(length=320), nullable=False),
        sa.Column("verified_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("pace", sa.String(length=8), nullable=False),
        sa.Column("pending_address", sa.String(length=320), nullable=False),
        sa.Column("code_digest", sa.String(length=64), nullable=False),
        sa.Column("code_ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("code_tries", sa.Integer(), nullable=False),
        sa.Column("code_sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("codes_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("codes_sent", sa.Integer(), nullable=False),
        sa.Column("trouble", sa.String(length=60), nullable=False),
        sa.Column("trouble_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind IN ('mail', 'whatsapp', 'telegram')", name=op.f("ck_channel_kind_is_known")),
        sa.CheckConstraint("pace IN ('at_once', 'daily', 'off')", name=op.f("ck_channel_pace_is_known")),
        sa.CheckConstraint("(address = '') = (verified_at IS NULL)", name=op.f("ck_channel_address_is_verified")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_channel_person_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_channel")),
        sa.UniqueConstraint("person_id", "kind", name=op.f("uq_channel_person_id_kind")),
    )
    op.create_table(
        "delivery",
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("channel_id", sa.Uuid(), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("held_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("state IN ('due', 'sent', 'failed', 'cancelled')", name=op.f("ck_delivery_state_is_known")),
        sa.CheckConstraint("state = 'due' OR sealed IS NULL", name=op.f("ck_delivery_sealed_until_it_left")),
        sa.ForeignKeyConstraint(["channel_id"], ["channel.id"], name=op.f("fk_delivery_channel_id_channel")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery")),
    )
    op.create_index("ix_delivery_due", "delivery", ["due_at"], unique=False, postgresql_where=sa.text("state = 'due'"))
    op.create_index("ix_delivery_channel_id_created_at", "delivery", ["channel_id", "created_at"], unique=False)
    op.create_table(
        "delivery_notice",
        sa.Column("delivery_id", sa.Uuid(), nullable=False),
        sa.Column("notice_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["delivery_id"],
            ["delivery.id"],
            name=op.f("fk_delivery_notice_delivery_id_delivery"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["notice_id"], ["notice.id"], name=op.f("fk_delivery_notice_notice_id_notice")),
        sa.PrimaryKeyConstraint("delivery_id", "notice_id", name=op.f("pk_delivery_notice")),
    )
    op.create_index(op.f("ix_delivery_notice_notice_id"), "delivery_notice", ["notice_id"], unique=False)
    op.create_table(
        "delivery_attempt",
        sa.Column("delivery_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("place", sa.String(length=60), nullable=False),
        sa.Column("code", sa.String(length=60), nullable=False),
        sa.ForeignKeyConstraint(
            ["delivery_id"],
            ["delivery.id"],
            name=op.f("fk_delivery_attempt_delivery_id_delivery"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("delivery_id", "number", name=op.f("pk_delivery_attempt")),
    )
