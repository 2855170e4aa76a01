"""The JSON door for operators: how each part stands, and the messages that were given up."""

from uuid import UUID

from fastapi import APIRouter, Request

from services.gateway.asker import Known
from services.gateway.door import oversight
from services.gateway.schemas.oversight import DeadRow, PartName, PartStanding, Told
from shared.pages import Reason

router = APIRouter(prefix="/api/operations", tags=["gateway"])


@router.get("", response_model=list[PartStanding])
async def standings(request: Request, caller: Known) -> list[PartStanding]:
    return await oversight.standings(request, caller)


@router.get("/messages", response_model=list[DeadRow])
async def dead_messages(request: Request, caller: Known) -> list[DeadRow]:
    told = await oversight.standings(request, caller)
    return [
        DeadRow(part=one.part, **letter.model_dump()) for one in told if one.standing for letter in one.standing.dead
    ]


@router.post("/messages/{part}/{letter_id}/retry", response_model=Told)
async def retry_message(request: Request, caller: Known, part: PartName, letter_id: UUID) -> Told:
    await oversight.retry_message(request, caller, part, letter_id)
    return Told(part=part, id=letter_id)


@router.post("/messages/{part}/{letter_id}/skip", response_model=Told)
async def skip_message(request: Request, caller: Known, part: PartName, letter_id: UUID, body: Reason) -> Told:
    await oversight.skip_message(request, caller, part, letter_id, reason=body.reason)
    return Told(part=part, id=letter_id)
