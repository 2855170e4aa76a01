"""The security division's JSON door."""

from collections.abc import AsyncIterator
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Request, Response
from fastapi.responses import JSONResponse
from fastapi.sse import EventSourceResponse, ServerSentEvent

from services.security import actions, queries
from services.security.model import FindingRow, PermitRow, SecurityTest
from services.security.queries import dashboard
from services.security.schemas import (
    Answers,
    FindingView,
    NewFinding,
    PermitView,
    ScanView,
    TestRow,
    TestView,
    Verdict,
)
from shared.errors import NotFound
from shared.figures import Figures
from shared.pages import Reason
from shared.search import Hit
from shared.sentence import Sentence
from shared.store import Store
from shared.web import Asker, Door, Limit, Question, Session, Waiting, answer_list, job_events, mark, place

router = APIRouter(prefix="/api", route_class=Door, tags=["security"])


def row(test: SecurityTest) -> TestRow:
    """Return a test as it stands in a list."""
    return TestRow(**_header(test))


def view(session: Session, test: SecurityTest) -> TestView:
    """Return a test whole, with what stands in the way of a pass."""
    file = queries.file(session, test)
    return TestView(
        **_header(test),
        closed_host=test.closed_host,
        verdict_note=test.verdict_note,
        verdict_by_name=test.verdict_by_name,
        verdict_at=test.verdict_at,
        paper_digest=test.paper_digest,
        may_pass=file.judgement.may_pass,
        reasons=[reason.words for reason in file.judgement.reasons],
        answered_controls=len(file.answers),
        scans=[ScanView.model_validate(scan) for scan in test.scans],
        findings=[FindingView.model_validate(f) for f in file.findings],
        permits=[PermitView.model_validate(p) for p in file.permits],
    )


def _header(test: SecurityTest) -> dict[str, Any]:
    names = (
        "id",
        "case_id",
        "round",
        "release_number",
        "digest",
        "status",
        "tester_name",
        "number",
        "created_at",
    )
    told = {name: getattr(test, name) for name in names}
    return {**told, "case_number": test.case.case_number, "application": test.case.name}


@router.get("/security-tests", response_model=list[TestRow])
def tests(
    request: Request,
    session: Session,
    by: Asker,
    case_number: str = "",
    limit: Limit = 50,
    after: str | None = None,
) -> JSONResponse:
    found = queries.tests(session, by, case_number=case_number, limit=limit, after=place(after))
    return answer_list(request, [row(test) for test in found], after=mark(found, limit))


@router.get("/security-tests/{test_id}")
def test(session: Session, by: Asker, test_id: UUID) -> TestView:
    return view(session, queries.test(session, by, test_id))


@router.post("/security-tests/{test_id}/start", status_code=202)
def start(session: Session, by: Asker, test_id: UUID) -> TestView:
    return view(session, actions.start(session, by, test_id))


@router.post("/security-tests/{test_id}/rescan", status_code=202)
def rescan(session: Session, by: Asker, test_id: UUID) -> TestView:
    return view(session, actions.rescan(session, by, test_id))


@router.post("/security-tests/{test_id}/findings", status_code=201, response_model=FindingView)
def add_finding(session: Session, by: Asker, test_id: UUID, body: NewFinding) -> FindingRow:
    return actions.add_finding(session, by, test_id, **body.model_dump())


@router.post("/security-tests/{test_id}/findings/{finding_id}/mending", response_model=FindingView)
def mend_finding(session: Session, by: Asker, test_id: UUID, finding_id: UUID, body: Reason) -> FindingRow:
    return actions.mend_finding(session, by, test_id, finding_id=finding_id, reason=body.reason)


@router.post("/security-tests/{test_id}/controls")
def answer_controls(session: Session, by: Asker, test_id: UUID, body: Answers) -> TestView:
    answers = [actions.Answer(**answer.model_dump()) for answer in body.answers]
    return view(session, actions.answer_controls(session, by, test_id, answers=answers))


@router.post("/security-tests/{test_id}/submission")
def submit(session: Session, by: Asker, test_id: UUID) -> TestView:
    return view(session, actions.submit(session, by, test_id))


@router.post("/security-tests/{test_id}/return")
def send_back(session: Session, by: Asker, test_id: UUID, body: Reason) -> TestView:
    return view(session, actions.send_back(session, by, test_id, reason=body.reason))


@router.post("/security-tests/{test_id}/verdict")
def give_verdict(request: Request, session: Session, by: Asker, test_id: UUID, body: Verdict) -> TestView:
    give = actions.clear if body.verdict == "pass" else actions.fail
    desk = actions.Desk.of(request.app.state.settings)
    return view(session, give(session, by, test_id, note=body.note, desk=desk))


@router.post("/security-tests/{test_id}/suspension")
def suspend(session: Session, by: Asker, test_id: UUID, body: Reason) -> TestView:
    return view(session, actions.suspend(session, by, test_id, reason=body.reason))


@router.get("/security-tests/{test_id}/record", response_class=Response)
def record(request: Request, session: Session, by: Asker, test_id: UUID) -> Response:
    found = queries.test(session, by, test_id)
    if not found.paper_digest:
        raise NotFound("Berita acara belum ada; ia terbit bersama putusan.")
    with Store(request.app.state.settings.files_folder).open(found.paper_digest) as file:
        content = file.read()
    name = f"berita-acara-uji-{found.case.case_number}-{found.round}.pdf"
    return Response(
        content,
        media_type="application/pdf",
        headers={"content-disposition": f'attachment; filename="{name}"'},
    )


@router.post("/permits/{permit_id}/revocation", response_model=PermitView)
def revoke(session: Session, by: Asker, permit_id: UUID, body: Reason) -> PermitRow:
    return actions.revoke(session, by, permit_id, reason=body.reason)


def _followed(session: Session, by: Asker, scan_id: UUID) -> UUID:
    # Asked before the stream begins: inside of it a refusal could no longer be told, and the session is closed.
    return queries.scan(session, by, scan_id).job_id


@router.get("/scans/{scan_id}/log", response_class=EventSourceResponse)
async def scan_log(
    request: Request, job_id: Annotated[UUID, Depends(_followed)], last_event_id: Annotated[int, Header(ge=0)] = 0
) -> AsyncIterator[ServerSentEvent]:
    async for event in job_events(request, job_id, after=last_event_id):
        yield event


@router.get("/waiting")
def waiting(session: Session, by: Asker) -> list[Waiting]:
    return [
        Waiting(
            title=Sentence(
                "Uji keamanan putaran {round}: {status}",
                round=test.round,
                status=queries.label(test.status),
            ),
            about=test.case.name,
            case_number=test.case.case_number,
            step="S08",
            since=test.created_at.isoformat(),
            path=f"/uji-keamanan/{test.id}",
        )
        for test in queries.waiting_on(session, by)
    ]


@router.get("/search")
def search(session: Session, by: Asker, q: Question) -> list[Hit]:
    return queries.found(session, by, q)


@router.get("/figures")
def figures(session: Session, by: Asker) -> Figures:
    return dashboard.figures(session, by)
