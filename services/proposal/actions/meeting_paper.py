"""The papers of meetings: invitation, sheet for signatures, minutes (S03, S10)."""

from typing import Final

from sqlalchemy.orm import Session

from services.proposal.model import (
    MINUTES,
    OUTCOME_LABELS,
    PRESENCE_LABELS,
    Attendance,
    ItemSource,
    Meeting,
    MeetingItem,
    MeetingKind,
    Office,
    Outcome,
    Presence,
)
from shared import papers, words
from shared.database import utc_now
from shared.identity import Person
from shared.institution import institution
from shared.messages import PaperFact
from shared.printing import closing, print_paper, signed, titled

FEW: Final = 12
"""Addressees that are named one by one on an invitation; more stand in its annex."""
DOTS: Final = "." * 28


def minutes(session: Session, office: Office, meeting: Meeting, signer: Person) -> PaperFact:
    """Print the minutes with attendance, agenda, discussion and follow-up; an older version no longer counts."""
    title = f"Notulen {meeting.label.lower()} {meeting.number}"
    blocks: list[papers.Block] = [
        papers.Facts.of(
            ("Hari, tanggal", words.long_date_with_day(meeting.on)),
            ("Waktu", _times(meeting)),
            ("Tempat", meeting.place),
            ("Pimpinan rapat", meeting.chair),
            ("Notulis", meeting.note_taker),
            ("Peserta", _count(meeting)),
            ("Versi", _version(meeting)),
        ),
        papers.Heading(text="Agenda"),
        papers.Listing(entries=tuple(item.subject for item in meeting.items)),
        papers.Heading(text="Pembahasan dan keputusan"),
        papers.Table(
            columns=(
                papers.Column(title="No."),
                papers.Column(title="Pokok", width=1.4),
                papers.Column(title="Pembahasan", width=2.4),
                papers.Column(title="Keputusan", width=1),
            ),
            rows=tuple(_row(item) for item in meeting.items if item.decision) or (("-", "Tidak ada butir.", "", ""),),
        ),
    ]
    follow_up = tuple(_follow_up(item) for item in meeting.items if item.follow_up)
    if follow_up:
        blocks += [
            papers.Heading(text="Tindak lanjut"),
            papers.Table(
                columns=(
                    papers.Column(title="Butir"),
                    papers.Column(title="Tindak lanjut", width=2.4),
                    papers.Column(title="Penanggung jawab", width=1.3),
                    papers.Column(title="Paling lambat", width=1),
                ),
                rows=follow_up,
            ),
        ]
    left = [item for item in meeting.items if item.decision is None and item.source != ItemSource.STANDING]
    if left:
        blocks += [
            papers.Heading(text="Belum sempat dibahas"),
            papers.Listing(entries=tuple(item.subject for item in left)),
            papers.Paragraph(text="Butir di atas dipindahkan ke rapat berikutnya.", indented=False),
        ]
    blocks += [
        papers.Heading(text="Daftar hadir"),
        papers.Table(
            columns=(
                papers.Column(title="No."),
                papers.Column(title="Nama", width=2),
                papers.Column(title="Jabatan", width=1.6),
                papers.Column(title="Kehadiran", width=1.2),
            ),
            rows=tuple(
                (str(n), one.name, one.title, _presence(one)) for n, one in enumerate(meeting.attendance, start=1)
            ),
        ),
        closing("notulen"),
    ]
    # The one who took notes signs with a pen: who closes may be somebody else.
    signatures = [
        papers.Signature(post="Notulis", name=meeting.note_taker),
        signed(signer, heading="Ditutup oleh"),
    ]
    paper = titled(
        "meeting_minutes",
        f"NOTULEN {meeting.label.upper()}",
        blocks,
        signatures,
        number=meeting.number,
        on=meeting.on,
    )
    return _print(session, office, paper, MINUTES[MeetingKind(meeting.kind)], title, series=f"minutes:{meeting.id}")


