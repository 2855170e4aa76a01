"""A factory of sessions on one service's own PostgreSQL database."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import orjson
from sqlalchemy import DateTime, Engine, MetaData, create_engine, event
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, sessionmaker

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


def utc_now() -> datetime:
    """Return the present moment, aware, in UTC."""
    return datetime.now(UTC)


def dump_json(value: Any) -> str:
    """Return JSON text; UUIDs, dates and enums are written as their text."""
    return orjson.dumps(value, default=str).decode()


class House(DeclarativeBase):
    """What the tables of every division share; each division derives its own `Table` with its own metadata."""

    __abstract__ = True
    type_annotation_map = {datetime: DateTime(timezone=True)}  # noqa: RUF012 - SQLAlchemy reads it so


class Kept:
    """Columns of a thing that is kept: its id and its birth."""

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


def new_metadata() -> MetaData:
    """Return metadata with the house's constraint names, for one division."""
    return MetaData(naming_convention=NAMING)


BELIEVED_FOR = 1.0
"""Seconds for which a connection that has just served is not asked whether it still stands."""


def _look_after(engine: Engine) -> None:
    """Ask a connection that has rested whether it still stands; asked each time, it would cost as much as a query."""

    def rest(_connection: Any, record: Any) -> None:
        record.info["rests_since"] = time.monotonic()

    def wake(connection: Any, record: Any, _proxy: Any) -> None:
        if time.monotonic() - record.info.get("rests_since", float("inf")) < BELIEVED_FOR:
            return
        try:
            engine.dialect.do_ping(connection)
        except engine.dialect.loaded_dbapi.Error as reason:
            raise InvalidatePoolError from reason

    event.listen(engine, "checkin", rest)
    event.listen(engine, "checkout", wake)


def _only_reading(engine: Engine) -> Engine:
    """Return the same connections without transactions, on which nothing may be changed: it could not be undone."""
    reading = engine.execution_options(isolation_level="AUTOCOMMIT")

    def look(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if not statement.lstrip("( \n").upper().startswith(READS):
            raise AssertionError(f"a request that only reads must not change anything: {statement[:80]}")

    event.listen(reading, "before_cursor_execute", look)
    return reading


READS = ("SELECT", "WITH", "SHOW", "EXPLAIN", "VALUES")


class Database:
    """One database: sessions that begin, commit or roll back at the edge."""

    def __init__(self, url: str, *, pool_size: int = 5, application_name: str = "alur") -> None:
        self.url = url
        self.engine = create_engine(
            url,
            pool_size=pool_size,
            max_overflow=2,
            pool_timeout=5,
            json_serializer=dump_json,
            json_deserializer=orjson.loads,
            connect_args={
                "application_name": application_name,
                "connect_timeout": 5,
                "options": "-c lock_timeout=5s -c statement_timeout=30s -c idle_in_transaction_session_timeout=60s"
                " -c timezone=UTC",
            },
        )
        _look_after(self.engine)
        self.session = sessionmaker(self.engine, expire_on_commit=False)
        # Reading needs no BEGIN and no ROLLBACK: each statement sees what was committed before it, as it does there.
        self.reading = sessionmaker(_only_reading(self.engine), expire_on_commit=False)

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """Open one transaction: committed when the block ends, rolled back when it raises."""
        with self.session() as session, session.begin():
            yield session

    def close(self) -> None:
        """Give every connection back."""
        self.engine.dispose()
