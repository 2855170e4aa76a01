"""Search among tests and findings, as far as a person may see them."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from services.security.model import (
    CASES_SEARCHED,
    FINDINGS_SEARCHED,
    STATUS_LABELS,
    TESTS_SEARCHED,
    FindingRow,
    KnownCase,
    SecurityTest,
)
from services.security.queries.case import seen_by
from services.security.queries.finding import FINDING_LABELS
from shared import search
from shared.identity import Person
from shared.search import Hit, Kind


def found(session: Session, by: Person, question: str) -> list[Hit]:
    """Return what this person may see and asked for, the best first; nothing for a question without words."""
    return search.found(session, by, question, KINDS)


NEWEST_TEST = (
    select(SecurityTest.id)
    .where(SecurityTest.case_id == FindingRow.case_id)
    .order_by(SecurityTest.round.desc())
    .limit(1)
    .scalar_subquery()
)
KINDS = (
    Kind(
        TESTS_SEARCHED,
        select(
            SecurityTest.id,
            SecurityTest.number,
            SecurityTest.round,
            SecurityTest.status,
            KnownCase.name,
            KnownCase.case_number,
        ).join(SecurityTest.case),
        lambda row: Hit(
            kind="test",
            title=f"Uji keamanan {row.name}, putaran {row.round}",
            number=row.number or row.case_number,
            about=row.case_number if row.number else "",
            path=f"/uji-keamanan/{row.id}",
            label=STATUS_LABELS[row.status],
        ),
        seen=seen_by,
        others=(CASES_SEARCHED,),
    ),
    Kind(
        FINDINGS_SEARCHED,
        select(FindingRow.title, FindingRow.status, FindingRow.cwe, KnownCase.name, NEWEST_TEST.label("test")).join(
            KnownCase, KnownCase.case_id == FindingRow.case_id
        ),
        lambda row: Hit(
            kind="finding",
            title=row.title,
            number=row.cwe,
            about=row.name,
            path=f"/uji-keamanan/{row.test}" if row.test else "",
            label=FINDING_LABELS[row.status],
        ),
        seen=seen_by,
        others=(CASES_SEARCHED,),
    ),
)
