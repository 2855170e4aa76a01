"""Tickets, their replies, and the live applications that they are about."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from shared.database import House, Kept, new_metadata
from shared.errors import OutOfTurn
from shared.search import Searchable
from shared.sentence import Sentence


class Table(House):
    """A table of the helpdesk's own database."""

    __abstract__ = True
    metadata = new_metadata()


class TicketStatus(StrEnum):
    """How far a ticket is."""

    NEW = "new"
    IN_PROGRESS = "in_progress"
    WAITING_USER = "waiting_user"
    ESCALATED = "escalated"
    RESOLVED = "resolved"
    CLOSED = "closed"


STATUS_LABELS = {
    TicketStatus.NEW: "Baru",
    TicketStatus.IN_PROGRESS: "Sedang ditangani",
    TicketStatus.WAITING_USER: "Menunggu pelapor",
    TicketStatus.ESCALATED: "Dieskalasi",
    TicketStatus.RESOLVED: "Selesai, menunggu konfirmasi",
    TicketStatus.CLOSED: "Ditutup",
}
MOVES = {
    "answer": (
        {TicketStatus.NEW, TicketStatus.IN_PROGRESS, TicketStatus.ESCALATED},
        TicketStatus.WAITING_USER,
    ),
    "add": ({TicketStatus.WAITING_USER, TicketStatus.RESOLVED}, TicketStatus.IN_PROGRESS),
    "escalate": (
        {TicketStatus.NEW, TicketStatus.IN_PROGRESS, TicketStatus.WAITING_USER},
        TicketStatus.ESCALATED,
    ),
    "resolve": (
        {TicketStatus.NEW, TicketStatus.IN_PROGRESS, TicketStatus.WAITING_USER, TicketStatus.ESCALATED},
        TicketStatus.RESOLVED,
    ),
    "close": ({TicketStatus.RESOLVED}, TicketStatus.CLOSED),
}
"""Each move once: from which statuses, to which."""


class LiveApplication(Table):
    """What the helpdesk knows of an application in use, as deploy told it (`WentLive`)."""

    __tablename__ = "live_application"

    case_id: Mapped[UUID] = mapped_column(primary_key=True)
    case_number: Mapped[str] = mapped_column(String(40))
    code: Mapped[str] = mapped_column(String(40), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    unit: Mapped[str] = mapped_column(String(20))
    release_number: Mapped[int]
    digest: Mapped[str] = mapped_column(String(64))
    address: Mapped[str] = mapped_column(String(300))
    is_suspended: Mapped[bool] = mapped_column(default=False)
    retired_at: Mapped[datetime | None]
    """When the helpdesk heard that it was retired: new tickets are not taken, old ones are brought to their end."""
    live_since: Mapped[datetime]


class Ticket(Kept, Table):
    """One report of a user on one live application and the release that ran then."""

    __tablename__ = "ticket"
    __table_args__ = (
        Index("ix_ticket_created_at_id", "created_at", "id"),
        Index("ix_ticket_reporter_id", "reporter_id", "created_at"),
        Index("ix_ticket_case_id", "case_id", "created_at"),
        Index("ix_ticket_status", "status", "created_at"),
    )

    number: Mapped[str] = mapped_column(String(20), unique=True)
    case_id: Mapped[UUID] = mapped_column(ForeignKey("live_application.case_id"))
    application: Mapped[LiveApplication] = relationship(lazy="joined", innerjoin=True)
    release_number: Mapped[int]
    title: Mapped[str] = mapped_column(String(200))
    body: Mapped[str] = mapped_column(Text)
    category: Mapped[str] = mapped_column(String(20))
    priority: Mapped[str] = mapped_column(String(10))
    status: Mapped[TicketStatus] = mapped_column(String(20), default=TicketStatus.NEW)
    reporter_id: Mapped[UUID]
    reporter_name: Mapped[str] = mapped_column(String(200))
    assignee_id: Mapped[UUID | None]
    assignee_name: Mapped[str] = mapped_column(String(200), default="")
    first_response_at: Mapped[datetime | None]
    resolved_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    replies: Mapped[list["Reply"]] = relationship(order_by="Reply.created_at")

    @property
    def application_code(self) -> str:
        """Short name of the application."""
        return self.application.code

    @property
    def case_number(self) -> str:
        """Number of the case that brought the application."""
        return self.application.case_number

    def move(self, name: str) -> None:
        """Make a move of `MOVES`; raise OutOfTurn when the status does not allow it."""
        sources, target = MOVES[name]
        if self.status not in sources:
            raise OutOfTurn(
                Sentence(
                    "Tiket {number} berstatus “{status}”, sehingga tindakan ini belum atau tidak lagi dapat "
                    "dilakukan. Muat ulang halaman tiket.",
                    number=self.number,
                    status=STATUS_LABELS[TicketStatus(self.status)],
                )
            )
        self.status = target

    def allows(self, name: str) -> bool:
        """Tell whether the status allows a move."""
        return self.status in MOVES[name][0]


class Reply(Kept, Table):
    """One answer or addition on a ticket."""

    __tablename__ = "reply"
    __table_args__ = (Index("ix_reply_ticket_id", "ticket_id", "created_at"),)

    ticket_id: Mapped[UUID] = mapped_column(ForeignKey("ticket.id"))
    author_id: Mapped[UUID]
    author_name: Mapped[str] = mapped_column(String(200))
    body: Mapped[str] = mapped_column(Text)


class TicketCounter(Table):
    """Last ticket number given out in a year."""

    __tablename__ = "ticket_counter"

    year: Mapped[int] = mapped_column(primary_key=True)
    last: Mapped[int]


APPLICATIONS_SEARCHED = Searchable(
    LiveApplication,
    number="case_number",
    names=("case_number", "code", "name"),
    about=("unit", "address"),
    near=("name", "code"),
)
TICKETS_SEARCHED = Searchable(
    Ticket, number="number", names=("number", "title"), about=("reporter_name",), text=("body",), near=("title",)
)
"""What may be searched, and by which words."""
