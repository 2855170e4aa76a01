"""Acting appointments (Plt./Plh.): somebody holds a post for a few days, by a letter, and it ends by itself."""

from datetime import date, datetime, timedelta
from typing import Any, get_args
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from services.gateway.authority import ACTS
from services.gateway.model import Appointment, Person
from services.gateway.schemas.appointment import NewAppointment, Post
from shared import audit, identity
from shared.authority import authorize
from shared.errors import FieldError, Incomplete, NotFound, OutOfTurn
from shared.identity import Role
from shared.words import local_date, long_date

LONGEST = timedelta(days=366)
MOST_SHOWN = 200
POSTS = tuple(Role(post) for post in get_args(Post))
"""Posts that one person holds at a time; only these can be held for somebody else."""


def appoint(session: Session, by: identity.Person | None, new: NewAppointment, *, now: datetime) -> Appointment:
    """Let a person hold a post from one day to another (both WIB, both included); return the appointment.

    `by` is None on the command line. Refused for the deputy themselves; raises Incomplete with the field for an
    unknown or closed account, a post that the person holds anyway, days that are over, the wrong way round or more
    than a year, and a post that somebody else acts in on one of these days.
    """
    person, holder = _active(session, new.username), _active(session, new.for_username)
    made = Appointment(id=uuid4(), person_id=person.id if person else None, role=new.role, kind=new.kind)
    facts: dict[str, Any] = {"role": new.role, "kind": new.kind, "from": new.from_on, "until": new.until_on}
    facts |= {"letter": new.letter_number, "person": made.person_id}
    if by:
        by = authorize(session, by, ACTS.appoint, made, **facts)
    else:
        audit.record(session, None, ACTS.appoint.name, made, **facts)
    if person is None:
        raise _wrong("/username", f"Nama pengguna “{new.username}” tidak dikenal atau akunnya sudah ditutup.")
    _check_post(new, person, holder)
    _check_days(new, local_date(now))
    # The line in the audit chain has its lock until the commit: two appointments at once see each other here.
    _check_overlap(session, new)
    made.for_person_id = holder.id if holder else None
    made.from_on, made.until_on, made.letter_number = new.from_on, new.until_on, new.letter_number.strip()
    made.appointed_by_id, made.appointed_by_name = (by.id, by.name) if by else (None, "Operator")
    made.created_at = now
    session.add(made)
    session.flush()
    session.expire(person, ["appointments"])
    return made


def end_appointment(
    session: Session, by: identity.Person | None, appointment_id: UUID, *, reason: str, now: datetime
) -> Appointment:
    """End an appointment now, before its last day; raise NotFound, or OutOfTurn when it is over already."""
    found = session.get(Appointment, appointment_id, with_for_update={"of": Appointment})
    if found is None:
        raise NotFound("Penugasan itu tidak ditemukan. Buka kembali daftar penugasan.")
    if by:
        by = authorize(session, by, ACTS.end_appointment, found, reason=reason)
    else:
        audit.record(session, None, ACTS.end_appointment.name, found, reason=reason)
    if found.ended_at or found.until_on < local_date(now):
        raise OutOfTurn("Penugasan itu sudah berakhir.")
    found.ended_at, found.ended_by_name, found.end_reason = now, by.name if by else "Operator", reason.strip()
    session.flush()
    return found


def appointments(session: Session) -> list[Appointment]:
    """Return the newest appointments by their first day, at most 200."""
    newest = select(Appointment).order_by(Appointment.from_on.desc(), Appointment.id).limit(MOST_SHOWN)
    return list(session.scalars(newest))


def _active(session: Session, username: str | None) -> Person | None:
    name = (username or "").strip().lower()
    return session.scalar(select(Person).where(Person.username == name, Person.is_active)) if name else None


def _check_post(new: NewAppointment, person: Person, holder: Person | None) -> None:
    if new.role in person.roles:
        raise _wrong("/username", f"{person.display_name} memegang jabatan ini sendiri dan tidak perlu ditugaskan.")
    if person.vendor:
        raise _wrong("/username", "Akun penyedia tidak dapat memegang jabatan.")
    if new.kind == "plh" and not new.for_username:
        raise _wrong("/for_username", "Plh. menggantikan pejabat yang berhalangan: tuliskan nama penggunanya.")
    if new.for_username and (holder is None or new.role not in holder.roles):
        raise _wrong("/for_username", f"“{new.for_username}” tidak memegang jabatan ini. Periksa nama penggunanya.")


def _check_days(new: NewAppointment, today: date) -> None:
    if new.until_on < new.from_on:
        raise _wrong("/until_on", "Hari terakhir tidak boleh sebelum hari pertama.")
    if new.until_on < today:
        raise _wrong("/until_on", "Hari terakhir sudah lewat; penugasan tidak berlaku surut.")
    if new.until_on - new.from_on >= LONGEST:
        raise _wrong("/until_on", "Penugasan paling lama satu tahun. Setelah itu terbitkan surat yang baru.")


def _check_overlap(session: Session, new: NewAppointment) -> None:
    other = session.scalar(
        select(Appointment)
        .where(
            Appointment.role == new.role,
            Appointment.ended_at.is_(None),
            Appointment.from_on <= new.until_on,
            Appointment.until_on >= new.from_on,
        )
        .limit(1)
    )
    if other:
        raise _wrong(
            "/from_on",
            f"Jabatan ini sudah dijalankan {other.person.display_name} pada {long_date(other.from_on)} sampai "
            f"{long_date(other.until_on)}. Akhiri penugasan itu dahulu atau pilih hari yang lain.",
        )


def _wrong(pointer: str, words: str) -> Incomplete:
    return Incomplete(words, errors=[FieldError(pointer, words)])
