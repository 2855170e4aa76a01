"""The JSON door of the terms of reference (KAK): the draft by sections, versions, differences (F02)."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Response

from services.proposal import actions, queries
from services.proposal.api.proposal import Desk
from services.proposal.model import Terms
from services.proposal.schemas.draft import parted
from services.proposal.schemas.terms import Restoration, TermsDifferenceView, TermsDraftView, TermsView, must_belong
from shared.edition import tag_of
from shared.web import Asker, Door, Seen, Session

router = APIRouter(prefix="/api", route_class=Door, tags=["terms"])


@router.get("/proposals/{proposal_id}/terms-of-reference")
def terms(session: Session, by: Asker, proposal_id: UUID) -> list[TermsView]:
    return [TermsView.of(one) for one in queries.terms(session, by, proposal_id)[1]]


@router.post("/proposals/{proposal_id}/terms-of-reference", status_code=201)
def write_terms(
    session: Session, by: Asker, desk: Desk, proposal_id: UUID, body: Terms | None = None, seen: Seen = None
) -> TermsView:
    return TermsView.of(actions.write_terms(session, by, proposal_id, desk, body, seen=seen))


@router.get("/proposals/{proposal_id}/terms-of-reference/draft")
def terms_draft(session: Session, by: Asker, proposal_id: UUID, response: Response) -> TermsDraftView:
    form = queries.terms_form(session, by, proposal_id)
    response.headers["etag"] = tag_of(form.edition)
    return TermsDraftView.of_form(form)


@router.get("/proposals/{proposal_id}/terms-of-reference/draft/{section}")
def terms_section(session: Session, by: Asker, proposal_id: UUID, section: str, response: Response) -> TermsDraftView:
    form = queries.terms_form(session, by, proposal_id)
    part = form.part(section)
    response.headers["etag"] = tag_of(part.edition)
    return TermsDraftView.of_form(form, part)


@router.patch("/proposals/{proposal_id}/terms-of-reference/draft/{section}")
def save_terms(
    session: Session,
    by: Asker,
    proposal_id: UUID,
    section: str,
    body: dict[str, Any],
    response: Response,
    seen: Seen = None,
) -> TermsDraftView:
    form = queries.terms_form(session, by, proposal_id)
    found = form.part(section).section
    must_belong(found, list(body))
    accepted, rough = parted(form.content, found.fields, body, is_whole=False)
    actions.save_terms(session, by, proposal_id, found, accepted=accepted, rough=rough, seen=seen)
    return terms_section(session, by, proposal_id, section, response)


@router.get("/proposals/{proposal_id}/terms-of-reference/differences")
def terms_differences(
    session: Session,
    by: Asker,
    proposal_id: UUID,
    before: Annotated[int, Query(ge=1)],
    after: Annotated[int, Query(ge=1)],
) -> list[TermsDifferenceView]:
    versions = queries.terms(session, by, proposal_id)[1]
    states = [queries.version_state(queries.terms_version(versions, number)) for number in (before, after)]
    return [
        TermsDifferenceView.of(section, one) for section, found in queries.terms_differences(*states) for one in found
    ]


@router.get("/proposals/{proposal_id}/terms-of-reference/{version}")
def terms_version(session: Session, by: Asker, proposal_id: UUID, version: int) -> TermsView:
    return TermsView.of(queries.terms_version(queries.terms(session, by, proposal_id)[1], version))


@router.post("/terms-of-reference/{version_id}/restoration")
def restore_terms(
    session: Session,
    by: Asker,
    version_id: UUID,
    response: Response,
    body: Restoration | None = None,
    seen: Seen = None,
) -> TermsDraftView:
    replaces = body.replaces_draft if body else False
    case = actions.restore_terms(session, by, version_id, replaces_draft=replaces, seen=seen)
    return terms_draft(session, by, case.id, response)
