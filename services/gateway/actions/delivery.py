"""Deliveries: which is due, sent outside any transaction, recorded attempt by attempt, tried again or given up.

At least once: whoever is killed between sending and recording sends again, under the same id, so that the other side
can tell the two apart from two messages.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from sqlalchemy import delete, or_, select
from sqlalchemy.orm import Session

from services.gateway.actions import seal
from services.gateway.model import Delivery, DeliveryAttempt, Notice, delivery_notice
from services.gateway.model.notice import CANCELLED, DUE, FAILED, MAIL, SENT, TELEGRAM
from shared.database import Database, utc_now
from shared.errors import NotFound
from shared.keys import Keys
from shared.log import logger

PAUSES = (timedelta(minutes=1), timedelta(minutes=15), timedelta(hours=2), timedelta(hours=20))
"""Before the second, third, … try: five tries within a day."""
MOST_TRIES = len(PAUSES) + 1
HELD_FOR = timedelta(minutes=5)
"""After this long without a word the one who was sending is taken for dead."""
MOST_AT_ONCE = 50
"""Deliveries of one round; the rest waits for the next."""
MOST_ITEMS = 50
"""Things that one digest names; it says how many more there are."""
KEPT_FOR = timedelta(days=90)
NOT_CONFIGURED = "not_configured"


@dataclass(frozen=True)
class Item:
    """One thing that a message tells of: nothing but what stands here leaves the house."""

    title: str
    about: str
    """The application's name; empty for what is no case, because other subjects are written by anybody."""
    case_number: str
    since: datetime
    path: str


@dataclass(frozen=True)
class Outgoing:
    """A message to one address."""

    id: UUID
    """The same at each try."""
    address: str = field(repr=False)
    subject: str
    lines: tuple[str, ...] = field(default=(), repr=False)
    """Words that are no notice: a code, an invitation."""
    items: tuple[Item, ...] = ()
    more: int = 0
    """How many things it does not name."""


class Undelivered(Exception):  # noqa: N818 - it names what became of the message
    """A message was not taken; `code` says why in a word that holds neither words nor address."""

    def __init__(self, code: str, *, is_final: bool) -> None:
        super().__init__(code)
        self.code = code[:60]
        self.is_final = is_final


class Sender(Protocol):
    """One way out of the house."""

    def send(self, message: Outgoing) -> str:
        """Hand a message over and return the result code; raise Undelivered."""


@dataclass(frozen=True)
class Held:
    """A delivery that this worker sends now."""

    id: UUID
    kind: str
    number: int
    """Which try it is: a worker that comes back late must not record over the next one's."""
    message: Outgoing | None
    """None: nothing left to tell."""


def deliver_due(
    database: Database, keys: Keys, senders: Mapping[str, Sender], *, clock: Callable[[], datetime] = utc_now
) -> int:
    """Send what is due, one message after another; return how many were tried."""
    tried = 0
    for _ in range(MOST_AT_ONCE):
        with database.transaction() as session:
            held = hold_next(session, keys, now=clock())
        if held is None:
            break
        if held.message is None:
            continue
        tried += 1
        code, failure = _send(senders.get(held.kind), held.message)
        with database.transaction() as session:
            record(session, held, code=code, failure=failure, now=clock())
    return tried


def _send(sender: Sender | None, message: Outgoing) -> tuple[str, Undelivered | None]:
    if sender is None:
        return NOT_CONFIGURED, Undelivered(NOT_CONFIGURED, is_final=True)
    try:
        return sender.send(message), None
    except Undelivered as reason:
        return reason.code, reason
    except Exception as reason:  # the edge: whatever one way out does, the others go on
        code = f"error_{type(reason).__name__}"[:60]
        logger().error("delivery_broke", delivery=str(message.id), error=type(reason).__name__)
        return code, Undelivered(code, is_final=False)


def hold_next(session: Session, keys: Keys, *, now: datetime) -> Held | None:
    """Take the delivery that is due longest and return it; None when nothing is due. Others pass it by meanwhile."""
    found = session.scalar(
        select(Delivery)
        .where(
            Delivery.state == DUE,
            Delivery.due_at <= now,
            or_(Delivery.held_until.is_(None), Delivery.held_until <= now),
        )
        .order_by(Delivery.due_at)
        .limit(1)
        .with_for_update(of=Delivery, skip_locked=True)
    )
    if found is None:
        return None
    message = _message(session, keys, found)
    if message is None or found.tries >= MOST_TRIES:
        # Nothing left to tell, or its last worker died in the middle of the last try.
        _end(found, CANCELLED if message is None else FAILED, now)
        return Held(found.id, found.kind, found.tries, None)
    found.tries += 1
    found.held_until = now + HELD_FOR
    return Held(found.id, found.kind, found.tries, message)


