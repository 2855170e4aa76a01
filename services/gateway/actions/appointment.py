"""Appointments: who holds which post, by a letter, from one day to another; it begins and ends by itself."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, or_, select, tuple_
from sqlalchemy.orm import Session

from services.gateway.actions import directory, notice
from services.gateway.authority import ACTS
from services.gateway.model import Appointment, Person
from services.gateway.model.notice import NEWS, URGENT
from services.gateway.model.person import DEFINITIVE, PLH, POSTS
from services.gateway.schemas.appointment import Ending, NewAppointment
from shared import audit, identity
from shared.authority import authorize
from shared.errors import FieldError, Incomplete, NotFound, OutOfTurn
from shared.identity import Role
from shared.procedure import procedure
from shared.sentence import Sentence
from shared.words import local_date, long_date

LONGEST = timedelta(days=366)
"""Of an acting appointment."""
OPERATOR = "Operator"
MY_POSTS = "/saya"
"""Where somebody reads which posts they hold."""


@dataclass(frozen=True)
class Wanted:
    """A post that somebody is to hold on some days, in their own name or for another."""

    role: Role
    kind: str
    from_on: date
    until_on: date | None = None


def appoint(session: Session, by: identity.Person | None, new: NewAppointment, *, now: datetime) -> Appointment:
    """Let a person hold a post from one day to another (both WIB, both included); return the appointment.

    `by` is None on the command line. Refused for the person themselves; raises Incomplete with the field for an
    unknown or closed account, a post that the person holds anyway or that cannot be held so, days that are over, the
    wrong way round or too many, and a post that somebody else holds in the same way on one of these days.
    """
    person, holder = _active(session, new.username), _active(session, new.for_username)
    made = Appointment(id=uuid4(), person_id=person.id if person else None, role=new.role.value, kind=new.kind)
    facts: dict[str, Any] = {"role": new.role, "kind": new.kind, "from": new.from_on, "until": new.until_on}
    facts |= {"letter": new.letter_number, "person": made.person_id}
    if by:
        by = authorize(session, by, ACTS.appoint, made, **facts)
    else:
        audit.record(session, None, ACTS.appoint.name, made, **facts)
    if person is None:
        raise _wrong(
            "/username",
            Sentence(
                "Nama pengguna “{username}” tidak dikenal atau akunnya sudah ditutup.",
                username=new.username,
            ),
        )
    _check_days(new, local_date(now))
    # The line in the audit chain has its lock until the commit: two appointments at once see each other here.
    held = _check_post(session, new, person, holder)
    _check_overlap(session, Wanted(new.role, new.kind, new.from_on, new.until_on), "/from_on")
    made.for_person_id = holder.id if holder else None
    made.title = new.title.strip() or (held.title if held else "")
    made.from_on, made.until_on, made.letter_number = new.from_on, new.until_on, new.letter_number.strip()
    made.appointed_by_id, made.appointed_by_name = (by.id, by.name) if by else (None, OPERATOR)
    made.created_at = now
    session.add(made)
    directory.tell_person(session, person.id, by)
    end = f" sampai {long_date(made.until_on)}" if made.until_on else ""
    _tell(session, made, f"Anda ditetapkan sebagai {made.printed} mulai {long_date(made.from_on)}{end}", "begin", now)
    return made


def end_appointment(
    session: Session, by: identity.Person | None, appointment_id: UUID, ending: Ending, *, now: datetime
) -> Appointment:
    """End an appointment before its last day, now or with a day to come; raise NotFound, or OutOfTurn when it is over.

    Raises Incomplete with the field for a definitive post without a letter, and for a last day that is over, before
    the first or not earlier than the one that stands.
    """
    found = session.get(Appointment, appointment_id, with_for_update={"of": Appointment})
    if found is None:
        raise NotFound("Penugasan itu tidak ditemukan. Buka kembali daftar penugasan.")
    letter = ending.letter_number.strip()
    facts = {"reason": ending.reason, "letter": letter, "last": ending.last_on, "until": found.until_on}
    if by:
        by = authorize(session, by, ACTS.end_appointment, found, **facts)
    else:
        audit.record(session, None, ACTS.end_appointment.name, found, **facts)
    today = local_date(now)
    if found.ended_at or (found.until_on is not None and found.until_on < today):
        raise OutOfTurn("Penugasan itu sudah berakhir.")
    if found.kind == DEFINITIVE and not letter:
        raise _wrong("/letter_number", "Tuliskan nomor surat pemberhentian dari jabatan definitif.")
    if ending.last_on is None:
        found.ended_at = now
    else:
        _check_last_day(found, ending.last_on, today)
        found.until_on = ending.last_on
    found.ended_by_name, found.end_reason = by.name if by else OPERATOR, ending.reason.strip()
    found.end_letter_number = letter or None
    directory.tell_person(session, found.person_id, by)
    end = f"pada {long_date(ending.last_on)}" if ending.last_on else "hari ini"
    _tell(session, found, f"Penugasan Anda sebagai {found.printed} berakhir {end}", f"end:{ending.last_on}", now)
    return found


def grant(session: Session, person: Person, roles: Collection[Role], *, title: str = "", now: datetime) -> None:
    """Give a person who is just taken in their posts, without a letter and without an end.

    So loading, the command line and invitations do it; whoever calls writes the line in the audit chain, and the
    divisions are told here. Raises Incomplete for a post that somebody else holds.
    """
    given = [
        Appointment(
            person_id=person.id,
            role=role.value,
            kind=DEFINITIVE,
            title=title,
            from_on=local_date(now),
            letter_number="",
            appointed_by_name=OPERATOR,
            created_at=now,
        )
        for role in sorted({Role(role) for role in roles})
    ]
    check_vacant(session, [Role(one.role) for one in given], now=now)
    session.add_all(given)
    directory.tell_person(session, person.id)


def check_vacant(session: Session, roles: Collection[Role], *, now: datetime) -> None:
    """Raise Incomplete when one of these is a post that somebody holds from today on."""
    for role in roles:
        _check_overlap(session, Wanted(role, DEFINITIVE, local_date(now)), "/role")


def appointments(
    session: Session, *, role: Role | None = None, before: tuple[datetime, UUID] | None = None, limit: int = 50
) -> list[Appointment]:
    """Return appointments, those that were written last first; of one post when `role` is given.

    `before` is the place (time and id) of the last one that was shown.
    """
    asked = select(Appointment).order_by(Appointment.created_at.desc(), Appointment.id.desc()).limit(limit)
    if role:
        asked = asked.where(Appointment.role == role.value)
    if before:
        asked = asked.where(tuple_(Appointment.created_at, Appointment.id) < before)
    return list(session.scalars(asked))


def _active(session: Session, username: str | None) -> Person | None:
    name = (username or "").strip().lower()
    return session.scalar(select(Person).where(Person.username == name, Person.is_active)) if name else None


def _check_days(new: NewAppointment, today: date) -> None:
    if new.until_on is None:
        if new.kind != DEFINITIVE or new.role in POSTS:
            raise _wrong("/until_on", "Jabatan ini dipegang untuk suatu masa: tuliskan hari terakhirnya.")
        return
    if new.until_on < new.from_on:
        raise _wrong("/until_on", "Hari terakhir tidak boleh sebelum hari pertama.")
    if new.until_on < today:
        raise _wrong("/until_on", "Hari terakhir sudah lewat; penugasan tidak berlaku surut.")
    if new.kind != DEFINITIVE and new.until_on - new.from_on >= LONGEST:
        raise _wrong("/until_on", "Penugasan paling lama satu tahun. Setelah itu terbitkan surat yang baru.")


def _check_last_day(found: Appointment, last_on: date, today: date) -> None:
    if last_on < max(today, found.from_on):
        raise _wrong("/last_on", "Hari terakhir tidak boleh sudah lewat atau sebelum hari pertama.")
    if found.until_on is not None and last_on >= found.until_on:
        raise _wrong("/last_on", Sentence("Penugasan ini memang berakhir pada {until_on}.", until_on=found.until_on))


def _check_post(session: Session, new: NewAppointment, person: Person, holder: Person | None) -> Appointment | None:
    """Refuse what cannot be; return the holder's appointment for whom the post is held, or None."""
    if person.vendor or new.role is Role.VENDOR:
        raise _wrong("/username" if person.vendor else "/role", "Akun penyedia tidak dapat memegang jabatan.")
    if _first(session, new, Appointment.person_id == person.id, Appointment.kind == DEFINITIVE):
        words = Sentence(
            "{display_name} memegang jabatan ini sendiri dan tidak perlu ditugaskan.",
            display_name=person.display_name,
        )
        raise _wrong("/username", words)
    if new.kind == DEFINITIVE:
        if new.for_username:
            raise _wrong("/for_username", "Pejabat definitif tidak menggantikan siapa pun. Kosongkan isian ini.")
        return None
    if new.role not in POSTS:
        raise _wrong("/role", "Jabatan ini tidak mengenal Plt. atau Plh. Pilih jenis definitif.")
    if new.kind == PLH and not new.for_username:
        raise _wrong("/for_username", "Plh. menggantikan pejabat yang berhalangan: tuliskan nama penggunanya.")
    if not new.for_username:
        return None
    mine = holder is not None and _first(
        session, new, Appointment.person_id == holder.id, Appointment.kind == DEFINITIVE
    )
    if not mine:
        raise _wrong(
            "/for_username",
            Sentence(
                "“{for_username}” tidak memegang jabatan ini. Periksa nama penggunanya.",
                for_username=new.for_username,
            ),
        )
    return mine


