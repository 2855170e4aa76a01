"""The case as people see it: who may see it, the whole trace, its papers, its pace, and in how few questions."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest
from sqlalchemy import event, select
from sqlalchemy.orm import Session

from services.proposal import actions, queries
from services.proposal.model import Case, Office, Paper
from services.proposal.schemas.case import CaseView
from shared import audit, messages
from shared.errors import NotAllowed, NotFound
from shared.identity import Person, Role
from shared.messages import PaperFact
from shared.web import mark, place
from tests.people import (
    ANI,
    BAYU,
    BUDI,
    CITRA,
    DINA,
    EDI,
    FAJAR,
    GITA,
    HADI,
    INDAH,
    JOKO,
    KIKI,
    LINA,
    SARI,
    TONO,
    ZULKIFLI,
)
from tests.proposal.walk import DIGEST, OTHER_DIGEST, Walk


@contextmanager
def counted(session: Session) -> Iterator[list[str]]:
    """Collect the statements that reach the database."""
    seen: list[str] = []

    def note(_c: object, _u: object, statement: str, *_rest: object) -> None:
        if not statement.startswith(("SAVEPOINT", "RELEASE")):
            seen.append(statement)

    engine = session.get_bind().engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", note)


@pytest.mark.parametrize("status", ["drafted", "programmed", "ready", "installed", "live"])
def test_the_case_page_asks_at_most_six_questions(walk: Walk, status: str) -> None:
    case = getattr(walk, status)()
    reader = ANI if status == "drafted" else CITRA
    walk.session.flush()
    walk.session.expunge_all()

    with counted(walk.session) as seen:
        CaseView.of(queries.whole(walk.session, reader, case.number), reader)

    assert len(seen) <= 6, seen


def test_the_questions_do_not_grow_with_the_trace(walk: Walk) -> None:
    case = walk.decided().case
    for _ in range(30):
        walk.told(case, messages.TicketOpened)
    walk.session.expunge_all()

    with counted(walk.session) as seen:
        view = CaseView.of(queries.whole(walk.session, CITRA, case.number), CITRA)

    assert len(view.trace) > 35
    assert len(seen) <= 6


def test_a_list_asks_once(walk: Walk) -> None:
    for _ in range(3):
        walk.drafted()
    walk.session.flush()
    walk.session.expunge_all()

    with counted(walk.session) as seen:
        found = queries.cases(walk.session, ANI)

    assert (len(found), len(seen)) == (3, 1)


@pytest.mark.parametrize("by", [CITRA, BUDI, BAYU, DINA, EDI, FAJAR, SARI, ANI], ids=lambda p: p.username)
def test_the_centre_the_auditor_and_the_unit_see_a_submitted_case(walk: Walk, by: Person) -> None:
    case = walk.submitted()

    assert queries.case(walk.session, by, case.number) is case
    assert case in queries.cases(walk.session, by)


@pytest.mark.parametrize("by", [ZULKIFLI, LINA, JOKO, TONO, GITA, HADI, INDAH], ids=lambda p: p.username)
def test_nobody_else_sees_a_submitted_case(walk: Walk, by: Person) -> None:
    case = walk.submitted()

    walk.refuses(NotFound, queries.whole, by, case.number)
    assert queries.cases(walk.session, by) == []


@pytest.mark.parametrize("by", [GITA, HADI, INDAH], ids=lambda p: p.username)
def test_planning_and_finance_see_what_stands_in_a_work_programme(walk: Walk, by: Person) -> None:
    case = walk.programmed()

    assert queries.case(walk.session, by, case.id) is case


def test_a_draft_is_its_units_own(walk: Walk) -> None:
    case = walk.drafted()

    assert queries.case(walk.session, ANI, case.id) is case
    walk.refuses(NotFound, queries.case, CITRA, case.id)
    assert queries.case(walk.session, SARI, case.id) is case


def test_a_vendor_sees_the_later_steps_of_its_own_contract_alone(walk: Walk) -> None:
    case = walk.built()
    walk.told(case, messages.HandedOver)

    view = CaseView.of(queries.whole(walk.session, JOKO, case.number), JOKO)

    assert {entry.step for entry in view.trace} == {"S05"}
    assert {row.key for row in view.money} == {"contract", "paid"}
    assert {paper.step for paper in view.papers} <= {"S05"}
    assert (view.moves, view.history, view.relatives) == ([], [], [])
    walk.refuses(NotFound, queries.proposal, JOKO, case.id)
    walk.refuses(NotFound, queries.whole, KIKI, case.number)


def test_a_vendor_without_a_firm_sees_nothing(walk: Walk) -> None:
    walk.handed_over()

    assert queries.cases(walk.session, JOKO.model_copy(update={"vendor": None})) == []


def deputy(person: Person) -> Person:
    """Return a person who also holds the Head's post for a few days."""
    return person.model_copy(update={"roles": person.roles | {Role.HEAD}, "acting": {Role.HEAD: "Plh. Kepala PUSTIPD"}})


