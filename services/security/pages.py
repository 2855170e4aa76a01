"""The security division's pages."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from fastapi import Request, Response

from services.security import actions, queries
from services.security.authority import ACTS
from services.security.model import FindingStatus
from services.security.schemas import ANSWER_LABELS, SEVERITY_LABELS, Grounds, NewFinding, Note, Sheet
from shared.errors import FieldError, Incomplete
from shared.identity import Person
from shared.pages import Nothing, Offer, Pages, Reason
from shared.procedure import security_controls
from shared.sentence import Sentence
from shared.web import Asker, NavigationEntry, Session, mark, place

pages = Pages(Path(__file__).with_name("templates"))
router = pages.router
NAVIGATION = [NavigationEntry(label="Uji keamanan", path="/uji-keamanan", icon="shield", order=60)]


APART = ("answer_controls", "mend_finding")
"""Acts whose forms stand beside what they are about."""


@dataclass(frozen=True)
class Line:
    """One control as it stands on the sheet."""

    control: Mapping[str, str]
    answer: str
    note: str
    is_kept: bool
    wrong: str


def _lines(file: queries.File, sheet: Offer | None) -> list[Line]:
    """Return the 72 controls with what was kept, or after a refusal with what was typed."""
    typed = sheet.typed.get("answers") if sheet else None
    found = []
    for control in security_controls():
        number = control["number"]
        kept = file.answers.get(number)
        answer, note, wrong = (kept.answer, kept.note, "") if kept else ("", "", "")
        if sheet and sheet.is_open:
            line = typed.get(number) if isinstance(typed, dict) else None
            answer, note = (line.get("answer", ""), line.get("note", "")) if isinstance(line, dict) else ("", "")
            places = (f"answers.{number}", f"answers.{number}.answer", f"answers.{number}.note")
            wrong = next((sheet.errors[place] for place in places if place in sheet.errors), "")
        found.append(Line(control, answer, note, kept is not None, wrong))
    return found


def _test(request: Request, session: Session, by: Person, test_id: UUID) -> Response:
    found = queries.test(session, by, test_id)
    file = queries.file(session, found)
    offered = queries.offered(by, found)
    valid = next((p for p in file.permits if p.revoked_at is None and p.test_id == found.id), None)
    may_mend = ACTS.mend_finding in offered
    sheet = next(iter(pages.offers(request, [a for a in offered if a.name == "answer_controls"], id=found.id)), None)
    return pages.render(
        request,
        "test.html",
        Sentence("Uji keamanan {name}", name=found.case.name),
        test=found,
        label=queries.label,
        file=file,
        counted=queries.open_by_severity(file.findings),
        lines=_lines(file, sheet),
        answer_labels=ANSWER_LABELS,
        severity_labels=SEVERITY_LABELS,
        sheet=sheet,
        offers=pages.offers(request, [a for a in offered if a.name not in APART], id=found.id),
        revoking=pages.offers(request, [ACTS.revoke], id=valid.id) if valid and ACTS.revoke.allows(by, valid) else [],
        mending={
            row.id: pages.offers(request, [ACTS.mend_finding], id=found.id, finding=row.id)
            for row in file.findings
            if may_mend and row.engine == queries.BY_HAND and row.status == FindingStatus.OPEN
        },
    )


@router.get("/uji-keamanan")
def tests(request: Request, session: Session, by: Asker, after: str | None = None) -> Response:
    found = queries.tests(session, by, after=place(after))
    return pages.render(request, "tests.html", "Uji keamanan", tests=found, after=mark(found, 50), label=queries.label)


@router.get("/uji-keamanan/{test_id}")
def test(request: Request, session: Session, by: Asker, test_id: UUID) -> Response:
    return _test(request, session, by, test_id)


def _revoked(request: Request, session: Session, by: Person, permit_id: UUID) -> Response:
    return _test(request, session, by, queries.permit(session, permit_id).test_id)


def _then(act: Callable[..., Any]) -> Callable[..., str]:
    """Call an act that needs no words and go back to the test."""
    return lambda s, by, id, _body, _request: f"/uji-keamanan/{act(s, by, id).id}"


def _answer(session: Session, by: Person, test_id: UUID, body: Sheet, _request: Request) -> str:
    unsaid = [number for number, line in body.answers.items() if line.note.strip() and line.answer is None]
    if unsaid:
        errors = [
            FieldError(f"/answers/{n}/answer", Sentence("Butir {n}: pilih jawaban untuk keterangan ini.", n=n))
            for n in unsaid
        ]
        raise Incomplete(errors[0].detail, errors=errors)
    answers = [actions.Answer(number, line.answer, line.note) for number, line in body.answers.items() if line.answer]
    return f"/uji-keamanan/{actions.answer_controls(session, by, test_id, answers=answers).id}#kendali"


def _verdict(act: Callable[..., Any]) -> Callable[..., str]:
    def give(session: Session, by: Person, test_id: UUID, body: Note | Grounds, request: Request) -> str:
        desk = actions.Desk.of(request.app.state.settings)
        return f"/uji-keamanan/{act(session, by, test_id, note=body.note, desk=desk).id}"

    return give


def _with_reason(act: Callable[..., Any]) -> Callable[..., str]:
    return lambda s, by, id, body, _request: f"/uji-keamanan/{act(s, by, id, reason=body.reason).id}"


def _add_finding(session: Session, by: Person, test_id: UUID, body: NewFinding, _request: Request) -> str:
    actions.add_finding(session, by, test_id, **body.model_dump())
    return f"/uji-keamanan/{test_id}#temuan"


def _mend(session: Session, by: Person, test_id: UUID, body: Reason, request: Request) -> str:
    finding_id = UUID(request.path_params["finding"])
    actions.mend_finding(session, by, test_id, finding_id=finding_id, reason=body.reason)
    return f"/uji-keamanan/{test_id}#temuan"


def _revoke(session: Session, by: Person, permit_id: UUID, body: Reason, _request: Request) -> str:
    return f"/uji-keamanan/{actions.revoke(session, by, permit_id, reason=body.reason).test_id}"


_PLACE = "/uji-keamanan/{id}"
pages.act(ACTS.start, f"{_PLACE}/mulai", Nothing, _then(actions.start), back=_test)
pages.act(ACTS.rescan, f"{_PLACE}/pemindaian-ulang", Nothing, _then(actions.rescan), back=_test)
pages.act(ACTS.add_finding, f"{_PLACE}/temuan", NewFinding, _add_finding, back=_test)
pages.act(ACTS.mend_finding, f"{_PLACE}/temuan/{{finding}}/perbaikan", Reason, _mend, back=_test)
pages.act(ACTS.answer_controls, f"{_PLACE}/kendali", Sheet, _answer, back=_test)
pages.act(ACTS.submit, f"{_PLACE}/pengajuan", Nothing, _then(actions.submit), back=_test)
pages.act(ACTS.send_back, f"{_PLACE}/pengembalian", Reason, _with_reason(actions.send_back), back=_test)
pages.act(ACTS.clear, f"{_PLACE}/lulus", Note, _verdict(actions.clear), back=_test)
pages.act(ACTS.fail, f"{_PLACE}/tidak-lulus", Grounds, _verdict(actions.fail), back=_test)
pages.act(ACTS.suspend, f"{_PLACE}/penghentian", Reason, _with_reason(actions.suspend), back=_test)
pages.act(ACTS.revoke, "/izin/{id}/pencabutan", Reason, _revoke, back=_revoked)
