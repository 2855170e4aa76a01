"""Survey links for everybody; the register shows what is coming."""

import sqlalchemy as sa
from alembic import op

revision = "proposal_0011"
down_revision = "proposal_0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "survey_answer", sa.Column("is_public", sa.Boolean(), server_default=sa.text("false"), nullable=False)
    )
    op.create_table(
        "survey_link",
        sa.Column("survey_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(length=12), nullable=False),
        sa.Column("until_on", sa.Date(), nullable=False),
        sa.Column("opened_by_name", sa.String(length=200), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["survey_id"], ["survey.id"], name=op.f("fk_survey_link_survey_id_survey")),
        sa.PrimaryKeyConstraint("survey_id", name=op.f("pk_survey_link")),
        sa.UniqueConstraint("code", name=op.f("uq_survey_link_code")),
    )
    op.alter_column("registered_application", "live_since", existing_type=sa.DateTime(timezone=True), nullable=True)
    op.drop_constraint("uq_registered_application_code", "registered_application", type_="unique")
    op.create_index(
        "uq_registered_application_code",
        "registered_application",
        ["code"],
        unique=True,
        postgresql_where=sa.text("state <> 'cancelled'"),
    )
    # What is already on its way when this comes.
    op.execute(
        "INSERT INTO registered_application (id, created_at, case_id, code, name, unit, state, address, digest)"
        " SELECT gen_random_uuid(), now(), c.id, c.code, c.name, c.unit, s.state, '', ''"
        " FROM application_case c JOIN (VALUES"
        " ('in_work_programme', 'planned'), ('discussed', 'planned'), ('sent_to_planning', 'planned'),"
        " ('budgeted', 'planned'), ('in_development', 'development'), ('handed_over', 'development'),"
        " ('installed', 'testing'), ('security_testing', 'testing'), ('remediation', 'testing'),"
        " ('cleared', 'testing')) AS s(status, state) ON s.status = c.status"
        " WHERE c.kind <> 'shut_down' ON CONFLICT DO NOTHING"
    )
