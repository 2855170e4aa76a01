"""The terms of reference (KAK) of a case, version by version (F02)."""

from uuid import UUID

from sqlalchemy.orm import Session

from services.proposal.actions import paper
from services.proposal.actions.case import find, write
from services.proposal.authority import ACTS
from services.proposal.model import SECTIONS, Case, Office, Terms, TermsOfReference
from shared.authority import authorize
from shared.errors import OutOfTurn
from shared.identity import Person


def write_terms(session: Session, by: Person, case_id: UUID, office: Office, terms: Terms) -> TermsOfReference:
    """Keep a new version of the terms of reference (F02); earlier versions stay.

    Raises OutOfTurn before the work programme and once the plan lies with the planning section.
    """
    case = find(session, case_id)
    by = authorize(session, by, ACTS.write_terms, case)
    if not may_write_terms(case):
        raise OutOfTurn(
            f"Perkara {case.number} berstatus “{case.label}”. KAK disusun setelah aplikasi masuk program kerja dan "
            "sebelum rencana disampaikan kepada Bagian Perencanaan."
        )
    case.terms_version += 1
    printed = paper.terms_of_reference(
        session,
        office,
        case,
        by,
        version=case.terms_version,
        sections=[(title, getattr(terms, key)) for key, title in SECTIONS.items()],
    )
    kept = TermsOfReference(
        case_id=case.id,
        version=case.terms_version,
        sections=terms.model_dump(mode="json"),
        paper_digest=printed.digest,
        by_id=by.id,
        by_name=by.name,
    )
    session.add(kept)
    write(
        session,
        by,
        case,
        ACTS.write_terms.name,
        step="F02",
        says="KAK disusun",
        detail=f"Versi {kept.version}",
        papers=[printed],
    )
    return kept


def may_write_terms(case: Case) -> bool:
    """Tell whether the terms of reference may still change."""
    return any(case.next(name) for name in ("conclude_meetings", "send_to_planning"))
