"""Pages of proposals and cases: the lists, the form of a new proposal, and the case with what can be done now."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

from fastapi import Request, Response
from pydantic import BaseModel
from sqlalchemy import orm

from services.proposal import actions, queries
from services.proposal.authority import ACTS, PROPOSERS, READERS
from services.proposal.model import Case, Content, Office, Terms
from services.proposal.queries import Whole
from services.proposal.schemas.case import CaseView
from services.proposal.schemas.evaluation import Period
from services.proposal.schemas.proposal import Analysis, Approval, Duplicate, Letter, Note, ProgrammeEntry
from shared.authority import Act
from shared.identity import Person, Role
from shared.line import line_figure
from shared.pages import Nothing, Offer, Pages, Reason
from shared.procedure import procedure
from shared.web import NavigationEntry, Session, Signed, mark, place

pages = Pages(Path(__file__).parent.parent / "templates")
router = pages.router

NAVIGATION = [
    NavigationEntry(
        label="Usulan", path="/usulan", icon="file-plus", order=10, roles=sorted(role.value for role in PROPOSERS)
    ),
    NavigationEntry(label="Perkara", path="/perkara", icon="route", order=20),
    NavigationEntry(
        label="Program kerja",
        path="/proker",
        icon="calendar",
        order=25,
        roles=sorted(
            role.value for role in READERS | {Role.PLANNING, Role.PPK, Role.TREASURER, Role.PROPOSER, Role.UNIT_HEAD}
        ),
    ),
    NavigationEntry(
        label="Rapat",
        path="/rapat",
        icon="users",
        order=30,
        roles=sorted(role.value for role in READERS),
    ),
]
TONES = {
    "live": "good", "cleared": "good", "approved": "good", "rejected": "bad", "cancelled": "bad", "suspended": "bad",
    "returned": "wait", "remediation": "wait", "deferred": "wait", "draft": "quiet", "retired": "quiet",
}  # fmt: skip
"""Colour of a status; every other one waits for somebody."""


def tone(status: str) -> str:
    """Return the tone in which a status is shown."""
    return TONES.get(status, "wait")


def statuses() -> list[tuple[str, str]]:
    """Return every status of the procedure with its word, for the filter of the list."""
    return [(status.key, status.label) for status in procedure().statuses.values()]


def prefill(offers: list[Offer], name: str, values: dict[str, Any]) -> list[Offer]:
    """Return the offers with the form of one act filled in; one that was just refused keeps what was typed."""
    return [
        replace(offer, inputs=[replace(one, default=values.get(one.name, one.default)) for one in offer.inputs])
        if offer.act.name == name
        else offer
        for offer in offers
    ]


def desk(request: Request) -> Office:
    """Return the office in whose name papers are printed."""
    office: Office = request.app.state.office
    return office


def _proposals(request: Request, session: orm.Session, by: Person, _id: object = None) -> Response:
    asked = request.query_params
    found = queries.cases(session, by, mine=asked.get("milik") != "semua", after=place(asked.get("after")))
    return pages.render(
        request,
        "proposals.html",
        "Usulan",
        cases=found,
        after=mark(found, 50),
        everybody=asked.get("milik") == "semua",
        tone=tone,
        offers=pages.offers(request, [ACTS.propose] if ACTS.propose.allows(by, None) else []),
    )


@router.get("/usulan")
def proposals(request: Request, session: Session, signed: Signed) -> Response:
    return _proposals(request, session, signed.person)


@router.get("/perkara")
def cases(request: Request, session: Session, signed: Signed) -> Response:
    asked = request.query_params
    found = queries.cases(
        session,
        signed.person,
        status=asked.get("status") or None,
        unit=asked.get("unit") or None,
        q=asked.get("q") or None,
        after=place(asked.get("after")),
    )
    return pages.render(
        request,
        "cases.html",
        "Perkara",
        cases=found,
        after=mark(found, 50),
        asked={key: asked.get(key, "") for key in ("status", "unit", "q")},
        statuses=statuses(),
        pace=queries.pace,
        tone=tone,
    )


@router.get("/perkara/{number}")
def case(request: Request, session: Session, signed: Signed, number: str) -> Response:
    return _case(request, session, signed.person, number)


def _case(request: Request, session: orm.Session, by: Person, which: UUID | str) -> Response:
    whole = queries.whole(session, by, which)
    stations = queries.stations(whole.case, whole.history, whole.evaluations)
    return pages.render(
        request,
        "case.html",
        f"{whole.case.number} {whole.case.name}",
        case=whole.case,
        view=CaseView.of(whole, by),
        proposal=whole.proposal,
        evaluations=whole.evaluations,
        line=line_figure(
            stations, loops=queries.loops(whole.case, whole.history), label=f"Garis perkara {whole.case.number}"
        ),
        tone=tone,
        offers=_offers(request, whole),
    )


def _offers(request: Request, whole: Whole) -> list[Offer]:
    offers = pages.offers(request, whole.offered, id=whole.case.id)
    if whole.proposal:
        written = actions.content_of(whole.case, whole.proposal).model_dump(mode="json")
        offers = prefill(offers, ACTS.amend.name, {key: value for key, value in written.items() if value})
    if whole.terms:
        offers = prefill(offers, ACTS.write_terms.name, {k: v for k, v in whole.terms.sections.items() if v})
    return offers


Do = Callable[[orm.Session, Person, UUID, Any, Office], Case]


def _on_case(act: Act, path: str, shape: type[BaseModel], do: Do) -> None:
    """Offer an act on a case as a form; afterwards its page is shown again."""

    def call(session: orm.Session, by: Person, case_id: UUID, body: Any, request: Request) -> str:
        return f"/perkara/{do(session, by, case_id, body, desk(request)).number}"

    pages.act(act, f"/perkara/{{id}}/{path}", shape, call, back=_case)


pages.act(
    ACTS.propose,
    "/usulan",
    Content,
    lambda session, by, _id, body, _request: f"/perkara/{actions.propose(session, by, body).number}",
    back=_proposals,
)
_on_case(ACTS.amend, "perbaikan", Content, lambda s, by, id, body, _d: actions.amend(s, by, id, body))
_on_case(
    ACTS.attach_letter,
    "surat",
    Letter,
    lambda s, by, id, body, d: actions.attach_letter(
        s, by, id, d, file=body.letter.file, file_name=body.letter.filename or "surat"
    ),
)
_on_case(ACTS.submit, "pengajuan", Nothing, lambda s, by, id, _b, d: actions.submit(s, by, id, d))
_on_case(ACTS.resubmit, "pengajuan-ulang", Nothing, lambda s, by, id, _b, d: actions.submit(s, by, id, d))
_on_case(ACTS.accept, "penerimaan", Note, lambda s, by, id, body, d: actions.accept(s, by, id, d, words=body.words))
_on_case(
    ACTS.accept_from_app_head,
    "penerimaan-koordinator",
    Note,
    lambda s, by, id, body, d: actions.accept(s, by, id, d, words=body.words),
)
_on_case(
    ACTS.send_back,
    "pengembalian",
    Reason,
    lambda s, by, id, body, d: actions.send_back(s, by, id, d, reason=body.reason),
)
_on_case(
    ACTS.merge_duplicate,
    "penggabungan",
    Duplicate,
    lambda s, by, id, body, d: actions.merge_duplicate(s, by, id, d, into=body.into, reason=body.reason),
)
_on_case(
    ACTS.analyse, "analisis", Analysis, lambda s, by, id, body, d: actions.analyse(s, by, id, d, **body.model_dump())
)
_on_case(
    ACTS.recommend,
    "rekomendasi",
    Note,
    lambda s, by, id, body, d: actions.recommend(s, by, id, d, words=body.words),
)
_on_case(
    ACTS.approve,
    "persetujuan",
    Approval,
    lambda s, by, id, body, d: actions.approve(s, by, id, d, words=body.words, override_cut_off=body.override_cut_off),
)
_on_case(ACTS.reject, "penolakan", Reason, lambda s, by, id, body, d: actions.reject(s, by, id, d, reason=body.reason))
_on_case(
    ACTS.enter_work_programme,
    "proker",
    ProgrammeEntry,
    lambda s, by, id, body, d: actions.enter_work_programme(s, by, id, d, **body.model_dump()).case,
)
pages.act(
    ACTS.write_terms,
    "/perkara/{id}/kak",
    Terms,
    lambda s, by, id, body, request: _written(s, actions.write_terms(s, by, id, desk(request), body).case_id),
    back=_case,
)
_on_case(ACTS.conclude, "kesimpulan-rapat", Nothing, lambda s, by, id, _b, _d: actions.conclude(s, by, id))
_on_case(ACTS.defer, "penundaan", Reason, lambda s, by, id, body, d: actions.defer(s, by, id, d, reason=body.reason))
_on_case(ACTS.cancel, "pembatalan", Reason, lambda s, by, id, body, d: actions.cancel(s, by, id, d, reason=body.reason))
pages.act(
    ACTS.open_evaluation,
    "/perkara/{id}/evaluasi",
    Period,
    lambda s, by, id, body, request: (
        f"/evaluasi/{actions.open_evaluation(s, by, id, desk(request), **body.model_dump()).id}"
    ),
    back=_case,
)


def _written(session: orm.Session, case_id: UUID) -> str:
    return f"/perkara/{session.get_one(Case, case_id).number}"


@router.get("/aplikasi-terdaftar")
def registered(request: Request, session: Session, signed: Signed) -> Response:
    return pages.render(request, "register.html", "Daftar aplikasi", entries=queries.registered(session, signed.person))