def _message(session: Session, keys: Keys, delivery: Delivery) -> Outgoing | None:
    if delivery.sealed is not None:
        try:
            words = seal.opened(keys, delivery.id, delivery.sealed)
        except NotFound:
            logger().error("delivery_not_readable", delivery=str(delivery.id))
            return None
        return Outgoing(delivery.id, words.address, words.subject, lines=tuple(words.lines))
    channel = delivery.channel
    if channel is None or not channel.address:
        return None
    told = (
        select(Notice)
        .join(delivery_notice, delivery_notice.c.notice_id == Notice.id)
        .where(delivery_notice.c.delivery_id == delivery.id, Notice.is_open)
        .order_by(Notice.since, Notice.id)
    )
    open_notices = list(session.scalars(told))
    if not open_notices:
        return None
    items = tuple(
        Item(one.title, one.about if one.case_number else "", one.case_number, one.since, one.path)
        for one in open_notices[:MOST_ITEMS]
    )
    subject = items[0].title if len(open_notices) == 1 else f"{len(open_notices)} pemberitahuan untuk Anda"
    return Outgoing(delivery.id, channel.address, subject, items=items, more=len(open_notices) - len(items))


def record(session: Session, held: Held, *, code: str, failure: Undelivered | None, now: datetime) -> None:
    """Write down how a try ended, and when the next one is."""
    delivery = session.get(Delivery, held.id, with_for_update={"of": Delivery})
    if delivery is None or delivery.state != DUE or delivery.tries != held.number:
        # It took longer than it was held; whoever holds it now records.
        return
    assert held.message is not None
    place = masked(held.kind, held.message.address)
    session.add(
        DeliveryAttempt(delivery_id=held.id, number=held.number, at=now, kind=held.kind, place=place, code=code)
    )
    channel = delivery.channel
    if failure is None:
        _end(delivery, SENT, now)
        if channel:
            channel.trouble, channel.trouble_at = "", None
    elif failure.is_final or held.number >= MOST_TRIES:
        _end(delivery, FAILED, now)
        if channel:
            channel.trouble, channel.trouble_at = code, now
    else:
        delivery.held_until = None
        delivery.due_at = now + PAUSES[held.number - 1]
    logger().info("delivery_tried", delivery=str(held.id), channel=held.kind, number=held.number, code=code)


def _end(delivery: Delivery, state: str, now: datetime) -> None:
    delivery.state, delivery.ended_at, delivery.held_until, delivery.sealed = state, now, None, None


def masked(kind: str, address: str) -> str:
    """Return an address so that its owner knows it again and nobody else learns it."""
    if kind == MAIL and "@" in address:
        name, _, host = address.rpartition("@")
        first, _, rest = host.partition(".")
        return f"{name[:1]}…@{first[:1]}….{rest.rpartition('.')[2]}"[:60]
    shown = address[-3:] if len(address) > 5 else ""
    return f"{'' if kind == TELEGRAM else '+'}…{shown}"


def attempts(session: Session, channel_ids: list[UUID], *, limit: int) -> list[tuple[DeliveryAttempt, str]]:
    """Return the newest attempts on these channels, each with the state of its delivery."""
    asked = (
        select(DeliveryAttempt, Delivery.state)
        .join(Delivery, Delivery.id == DeliveryAttempt.delivery_id)
        .where(Delivery.channel_id.in_(channel_ids))
        .order_by(DeliveryAttempt.at.desc(), DeliveryAttempt.number.desc())
        .limit(limit)
    )
    return [(attempt, state) for attempt, state in session.execute(asked)]


def prune(session: Session, *, now: datetime) -> None:
    """Forget deliveries that ended, and notices that were read or done, more than 90 days ago."""
    before = now - KEPT_FOR
    session.execute(delete(Delivery).where(Delivery.ended_at < before))
    unbound = ~select(delivery_notice).where(delivery_notice.c.notice_id == Notice.id).exists()
    is_past = or_(Notice.done_at < before, Notice.read_at < before) & (
        # What still waits is not told anew only because it was read long ago.
        Notice.done_at.is_not(None) | (Notice.thing == "")
    )
    session.execute(delete(Notice).where(is_past, unbound), execution_options={"synchronize_session": False})
