"""The page of a case's comments."""

from typing import Any
from uuid import UUID

from fastapi import Request, Response
from sqlalchemy import orm

from services.proposal import actions, queries
from services.proposal.authority import ACTS, READERS
from services.proposal.model import Case, Comment
from services.proposal.pages.case import pages, prefill, router
from services.proposal.schemas.comment import CommentView, CommentWords, NewComment
from shared.errors import NotFound
from shared.identity import Person
from shared.pages import Nothing
from shared.sentence import Sentence
from shared.web import Asker, Session, mark, place


@router.get("/perkara/{number}/komentar")
def comments(request: Request, session: Session, by: Asker, number: str) -> Response:
    return _comments(request, session, by, number)


def _comments(request: Request, session: orm.Session, by: Person, which: UUID | str) -> Response:
    case, found = queries.comments(session, by, which, after=place(request.query_params.get("after")))
    rows = []
    for one in found:
        view = CommentView.of(one, by)
        acts = [ACTS.edit_comment] if view.may_edit else []
        acts += [ACTS.withdraw_comment] if view.may_withdraw else []
        rows.append(
            (view, prefill(pages.offers(request, acts, id=one.id), ACTS.edit_comment.name, {"words": one.words}))
        )
    offers = pages.offers(request, [ACTS.write_comment] if ACTS.write_comment.allows(by, case) else [], id=case.id)
    if not by.has(*READERS):
        for offer in offers:
            offer.inputs[:] = [one for one in offer.inputs if one.name != "is_internal"]
    return pages.render(
        request,
        "comments.html",
        Sentence("Komentar {number}", number=case.number),
        case=case,
        rows=rows,
        after=mark(found, 50),
        offers=offers,
    )


def _of_comment(request: Request, session: orm.Session, by: Person, comment_id: Any) -> Response:
    comment = session.get(Comment, comment_id)
    if comment is None:
        raise NotFound("Komentar tidak ditemukan. Muat ulang halaman perkaranya.")
    return _comments(request, session, by, comment.case_id)


def _path(session: orm.Session, comment: Comment) -> str:
    return f"/perkara/{session.get_one(Case, comment.case_id).number}/komentar"


pages.act(
    ACTS.write_comment,
    "/perkara/{id}/komentar",
    NewComment,
    lambda s, by, id, body, _r: _path(
        s, actions.write_comment(s, by, id, words=body.words, is_internal=body.is_internal)
    ),
    back=_comments,
)
pages.act(
    ACTS.edit_comment,
    "/komentar/{id}/perbaikan",
    CommentWords,
    lambda s, by, id, body, _r: _path(s, actions.edit_comment(s, by, id, words=body.words)),
    back=_of_comment,
)
pages.act(
    ACTS.withdraw_comment,
    "/komentar/{id}/penarikan",
    Nothing,
    lambda s, by, id, _b, _r: _path(s, actions.withdraw_comment(s, by, id)),
    back=_of_comment,
)
