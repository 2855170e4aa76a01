"""What waits for a person, and what is found."""

from fastapi import APIRouter

from services.deploy import queries
from shared.search import Hit
from shared.web import Asker, Door, Question, Session, Waiting

router = APIRouter(prefix="/api", route_class=Door, tags=["deploy"])


@router.get("/waiting", response_model=list[Waiting])
def waiting(session: Session, by: Asker) -> list[Waiting]:
    return [
        Waiting(
            title=todo.title,
            about=todo.about,
            case_number=todo.case_number,
            step=todo.step,
            since=todo.since.isoformat(),
            path=todo.path,
        )
        for todo in queries.waiting_on(session, by)
    ]


@router.get("/search")
def search(session: Session, by: Asker, q: Question) -> list[Hit]:
    return queries.found(session, by, q)
