"""The agenda fills itself with what waits, keeps its order, and takes on what earlier meetings did not reach."""

from datetime import timedelta

import pytest

from services.proposal import actions, queries
from services.proposal.model import ItemSource, Meeting, MeetingItem, Office, Outcome
from shared import messages
from shared.errors import Incomplete, NotAllowed, NotFound, OutOfTurn
from tests.counting import statements
from tests.people import ANI, BAYU, BUDI, CITRA, DEWI, EDI, SARI
from tests.proposal.walk import TODAY, Walk

NEXT_WEEK = TODAY + timedelta(days=7)


def keys(meeting: Meeting) -> list[str]:
    return [item.source_key for item in meeting.items]


def named(meeting: Meeting, key: str) -> MeetingItem:
    return next(item for item in meeting.items if item.source_key == key)


def decided(walk: Walk, meeting: Meeting) -> Meeting:
    """Let a meeting reach one subject of its own."""
    return actions.record_item(
        walk.session, BAYU, meeting.id, subject="Piket", discussion="Disusun ulang.", decision=Outcome.CONTINUE
    )


def test_a_weekly_agenda_holds_what_waits_from_every_place_with_its_link(walk: Walk) -> None:
    awaiting, programmed = walk.recommended(), walk.programmed()
    evaluation = walk.reported()

    meeting = walk.meeting("weekly")

    assert keys(meeting) == [f"evaluation:{evaluation.id}", f"case:{awaiting.id}", f"case:{programmed.id}"]
    assert [item.source_path for item in meeting.items] == [
        f"/evaluasi/{evaluation.id}",
        f"/perkara/{awaiting.number}",
        f"/perkara/{programmed.number}",
    ]
    assert {item.decision for item in meeting.items} == {None}


def test_an_annual_agenda_holds_the_work_programme_alone(walk: Walk) -> None:
    walk.recommended()
    walk.reported()
    programmed = walk.programmed()

    assert keys(walk.meeting("annual")) == [f"case:{programmed.id}"]


def test_an_open_ticket_stands_on_the_agenda_until_it_is_closed(walk: Walk) -> None:
    case = walk.live()
    told = {"ticket_number": "TIK-0007", "title": "Tidak dapat masuk", "path": "/tiket/7"}
    walk.told(case, messages.TicketOpened, by=DEWI, **told)
    before = walk.meeting("weekly")
    item = named(before, "ticket:/tiket/7")

    walk.told(case, messages.TicketClosed, by=DEWI, **told)
    decided(walk, before)
    actions.close_minutes(walk.session, CITRA, before.id, walk.office)

    assert (item.source, item.source_path) == (ItemSource.TICKET, "/tiket/7")
    assert "TIK-0007: Tidak dapat masuk" in item.subject
    assert "ticket:/tiket/7" not in keys(walk.meeting("weekly"))


def test_a_case_that_passed_a_weekly_meeting_waits_for_the_annual_one_only(walk: Walk) -> None:
    case = walk.programmed()
    walk.minuted(case, "weekly")

    assert keys(walk.meeting("weekly")) == []
    assert keys(walk.meeting("annual")) == [f"case:{case.id}"]


def test_a_revised_case_comes_back(walk: Walk) -> None:
    case = walk.programmed()
    walk.minuted(case, "weekly", decision="revise")

    assert keys(walk.meeting("weekly")) == [f"case:{case.id}"]


def test_what_was_not_reached_moves_on_with_the_count(walk: Walk, office: Office) -> None:
    case = walk.programmed()
    first = walk.meeting("weekly")
    second = walk.meeting("weekly", on=NEXT_WEEK)
    assert keys(second) == []  # it stands on the first

    decided(walk, first)
    actions.add_to_agenda(walk.session, BAYU, first.id, subject="Jadwal cuti")
    other = first.items[-1].source_key
    actions.close_minutes(walk.session, CITRA, first.id, office)

    assert keys(second) == [other, f"case:{case.id}"]
    assert [item.moved_count for item in second.items] == [1, 1]
    assert {named(first, key).moved_to_id for key in keys(second)} == {second.id}
    assert named(first, f"case:{case.id}").performed_at is None


def test_what_was_left_with_no_next_meeting_waits_for_the_one_that_is_called(walk: Walk, office: Office) -> None:
    case = walk.programmed()
    for _ in range(3):
        meeting = decided(walk, walk.meeting("weekly"))
        actions.close_minutes(walk.session, CITRA, meeting.id, office)

    assert named(walk.meeting("weekly"), f"case:{case.id}").moved_count == 3