def _check_overlap(session: Session, new: Wanted, pointer: str) -> None:
    """Refuse a second holder, or a second deputy, of a post that one person holds at a time.

    The database refuses them too, whichever way they come; here it is said whose post it is.
    """
    if new.role not in POSTS:
        return
    is_definitive = Appointment.kind == DEFINITIVE
    other = _first(session, new, is_definitive if new.kind == DEFINITIVE else ~is_definitive)
    if other is None:
        return
    words = Sentence(
        "{post} sudah dipegang atau dijalankan {display_name} {until}. Akhiri itu dahulu atau pilih hari lain.",
        post=procedure().titles[new.role],
        display_name=other.person.display_name,
        until=Sentence("pada {from_on} sampai {until_on}", from_on=other.from_on, until_on=other.until_on)
        if other.until_on
        else Sentence("sejak {from_on}", from_on=other.from_on),
    )
    raise _wrong(pointer, words)


def _first(session: Session, new: NewAppointment | Wanted, *narrowed: ColumnElement[bool]) -> Appointment | None:
    """Return an appointment to the same post that shares a day with the wanted one."""
    asked = select(Appointment).where(
        Appointment.role == new.role.value,
        Appointment.ended_at.is_(None),
        or_(Appointment.until_on.is_(None), Appointment.until_on >= new.from_on),
        *narrowed,
    )
    if new.until_on:
        asked = asked.where(Appointment.from_on <= new.until_on)
    return session.scalar(asked.order_by(Appointment.from_on).limit(1))


def _tell(session: Session, one: Appointment, title: str, what: str, now: datetime) -> None:
    """Tell the person inside, and on the channels that they chose; what holds today already cannot wait."""
    kind = URGENT if one.ended_at or (what == "begin" and one.from_on <= local_date(now)) else NEWS
    about = f"Surat nomor {one.letter_number}" if what == "begin" else f"Alasan: {one.end_reason}"
    key = f"appointment:{one.id}:{what}"
    notice.tell(session, one.person_id, kind=kind, title=title, about=about, path=MY_POSTS, key=key, now=now)


def _wrong(pointer: str, words: str) -> Incomplete:
    return Incomplete(words, errors=[FieldError(pointer, words)])
