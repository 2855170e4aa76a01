"""What the division does about news from the others: going live, and the figures for an evaluation (F04, S10)."""

from sqlalchemy.orm import Session

from services.budget import queries
from services.budget.actions.plan import plan_of
from shared import audit
from shared.database import utc_now
from shared.mailbox import Letter, post
from shared.messages import ApplicationRetired, EvaluationOpened, FiguresGathered, WentLive


def note_live(session: Session, message: WentLive) -> None:
    """Know that users may use the application: a last payment from now on is not early (F04).

    An application without a budget plan (older than Alur) has nothing to note.
    """
    plan = plan_of(session, message.case_id)
    if plan:
        plan.live_at = plan.live_at or utc_now()


def note_retirement(session: Session, message: ApplicationRetired) -> None:
    """Know that the application was retired (S10): shown beside its plan and contracts; what is owed stays owed."""
    plan = plan_of(session, message.case_id)
    if plan:
        plan.retired_at = plan.retired_at or utc_now()


def gather_figures(session: Session, message: EvaluationOpened, letter: Letter) -> None:
    """Answer an evaluation with what the application cost; without a budget plan the answer is empty (S10)."""
    audit.record(session, None, "gather_figures", f"evaluation:{message.evaluation_id}")
    post(
        session,
        FiguresGathered(
            case_id=message.case_id,
            case_number=message.case_number,
            evaluation_id=message.evaluation_id,
            division="budget",
            figures=queries.figures(session, message.case_id),
        ),
        actor=letter.actor,
    )