def test_a_cancelled_meeting_hands_its_agenda_on(walk: Walk) -> None:
    case = walk.programmed()
    first, second = walk.meeting("weekly"), walk.meeting("weekly", on=NEXT_WEEK)

    actions.cancel_meeting(walk.session, CITRA, first.id, reason="Kepala bertugas ke luar kota.")

    assert named(second, f"case:{case.id}").moved_count == 1
    walk.refuses(OutOfTurn, actions.cancel_meeting, CITRA, first.id, reason="Sekali lagi.")
    walk.refuses(OutOfTurn, actions.add_to_agenda, BAYU, first.id, subject="Terlambat")


def test_an_open_action_item_comes_back_until_it_is_settled(walk: Walk, office: Office) -> None:
    case = walk.programmed()
    meeting = walk.item(walk.meeting("weekly"), case, follow_up="Siapkan KAK", pic="Bayu")
    actions.close_minutes(walk.session, CITRA, meeting.id, office)
    task = queries.tasks(walk.session, CITRA, everybody=True)[0]
    second = walk.meeting("weekly")
    decided(walk, second)
    actions.close_minutes(walk.session, CITRA, second.id, office)
    third = walk.meeting("weekly")

    actions.finish_task(walk.session, BAYU, task.id, note="Sudah diunggah.")
    decided(walk, third)
    actions.close_minutes(walk.session, CITRA, third.id, office)

    assert named(second, f"task:{task.id}").subject == "Tindak lanjut Bayu: Siapkan KAK"
    assert named(third, f"task:{task.id}").moved_count == 1
    assert keys(walk.meeting("weekly")) == []


def test_the_order_is_changed_by_hand(walk: Walk) -> None:
    meeting = walk.meeting("weekly")
    for subject in ("A", "B", "C"):
        actions.add_to_agenda(walk.session, BAYU, meeting.id, subject=subject)
    last = meeting.items[-1]

    actions.order_agenda(walk.session, BUDI, last.id, ordinal=1)
    assert [(item.ordinal, item.subject) for item in meeting.items] == [(1, "C"), (2, "A"), (3, "B")]
    actions.order_agenda(walk.session, BUDI, last.id, ordinal=99)
    assert [item.subject for item in meeting.items] == ["A", "B", "C"]
    actions.remove_from_agenda(walk.session, BAYU, meeting.items[0].id)

    assert [(item.ordinal, item.subject) for item in meeting.items] == [(1, "B"), (2, "C")]
    walk.refuses(NotFound, actions.order_agenda, BAYU, meeting.id, ordinal=1)


def test_an_item_stands_once_however_it_came(walk: Walk) -> None:
    case = walk.programmed()
    meeting = walk.meeting("weekly")

    actions.add_to_agenda(walk.session, BAYU, meeting.id, case_number=case.number)
    actions.refresh_agenda(walk.session, BAYU, meeting.id)

    assert keys(meeting) == [f"case:{case.id}"]
    walk.refuses(Incomplete, actions.add_to_agenda, BAYU, meeting.id, case_number="APL-1999-0001")
    walk.refuses(Incomplete, actions.add_to_agenda, BAYU, meeting.id, subject="  ")


def test_what_was_removed_may_be_taken_up_again(walk: Walk) -> None:
    case = walk.programmed()
    meeting = walk.meeting("weekly")

    actions.remove_from_agenda(walk.session, BAYU, meeting.items[0].id)

    assert [one.key for one in queries.new_for(walk.session, meeting)] == [f"case:{case.id}"]
    actions.refresh_agenda(walk.session, BAYU, meeting.id)
    assert keys(meeting) == [f"case:{case.id}"]


@pytest.mark.parametrize("by", [ANI, EDI, SARI], ids=lambda p: p.username)
def test_who_does_not_record_minutes_changes_no_agenda(walk: Walk, by: object) -> None:
    meeting = walk.meeting("weekly")
    item = actions.add_to_agenda(walk.session, BAYU, meeting.id, subject="Piket").items[0]

    for act, thing, more in (
        (actions.add_to_agenda, meeting.id, {"subject": "X"}),
        (actions.refresh_agenda, meeting.id, {}),
        (actions.order_agenda, item.id, {"ordinal": 1}),
        (actions.remove_from_agenda, item.id, {}),
        (actions.write_item, item.id, {"changes": {"discussion": "X"}}),
    ):
        walk.refuses(NotAllowed, act, by, thing, **more)


def test_filling_asks_the_same_whatever_waits(walk: Walk) -> None:
    def asked() -> int:
        with statements(walk.session.get_bind().engine) as seen:
            walk.meeting("weekly", on=NEXT_WEEK)
        return len([one for one in seen if one.lstrip().upper().startswith("SELECT")])

    few = asked()
    for _ in range(6):
        walk.programmed()
    walk.reported()

    assert asked() <= few + 4
