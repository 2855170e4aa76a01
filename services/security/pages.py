"""The security division's pages."""

from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

from fastapi import Request, Response

from services.security import actions, queries
from services.security.api import desk
from services.security.authority import ACTS
from services.security.schemas import ANSWER_LABELS, SEVERITY_LABELS, Answers, NewFinding, Note
from shared.identity import Person
from shared.pages import Nothing, Pages, Reason
from shared.procedure import security_controls
from shared.web import Asker, NavigationEntry, Session, mark, place

pages = Pages(Path(__file__).with_name("templates"))
router = pages.router
NAVIGATION = [NavigationEntry(label="Uji keamanan", path="/uji-keamanan", icon="shield", order=60)]


def _test(request: Request, session: Session, by: Person, test_id: UUID) -> Response:
    found = queries.test(session, by, test_id)
    rows = queries.findings(session, found.case_id)
    permits = queries.permits(session, found.case_id)
    offered = queries.offered(by, found)
    if found.case.live_digest and ACTS.suspend.allows(by, found):
        offered.append(ACTS.suspend)
    valid = next((p for p in permits if p.revoked_at is None and p.test_id == found.id), None)
    return pages.render(
        request,
        "test.html",
        f"Uji keamanan {found.case.name}",
        test=found,
        label=queries.label,
        findings=rows,
        counted=queries.open_by_severity(rows),
        judgement=queries.judgement(session, found),
        controls=security_controls(),
        answers=queries.answers(session, found.id),
        answer_labels=ANSWER_LABELS,
        severity_labels=SEVERITY_LABELS,
        permits=permits,
        answering=next(
            iter(pages.offers(request, [a for a in offered if a.name == "answer_controls"], id=found.id)),
            None,
        ),
        offers=pages.offers(request, [a for a in offered if a.name != "answer_controls"], id=found.id),
        revoking=pages.offers(request, [ACTS.revoke], id=valid.id) if valid and ACTS.revoke.allows(by, valid) else [],
    )


@router.get("/uji-keamanan")
def tests(request: Request, session: Session, by: Asker, after: str | None = None) -> Response:
    found = queries.tests(session, by, after=place(after))
    return pages.render(request, "tests.html", "Uji keamanan", tests=found, after=mark(found, 50), label=queries.label)


@router.get("/uji-keamanan/{test_id}")
def test(request: Request, session: Session, by: Asker, test_id: UUID) -> Response:
    return _test(request, session, by, test_id)


def _revoked(request: Request, session: Session, by: Person, permit_id: UUID) -> Response:
    return _test(request, session, by, queries.permit_test(session, permit_id))


def _then(act: Callable[..., Any]) -> Callable[..., str]:
    """Call an act that needs no words and go back to the test."""
    return lambda s, by, id, _body, _request: f"/uji-keamanan/{act(s, by, id).id}"


def _answer(session: Session, by: Person, test_id: UUID, body: Answers, _request: Request) -> str:
    answers = [actions.Answer(**answer.model_dump()) for answer in body.answers]
    return f"/uji-keamanan/{actions.answer_controls(session, by, test_id, answers=answers).id}#kendali"


def _verdict(act: Callable[..., Any]) -> Callable[..., str]:
    return lambda s, by, id, body, request: f"/uji-keamanan/{act(s, by, id, note=body.note, desk=desk(request)).id}"


def _with_reason(act: Callable[..., Any]) -> Callable[..., str]:
    return lambda s, by, id, body, _request: f"/uji-keamanan/{act(s, by, id, reason=body.reason).id}"


def _add_finding(session: Session, by: Person, test_id: UUID, body: NewFinding, _request: Request) -> str:
    actions.add_finding(session, by, test_id, **body.model_dump())
    return f"/uji-keamanan/{test_id}#temuan"


def _revoke(session: Session, by: Person, permit_id: UUID, body: Reason, _request: Request) -> str:
    return f"/uji-keamanan/{actions.revoke(session, by, permit_id, reason=body.reason).test_id}"


_PLACE = "/uji-keamanan/{id}"
pages.act(ACTS.start, f"{_PLACE}/mulai", Nothing, _then(actions.start), back=_test)
pages.act(ACTS.rescan, f"{_PLACE}/pemindaian-ulang", Nothing, _then(actions.rescan), back=_test)
pages.act(ACTS.add_finding, f"{_PLACE}/temuan", NewFinding, _add_finding, back=_test)
pages.act(ACTS.answer_controls, f"{_PLACE}/kendali", Answers, _answer, back=_test)
pages.act(ACTS.submit, f"{_PLACE}/pengajuan", Nothing, _then(actions.submit), back=_test)
pages.act(ACTS.send_back, f"{_PLACE}/pengembalian", Reason, _with_reason(actions.send_back), back=_test)
pages.act(ACTS.clear, f"{_PLACE}/lulus", Note, _verdict(actions.clear), back=_test)
pages.act(ACTS.fail, f"{_PLACE}/tidak-lulus", Note, _verdict(actions.fail), back=_test)
pages.act(ACTS.suspend, f"{_PLACE}/penghentian", Reason, _with_reason(actions.suspend), back=_test)
pages.act(ACTS.revoke, "/izin/{id}/pencabutan", Reason, _revoke, back=_revoked)
