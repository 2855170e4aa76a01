"""What Alembic calls to run: the connection and the tables come from `shared/migrate.py`, no ini file."""

from alembic import context

settings = context.config.attributes
context.configure(
    connection=settings["connection"],
    target_metadata=settings["metadata"],
    include_name=settings["include_name"],
    include_schemas=settings["include_schemas"],
    compare_type=True,
    compare_server_default=True,
)
with context.begin_transaction():
    context.run_migrations()