def test_a_deputy_approves_as_the_acting_head_and_signs_the_slip_so(walk: Walk, office: Office) -> None:
    case = walk.recommended()

    actions.approve(walk.session, deputy(DINA), case.id, office, words="Disetujui.")

    last = CaseView.of(queries.whole(walk.session, SARI, case.number), SARI).trace[-1]
    line = walk.session.scalars(select(audit.entry.c.line).order_by(audit.entry.c.seq.desc())).first() or ""
    assert (last.person, last.as_what, last.acting_for) == (DINA.name, *["Plh. Kepala PUSTIPD"] * 2)
    assert '"as":"Plh. Kepala PUSTIPD"' in line


@pytest.mark.parametrize("doer", [ANI, BUDI], ids=["proposer", "recommender"])
def test_a_deputy_does_not_decide_on_what_they_submitted_or_recommended(
    walk: Walk, office: Office, doer: Person
) -> None:
    case = walk.recommended()

    with pytest.raises(NotAllowed, match="pemisahan wewenang"):
        actions.approve(walk.session, deputy(doer), case.id, office, words="Disetujui.")


def test_the_trace_holds_what_an_auditor_asks_for(walk: Walk, office: Office) -> None:
    acting = CITRA.model_copy(update={"acting_for": "Plt. Kepala PUSTIPD"})
    case = walk.recommended()
    actions.approve(walk.session, acting, case.id, office, words="Disetujui.")

    view = CaseView.of(queries.whole(walk.session, SARI, case.number), SARI)

    last = view.trace[-1]
    link = audit.head(walk.session)
    assert [entry.step for entry in view.trace] == ["S01", "S01", "S01", "F01", "S02", "S02"]
    assert (last.person, last.as_what, last.acting_for) == (CITRA.name, acting.as_what, "Plt. Kepala PUSTIPD")
    assert (last.move, last.status, last.note) == ("approve", "approved", "Disetujui.")
    assert last.papers[0].kind == "lembar_disposisi"
    assert last.papers[0].link == f"/api/papers/{last.papers[0].digest}"
    assert link
    assert (last.audit_service, last.audit_seq, last.audit_hash) == ("proposal", link.seq, link.hash)
    assert all(audit.holds(walk.session, entry.audit_seq or 0, entry.audit_hash or "") for entry in view.trace)


def test_people_are_named_with_post_and_steps(walk: Walk) -> None:
    case = walk.recommended()

    people = CaseView.of(queries.whole(walk.session, SARI, case.number), SARI).people

    assert [(one.name, one.steps) for one in people] == [
        (ANI.name, ["S01"]),
        (BUDI.name, ["S01", "S02"]),
        (BAYU.name, ["F01"]),
    ]


