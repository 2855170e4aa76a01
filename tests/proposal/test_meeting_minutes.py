"""Minutes: notes of several people, attendance and quorum, corrections with history, action items, papers."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from services.proposal import actions, queries
from services.proposal.actions import Came
from services.proposal.authority import ACTS
from services.proposal.model import Meeting, MeetingKind, Office, Outcome, Presence
from shared import audit, issued
from shared.errors import Incomplete, NotAllowed, OutOfTurn, Stale, StepUpNeeded
from tests.people import ANI, BAYU, BUDI, CITRA, DEWI, EDI, JOKO, SARI
from tests.proposal.walk import TODAY, Walk

# --- notes


def test_notes_save_a_part_and_keep_the_rest(walk: Walk) -> None:
    item = walk.item(walk.meeting("weekly"), walk.programmed(), follow_up="Siapkan KAK").items[0]

    written = actions.write_item(walk.session, BUDI, item.id, changes={"discussion": "Dua pendapat."}, seen='"2"')

    assert (written.discussion, written.decision, written.follow_up) == ("Dua pendapat.", "continue", "Siapkan KAK")
    assert (written.edition, written.written_by_name) == (3, BUDI.name)


def test_of_two_note_takers_the_later_is_told_both_texts(walk: Walk) -> None:
    walk.programmed()
    item = walk.meeting("weekly").items[0]
    actions.write_item(walk.session, BUDI, item.id, changes={"discussion": "Kata Budi."}, seen='"1"')

    refusal = walk.refuses(Stale, actions.write_item, BAYU, item.id, changes={"discussion": "Kata Bayu."}, seen='"1"')

    assert BUDI.name in refusal.detail
    assert {(e.pointer, e.detail) for e in refusal.errors} == {
        ("/discussion/saved", "Kata Budi."),
        ("/discussion/yours", "Kata Bayu."),
    }
    assert item.discussion == "Kata Budi."


def test_a_decision_needs_words_and_must_be_possible(walk: Walk) -> None:
    walk.programmed()
    meeting = walk.meeting("weekly")
    other = actions.add_to_agenda(walk.session, BAYU, meeting.id, subject="Piket").items[-1]
    item = meeting.items[0]

    walk.refuses(Incomplete, actions.write_item, BAYU, item.id, changes={"decision": Outcome.CONTINUE})
    both = {"discussion": "Dibahas.", "decision": Outcome.APPROVE}
    walk.refuses(OutOfTurn, actions.write_item, BAYU, item.id, changes=both)  # it is approved already
    walk.refuses(OutOfTurn, actions.write_item, BAYU, other.id, changes=both)  # no case


def test_who_takes_notes_and_who_follows_up_stand_by_their_names(walk: Walk) -> None:
    walk.knows(BAYU)
    meeting = actions.call_meeting(
        walk.session, BUDI, walk.office, kind=MeetingKind.WEEKLY, on=TODAY, place="Ruang Rapat", chair="Tamu",
        attendees=["bayu"], note_taker="bayu",
    )  # fmt: skip

    item = walk.item(meeting, walk.programmed(), follow_up="Siapkan KAK", pic="bayu").items[0]

    assert (meeting.chair, meeting.note_taker, item.pic) == ("Tamu", BAYU.name, BAYU.name)


def test_minutes_with_an_outcome_of_the_head_are_offered_to_the_head_alone(walk: Walk) -> None:
    meeting = walk.item(walk.meeting("weekly"), walk.programmed())
    close = ACTS.close_minutes
    assert close in queries.offered_in_meeting(BUDI, meeting)

    actions.write_item(walk.session, BUDI, meeting.items[0].id, changes={"decision": Outcome.DEFER})

    assert close not in queries.offered_in_meeting(BUDI, meeting)
    assert close in queries.offered_in_meeting(CITRA, meeting)
    walk.refuses(NotAllowed, actions.close_minutes, BUDI, meeting.id, walk.office)


# --- approving in a meeting


def test_a_meeting_of_the_head_approves_what_awaits_his_decision(walk: Walk) -> None:
    case = walk.recommended()

    meeting = walk.minuted(case, "weekly", decision="approve")

    last, before = walk.trace(case)[-1], walk.trace(case)[-2]
    assert case.status == "approved"
    assert case.approved_at is not None
    assert meeting.number in last.says
    assert (before.move, meeting.number in before.note) == ("approve", True)


def test_approving_needs_a_fresh_proof_and_the_head(walk: Walk) -> None:
    case = walk.recommended()
    meeting = walk.item(walk.meeting("weekly"), case, decision="approve")

    walk.refuses(NotAllowed, actions.close_minutes, BUDI, meeting.id, walk.office)
    unproved = CITRA.model_copy(update={"proved_until": None})
    walk.refuses(StepUpNeeded, actions.close_minutes, unproved, meeting.id, walk.office)

    assert case.status == "awaiting_decision"


# --- attendance


def test_who_is_invited_to_a_coming_meeting_is_not_present_yet(walk: Walk) -> None:
    meeting = walk.meeting("weekly", on=TODAY + timedelta(days=3))

    assert [one.presence for one in meeting.attendance] == [Presence.INVITED] * 2
    refusal = walk.refuses(Incomplete, actions.record_attendance, BAYU, meeting.id, rows=[Came("Kepala PUSTIPD")])
    assert refusal.errors[0].pointer == "/rows/0/presence"


def test_the_quorum_holds_up_the_minutes(walk: Walk, office: Office) -> None:
    meeting = walk.item(walk.meeting("weekly"), walk.programmed())
    rows = [
        Came("Kepala PUSTIPD", "Kepala", is_late=True),
        Came("Koordinator Divisi Aplikasi", presence=Presence.EXCUSED, note="Dinas luar"),
        Came("Bayu", presence=Presence.INVITED),
    ]
    actions.record_attendance(walk.session, BAYU, meeting.id, rows=rows, quorum=2)

    refusal = walk.refuses(Incomplete, actions.close_minutes, CITRA, meeting.id, office)
    actions.record_attendance(walk.session, BAYU, meeting.id, rows=rows, quorum=None)
    actions.close_minutes(walk.session, CITRA, meeting.id, office)

    assert "Kuorum 2 orang belum tercapai; yang hadir 1" in refusal.detail
    assert [(one.presence, one.is_late) for one in meeting.attendance] == [
        ("present", True),
        ("excused", False),
        ("absent", False),
    ]
    walk.refuses(OutOfTurn, actions.record_attendance, BAYU, meeting.id, rows=rows)


def test_a_name_stands_once(walk: Walk) -> None:
    meeting = walk.meeting("weekly")

    refusal = walk.refuses(
        Incomplete, actions.record_attendance, BAYU, meeting.id, rows=[Came("Bayu"), Came("Citra"), Came("bayu")]
    )

    assert [e.pointer for e in refusal.errors] == ["/rows/2/name"]


def test_an_attendee_known_to_the_directory_is_that_person(walk: Walk) -> None:
    walk.knows(BAYU)
    meeting = walk.meeting("weekly")

    actions.record_attendance(walk.session, BAYU, meeting.id, rows=[Came("bayu"), Came("Tamu")])

    assert [(one.name, one.person_id) for one in meeting.attendance] == [(BAYU.name, BAYU.id), ("Tamu", None)]


# --- papers


def test_the_invitation_keeps_its_number_and_only_the_newest_counts(walk: Walk, office: Office) -> None:
    meeting = walk.meeting("weekly", on=TODAY + timedelta(days=3))

    actions.invite(walk.session, BUDI, meeting.id, office)
    number, first = meeting.invitation_number, meeting.invitation_digest
    actions.add_to_agenda(walk.session, BAYU, meeting.id, subject="Tambahan")
    actions.invite(walk.session, BUDI, meeting.id, office)

    assert (number.split("/")[0], meeting.invitation_number) == ("B-0001", number)
    assert withdrawn(walk, f"invitation:{meeting.id}") == {first: True, meeting.invitation_digest: False}
    assert office.store.path(first).read_bytes().startswith(b"%PDF-")
    walk.refuses(NotAllowed, actions.invite, BAYU, meeting.id, office)


def test_a_moved_meeting_needs_its_papers_anew(walk: Walk, office: Office) -> None:
    meeting = walk.meeting("weekly", on=TODAY + timedelta(days=3))
    actions.invite(walk.session, BUDI, meeting.id, office)
    actions.print_attendance(walk.session, BAYU, meeting.id, office)
    assert office.store.path(meeting.attendance_digest).read_bytes().startswith(b"%PDF-")

    actions.move_meeting(walk.session, BAYU, meeting.id, on=TODAY + timedelta(days=4), reason="Ruangan dipakai.")

    assert (meeting.invitation_digest, meeting.attendance_digest, meeting.sequence) == ("", "", 1)
    assert queries.papers_of(meeting) == {}
    yesterday = TODAY - timedelta(days=1)
    walk.refuses(Incomplete, actions.move_meeting, BAYU, meeting.id, on=yesterday, reason="Mundur.")


def withdrawn(walk: Walk, series: str) -> dict[str, bool]:
    row = issued.registered_paper.c
    found = walk.session.execute(select(row.digest, row.withdrawn_at).where(row.series == series))
    return {digest: at is not None for digest, at in found}


# --- corrections


def corrected(walk: Walk, meeting: Meeting, **changes: object) -> Meeting:
    actions.reopen_minutes(walk.session, CITRA, meeting.id, reason="Nama pembicara keliru.")
    actions.write_item(walk.session, BAYU, meeting.items[0].id, changes=changes)
    return actions.close_minutes(walk.session, CITRA, meeting.id, walk.office)


def test_a_correction_is_a_new_version_and_the_outcome_stands(walk: Walk) -> None:
    case = walk.programmed()
    meeting = walk.minuted(case, "weekly", decision="defer")
    first, performed = meeting.minutes_digest, meeting.items[0].performed_at

    corrected(walk, meeting, discussion="Dibahas oleh Bayu, bukan Budi.")

    assert (meeting.version, meeting.items[0].performed_at) == (2, performed)
    assert [(v.version, v.content["items"][0]["discussion"], v.reason) for v in meeting.versions] == [
        (1, "Dibahas kebutuhan dan jadwalnya.", ""),
        (2, "Dibahas oleh Bayu, bukan Budi.", "Nama pembicara keliru."),
    ]
    assert withdrawn(walk, f"minutes:{meeting.id}") == {first: True, meeting.minutes_digest: False}
    assert len(walk.posted("CaseHalted")) == 1
    assert [e.move for e in walk.trace(case) if e.move == "defer"] == ["defer"]
    assert "versi 2" in walk.trace(case)[-1].says
    assert audit.verify(walk.session)[1] == []


def test_an_outcome_that_was_carried_out_is_not_changed_in_a_correction(walk: Walk) -> None:
    meeting = walk.minuted(walk.programmed(), "weekly")
    actions.reopen_minutes(walk.session, CITRA, meeting.id, reason="Keputusan keliru.")
    item = meeting.items[0]

    refusal = walk.refuses(OutOfTurn, actions.write_item, BAYU, item.id, changes={"decision": Outcome.DEFER})
    walk.refuses(OutOfTurn, actions.remove_from_agenda, BAYU, item.id)

    assert "rapat berikutnya" in refusal.detail
    assert item.decision == "continue"


def test_a_correction_carries_out_what_is_new(walk: Walk) -> None:
    case, other = walk.programmed(), walk.programmed()
    meeting = walk.minuted(case, "weekly")
    actions.reopen_minutes(walk.session, CITRA, meeting.id, reason="Satu butir tertinggal.")

    walk.item(meeting, other, decision="defer")
    actions.close_minutes(walk.session, CITRA, meeting.id, walk.office)

    assert (case.status, other.status) == ("in_work_programme", "deferred")


def test_what_moved_on_is_not_noted_in_the_old_minutes(walk: Walk, office: Office) -> None:
    left, case = walk.programmed(), walk.programmed()
    meeting = walk.item(walk.meeting("weekly"), case)
    walk.meeting("weekly", on=TODAY + timedelta(days=7))
    actions.close_minutes(walk.session, CITRA, meeting.id, office)
    actions.reopen_minutes(walk.session, CITRA, meeting.id, reason="Perbaikan ejaan.")

    refusal = walk.refuses(
        OutOfTurn,
        actions.record_item,
        BAYU,
        meeting.id,
        case_number=left.number,
        discussion="Terlambat.",
        decision=Outcome.CONTINUE,
    )

    assert "dipindahkan" in refusal.detail


@pytest.mark.parametrize("by", [BAYU, DEWI, ANI, SARI], ids=lambda p: p.username)
def test_only_head_and_app_head_open_minutes_again(walk: Walk, by: object) -> None:
    meeting = walk.minuted(walk.programmed(), "weekly")

    walk.refuses(NotAllowed, actions.reopen_minutes, by, meeting.id, reason="Perbaikan.")


def test_open_minutes_are_not_opened(walk: Walk) -> None:
    walk.refuses(OutOfTurn, actions.reopen_minutes, CITRA, walk.meeting("weekly").id, reason="Perbaikan.")


# --- action items


def given(walk: Walk, **more: object) -> Meeting:
    """Return closed minutes that give Bayu something to do."""
    words = {"follow_up": "Siapkan KAK", "pic": "bayu"} | more
    meeting = walk.item(walk.meeting("weekly"), walk.programmed(), **words)
    return actions.close_minutes(walk.session, CITRA, meeting.id, walk.office)


def test_a_follow_up_is_given_to_its_person_once_and_waits_for_them(walk: Walk) -> None:
    walk.knows(BAYU)
    meeting = given(walk, due_on=TODAY - timedelta(days=2))
    corrected(walk, meeting, discussion="Diperjelas.")

    tasks = queries.tasks(walk.session, BAYU)

    assert [(t.words, t.person_id, t.person_name) for t in tasks] == [("Siapkan KAK", BAYU.id, BAYU.name)]
    waits = [w for w in queries.waiting_on(walk.session, BAYU) if w.path == "/tindak-lanjut"]
    assert [(w.title, w.about) for w in waits] == [("Tindak lanjut rapat terlambat 2 hari", "Siapkan KAK")]
    actions.finish_task(walk.session, BAYU, tasks[0].id)
    assert [w for w in queries.waiting_on(walk.session, BAYU) if w.path == "/tindak-lanjut"] == []
    refusal = walk.refuses(OutOfTurn, actions.drop_task, BUDI, tasks[0].id, reason="Tidak perlu.")
    assert BAYU.name in refusal.detail


def test_others_do_not_finish_what_was_given_to_somebody(walk: Walk) -> None:
    walk.knows(EDI, role="infra_staff")
    given(walk, pic="edi")
    task = queries.tasks(walk.session, CITRA, everybody=True)[0]

    for by in (JOKO, ANI, SARI):
        walk.refuses(NotAllowed, actions.finish_task, by, task.id)
    walk.refuses(NotAllowed, actions.drop_task, EDI, task.id, reason="Tidak sempat.")

    assert queries.tasks(walk.session, ANI, everybody=True) == []
    assert actions.finish_task(walk.session, EDI, task.id).settled_by_name == EDI.name


def test_a_name_that_the_directory_does_not_know_is_kept_as_typed(walk: Walk) -> None:
    given(walk, pic="Tim Jaringan")

    task = queries.tasks(walk.session, CITRA, everybody=True)[0]

    assert (task.person_id, task.person_name) == (None, "Tim Jaringan")
