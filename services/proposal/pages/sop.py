"""Pages of the SOP: the version in force with its flowchart, other versions, and the editor of a draft by step."""

from dataclasses import replace
from typing import Any

from fastapi import Request, Response
from sqlalchemy import orm

from services.proposal.actions import sop as actions
from services.proposal.authority import ACTS
from services.proposal.model.sop import Identity, StepWording, number_of
from services.proposal.pages.case import desk, pages, prefill, router
from services.proposal.queries import sop as queries
from services.proposal.queries.sop import Version
from services.proposal.schemas.sop import Drafting, Publication
from shared.errors import NotFound
from shared.flowchart import Chart, figure
from shared.identity import Person
from shared.language import said
from shared.pages import Offer, Reason, seen_edition
from shared.procedure import procedure, span
from shared.sentence import Sentence
from shared.web import Asker, Session

TONES = {"Berlaku": "good", "Rancangan": "wait", "Akan berlaku": "wait"}


def _number(words: object) -> int:
    """Return the version that an address names; raise NotFound."""
    told = str(words)
    if not (told.isascii() and told.isdecimal() and len(told) < 5):
        raise NotFound(queries.NO_VERSION)
    return int(told)


@router.get("/sop")
def present(request: Request, session: Session, by: Asker) -> Response:
    return _version(request, session, by, None)


@router.get("/sop/{version}")
def version(request: Request, session: Session, by: Asker, version: str) -> Response:
    return _version(request, session, by, version)


def _version(request: Request, session: orm.Session, by: Person, which: Any) -> Response:
    every = queries.versions(session, by)
    current = next(one.number for one in every if one.is_current)
    found = queries.version(session, by, None if which is None else _number(which), current=current)
    wording = found.wording
    drawn = queries.chart_of(wording)
    measured = queries.measured(session)
    total = wording.as_procedure(found.number).total_days
    return pages.render(
        request,
        "sop.html",
        Sentence("SOP {title}", title=wording.identity.title),
        found=found,
        identity=wording.identity,
        fields=_fields(wording.identity),
        rows=queries.printed_rows(wording, measured),
        measured=measured,
        total=span(*total),
        total_measured=queries.measured_words(measured.total),
        is_over=bool(measured.total and measured.total.median_days > total[1]),
        chart=figure(drawn, label=said("Bagan alir SOP, versi {version}").format(version=found.number)),
        changes=queries.changes(session, found),
        versions=every,
        tones=TONES,
        may_write=queries.may_write(by, found),
        offers=_with_edition(pages.offers(request, queries.sop_acts(by, found, every), id=found.number), found),
    )


def _fields(identity: Identity) -> list[tuple[str, list[str]]]:
    """Return the entries of the first sheet under their headings."""
    lists = [name for name in Identity.model_fields if name not in ("number", "title")]
    return [(str(Identity.model_fields[name].title), getattr(identity, name)) for name in lists]


def _with_edition(offers: list[Offer], found: Version) -> list[Offer]:
    edition = str(found.row.edition) if found.row else ""
    return [replace(offer, edition=edition) for offer in offers]


@router.get("/sop/{version}/identitas")
def identity(request: Request, session: Session, by: Asker, version: str) -> Response:
    return _identity(request, session, by, version)


def _identity(request: Request, session: orm.Session, by: Person, which: Any) -> Response:
    found = queries.version(session, by, _number(which))
    may_write = queries.may_write(by, found)
    offers = pages.offers(request, [ACTS.write_procedure_identity] if may_write else [], id=found.number)
    said_now = found.wording.identity
    return pages.render(
        request,
        "sop_identity.html",
        Sentence("Lembar identitas SOP, versi {number}", number=found.number),
        found=found,
        identity=said_now,
        fields=_fields(said_now),
        offers=prefill(_with_edition(offers, found), ACTS.write_procedure_identity.name, said_now.model_dump()),
    )


@router.get("/sop/{version}/langkah/{step}")
def step(request: Request, session: Session, by: Asker, version: str, step: str) -> Response:
    return _step(request, session, by, version, step)


