"""${message}."""

${"import sqlalchemy as sa\n" if "sa." in (upgrades or "") else ""}from alembic import op
${imports if imports else ""}
revision = "${up_revision}"
down_revision = ${"None" if down_revision is None else '"%s"' % down_revision}
branch_labels = ${"None" if not branch_labels else '("%s",)' % branch_labels}
depends_on = None


def upgrade() -> None:
    ${upgrades if upgrades else "pass"}
