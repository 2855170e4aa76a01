"""Pages of proposals and cases: the lists, the form of a new proposal, and the case with what can be done now."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

from fastapi import Request, Response
from pydantic import BaseModel
from sqlalchemy import ColumnElement, orm

from services.proposal import actions, queries
from services.proposal.authority import ACTS, MONEY_READERS, PROPOSERS, READERS
from services.proposal.model import Case, Office
from services.proposal.model.clock import OUTSIDE
from services.proposal.queries import Whole
from services.proposal.queries.clock import time_of
from services.proposal.queries.dashboard import narrowed
from services.proposal.queries.programme import PROGRAMME_READERS
from services.proposal.schemas.case import CaseView
from services.proposal.schemas.evaluation import Period
from services.proposal.schemas.proposal import ProgrammeEntry
from shared.authority import Act
from shared.identity import Person, Role
from shared.language import said
from shared.line import line_figure
from shared.pages import Nothing, Offer, Pages, Reason
from shared.procedure import procedure
from shared.web import Asker, NavigationEntry, Session, mark, place

pages = Pages(Path(__file__).parent.parent / "templates")
router = pages.router
pages.environment.globals["step_titles"] = {step.id: step.title for step in procedure().steps.values()}
pages.environment.globals["role_titles"] = {role.value: title for role, title in procedure().titles.items()}
pages.environment.globals["outside_centre"] = {role.value for role in OUTSIDE}

NAVIGATION = [
    NavigationEntry(
        label="Usulan", path="/usulan", icon="file-plus", order=10, roles=sorted(role.value for role in PROPOSERS)
    ),
    NavigationEntry(label="Perkara", path="/perkara", icon="route", order=20),
    NavigationEntry(
        label="Daftar aplikasi",
        path="/aplikasi-terdaftar",
        icon="globe",
        order=22,
        roles=sorted(role.value for role in READERS | {Role.PROPOSER, Role.UNIT_HEAD}),
    ),
    NavigationEntry(
        label="Program kerja",
        path="/proker",
        icon="calendar",
        order=25,
        roles=sorted(role.value for role in PROGRAMME_READERS),
    ),
    NavigationEntry(
        label="Waktu",
        path="/waktu",
        icon="chart",
        order=28,
        roles=sorted(role.value for role in READERS | MONEY_READERS | {Role.PROPOSER, Role.UNIT_HEAD}),
    ),
    NavigationEntry(
        label="Rapat",
        path="/rapat",
        icon="users",
        order=30,
        roles=sorted(role.value for role in READERS),
    ),
    NavigationEntry(
        label="Evaluasi",
        path="/evaluasi",
        icon="clipboard",
        order=32,
        roles=sorted(role.value for role in READERS | {Role.PLANNING}),
    ),
    NavigationEntry(label="SOP", path="/sop", icon="book", order=35),
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


def _narrowed(session: orm.Session, asked: Mapping[str, str]) -> list[ColumnElement[bool]]:
    """Return the conditions of the dashboard's links: a step, a fiscal year, only what is late."""
    year = asked.get("tahun", "")
    return narrowed(
        session,
        step=asked.get("langkah", "")[:8],
        fiscal_year=int(year) if year.isascii() and year.isdigit() and len(year) == 4 else None,
        only_late=asked.get("terlambat") == "1",
    )


@router.get("/perkara")
def cases(request: Request, session: Session, by: Asker) -> Response:
    asked = request.query_params
    found = queries.cases(
        session,
        by,
        status=asked.get("status") or None,
        unit=asked.get("unit") or None,
        more=_narrowed(session, asked),
        q=asked.get("q") or None,
        after=place(asked.get("after")),
    )
    return pages.render(
        request,
        "cases.html",
        "Perkara",
        cases=found,
        after=mark(found, 50),
        asked={key: asked.get(key, "") for key in ("status", "unit", "q", "langkah", "tahun", "terlambat")},
        statuses=statuses(),
        pace=queries.pace,
        tone=tone,
    )


@router.get("/perkara/{number}")
def case(request: Request, session: Session, by: Asker, number: str) -> Response:
    return show_case(request, session, by, number)


def show_case(request: Request, session: orm.Session, by: Person, which: UUID | str) -> Response:
    whole = queries.whole(session, by, which)
    stations = queries.stations(whole.case, whole.history, whole.evaluations)
    return pages.render(
        request,
        "case.html",
        f"{whole.case.number} {whole.case.name}",
        case=whole.case,
        view=CaseView.of(whole, by, queries.near(session, by, whole.case)),
        proposal=whole.proposal,
        evaluations=whole.evaluations,
        may_prove=queries.may_prove(by),
        reads_programme=by.has(*PROGRAMME_READERS),
        line=line_figure(
            stations,
            loops=queries.loops(whole.case, whole.history),
            label=said("Garis perkara {number}").format(number=whole.case.number),
        ),
        tone=tone,
        may_write=any(act.name == "amend" for act in whole.offered),
        may_write_terms=any(act.name == "write_terms" for act in whole.offered),
        comments=None if by.has(Role.VENDOR) else whole.comments,
        time=None if by.has(Role.VENDOR) else time_of(session, whole.case, whole.history),
        offers=_offers(request, whole),
    )


def _offers(request: Request, whole: Whole) -> list[Offer]:
    # A proposal is written and submitted on pages of its own (`pages/proposal.py`), and so are the terms of reference.
    elsewhere = ("amend", "attach_letter", "submit", "resubmit", "write_terms")
    return pages.offers(request, [act for act in whole.offered if act.name not in elsewhere], id=whole.case.id)


Do = Callable[[orm.Session, Person, UUID, Any, Office], Case]


def on_case(act: Act, path: str, shape: type[BaseModel], do: Do) -> None:
    """Offer an act on a case as a form; afterwards its page is shown again."""

    def call(session: orm.Session, by: Person, case_id: UUID, body: Any, request: Request) -> str:
        return f"/perkara/{do(session, by, case_id, body, desk(request)).number}"

    pages.act(act, f"/perkara/{{id}}/{path}", shape, call, back=show_case)


on_case(
    ACTS.enter_work_programme,
    "proker",
    ProgrammeEntry,
    lambda s, by, id, body, d: actions.enter_work_programme(s, by, id, d, **body.model_dump()).case,
)
on_case(ACTS.conclude, "kesimpulan-rapat", Nothing, lambda s, by, id, _b, _d: actions.conclude(s, by, id))
on_case(ACTS.defer, "penundaan", Reason, lambda s, by, id, body, d: actions.defer(s, by, id, d, reason=body.reason))
pages.act(
    ACTS.open_evaluation,
    "/perkara/{id}/evaluasi",
    Period,
    lambda s, by, id, body, request: (
        f"/evaluasi/{actions.open_evaluation(s, by, id, desk(request), **body.model_dump()).id}"
    ),
    back=show_case,
)