def _step(request: Request, session: orm.Session, by: Person, which: Any, key: str) -> Response:
    found = queries.version(session, by, _number(which))
    wording = found.wording
    if key not in wording.steps:
        raise NotFound("Langkah ini tidak ada dalam SOP. Pilih langkah dari halaman SOP.")
    one = wording.steps[key]
    may_write = queries.may_write(by, found)
    acts = [ACTS.write_procedure_step] if may_write else []
    offers = _with_edition(pages.offers(request, acts, version=found.number, id=key), found)
    values = {name: "" if value is None else value for name, value in one.model_dump(mode="json").items()}
    order = list(procedure().steps)
    place = order.index(key)
    drawn = queries.chart_of(wording)
    rows = queries.printed_rows(wording, queries.measured(session))
    return pages.render(
        request,
        "sop_step.html",
        Sentence("SOP versi {number}, langkah {step}", number=found.number, step=number_of(key)),
        found=found,
        row=rows[place],
        one=one,
        chart=figure(
            _only(drawn, place), label=said("Bagan alir langkah {number}").format(number=number_of(key)), key="langkah"
        ),
        lacks=[lack for lack in found.lacks if lack.step == key],
        changes=[one for one in queries.changes(session, found) if one.place == number_of(key)],
        former=order[place - 1] if place else "",
        following=order[place + 1] if place + 1 < len(order) else "",
        number_of=number_of,
        offers=prefill(offers, ACTS.write_procedure_step.name, values),
    )


def _only(drawn: Chart, place: int) -> Chart:
    """Return one row of a chart under the lanes in which somebody acts."""
    row = drawn.rows[place]
    lanes = [sign.lane for sign in row.signs]
    signs = tuple(replace(sign, lane=lanes.index(sign.lane)) for sign in row.signs)
    only = replace(row, signs=signs, entry=lanes.index(row.entry), exit=lanes.index(row.exit))
    return Chart(tuple(drawn.lanes[lane] for lane in lanes), (only,))


# --- what people do -----------------------------------------------------------------------------------------------


def _draft(session: orm.Session, by: Person, _id: Any, body: Drafting, _request: Request) -> str:
    return f"/sop/{actions.draft_procedure(session, by, reason=body.reason).version}"


def _write_identity(session: orm.Session, by: Person, which: Any, body: Identity, request: Request) -> str:
    actions.write_procedure_identity(session, by, _number(which), body, seen=seen_edition(request))
    return f"/sop/{which}"


def _write_step(session: orm.Session, by: Person, key: Any, body: StepWording, request: Request) -> str:
    which = _number(request.path_params["version"])
    actions.write_procedure_step(session, by, which, str(key), body, seen=seen_edition(request))
    return f"/sop/{which}/langkah/{key}"


def _again(request: Request, session: orm.Session, by: Person, key: Any) -> Response:
    return _step(request, session, by, request.path_params["version"], str(key))


def _discard(session: orm.Session, by: Person, which: Any, body: Reason, _request: Request) -> str:
    actions.discard_procedure(session, by, _number(which), reason=body.reason)
    return "/sop"


def _publish(session: orm.Session, by: Person, which: Any, body: Publication, request: Request) -> str:
    row = actions.publish_procedure(
        session, by, _number(which), desk(request), valid_from=body.valid_from, seen=seen_edition(request)
    )
    return f"/sop/{row.version}"


def _withdraw(session: orm.Session, by: Person, which: Any, body: Reason, _request: Request) -> str:
    actions.withdraw_procedure(session, by, _number(which), reason=body.reason)
    return "/sop"


pages.act(ACTS.draft_procedure, "/sop/versi", Drafting, _draft, back=_version)
pages.act(ACTS.write_procedure_identity, "/sop/{id}/identitas", Identity, _write_identity, back=_identity)
pages.act(ACTS.write_procedure_step, "/sop/{version}/langkah/{id}", StepWording, _write_step, back=_again)
pages.act(ACTS.discard_procedure, "/sop/{id}/pembatalan", Reason, _discard, back=_version)
pages.act(ACTS.publish_procedure, "/sop/{id}/pengesahan", Publication, _publish, back=_version)
pages.act(ACTS.withdraw_procedure, "/sop/{id}/penarikan", Reason, _withdraw, back=_version)
