"""The JSON door of comments."""

from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from services.proposal import actions, queries
from services.proposal.schemas.comment import CommentView, CommentWords, NewComment
from shared.web import Asker, Door, Session, answer_list, mark, place

router = APIRouter(prefix="/api", route_class=Door, tags=["comment"])


@router.get("/proposals/{proposal_id}/comments", response_model=list[CommentView])
def comments(
    request: Request, session: Session, by: Asker, proposal_id: UUID, after: str | None = None
) -> JSONResponse:
    _, found = queries.comments(session, by, proposal_id, after=place(after))
    return answer_list(request, [CommentView.of(one, by) for one in found], after=mark(found, 50))


@router.post("/proposals/{proposal_id}/comments", status_code=201)
def write_comment(session: Session, by: Asker, proposal_id: UUID, body: NewComment) -> CommentView:
    made = actions.write_comment(session, by, proposal_id, words=body.words, is_internal=body.is_internal)
    return CommentView.of(made, by)


@router.put("/comments/{comment_id}")
def edit_comment(session: Session, by: Asker, comment_id: UUID, body: CommentWords) -> CommentView:
    return CommentView.of(actions.edit_comment(session, by, comment_id, words=body.words), by)


@router.post("/comments/{comment_id}/withdrawal")
def withdraw_comment(session: Session, by: Asker, comment_id: UUID) -> CommentView:
    return CommentView.of(actions.withdraw_comment(session, by, comment_id), by)
