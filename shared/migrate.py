"""Bring a service's database to the newest tables: those that every service has, and its own.

Two lines of revisions meet in one database: `shared/migrations/versions` (the mailbox, the audit chain,
the letter counter) and `services/<service>/migrations/versions`. There is no ini file: what Alembic needs
is said here.
"""

import importlib
import importlib.util
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import Connection, MetaData, NullPool, create_engine, text

from shared.database import NAMING

HERE = Path(__file__).parent / "migrations"
SHARED = "shared"
SHARED_IN_PUBLIC = frozenset(
    {
        "letter_counter",
        "registered_paper",
        "directory_person",
        "directory_unit",
        "directory_appointment",
        "calendar_year",
    }
)
"""Tables of `shared/` that stand among a service's own."""
LOCK = 0x4D494752
PATIENCE = "120s"
"""How long a second starter waits for the first one's upgrade."""


def migrate(url: str, *, service: str, own_versions: Path | None = None) -> None:
    """Bring the database to the newest revisions of both lines, in one transaction.

    `own_versions` is the service's folder of revisions (default: found by its name; none is fine). Two
    starters do not collide: the second waits, then finds nothing to do.
    """
    with _connection(url) as connection:
        connection.execute(text(f"SET lock_timeout = '{PATIENCE}'"))
        connection.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": LOCK})
        connection.commit()
        command.upgrade(_config(connection, service, own_versions, MetaData()), "heads")


def make(service: str, url: str, message: str, *, own_versions: Path | None = None) -> Path | None:
    """Write the revision that brings a migrated database to the service's model; return its file.

    `service` may be "shared". Returns None when there is nothing to change. What was written is a proposal:
    read it, and let it be safe while the old code still runs.
    """
    versions = HERE / "versions" if service == SHARED else own_versions or _versions(service)
    versions.mkdir(parents=True, exist_ok=True)
    existing = sorted(path.stem for path in versions.glob("[0-9]*_*.py"))
    number = int(existing[-1].split("_")[0]) + 1 if existing else 1
    with _connection(url) as connection:
        metadata = shared_metadata() if service == SHARED else model_metadata(service)
        config = _config(connection, service, own_versions, metadata)
        config.set_main_option("file_template", f"{number:04}_%%(slug)s")
        written = command.revision(
            config,
            message=message,
            autogenerate=True,
            rev_id=f"{service}_{number:04}",
            head=f"{service}@head" if existing else "base",
            branch_label=None if existing else service,
            version_path=str(versions),
            process_revision_directives=_leave_out_nothing_to_do,
        )
    # Alembic answers with a list, a script or None, by what the directives have become.
    scripts = written if isinstance(written, list) else [written]
    return next((_tidy(Path(script.path)) for script in scripts if script), None)


def differences(url: str, metadata: MetaData) -> list[Any]:
    """Return how the database differs from these tables as Alembic's list of changes; empty: they agree."""
    with _connection(url) as connection:
        options = {
            "compare_type": True,
            "compare_server_default": True,
            "include_schemas": True,
            "include_name": _names(metadata),
        }
        return list(compare_metadata(MigrationContext.configure(connection, opts=options), metadata))


def model_metadata(service: str) -> MetaData:
    """Return the tables of one division: `services.<service>.model:Table.metadata`."""
    model = importlib.import_module(f"services.{service}.model")
    metadata: MetaData = model.Table.metadata
    return metadata


def shared_metadata() -> MetaData:
    """Return the tables that every service has beside its own: `msg`, `audit`, letters, papers, directory."""
    from shared import clock, jobs  # they add their tables to the mailbox's when they are imported
    from shared.audit import audit_metadata
    from shared.calendar import calendar_metadata
    from shared.directory import directory_metadata
    from shared.issued import registered_paper
    from shared.letters import letter_counter
    from shared.mailbox import metadata

    together = MetaData(naming_convention=NAMING)
    tables = [*audit_metadata.tables.values(), *metadata.tables.values(), clock.mark, jobs.job]
    for table in dict.fromkeys(tables):
        table.to_metadata(together)
    for table in (
        letter_counter,
        registered_paper,
        *directory_metadata.sorted_tables,
        *calendar_metadata.sorted_tables,
    ):
        # They say "public"; Alembic knows that schema as None.
        table.to_metadata(together, schema=None)  # type: ignore[arg-type]
    return together


def _config(connection: Connection, service: str, own_versions: Path | None, metadata: MetaData) -> Config:
    places = [HERE / "versions"]
    if service != SHARED:
        own = own_versions or _versions(service)
        if own.is_dir():
            places.append(own)
    config = Config()
    config.set_main_option("script_location", _escaped(str(HERE)))
    config.set_main_option("path_separator", "newline")
    config.set_main_option("version_locations", _escaped("\n".join(map(str, places))))
    config.attributes.update(
        connection=connection, metadata=metadata, include_name=_names(metadata), include_schemas=True
    )
    return config


def _escaped(value: str) -> str:
    return value.replace("%", "%%")


def _versions(service: str) -> Path:
    spec = importlib.util.find_spec(f"services.{service}")
    places = list(spec.submodule_search_locations or ()) if spec else []
    if not places:
        raise ModuleNotFoundError(f"there is no service {service}")
    return Path(places[0]) / "migrations" / "versions"


def _names(metadata: MetaData) -> Callable[[str | None, str, Any], bool]:
    """Return what Alembic asks before it looks at something: whether it is of that side, shared or own."""
    schemas = {table.schema for table in metadata.tables.values()} or {None}
    is_shared = "msg" in schemas

    def include(name: str | None, kind: str, parents: Any) -> bool:
        if kind == "schema":
            return name in schemas
        if kind == "table" and parents["schema_name"] is None:
            return (name in SHARED_IN_PUBLIC) == is_shared
        return True

    return include


def _tidy(path: Path) -> Path:
    lines = [line for line in path.read_text().splitlines(keepends=True) if not line.strip().startswith("# ###")]
    path.write_text("".join(lines))
    return path


def _leave_out_nothing_to_do(context: Any, revision: Any, directives: list[Any]) -> None:
    if directives and directives[0].upgrade_ops.is_empty():
        directives.clear()


@contextmanager
def _connection(url: str) -> Iterator[Connection]:
    # Its own engine without time limits: an upgrade may take longer than a request may.
    engine = create_engine(url, poolclass=NullPool, connect_args={"application_name": "alur-migrate"})
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()


def main(arguments: Sequence[str] | None = None) -> None:
    """Run from the shell: `python -m shared.migrate make SERVICE URL "message"` or `… up SERVICE URL`."""
    match list(sys.argv[1:] if arguments is None else arguments):
        case ["make", service, url, message]:
            sys.stdout.write(f"{make(service, url, message) or 'nothing to change'}\n")
        case ["up", service, url]:
            migrate(url, service=service)
        case _:
            raise SystemExit(main.__doc__)


if __name__ == "__main__":
    main()
