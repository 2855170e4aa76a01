"""Telling people: one notice inside, and a delivery for each channel that they chose; reading and taking back."""

from collections.abc import Sequence
from datetime import datetime, time, timedelta
from uuid import UUID, uuid4

from sqlalchemy import exists, func, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from services.gateway.actions import seal
from services.gateway.model import Channel, Delivery, Notice, NoticeSetting, delivery_notice
from services.gateway.model.notice import AT_ONCE, CANCELLED, DAILY, DUE, KINDS, MAIL, OFF, URGENT
from shared import identity
from shared.calendar import calendar
from shared.errors import NotFound
from shared.keys import Keys
from shared.words import WIB
from shared.workdays import Calendar

LONGEST_TITLE, LONGEST_ABOUT = 300, 300
COUNTED = 100
"""The bell counts no further."""
DAYS_AHEAD = 60


def tell(
    session: Session,
    person_id: UUID,
    *,
    kind: str,
    title: str,
    path: str,
    key: str,
    now: datetime,
    about: str = "",
    case_number: str = "",
    since: datetime | None = None,
    source: str = "",
    thing: str = "",
) -> bool:
    """Tell a person something, once for each `key`; return whether it was new.

    `kind` is one of `model.notice.KINDS`: "news" for what happened, "urgent" for what ignores quiet hours
    (authority given or taken today, a second factor taken away). `path` is the page of ours that it leads to
    (ValueError for any other). What it says is shown inside; outside go title, case number, the application's name and
    the link only, so nothing secret belongs into `title`.
    """
    if kind not in KINDS or not path.startswith("/") or path.startswith(("//", "/\\")):
        raise ValueError(f"no notice: {kind} {path}")
    row = insert(Notice).values(
        id=uuid4(),
        created_at=now,
        person_id=person_id,
        key=key,
        kind=kind,
        title=title[:LONGEST_TITLE],
        about=about[:LONGEST_ABOUT],
        case_number=case_number,
        path=path,
        since=since or now,
        source=source,
        thing=thing,
        is_open=True,
    )
    made = session.scalar(row.on_conflict_do_nothing(index_elements=["person_id", "key"]).returning(Notice.id))
    if made is None:
        return False
    chosen = Channel.person_id == person_id, Channel.verified_at.is_not(None), Channel.pace != OFF
    channels = list(session.scalars(select(Channel).where(*chosen)))
    if channels:
        wishes = settings_of(session, person_id)
        for channel in channels:
            _put_into(session, channel, made, due_at(kind, channel.pace, wishes, now, calendar(session)), now)
    return True


def mail_to(session: Session, keys: Keys, address: str, *, subject: str, lines: Sequence[str], now: datetime) -> UUID:
    """Have a mail sent to an address that belongs to no account (an invitation, say); return the delivery's id.

    The words may hold a secret link: they are kept encrypted with the gateway's own key and wiped as soon as the mail
    has left or has failed for good. Neither log nor database keeps them or the address.
    """
    return post_sealed(session, keys, kind=MAIL, address=address, subject=subject, lines=lines, now=now)


def post_sealed(
    session: Session,
    keys: Keys,
    *,
    kind: str,
    address: str,
    subject: str,
    lines: Sequence[str],
    now: datetime,
    channel_id: UUID | None = None,
) -> UUID:
    """Have words that are no notice sent to a place at once; return the delivery's id.

    With a channel its owner sees what became of it.
    """
    made = uuid4()
    sealed = seal.shut(keys, made, seal.Words(address=address, subject=subject, lines=list(lines)))
    delivery = Delivery(id=made, kind=kind, channel_id=channel_id, sealed=sealed, due_at=now, created_at=now)
    session.add(delivery)
    session.flush()
    return made


def _put_into(session: Session, channel: Channel, notice_id: UUID, due: datetime, now: datetime) -> None:
    """Add a notice to the delivery that leaves for a channel at that moment; make it when there is none."""
    waiting = select(Delivery.id).where(
        Delivery.channel_id == channel.id,
        Delivery.state == DUE,
        Delivery.due_at == due,
        Delivery.tries == 0,
        Delivery.sealed.is_(None),
    )
    # A worker that takes it just now is waited for: afterwards it is no longer untouched.
    found = session.scalar(waiting.limit(1).with_for_update(of=Delivery))
    if found is None:
        found = uuid4()
        session.add(Delivery(id=found, kind=channel.kind, channel_id=channel.id, due_at=due, created_at=now))
        session.flush()
    session.execute(delivery_notice.insert().values(delivery_id=found, notice_id=notice_id))


# --- when it may leave ---------------------------------------------------------------------------------------------


