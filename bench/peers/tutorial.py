"""The way of the tutorials: entities, `response_model`, two sync dependencies, a session and a user for each request.

It reads and writes the same tables of tickets as the help desk of Alur, so that only the way to them differs.
"""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID, uuid4

import jwt
from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import OAuth2PasswordBearer
from pydantic import BaseModel, ConfigDict
from sqlalchemy import DateTime, ForeignKey, create_engine
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship, sessionmaker

KEY = os.environ["BENCH_KEY"]
engine = create_engine(os.environ["BENCH_DATABASE_URL"])
SessionLocal = sessionmaker(engine)
scheme = OAuth2PasswordBearer(tokenUrl="token")
app = FastAPI()


class Base(DeclarativeBase):
    """The tables."""

    type_annotation_map = {datetime: DateTime(timezone=True), dict[str, Any]: JSONB}  # noqa: RUF012


class User(Base):
    """Who asks."""

    __tablename__ = "tutorial_user"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]


class Outbox(Base):
    """What others shall be told."""

    __tablename__ = "tutorial_outbox"
    id: Mapped[int] = mapped_column(primary_key=True)
    body: Mapped[dict[str, Any]]


class Application(Base):
    """What tickets are about."""

    __tablename__ = "live_application"
    case_id: Mapped[UUID] = mapped_column(primary_key=True)
    case_number: Mapped[str]
    code: Mapped[str]


class Ticket(Base):
    """One ticket."""

    __tablename__ = "ticket"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    created_at: Mapped[datetime] = mapped_column(default=lambda: datetime.now(UTC))
    number: Mapped[str]
    case_id: Mapped[UUID] = mapped_column(ForeignKey("live_application.case_id"))
    application: Mapped[Application] = relationship(lazy="joined")
    release_number: Mapped[int]
    title: Mapped[str]
    body: Mapped[str]
    category: Mapped[str]
    priority: Mapped[str]
    status: Mapped[str]
    reporter_id: Mapped[UUID]
    reporter_name: Mapped[str]
    assignee_name: Mapped[str]

    @property
    def application_code(self) -> str:
        """Short name of the application."""
        return self.application.code

    @property
    def case_number(self) -> str:
        """Number of its case."""
        return self.application.case_number


class TicketOut(BaseModel):
    """A ticket as it is told."""

    model_config = ConfigDict(from_attributes=True)
    id: UUID
    number: str
    application_code: str
    case_number: str
    title: str
    status: str
    priority: str
    category: str
    release_number: int
    reporter_name: str
    assignee_name: str
    created_at: datetime


class TicketIn(BaseModel):
    """A ticket as it is reported."""

    application: str
    title: str
    body: str
    category: str = "gangguan"
    priority: str = "medium"


def get_db() -> Iterator[Session]:
    """Give a session."""
    db = SessionLocal()
    try:
        yield db
    finally:
        db.close()


def get_current_user(token: Annotated[str, Depends(scheme)], db: Annotated[Session, Depends(get_db)]) -> User:
    """Return who the token names."""
    try:
        user = db.get(User, int(jwt.decode(token, KEY, algorithms=["HS256"])["sub"]))
    except jwt.InvalidTokenError as reason:
        raise HTTPException(401) from reason
    if user is None:
        raise HTTPException(401)
    return user


Db = Annotated[Session, Depends(get_db)]
Who = Annotated[User, Depends(get_current_user)]


@app.get("/tickets", response_model=list[TicketOut])
def tickets(db: Db, user: Who, limit: int = 50) -> Any:
    """Return the newest tickets."""
    return db.query(Ticket).order_by(Ticket.created_at.desc(), Ticket.id.desc()).limit(limit).all()


@app.get("/tickets/{ticket_id}", response_model=TicketOut)
def ticket(db: Db, user: Who, ticket_id: UUID) -> Any:
    """Return one ticket."""
    found = db.get(Ticket, ticket_id)
    if found is None:
        raise HTTPException(404)
    return found


@app.post("/tickets", response_model=TicketOut, status_code=201)
def create(db: Db, user: Who, body: TicketIn) -> Any:
    """Take a ticket, and write down what others shall be told."""
    application = db.query(Application).filter(Application.code == body.application).one()
    made = Ticket(
        number=f"TUT-{uuid4().hex[:12]}",
        application=application,
        release_number=1,
        title=body.title,
        body=body.body,
        category=body.category,
        priority=body.priority,
        status="new",
        reporter_id=uuid4(),
        reporter_name=user.name,
        assignee_name="",
    )
    db.add(made)
    db.add(Outbox(body={"ticket": made.number, "title": made.title}))
    db.commit()
    db.refresh(made)
    return made