def test_papers_are_read_by_whoever_may_see_the_case(walk: Walk, office: Office) -> None:
    case = walk.submitted()
    digest = CaseView.of(queries.whole(walk.session, ANI, case.number), ANI).papers[0].digest

    assert queries.paper(walk.session, ANI, digest).case_id == case.id
    assert queries.paper(walk.session, SARI, digest).case_id == case.id
    for by in (ZULKIFLI, JOKO, LINA, TONO):
        walk.refuses(NotFound, queries.paper, by, digest)


def test_a_paper_that_two_facts_rest_on_is_listed_once(walk: Walk) -> None:
    case = walk.analysed()
    named = [paper for paper in walk.trace(case) if paper][-1]
    first = walk.session.scalars(select(Paper).where(Paper.case_id == case.id)).first()
    assert first is not None
    again = PaperFact(kind=first.kind, title=first.title, number=first.number, digest=first.digest)
    actions.case.attach(walk.session, named, again)
    walk.session.flush()

    seen = queries.whole(walk.session, SARI, case.number)

    digests = [paper.digest for paper in seen.distinct_papers]
    assert len(seen.papers) == len(digests) + 1
    assert len(digests) == len(set(digests))


def test_minutes_are_no_paper_for_the_proposer(walk: Walk) -> None:
    case = walk.programmed()
    meeting = walk.minuted(case)

    view = CaseView.of(queries.whole(walk.session, ANI, case.number), ANI)

    assert meeting.number in view.trace[-1].says
    assert view.trace[-1].papers == []
    walk.refuses(NotFound, queries.paper, ANI, meeting.minutes_digest)
    assert queries.paper(walk.session, SARI, meeting.minutes_digest)


def test_amounts_and_findings_are_not_for_the_proposing_unit(walk: Walk) -> None:
    case = walk.installed()
    proof = PaperFact(kind="berita_acara_uji_keamanan", title="Berita acara", number="1", digest="7" * 64)
    walk.told(case, messages.SecurityTestStarted, digest=DIGEST)
    walk.told(case, messages.TestFailed, digest=DIGEST, note="Transkrip orang lain terbuka.", papers=(proof,))

    mine = CaseView.of(queries.whole(walk.session, ANI, case.number), ANI)
    heads = CaseView.of(queries.whole(walk.session, CITRA, case.number), CITRA)

    assert [row.key for row in heads.money] == ["ceiling", "contract"]
    assert mine.money == []
    assert (mine.trace[-1].says, mine.trace[-1].detail, mine.trace[-1].note) == (heads.trace[-1].says, "", "")
    assert (mine.status_reason, heads.status_reason) == ("", "Transkrip orang lain terbuka.")
    assert heads.papers[-1].digest == "7" * 64
    for by in (ANI, GITA):
        walk.refuses(NotFound, queries.paper, by, "7" * 64)


def test_a_vendor_reads_papers_of_its_own_steps_only(walk: Walk) -> None:
    case = walk.built()
    walk.told(case, messages.HandedOver, papers=(PaperFact(kind="bast", title="BAST", number="1", digest="8" * 64),))
    plan = walk.session.scalars(select(Paper.digest).where(Paper.case_id == case.id, Paper.kind == "kak")).first()

    assert queries.paper(walk.session, JOKO, "8" * 64).kind == "bast"
    assert plan
    walk.refuses(NotFound, queries.paper, JOKO, plan)
    walk.refuses(NotFound, queries.paper, KIKI, "8" * 64)


def test_a_list_goes_on_where_it_ended(walk: Walk) -> None:
    made = [walk.drafted().number for _ in range(5)]

    first = queries.cases(walk.session, ANI, limit=2)
    second = queries.cases(walk.session, ANI, limit=2, after=place(mark(first, 2)))
    last = queries.cases(walk.session, ANI, limit=2, after=place(mark(second, 2)))

    assert [case.number for case in [*first, *second, *last]] == made[::-1]
    assert mark(last, 2) is None


