"""Measurements: which live addresses are asked, what they answered, and the figures for an evaluation (S10)."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from services.deploy import queries
from services.deploy.model import Measurement, Release, ReleaseStatus
from shared import audit
from shared.mailbox import Letter, post
from shared.messages import EvaluationOpened, FiguresGathered


@dataclass(frozen=True)
class Watched:
    """One public address to be asked."""

    case_id: UUID
    release_id: UUID
    host: str
    connect_address: str
    connect_port: int


@dataclass(frozen=True)
class Answer:
    """How an address answered: HTTP status (0: not at all) and milliseconds."""

    watched: Watched
    status: int
    milliseconds: int


def watched(session: Session) -> list[Watched]:
    """Return the public addresses of the live releases whose front door is not shut by order."""
    live = session.scalars(select(Release).where(Release.status == ReleaseStatus.LIVE, ~Release.is_closed).limit(1000))
    return [
        Watched(
            case_id=release.case_id,
            release_id=release.id,
            host=release.hosting.public_host,
            connect_address=release.hosting.place.connect_address,
            connect_port=release.hosting.place.connect_port,
        )
        for release in live
    ]


def note_answers(session: Session, answers: Iterable[Answer]) -> None:
    """Keep how the addresses answered."""
    rows = [
        {
            "case_id": answer.watched.case_id,
            "release_id": answer.watched.release_id,
            "status": answer.status,
            "milliseconds": answer.milliseconds,
            "is_up": 200 <= answer.status < 400,
        }
        for answer in answers
    ]
    if rows:
        session.execute(insert(Measurement), rows)


def gather_figures(session: Session, message: EvaluationOpened, letter: Letter) -> None:
    """Answer an evaluation with the availability of its period (S10)."""
    figures = queries.figures(session, message.case_id, from_on=message.from_on, until_on=message.until_on)
    audit.record(session, None, "gather_figures", f"evaluation:{message.evaluation_id}")
    post(
        session,
        FiguresGathered(
            case_id=message.case_id,
            case_number=message.case_number,
            evaluation_id=message.evaluation_id,
            division="deploy",
            figures=figures,
        ),
        actor=letter.actor,
    )
