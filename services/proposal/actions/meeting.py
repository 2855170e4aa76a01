"""Meetings: calling one, inviting to it, moving or cancelling it, and who came (S03)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, time
from uuid import UUID, uuid4

from sqlalchemy.orm import Session

from services.proposal.actions import meeting_paper
from services.proposal.actions.agenda import fill, find_meeting, must_be_open, next_meeting
from services.proposal.actions.case import next_number
from services.proposal.authority import ACTS
from services.proposal.model import Attendance, Meeting, MeetingKind, MeetingSeries, Office, Presence
from shared import letters
from shared.authority import authorize
from shared.database import utc_now
from shared.directory import Holder, Listed, holders, people
from shared.errors import FieldError, Incomplete, OutOfTurn
from shared.identity import Person, Role
from shared.institution import institution
from shared.procedure import procedure
from shared.sentence import Sentence
from shared.words import local_date


@dataclass(frozen=True)
class Invited:
    """Somebody to be invited: known to the directory, or as typed."""

    name: str
    title: str = ""
    person_id: UUID | None = None


@dataclass(frozen=True)
class Came:
    """One line of the list of attendance."""

    name: str
    title: str = ""
    presence: Presence = Presence.PRESENT
    is_late: bool = False
    note: str = ""


def call_meeting(
    session: Session,
    by: Person,
    office: Office,
    *,
    kind: MeetingKind,
    on: date,
    place: str,
    chair: str,
    attendees: Sequence[str],
    note_taker: str = "",
    starts: time | None = None,
    ends: time | None = None,
    quorum: int | None = None,
    number: str = "",
) -> Meeting:
    """Call a weekly or annual meeting, give its minutes their number and fill its agenda (S03).

    Those named are invited; for a meeting of today or earlier they are those who were there. `number` is for minutes
    that were numbered before they came into Alur.
    """
    by = authorize(session, by, ACTS.call_meeting, f"meeting:{kind}:{on}")
    _must_end_later(starts, ends)
    meeting = make(
        session,
        office,
        kind=kind,
        on=on,
        place=place,
        chair=invited(session, chair).name,
        note_taker=invited(session, note_taker).name if note_taker.strip() else by.name,
        starts=starts,
        ends=ends,
        quorum=quorum,
        number=number,
        invited=[invited(session, name) for name in attendees],
        made_by_id=by.id,
    )
    if on <= local_date(utc_now()):
        for one in meeting.attendance:
            one.presence = Presence.PRESENT
    fill(session, meeting, by.id)
    return meeting


def make(
    session: Session,
    office: Office,
    *,
    kind: MeetingKind,
    on: date,
    place: str,
    chair: str,
    note_taker: str,
    invited: Sequence[Invited],
    made_by_id: UUID,
    starts: time | None = None,
    ends: time | None = None,
    quorum: int | None = None,
    number: str = "",
    series: MeetingSeries | None = None,
) -> Meeting:
    """Make a meeting with those invited to it, its agenda still empty."""
    if not number:
        number = letters.number("minutes", next_number(session, "minutes", on.year), on, office=office.code)
    meeting = Meeting(
        id=uuid4(),
        kind=kind,
        number=number,
        series=series,
        series_on=on if series else None,
        on=on,
        starts=starts,
        ends=ends,
        place=place,
        chair=chair,
        note_taker=note_taker,
        quorum=quorum,
        made_by_id=made_by_id,
        version=1,
        attendance=[
            Attendance(ordinal=n, name=one.name, title=one.title, person_id=one.person_id)
            for n, one in enumerate(invited, start=1)
        ],
        items=[],
        versions=[],
    )
    session.add(meeting)
    session.flush()
    return meeting


def _must_end_later(starts: time | None, ends: time | None) -> None:
    if starts and ends and ends <= starts:
        raise Incomplete(
            "Rapat berakhir sebelum dimulai.", errors=[FieldError("/ends", "Isi jam yang lebih akhir dari jam mulai.")]
        )


# --- who is meant -------------------------------------------------------------------------------------------------


def invited(session: Session, typed: str) -> Invited:
    """Return somebody by username or whole name as the directory knows them, else as typed."""
    found = known(session, typed)
    return Invited(found.name, person_id=found.id) if found else Invited(typed.strip()[:200])


def known(session: Session, typed: str) -> Listed | None:
    """Return the one person of the directory with this username or whole name; None for nobody or several."""
    wanted = typed.strip().lower()
    found = [one for one in people(session, wanted) if wanted in (one.username.lower(), one.name.lower())]
    return found[0] if len(found) == 1 else None


def by_role(session: Session, role: Role, on: date) -> list[Invited]:
    """Return who holds a post on a day; its title alone where nobody is known to."""
    found = [Invited(one.person.name, one.title, one.person.id) for one in holders(session, role, on)]
    return found or [Invited(procedure().titles[role])]


def chair_of(session: Session, role: Role, on: date) -> str:
    """Return who chairs a meeting on a day, as printed: the holder of the post, an acting official before its owner."""
    found = holders(session, role, on)
    acting: list[Holder] = [one for one in found if one.is_acting]
    if not found:
        return procedure().titles[role]
    one = (acting or found)[0]
    return one.title if one.title == one.person.name else f"{one.person.name} ({one.title})"[:200]


# --- the coming meeting -------------------------------------------------------------------------------------------


def move_meeting(
    session: Session,
    by: Person,
    meeting_id: UUID,
    *,
    on: date,
    reason: str,
    starts: time | None = None,
    ends: time | None = None,
    place: str = "",
) -> Meeting:
    """Put a meeting on another day, hour or place, with the reason; calendars are told.

    Raises Incomplete for a day that is past, OutOfTurn once minutes were closed.
    """
    meeting = find_meeting(session, meeting_id)
    by = authorize(session, by, ACTS.move_meeting, meeting, on=str(on))
    must_be_open(meeting)
    _must_be_unheard(meeting)
    if on < local_date(utc_now()):
        raise Incomplete(
            "Rapat tidak dapat dipindahkan ke hari yang sudah lewat.",
            errors=[FieldError("/on", "Pilih hari ini atau sesudahnya.")],
        )
    _must_end_later(starts or meeting.starts, ends or (None if starts else meeting.ends))
    meeting.on, meeting.moved_reason = on, reason
    if starts:
        meeting.starts, meeting.ends = starts, ends
    elif ends:
        meeting.ends = ends
    meeting.place = place or meeting.place
    meeting.sequence += 1
    meeting.edition += 1
    # What was sent to people names the old day.
    meeting.invitation_number, meeting.invitation_digest, meeting.attendance_digest = "", "", ""
    session.flush()
    return meeting


def cancel_meeting(session: Session, by: Person, meeting_id: UUID, *, reason: str) -> Meeting:
    """Call a meeting off, with the reason; its agenda moves to the next one. Raises OutOfTurn once it was held."""
    meeting = find_meeting(session, meeting_id)
    following = next_meeting(session, meeting)
    by = authorize(session, by, ACTS.cancel_meeting, meeting)
    must_be_open(meeting)
    _must_be_unheard(meeting)
    meeting.cancelled_at, meeting.cancelled_by_name, meeting.cancelled_reason = utc_now(), by.name, reason
    meeting.sequence += 1
    meeting.edition += 1
    session.flush()
    if following:
        fill(session, following, by.id)
    return meeting


def _must_be_unheard(meeting: Meeting) -> None:
    if meeting.reopened_at:
        raise OutOfTurn(
            Sentence(
                "Rapat {number} sudah berlangsung; hanya notulennya yang dapat dikoreksi.",
                number=meeting.number,
            )
        )


def invite(session: Session, by: Person, meeting_id: UUID, office: Office) -> Meeting:
    """Print the letter of invitation with its number; raise Incomplete when nobody is invited."""
    meeting = find_meeting(session, meeting_id)
    by = authorize(session, by, ACTS.invite, meeting)
    must_be_open(meeting)
    _must_be_unheard(meeting)
    if not meeting.attendance:
        raise Incomplete("Belum ada yang diundang. Isi daftar hadir dengan nama yang diundang, lalu ulangi.")
    if not meeting.invitation_number:
        place, today = institution(), local_date(utc_now())
        # In a counter of this division: its letters are told apart by the office before the class.
        n = letters.next_number(session, "letter", today.year, office=f"{place.letter_office}/{office.programme_code}")
        meeting.invitation_number = letters.number(
            "letter",
            n,
            today,
            office=f"{place.letter_office}/{office.programme_code}",
            classification=place.letter_classification,
        )
    printed = meeting_paper.invitation(session, office, meeting, by, number=meeting.invitation_number)
    meeting.invitation_digest = printed.digest
    meeting.edition += 1
    session.flush()
    return meeting


# --- who came -----------------------------------------------------------------------------------------------------


def record_attendance(
    session: Session, by: Person, meeting_id: UUID, *, rows: Sequence[Came], quorum: int | None = None
) -> Meeting:
    """Replace the list of those invited and present; raise OutOfTurn once the minutes are closed.

    Nobody is present at a meeting that is still to come: Incomplete. A name stands once.
    """
    meeting = find_meeting(session, meeting_id)
    by = authorize(session, by, ACTS.record_attendance, meeting, count=len(rows))
    must_be_open(meeting)
    is_to_come = meeting.on > local_date(utc_now())
    seen: dict[str, int] = {}
    wrong = []
    for n, row in enumerate(rows):
        if row.name.lower() in seen:
            wrong.append(
                FieldError(
                    f"/rows/{n}/name",
                    Sentence("Nama ini sudah ada pada baris {row}.", row=seen[row.name.lower()] + 1),
                )
            )
        seen.setdefault(row.name.lower(), n)
        if is_to_come and row.presence not in (Presence.INVITED, Presence.EXCUSED):
            wrong.append(FieldError(f"/rows/{n}/presence", "Rapat belum berlangsung; pilih Diundang atau Izin."))
    if wrong:
        raise Incomplete("Daftar hadir perlu diperbaiki.", errors=wrong)
    there = {one.name.lower(): one for one in meeting.attendance}
    kept = []
    for n, row in enumerate(rows, start=1):
        one = there.get(row.name.lower())
        if one is None:
            found = invited(session, row.name)
            one = Attendance(name=found.name, person_id=found.person_id)
        one.ordinal, one.title, one.presence = n, row.title or one.title or "", row.presence
        one.is_late, one.note = row.is_late and row.presence == Presence.PRESENT, row.note
        kept.append(one)
    meeting.attendance = kept
    meeting.quorum = quorum
    meeting.edition += 1
    session.flush()
    return meeting


def print_attendance(session: Session, by: Person, meeting_id: UUID, office: Office) -> Meeting:
    """Print the sheet on which those who come sign with a pen."""
    meeting = find_meeting(session, meeting_id)
    by = authorize(session, by, ACTS.print_attendance, meeting)
    must_be_open(meeting)
    meeting.attendance_digest = meeting_paper.attendance_sheet(session, office, meeting, by).digest
    meeting.edition += 1
    session.flush()
    return meeting