def test_a_list_is_filtered_by_status_unit_and_words(walk: Walk) -> None:
    draft = walk.drafted(name="Arsip Digital 100%")
    submitted = walk.submitted(name="Bimbingan Skripsi")

    def found(**asked: str) -> list[Case]:
        return list(queries.cases(walk.session, ANI, **asked))

    assert found(status="draft") == [draft]
    assert found(q="skripsi") == [submitted]
    assert found(q=draft.number) == [draft]
    assert found(q="100%") == [draft]
    assert found(q="%") == [], "a question without a word finds nothing"
    assert found(unit="LPPM") == []


def test_the_line_shows_where_the_case_stands_and_its_loops(walk: Walk) -> None:
    case = walk.installed()
    walk.told(case, messages.SecurityTestStarted, digest=DIGEST)
    walk.told(case, messages.TestFailed, digest=DIGEST)
    walk.told(case, messages.InstalledForTesting, digest=OTHER_DIGEST)

    whole = queries.whole(walk.session, CITRA, case.number)
    stations = queries.stations(case, whole.history, whole.evaluations)
    loops = queries.loops(case, whole.history)

    assert len(stations) == 11
    assert [station.id for station in stations if station.state == "now"] == ["S08"]
    assert [(loop.source, loop.target, loop.times) for loop in loops] == [("S08", "S07", 1)]


def test_days_in_a_step_are_working_days_against_the_standard(walk: Walk) -> None:
    case = walk.submitted()
    case.entered_at = datetime(2026, 11, 20, 3, tzinfo=UTC)  # a Friday

    on_monday = queries.pace(case, now=datetime(2026, 11, 23, 3, tzinfo=UTC))
    on_thursday = queries.pace(case, now=datetime(2026, 11, 26, 3, tzinfo=UTC))

    assert (on_monday.days, on_monday.standard, on_monday.is_late) == (1, 3, False)
    assert (on_thursday.days, on_thursday.is_late) == (4, True)


def test_nobody_is_late_while_the_proposer_writes(walk: Walk) -> None:
    case = walk.drafted()
    case.entered_at = datetime(2020, 1, 1, tzinfo=UTC)

    pace = queries.pace(case)

    assert pace.days > 100
    assert (pace.standard, pace.is_late) == (0, False)


def test_what_waits_for_whom(walk: Walk, office: Office) -> None:
    returned, submitted, analysed = walk.submitted(), walk.submitted(), walk.analysed()
    actions.send_back(walk.session, BUDI, returned.id, office, reason="Belum lengkap.")
    awaiting, approved, mine = walk.recommended(), walk.approved(), walk.submitted(BUDI)
    meeting = walk.meeting("weekly")

    def waits(by: Person) -> set[str]:
        return {task.case_number or task.path for task in queries.waiting_on(walk.session, by)}

    assert waits(ANI) == {returned.number}
    assert waits(BUDI) == {submitted.number, analysed.number, approved.number, f"/rapat/{meeting.id}"}
    assert waits(CITRA) == {awaiting.number, mine.number, f"/rapat/{meeting.id}"}
    assert waits(SARI) == set()


def test_an_evaluation_waits_for_the_next_hand(walk: Walk) -> None:
    evaluation = walk.reported()
    walk.heard(evaluation)
    path = f"/evaluasi/{evaluation.id}"

    before = {task.path for task in queries.waiting_on(walk.session, CITRA)}
    actions.decide_evaluation(walk.session, CITRA, evaluation.id, decision="further_development")
    after = {task.path: task.step for task in queries.waiting_on(walk.session, BUDI)}

    assert path in before
    assert after[path] == "S11"


def test_waiting_asks_a_fixed_number_of_questions(walk: Walk) -> None:
    for _ in range(4):
        walk.submitted()
    walk.opened()
    walk.session.flush()
    walk.session.expunge_all()

    with counted(walk.session) as seen:
        queries.waiting_on(walk.session, BUDI)

    assert len(seen) <= 4
