"""Pages of the application register: the list, one application, and the columns of the export."""

from dataclasses import replace
from uuid import UUID

from fastapi import Request, Response
from sqlalchemy import orm

from services.proposal import actions, queries
from services.proposal.authority import ACTS, READERS
from services.proposal.model import CRITICALITY_LABELS, DATA_LABELS, STATE_LABELS, Description
from services.proposal.pages.case import pages, prefill, router, tone
from services.proposal.queries.register import EXPORT, register_mark, register_place
from services.proposal.schemas.register import Layout
from shared.identity import Person
from shared.pages import seen_edition
from shared.web import Asker, Session

SHOWN = 50
TONES = {"live": "good", "suspended": "bad", "retired": "quiet", "cancelled": "quiet"}
"""Colour of a state; every other one is on its way."""


@router.get("/aplikasi-terdaftar")
def registered(request: Request, session: Session, by: Asker) -> Response:
    by, asked = by, request.query_params
    state, q = asked.get("keadaan", ""), asked.get("q", "").strip()[:100]
    found = queries.registered(
        session, by, state=state or None, q=q or None, limit=SHOWN, after=register_place(asked.get("after"))
    )
    return pages.render(
        request,
        "register.html",
        "Daftar aplikasi",
        entries=found,
        after=register_mark(found, SHOWN),
        asked={"keadaan": state, "q": q},
        states=STATE_LABELS,
        tones=TONES,
        may_export=by.has(*READERS),
        may_choose=ACTS.choose_register_columns.allows(by, None),
    )


@router.get("/aplikasi-terdaftar/{code}")
def application(request: Request, session: Session, by: Asker, code: str) -> Response:
    return _application(request, session, by, code)


def _application(request: Request, session: orm.Session, by: Person, which: str | UUID) -> Response:
    found = queries.application(session, by, which)
    offers = [
        replace(offer, edition=str(found.entry.edition))
        for offer in prefill(
            pages.offers(request, found.offered, id=found.entry.id), "describe_application", dict(found.described)
        )
    ]
    return pages.render(
        request,
        "register_application.html",
        found.entry.name,
        found=found,
        entry=found.entry,
        case=found.case,
        titles={key: str(info.title) for key, info in Description.model_fields.items()},
        data_labels=DATA_LABELS,
        criticality_labels=CRITICALITY_LABELS,
        tone=tone,
        tones=TONES,
        offers=offers,
    )


@router.get("/aplikasi-kolom")
def columns(request: Request, session: Session, by: Asker) -> Response:
    return _columns(request, session, by)


def _columns(request: Request, session: orm.Session, by: Person, _id: object = None) -> Response:
    queries.must_export(by)
    chosen = [column.key for column in queries.layout(session)]
    acts = [ACTS.choose_register_columns] if ACTS.choose_register_columns.allows(by, None) else []
    typed = getattr(request.state, "typed", {}).get("order", {})
    places = {key: str(n) for n, key in enumerate(chosen, start=1)}
    if isinstance(typed, dict) and typed:
        places = {str(key): str(value) for key, value in typed.items()}
    return pages.render(
        request,
        "register_columns.html",
        "Kolom ekspor daftar aplikasi",
        columns=sorted(EXPORT, key=lambda one: chosen.index(one.key) if one.key in chosen else len(EXPORT)),
        places=places,
        offers=pages.offers(request, acts),
    )


def _describe(session: orm.Session, by: Person, entry_id: UUID, body: Description, request: Request) -> str:
    entry = actions.describe_application(session, by, entry_id, body, seen=seen_edition(request))
    return f"/aplikasi-terdaftar/{entry.code}"


def _choose(session: orm.Session, by: Person, _id: object, body: Layout, _request: Request) -> str:
    actions.choose_register_columns(session, by, body.order)
    return "/aplikasi-kolom"


pages.act(ACTS.describe_application, "/aplikasi-terdaftar/{id}/uraian", Description, _describe, back=_application)
pages.act(ACTS.choose_register_columns, "/aplikasi-kolom", Layout, _choose, back=_columns)