def is_quiet(wishes: NoticeSetting, moment: datetime, calendar: Calendar) -> bool:
    """Tell whether a person wants to be left alone at a moment."""
    local = moment.astimezone(WIB)
    if wishes.quiet_days and not calendar.is_working_day(local.date()):
        return True
    if wishes.quiet_from == wishes.quiet_until:
        return False
    if wishes.quiet_from < wishes.quiet_until:
        return wishes.quiet_from <= local.hour < wishes.quiet_until
    return local.hour >= wishes.quiet_from or local.hour < wishes.quiet_until


def due_at(kind: str, pace: str, wishes: NoticeSetting, now: datetime, calendar: Calendar) -> datetime:
    """Return when a notice may leave by a channel: now, with the digest of the day, or on the next morning.

    What is urgent leaves at once, whatever was chosen.
    """
    if kind == URGENT:
        return now
    if pace == DAILY:
        return _next(wishes.digest_hour, wishes, now, calendar)
    if pace == AT_ONCE and not is_quiet(wishes, now, calendar):
        return now
    return _next(wishes.quiet_until, wishes, now, calendar)


def _next(hour: int, wishes: NoticeSetting, now: datetime, calendar: Calendar) -> datetime:
    """Return the next time that the clock shows this hour on a day that is not quiet."""
    day = now.astimezone(WIB).date()
    for days in range(DAYS_AHEAD):
        found = datetime.combine(day + timedelta(days=days), time(hour), WIB)
        if found > now and not (wishes.quiet_days and not calendar.is_working_day(found.date())):
            return found
    return now


def settings_of(session: Session, person_id: UUID) -> NoticeSetting:
    """Return what a person chose, or what holds for whoever chose nothing (not yet kept)."""
    return session.get(NoticeSetting, person_id) or NoticeSetting(
        person_id=person_id, digest_hour=7, quiet_from=18, quiet_until=7, quiet_days=True
    )


# --- reading -------------------------------------------------------------------------------------------------------

Place = tuple[bool, datetime, UUID]


def notices(
    session: Session, person_id: UUID, *, limit: int, after: Place | None = None, unread: bool = False
) -> list[Notice]:
    """Return a person's notices, unread ones first, each newest first, after a place in that order."""
    order = (Notice.is_open, Notice.created_at, Notice.id)
    asked = select(Notice).where(Notice.person_id == person_id)
    if unread:
        asked = asked.where(Notice.is_open)
    if after:
        asked = asked.where(tuple_(*order) < after)
    return list(session.scalars(asked.order_by(*(column.desc() for column in order)).limit(limit)))


def unread_count(session: Session, person_id: UUID) -> int:
    """Return how many notices a person has not read and that are not done; no more than 100 are counted."""
    some = select(Notice.id).where(Notice.person_id == person_id, Notice.is_open).limit(COUNTED).subquery()
    return session.scalar(select(func.count()).select_from(some)) or 0


def read_notice(session: Session, by: identity.Person, notice_id: UUID, *, now: datetime) -> Notice:
    """Mark one's own notice as read and return it; raise NotFound for another's."""
    found = session.get(Notice, notice_id, with_for_update=True)
    if found is None or found.person_id != by.id:
        raise NotFound("Pemberitahuan itu tidak ditemukan. Buka kembali daftar pemberitahuan.")
    found.read_at = found.read_at or now
    found.is_open = False
    session.flush()
    cancel_what_is_settled(session, [found.id], now=now)
    return found


def read_all_notices(session: Session, by: identity.Person, *, now: datetime) -> int:
    """Mark all of one's own notices as read; return how many were not."""
    unread = update(Notice).where(Notice.person_id == by.id, Notice.is_open)
    read = list(session.scalars(unread.values(read_at=now, is_open=False).returning(Notice.id)))
    cancel_what_is_settled(session, read, now=now)
    return len(read)


def take_back(session: Session, notice_ids: Sequence[UUID], *, now: datetime) -> None:
    """Mark notices as done: nobody is reminded of them, and what has not left yet never will."""
    if not notice_ids:
        return
    session.execute(update(Notice).where(Notice.id.in_(notice_ids)).values(done_at=now, is_open=False))
    cancel_what_is_settled(session, notice_ids, now=now)


def cancel_what_is_settled(session: Session, notice_ids: Sequence[UUID], *, now: datetime) -> None:
    """Cancel the deliveries of these notices that have not left and have nothing left to tell."""
    if not notice_ids:
        return
    told = select(delivery_notice.c.delivery_id).where(delivery_notice.c.notice_id.in_(notice_ids))
    still_open = exists().where(
        delivery_notice.c.delivery_id == Delivery.id, delivery_notice.c.notice_id == Notice.id, Notice.is_open
    )
    session.execute(
        update(Delivery)
        .where(Delivery.id.in_(told), Delivery.state == DUE, Delivery.tries == 0, ~still_open)
        .values(state=CANCELLED, ended_at=now),
        execution_options={"synchronize_session": False},
    )
