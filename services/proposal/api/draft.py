"""The JSON door of drafts: sections saved as they are, files, and what was submitted before (S01)."""

from typing import Annotated, Any
from urllib.parse import quote
from uuid import UUID

from fastapi import APIRouter, Form, Response, UploadFile
from fastapi.responses import StreamingResponse

from services.proposal import actions, queries
from services.proposal.api.case import pieces
from services.proposal.api.proposal import Desk
from services.proposal.model import ATTACHMENT_LABELS, Attachment, Content
from services.proposal.schemas.draft import AttachmentView, DraftView, SubmissionView, parted
from shared.edition import tag_of
from shared.errors import FieldError, Incomplete, NotFound
from shared.sentence import Sentence
from shared.web import Asker, Door, Seen, Session

router = APIRouter(prefix="/api", route_class=Door, tags=["draft"])


@router.get("/proposals/{proposal_id}/draft")
def draft(session: Session, by: Asker, proposal_id: UUID, response: Response) -> DraftView:
    found = queries.form(session, by, proposal_id)
    response.headers["etag"] = tag_of(found.case.edition)
    return DraftView.of_form(found)


@router.patch("/proposals/{proposal_id}/draft")
def save_draft(
    session: Session,
    by: Asker,
    proposal_id: UUID,
    body: dict[str, Any],
    response: Response,
    seen: Seen = None,
) -> DraftView:
    form = queries.form(session, by, proposal_id)
    accepted, rough = parted(form.content, tuple(Content.model_fields), body, is_whole=False)
    actions.save_draft(session, by, proposal_id, accepted=accepted, rough=rough, seen=seen)
    saved = queries.form(session, by, proposal_id)
    response.headers["etag"] = tag_of(saved.case.edition)
    return DraftView.of_form(saved)


@router.get("/proposals/{proposal_id}/submissions")
def submissions(session: Session, by: Asker, proposal_id: UUID) -> list[SubmissionView]:
    return [SubmissionView.of(one) for one in queries.submissions(session, by, proposal_id)[1]]


@router.get("/proposals/{proposal_id}/attachments", response_model=list[AttachmentView])
def attachments(session: Session, by: Asker, proposal_id: UUID) -> Any:
    return queries.attachments(session, queries.proposal(session, by, proposal_id).id)


@router.post("/proposals/{proposal_id}/attachments", response_model=AttachmentView, status_code=201)
def attach_file(
    session: Session, by: Asker, desk: Desk, proposal_id: UUID, file: UploadFile, kind: Annotated[str, Form()] = "other"
) -> Attachment:
    if kind not in ATTACHMENT_LABELS:
        choices = ", ".join(ATTACHMENT_LABELS)
        raise Incomplete(
            "Jenis lampiran tidak dikenal.",
            errors=[FieldError("/kind", Sentence("Pilihan yang ada: {choices}.", choices=choices))],
        )
    return actions.attach_file(
        session, by, proposal_id, desk, kind=kind, file=file.file, file_name=file.filename or "lampiran"
    )


@router.post("/attachments/{attachment_id}/removal", response_model=AttachmentView)
def remove_file(session: Session, by: Asker, attachment_id: UUID) -> Attachment:
    return actions.remove_file(session, by, attachment_id)


@router.get("/attachments/{attachment_id}", response_class=StreamingResponse)
def attachment(session: Session, by: Asker, desk: Desk, attachment_id: UUID) -> StreamingResponse:
    found = queries.attachment(session, by, attachment_id)
    return _sent(desk, found.digest, found.file_name)


@router.get("/proposals/{proposal_id}/letter", response_class=StreamingResponse)
def letter(session: Session, by: Asker, desk: Desk, proposal_id: UUID) -> StreamingResponse:
    found = queries.proposal(session, by, proposal_id)
    if not found.letter_digest:
        raise NotFound("Pindaian surat usulan belum diunggah.")
    return _sent(desk, found.letter_digest, found.letter_file_name)


def _sent(desk: Desk, digest: str, file_name: str) -> StreamingResponse:
    return StreamingResponse(
        pieces(desk.store.open(digest, verify=True)),
        media_type="application/octet-stream",
        headers={
            "content-disposition": f"attachment; filename*=UTF-8''{quote(file_name)}",
            "x-content-type-options": "nosniff",
            "cache-control": "private, no-store",
        },
    )
