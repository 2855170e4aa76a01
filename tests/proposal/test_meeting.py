"""S03: minutes that decide: closing them carries the outcomes out, once, and the trace cites the meeting."""

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import select

from services.proposal import actions, queries
from services.proposal.model import Case, Evaluation, Meeting, MeetingKind, Office, Outcome, Paper, TraceEntry
from shared.database import Database
from shared.errors import Incomplete, NotAllowed, NotFound, OutOfTurn
from shared.identity import Person
from tests.people import ANI, BAYU, BUDI, CITRA, DEWI, EDI, GITA, JOKO, SARI, TONO
from tests.proposal.walk import TERMS, TODAY, Walk


def test_minutes_are_numbered_in_one_series(walk: Walk) -> None:
    numbers = [walk.meeting(kind).number for kind in ("weekly", "annual", "weekly")]

    assert [number.split("/")[0] for number in numbers] == ["01", "02", "03"]
    assert numbers[0].endswith(f"/PUSTIPD/{TODAY:%m}/{TODAY.year}")


def test_an_outcome_stands_in_the_trace_with_its_meeting_and_minutes(walk: Walk, office: Office) -> None:
    case = walk.programmed()

    meeting = walk.minuted(case, "weekly")

    entry = walk.trace(case)[-1]
    paper = walk.session.scalars(select(Paper).where(Paper.trace_entry_id == entry.id)).one()
    assert meeting.number in entry.says
    assert entry.path == f"/rapat/{meeting.id}"
    assert (paper.kind, paper.number, paper.digest) == (
        "notulen_rapat_mingguan",
        meeting.number,
        meeting.minutes_digest,
    )
    assert office.store.path(paper.digest).read_bytes().startswith(b"%PDF-")


def test_closing_by_the_head_defers_and_tells_the_budget(walk: Walk) -> None:
    case = walk.programmed()

    meeting = walk.minuted(case, "annual", decision="defer")

    entry = walk.trace(case)[-1]
    assert case.status == "deferred"
    assert (entry.move, entry.step) == ("defer", "S03")
    assert meeting.number in entry.says
    assert [body["status"] for body in walk.posted("CaseHalted")] == ["deferred"]


def test_a_revision_leaves_the_status_and_tells_the_budget(walk: Walk) -> None:
    case = walk.programmed()

    walk.minuted(case, "weekly", decision="revise")

    assert case.status == "in_work_programme"
    assert [body["status"] for body in walk.posted("CaseHalted")] == ["in_work_programme"]


@pytest.mark.parametrize(("status", "end"), [("recommended", "rejected"), ("programmed", "cancelled")])
def test_an_outcome_that_ends_a_case(walk: Walk, status: str, end: str) -> None:
    case = getattr(walk, status)()

    walk.minuted(case, "annual", decision="reject")

    assert case.status == end


def test_closing_twice_carries_out_once(walk: Walk, office: Office) -> None:
    case = walk.programmed()
    meeting = walk.minuted(case, "weekly", decision="defer")
    before = len(walk.trace(case))

    refusal = walk.refuses(OutOfTurn, actions.close_minutes, CITRA, meeting.id, office)

    assert meeting.number in refusal.detail
    assert len(walk.trace(case)) == before
    assert len(walk.posted("CaseHalted")) == 1


@pytest.mark.parametrize("decision", ["defer", "revise", "reject"])
def test_what_is_the_heads_is_not_closed_by_the_app_head(walk: Walk, decision: str) -> None:
    case = walk.programmed()
    meeting = walk.item(walk.meeting("weekly"), case, decision=decision)

    walk.refuses(NotAllowed, actions.close_minutes, BUDI, meeting.id, walk.office)

    assert (case.status, meeting.is_closed) == ("in_work_programme", False)


def test_the_app_head_closes_minutes_that_only_continue(walk: Walk) -> None:
    case = walk.programmed()

    assert walk.minuted(case, "weekly", by=BUDI).is_closed


def test_an_outcome_that_cannot_be_carried_out_closes_nothing(walk: Walk, office: Office) -> None:
    case, other = walk.programmed(), walk.programmed()
    meeting = walk.item(walk.meeting("weekly"), other, decision="defer")
    walk.item(meeting, case, decision="defer")
    actions.defer(walk.session, CITRA, case.id, office, reason="Ditunda lebih dahulu.")

    refusal = walk.refuses(OutOfTurn, actions.close_minutes, CITRA, meeting.id, office)

    walk.session.expire_all()
    assert case.number in refusal.detail
    assert other.status == "in_work_programme"
    assert not meeting.is_closed


def test_an_outcome_that_a_status_does_not_know_is_refused_when_recorded(walk: Walk) -> None:
    case = walk.live()

    with pytest.raises(OutOfTurn):
        walk.item(walk.meeting("weekly"), case, decision="defer")


def test_an_item_on_the_same_case_replaces_the_earlier(walk: Walk) -> None:
    case = walk.programmed()
    meeting = walk.item(walk.meeting("weekly"), case)

    walk.item(meeting, case, decision="revise")

    assert [(item.ordinal, item.decision) for item in meeting.items] == [(1, "revise")]


def test_a_meeting_may_speak_of_what_is_no_case(walk: Walk, office: Office) -> None:
    meeting = walk.meeting("weekly")
    actions.record_item(
        walk.session, BAYU, meeting.id, subject="Jadwal piket", discussion="Disusun ulang.", decision=Outcome.CONTINUE
    )

    assert actions.close_minutes(walk.session, BUDI, meeting.id, office).is_closed


