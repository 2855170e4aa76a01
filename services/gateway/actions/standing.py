"""What waits for people, as last seen: told when it is new, taken back when it is done, reminded of when it is late."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import Integer, String, cast, func, or_, select, text, update
from sqlalchemy import exists as some
from sqlalchemy.orm import Session, aliased

from services.gateway.actions.notice import cancel_what_is_settled, take_back, tell
from services.gateway.actions.reminder import due_on, is_escalated, reminder, superior
from services.gateway.model import Appointment, Channel, Notice, Person
from services.gateway.model import Session as SignIn
from services.gateway.model.notice import ESCALATION, OFF, REMINDER, WAITING
from services.gateway.schemas.whole import WaitingRow
from shared import identity
from shared.calendar import calendar as kept_calendar
from shared.identity import Role
from shared.log import logger
from shared.words import local_date
from shared.workdays import Calendar

LOCK = 0x4E4F5449
SEEN_LATELY = timedelta(days=14)
SELDOM = 12
"""Whoever has no channel and was not here lately is looked at in every twelfth round only."""
SELDOM_ROLES = frozenset({Role.APP_USER, Role.AUDITOR, Role.ADMIN})
"""Many, and hardly anything waits for them: without a channel they are looked at seldom, too."""
MOST_NAMED = 3


@dataclass(frozen=True)
class Look:
    """What waited for one person when the divisions were asked."""

    person: identity.Person
    rows: tuple[WaitingRow, ...]
    answered: frozenset[str]
    """The divisions that answered; what waits in the others stays as it was."""


@dataclass
class Changed:
    """What a round changed."""

    told: int = 0
    done: int = 0
    reminded: int = 0
    escalated: int = 0


@dataclass
class _Late:
    row: WaitingRow
    thing: str
    since: datetime
    people: list[identity.Person] = field(default_factory=list)
    above: set[Role] = field(default_factory=set)


def thing_of(row: WaitingRow) -> str:
    """Return the digest of what waits: the same for everybody for whom it waits, another when it waits anew."""
    return hashlib.sha256("\n".join((row.part, row.path, row.title, row.since)).encode()).hexdigest()


def whom_to_look_at(session: Session, *, now: datetime, turn: int) -> list[identity.Person]:
    """Return the people of this round: who has a channel, was here lately or was told something; others by turns."""
    has_channel = some().where(Channel.person_id == Person.id, Channel.verified_at.is_not(None), Channel.pace != OFF)
    was_here = some().where(SignIn.person_id == Person.id, SignIn.seen_at > now - SEEN_LATELY)
    is_told = some().where(Notice.person_id == Person.id, Notice.thing != "", Notice.done_at.is_(None))
    in_turn = func.abs(cast(func.hashtext(cast(Person.id, String)), Integer) % SELDOM) == turn % SELDOM
    asked = select(Person, has_channel.label("has_channel"), in_turn.label("in_turn"))
    found = session.execute(asked.where(Person.is_active, or_(has_channel, was_here, is_told, in_turn)))
    today = local_date(now)
    chosen = []
    for person, is_reachable, is_in_turn in found:
        signed = person.as_signed(today)
        if is_reachable or is_in_turn or signed.roles - SELDOM_ROLES:
            chosen.append(signed)
    return chosen


def reconcile(session: Session, looks: Sequence[Look], *, now: datetime, escalate_after: int) -> Changed:
    """Compare what waits with the notices that stand; return what changed. Nobody is told anything twice."""
    session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
    calendar, today, changed = kept_calendar(session), local_date(now), Changed()
    by_person = _known(session, looks)
    late: dict[str, _Late] = {}
    gone: list[UUID] = []
    for look in looks:
        known = by_person.get(look.person.id, {})
        waiting: set[str] = set()
        for row in look.rows:
            thing = thing_of(row)
            if thing in waiting:
                continue
            waiting.add(thing)
            told = _tell_waiting(session, look.person, row, thing, known.get(f"{WAITING}:{thing}"), now)
            changed.told += told is None
            # Whoever keeps a clock of their own knows better than the standard of the step.
            due = local_date(_moment(row.due_at, now)) if row.due_at else _standard(row, now, calendar)
            if due is None:
                continue
            if told and local_date(told.created_at) < today:
                gone += _remind(session, look.person, row, thing, known, due, now, calendar, changed)
            if is_escalated(due, today, calendar, after=escalate_after):
                _note_late(late, look.person, row, thing, now)
        gone += [
            one.id
            for one in known.values()
            if one.done_at is None and one.source in look.answered and one.thing not in waiting
        ]
    take_back(session, gone, now=now)
    changed.done = len(gone)
    changed.escalated = _escalate(session, list(late.values()), now=now)
    changed.done += _end_what_nobody_waits_for(session, now=now)
    return changed


def _standard(row: WaitingRow, now: datetime, calendar: Calendar) -> date | None:
    return due_on(row.step, _moment(row.since, now), calendar)


def _known(session: Session, looks: Sequence[Look]) -> dict[UUID, dict[str, Notice]]:
    """Return what these people were told of what waits: all that stands, and what waits again."""
    keys = {f"{WAITING}:{thing_of(row)}" for look in looks for row in look.rows}
    told = select(Notice).where(
        Notice.person_id.in_([look.person.id for look in looks]),
        Notice.kind.in_((WAITING, REMINDER)),
        Notice.thing != "",
        or_(Notice.done_at.is_(None), Notice.key.in_(keys)),
    )
    found: dict[UUID, dict[str, Notice]] = {}
    for notice in session.scalars(told):
        found.setdefault(notice.person_id, {})[notice.key] = notice
    return found


def _tell_waiting(
    session: Session, person: identity.Person, row: WaitingRow, thing: str, known: Notice | None, now: datetime
) -> Notice | None:
    """Tell what is new and return None; return the notice of what was told before, standing again."""
    if known is None:
        _tell(session, person.id, WAITING, row.title, row, thing, f"{WAITING}:{thing}", now)
        return None
    if known.done_at is not None:
        known.done_at, known.is_open = None, known.read_at is None
        session.flush()
    return known


def _remind(
    session: Session,
    person: identity.Person,
    row: WaitingRow,
    thing: str,
    known: dict[str, Notice],
    due: date,
    now: datetime,
    calendar: Calendar,
    changed: Changed,
) -> list[UUID]:
    """Send the reminder that is in turn; return the earlier ones of the same thing, which it replaces."""
    turn = reminder(due, _moment(row.since, now), local_date(now), calendar)
    if turn is None:
        return []
    stage, words = turn
    key = f"{REMINDER}:{thing}:{stage}"
    if key in known:
        return []
    changed.reminded += _tell(session, person.id, REMINDER, f"{words}: {row.title}", row, thing, key, now)
    return [one.id for one in known.values() if one.thing == thing and one.kind == REMINDER and one.done_at is None]


def _note_late(late: dict[str, _Late], person: identity.Person, row: WaitingRow, thing: str, now: datetime) -> None:
    above = superior(person.roles)
    if above is None:
        return
    one = late.setdefault(thing, _Late(row, thing, _moment(row.since, now)))
    one.people.append(person)
    one.above.add(above)


def _escalate(session: Session, late: list[_Late], *, now: datetime) -> int:
    """Tell the posts above who is late with what, once for each thing; return how many were told."""
    if not late:
        return 0
    things = [one.thing for one in late]
    told = set(session.scalars(select(Notice.thing).where(Notice.kind == ESCALATION, Notice.thing.in_(things))))
    new = [one for one in late if one.thing not in told]
    holders = _holders(session, {role for one in new for role in one.above}, now) if new else []
    count = 0
    for one in new:
        people = {person.id for person in one.people}
        title = f"Belum dikerjakan {_names(one.people)}: {one.row.title}"
        for holder in holders:
            if holder.id not in people and holder.roles & one.above:
                key = f"{ESCALATION}:{one.thing}"
                count += _tell(session, holder.id, ESCALATION, title, one.row, one.thing, key, now)
    return count


def _holders(session: Session, roles: Iterable[Role], now: datetime) -> list[identity.Person]:
    named = select(Appointment.person_id).where(Appointment.role.in_([str(role) for role in roles]))
    today = local_date(now)
    return [
        one.as_signed(today) for one in session.scalars(select(Person).where(Person.is_active, Person.id.in_(named)))
    ]


def _end_what_nobody_waits_for(session: Session, *, now: datetime) -> int:
    """Take back what people are told who have left, then the escalations of what waits for nobody any more."""
    has_left = select(Person.id).where(~Person.is_active)
    standing = Notice.thing != "", Notice.done_at.is_(None)
    left = update(Notice).where(*standing, Notice.person_id.in_(has_left))
    ended = list(session.scalars(left.values(done_at=now, is_open=False).returning(Notice.id)))
    waits = aliased(Notice)
    still = some().where(waits.thing == Notice.thing, waits.kind == WAITING, waits.done_at.is_(None))
    settled = update(Notice).where(*standing, Notice.kind == ESCALATION, ~still)
    ended += session.scalars(settled.values(done_at=now, is_open=False).returning(Notice.id))
    cancel_what_is_settled(session, ended, now=now)
    return len(ended)


def _tell(
    session: Session, person_id: UUID, kind: str, title: str, row: WaitingRow, thing: str, key: str, now: datetime
) -> bool:
    try:
        return tell(
            session,
            person_id,
            kind=kind,
            title=title,
            about=row.about,
            case_number=row.case_number[:60],
            path=row.path,
            key=key,
            since=_moment(row.since, now),
            source=row.part,
            thing=thing,
            now=now,
        )
    except ValueError as reason:
        logger().error("waiting_not_told", part=row.part, reason=str(reason))
        return False


def _names(people: list[identity.Person]) -> str:
    names = [person.name for person in people]
    more = len(names) - MOST_NAMED
    return ", ".join(names[:MOST_NAMED]) + (f" dan {more} lainnya" if more > 0 else "")


def _moment(words: str, now: datetime) -> datetime:
    try:
        found = datetime.fromisoformat(words)
    except ValueError:
        return now
    return found if found.tzinfo else found.replace(tzinfo=now.tzinfo)