def invitation(session: Session, office: Office, meeting: Meeting, signer: Person, *, number: str) -> PaperFact:
    """Print the letter of invitation with the agenda; an older one of this meeting no longer counts."""
    place = institution()
    invited = tuple(one.name if not one.title else f"{one.title} ({one.name})" for one in meeting.attendance)
    is_few = len(invited) <= FEW
    agenda = tuple(item.subject for item in meeting.items)
    blocks: list[papers.Block] = [
        papers.Paragraph(text="Assalamu'alaikum Wr. Wb.", indented=False),
        papers.Paragraph(
            text=f"Sehubungan dengan akan diselenggarakannya {meeting.label.lower()} {place.centre_short}, kami "
            "mengundang Bapak/Ibu untuk hadir pada:"
        ),
        papers.Facts.of(
            ("Hari, tanggal", words.long_date_with_day(meeting.on)),
            ("Waktu", _times(meeting) or "akan diberitahukan kemudian"),
            ("Tempat", meeting.place),
            ("Pimpinan rapat", meeting.chair),
        ),
    ]
    if agenda:
        blocks += [papers.Paragraph(text="Agenda rapat:", indented=False), papers.Listing(entries=agenda)]
    blocks += [
        papers.Paragraph(
            text="Mengingat pentingnya acara tersebut, mohon hadir tepat waktu. Demikian undangan ini disampaikan; "
            "atas perhatian dan kehadiran Bapak/Ibu kami ucapkan terima kasih."
        ),
        papers.Paragraph(text="Wassalamu'alaikum Wr. Wb.", indented=False),
    ]
    subject = f"Undangan {meeting.label.lower()}"
    paper = papers.Paper(
        kind="meeting_invitation",
        layout="letter",
        title=subject,
        number=number,
        on=words.local_date(utc_now()),
        place=place.city,
        letterhead=place.letterhead,
        nature="Biasa",
        attachment="" if is_few else "1 (satu) lembar",
        addressees=invited if is_few else ("Bapak/Ibu (daftar terlampir)",),
        addressee_place="Tempat",
        blocks=tuple(blocks),
        signatures=(signed(signer),),
        annex=() if is_few else (papers.Heading(text="Daftar undangan"), papers.Listing(entries=invited)),
    )
    return _print(
        session, office, paper, "undangan_rapat", f"{subject} {meeting.number}", series=f"invitation:{meeting.id}"
    )


def attendance_sheet(session: Session, office: Office, meeting: Meeting, maker: Person) -> PaperFact:
    """Print the sheet on which those who come sign with a pen; an older one of this meeting no longer counts."""
    after = len(meeting.attendance) + 1
    paper = titled(
        "attendance_sheet",
        f"DAFTAR HADIR {meeting.label.upper()}",
        [
            papers.Facts.of(
                ("Hari, tanggal", words.long_date_with_day(meeting.on)),
                ("Waktu", _times(meeting)),
                ("Tempat", meeting.place),
                ("Nomor notulen", meeting.number),
            ),
            papers.Table(
                columns=(
                    papers.Column(title="No."),
                    papers.Column(title="Nama", width=2),
                    papers.Column(title="Jabatan", width=1.8),
                    papers.Column(title="Tanda tangan", width=1.6),
                ),
                # Two lines high, so that there is room for a pen; empty rows for whoever comes uninvited.
                rows=tuple(
                    (str(n), one.name, one.title, f"{n}.\n{DOTS}") for n, one in enumerate(meeting.attendance, start=1)
                )
                + tuple((str(n), "", "", f"{n}.\n{DOTS}") for n in range(after, after + 5)),
            ),
        ],
        [signed(maker, heading="Disiapkan oleh"), papers.Signature(post="Pimpinan rapat", name=meeting.chair)],
        number=meeting.number,
        on=meeting.on,
    )
    title = f"Daftar hadir {meeting.label.lower()} {meeting.number}"
    return _print(session, office, paper, "daftar_hadir", title, series=f"attendance:{meeting.id}")


def _print(session: Session, office: Office, paper: papers.Paper, kind: str, title: str, *, series: str) -> PaperFact:
    printed = print_paper(
        session,
        "proposal",
        paper,
        store=office.store,
        public_url=office.public_url,
        kind=kind,
        title=title,
        series=series,
    )
    return PaperFact(kind=kind, title=title, number=paper.number, digest=printed.digest)


def _times(meeting: Meeting) -> str:
    if not meeting.starts:
        return ""
    until = f"{meeting.ends:%H.%M}" if meeting.ends else "selesai"
    return f"{meeting.starts:%H.%M} WIB s.d. {until}" + (" WIB" if meeting.ends else "")


def _count(meeting: Meeting) -> str:
    quorum = f"; kuorum {meeting.quorum} orang" if meeting.quorum else ""
    return f"{len(meeting.attendees)} hadir dari {len(meeting.attendance)} yang diundang{quorum}"


def _version(meeting: Meeting) -> str:
    if meeting.version == 1:
        return ""
    return f"{meeting.version}, menggantikan versi sebelumnya. Alasan koreksi: {meeting.reopened_reason}"


def _row(item: MeetingItem) -> tuple[str, ...]:
    number = f"\n{item.case.number}" if item.case and item.case.number not in item.subject else ""
    outcome = OUTCOME_LABELS[Outcome(item.decision)] if item.decision else ""
    return str(item.ordinal), item.subject + number, item.discussion, outcome


def _follow_up(item: MeetingItem) -> tuple[str, ...]:
    due = words.long_date(item.due_on) if item.due_on else "-"
    return str(item.ordinal), item.follow_up, item.pic or "-", due


def _presence(one: Attendance) -> str:
    word = PRESENCE_LABELS[Presence(one.presence)] + (", terlambat" if one.is_late else "")
    return f"{word} ({one.note})" if one.note else word