def test_an_item_needs_a_known_case_or_a_subject(walk: Walk) -> None:
    meeting = walk.meeting("weekly")
    words = {"discussion": "Dibahas.", "decision": Outcome.CONTINUE}

    for named in ({"case_number": "APL-1999-0001"}, {}):
        walk.refuses(Incomplete, actions.record_item, BAYU, meeting.id, **words, **named)


def test_empty_minutes_and_minutes_of_tomorrow_stay_open(walk: Walk, office: Office) -> None:
    empty = walk.meeting("weekly")
    tomorrow = walk.item(walk.meeting("weekly", on=TODAY + timedelta(days=2)), walk.programmed())

    walk.refuses(Incomplete, actions.close_minutes, CITRA, empty.id, office)
    walk.refuses(OutOfTurn, actions.close_minutes, CITRA, tomorrow.id, office)


def test_closed_minutes_take_no_item(walk: Walk) -> None:
    case = walk.programmed()
    meeting = walk.minuted(case)

    walk.refuses(
        OutOfTurn,
        actions.record_item,
        BAYU,
        meeting.id,
        case_number=case.number,
        discussion="Tambahan.",
        decision=Outcome.CONTINUE,
    )
    assert [act.name for act in queries.offered_in_meeting(CITRA, meeting)] == ["reopen_minutes"]
    assert queries.offered_in_meeting(BAYU, meeting) == []


@pytest.mark.parametrize("by", [BAYU, DEWI, ANI, SARI, TONO], ids=lambda p: p.username)
def test_only_head_and_app_head_close(walk: Walk, by: Person) -> None:
    meeting = walk.item(walk.meeting("weekly"), walk.programmed())

    walk.refuses(NotAllowed, actions.close_minutes, by, meeting.id, walk.office)


@pytest.mark.parametrize("by", [ANI, EDI, JOKO, GITA, SARI, TONO], ids=lambda p: p.username)
def test_who_does_not_record_minutes_calls_no_meeting(walk: Walk, by: Person) -> None:
    with pytest.raises(NotAllowed):
        walk.meeting("weekly", by=by)


def test_minutes_are_not_read_by_proposers_and_vendors(walk: Walk) -> None:
    meeting = walk.minuted(walk.programmed())

    walk.refuses(NotFound, queries.meeting, ANI, meeting.id)
    walk.refuses(NotFound, queries.meeting, JOKO, meeting.id)
    walk.refuses(NotFound, queries.meeting, GITA, meeting.id)
    assert queries.meeting(walk.session, SARI, meeting.id).items


def test_acts_on_one_case_from_all_sides_wait_and_do_not_lock_up(
    database_of: Callable[[str], Database], office: Office
) -> None:
    """Minutes, a message and an act of the case take their locks in one order."""
    database = database_of("proposal")
    with database.transaction() as session:
        walk = Walk(session, office)
        evaluation = walk.reported()
        meeting = walk.meeting("weekly")
        actions.record_item(
            session,
            BAYU,
            meeting.id,
            evaluation_id=evaluation.id,
            discussion="Laporan didengar.",
            decision=Outcome.CONTINUE,
        )
        programmed = walk.programmed()
        walk.item(meeting, programmed)
    failures: list[BaseException] = []
    together = threading.Barrier(4)

    def run(act: Callable[[Walk], object]) -> None:
        together.wait(10)
        try:
            for _ in range(5):
                with database.transaction() as session:
                    act(Walk(session, office))
        except OutOfTurn:
            pass  # the minutes are closed once; what matters here is that nobody waits for ever
        except BaseException as reason:
            failures.append(reason)

    acts: list[Callable[[Walk], object]] = [
        lambda walk: actions.close_minutes(walk.session, CITRA, meeting.id, office),
        lambda walk: walk.figures(walk.session.get_one(Evaluation, evaluation.id), "helpdesk"),
        lambda walk: actions.write_terms(walk.session, BAYU, programmed.id, office, TERMS),
        lambda walk: actions.decide_evaluation(walk.session, CITRA, evaluation.id, decision="continue"),
    ]
    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert failures == []
    assert not any(thread.is_alive() for thread in threads)


def test_two_who_close_at_once_carry_out_once(database_of: Callable[[str], Database], office: Office) -> None:
    database = database_of("proposal")
    with database.transaction() as session:
        walk = Walk(session, office)
        case = walk.programmed()
        meeting = walk.item(walk.meeting("weekly"), case, decision="defer")
        case_id, meeting_id = case.id, meeting.id
    outcomes: list[str] = []
    both = threading.Barrier(2)

    def close() -> None:
        both.wait(10)
        try:
            with database.transaction() as session:
                actions.close_minutes(session, CITRA, meeting_id, office)
            outcomes.append("closed")
        except OutOfTurn:
            outcomes.append("refused")

    threads = [threading.Thread(target=close) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    with database.transaction() as session:
        moved = session.scalars(
            select(TraceEntry).where(TraceEntry.case_id == case_id, TraceEntry.move == "defer")
        ).all()
        assert session.get_one(Meeting, meeting_id).kind == MeetingKind.WEEKLY
        assert session.get_one(Case, case_id).status == "deferred"
    assert sorted(outcomes) == ["closed", "refused"]
    assert len(moved) == 1
