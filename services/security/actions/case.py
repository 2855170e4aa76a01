"""What other divisions tell: the case, its build at a closed address, its going live, its evaluation."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from services.security import queries
from services.security.model import ENDED, KnownCase, SecurityTest
from shared import audit
from shared.errors import OutOfTurn
from shared.mailbox import Letter, post
from shared.messages import (
    ApplicationRetired,
    BuildReceived,
    EvaluationOpened,
    FiguresGathered,
    HandedOver,
    InstalledForTesting,
    WentLive,
)


def note_case(session: Session, message: HandedOver | BuildReceived | InstalledForTesting) -> KnownCase:
    """Know a case from the first message that names it, and more of it with each later one."""
    case = session.get(KnownCase, message.case_id, with_for_update=True)
    if case is None:
        case = KnownCase(case_id=message.case_id, case_number=message.case_number)
        session.add(case)
    if isinstance(message, HandedOver | InstalledForTesting):
        case.code, case.name, case.unit = (
            message.application.code,
            message.application.name,
            message.application.unit,
        )
    if isinstance(message, HandedOver) and message.vendor:
        case.vendor = message.vendor
    session.flush()
    return case


def open_test(session: Session, message: InstalledForTesting) -> SecurityTest:
    """Open the next round for a build that stands at its closed address; an unfinished round is superseded."""
    case = note_case(session, message)
    earlier = session.scalars(
        select(SecurityTest).where(SecurityTest.case_id == case.case_id).with_for_update(of=SecurityTest)
    ).all()
    for old in earlier:
        if old.status not in ENDED:
            old.move("supersede")
    found = SecurityTest(
        case=case,
        case_id=case.case_id,
        round=len(earlier) + 1,
        digest=message.digest,
        release_id=message.release_id,
        release_number=message.release_number,
        hosting=message.hosting,
        closed_host=message.closed_host,
        connect_address=message.connect_address,
        connect_port=message.connect_port,
        installed_by_id=message.installed_by,
    )
    session.add(found)
    session.flush()
    return found


def note_live(session: Session, message: WentLive) -> None:
    """Know which digest users see."""
    case = session.get(KnownCase, message.case_id, with_for_update=True)
    if case is None:
        raise OutOfTurn("Perkara belum dikenal.")
    case.live_digest = message.digest


def note_retirement(session: Session, message: ApplicationRetired) -> None:
    """Know that nobody uses a case's application any more, and end a test that is not done (S10)."""
    case = session.get(KnownCase, message.case_id, with_for_update=True)
    if case is None:
        return
    case.live_digest = ""
    tests = select(SecurityTest).where(SecurityTest.case_id == case.case_id).with_for_update(of=SecurityTest)
    for test in session.scalars(tests):
        if test.status not in ENDED:
            test.move("supersede")


def gather_figures(session: Session, message: EvaluationOpened, letter: Letter) -> None:
    """Answer an evaluation with the security facts of the application (S10)."""
    audit.record(session, None, "gather_figures", f"evaluation:{message.evaluation_id}")
    post(
        session,
        FiguresGathered(
            case_id=message.case_id,
            case_number=message.case_number,
            evaluation_id=message.evaluation_id,
            division="security",
            figures=queries.figures(session, message.case_id),
        ),
        actor=letter.actor,
    )
