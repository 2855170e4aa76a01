"""What waits for a person, and what is found."""

from fastapi import APIRouter

from services.proposal import queries
from shared.search import Hit
from shared.web import Asker, Door, Question, Session, Waiting

router = APIRouter(prefix="/api", route_class=Door, tags=["case"])


@router.get("/waiting")
def waiting(session: Session, by: Asker) -> list[Waiting]:
    return [
        Waiting(
            title=task.title,
            about=task.about,
            case_number=task.case_number,
            step=task.step,
            since=task.since.isoformat(),
            due_at=task.due_at.isoformat() if task.due_at else "",
            path=task.path,
        )
        for task in queries.waiting_on(session, by)
    ]


@router.get("/search")
def search(session: Session, by: Asker, q: Question) -> list[Hit]:
    return queries.found(session, by, q)
