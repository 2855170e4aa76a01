"""The JSON door of proof packs: ask for one, see how far it is, take it."""

from uuid import UUID

from fastapi import APIRouter, Response
from fastapi.responses import StreamingResponse

from services.proposal import actions, queries
from services.proposal.api.case import pieces
from services.proposal.api.proposal import Desk
from services.proposal.schemas.proof import ProofPackView
from shared.errors import OutOfTurn
from shared.web import Asker, Door, Session

router = APIRouter(prefix="/api", route_class=Door, tags=["proof"])


@router.post("/cases/{case_id}/proof-packs", status_code=202)
def make_proof_pack(session: Session, by: Asker, case_id: UUID, response: Response) -> ProofPackView:
    pack = actions.make_proof_pack(session, by, case_id)
    response.headers["location"] = f"/api/proof-packs/{pack.id}"
    return ProofPackView.of(pack)


@router.get("/cases/{case_id}/proof-packs")
def proof_packs(session: Session, by: Asker, case_id: UUID) -> list[ProofPackView]:
    return [ProofPackView.of(pack) for pack in queries.proof_packs(session, by, queries.case(session, by, case_id).id)]


@router.get("/proof-packs/{pack_id}")
def proof_pack(session: Session, by: Asker, pack_id: UUID) -> ProofPackView:
    return ProofPackView.of(queries.proof_pack(session, by, pack_id))


@router.get("/proof-packs/{pack_id}/file", response_class=StreamingResponse)
def proof_file(session: Session, by: Asker, desk: Desk, pack_id: UUID) -> StreamingResponse:
    pack = queries.proof_pack(session, by, pack_id)
    if not pack.digest:
        raise OutOfTurn("Paket bukti ini belum selesai disusun. Muat ulang halamannya sebentar lagi.")
    return StreamingResponse(
        pieces(desk.store.open(pack.digest, verify=True)),
        media_type="application/zip",
        headers={
            "content-disposition": f'attachment; filename="bukti-{pack.case.number}.zip"',
            "content-length": str(pack.size),
            "x-content-type-options": "nosniff",
            "cache-control": "private, no-store",
        },
    )
