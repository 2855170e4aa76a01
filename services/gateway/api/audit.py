"""The JSON door for the audit chains of all parts."""

from datetime import date
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request, Response

from services.gateway.asker import Known
from services.gateway.door import oversight
from services.gateway.door.oversight import Wanted
from services.gateway.schemas.oversight import AuditRow, PartName, PartVerification

router = APIRouter(prefix="/api", tags=["gateway"])


@router.get("/audit", response_model=list[AuditRow])
async def audit_lines(
    request: Request,
    response: Response,
    caller: Known,
    part: PartName | None = None,
    act: Annotated[str, Query(max_length=80)] = "",
    person: Annotated[str, Query(max_length=100)] = "",
    thing: Annotated[str, Query(max_length=200)] = "",
    since: Annotated[date | None, Query(alias="from")] = None,
    until: date | None = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    after: str = "",
) -> list[AuditRow]:
    wanted = Wanted(part=part or "", act=act, person=person.strip(), thing=thing.strip(), since=since, until=until)
    found = await oversight.lines(request, caller, wanted, limit=limit, after=after)
    if found.silent:
        response.headers["x-alur-silent"] = ", ".join(found.silent)
    if found.after:
        asked = [(name, value) for name, value in request.query_params.multi_items() if name != "after"]
        response.headers["link"] = f'</api/audit?{urlencode([*asked, ("after", found.after)])}>; rel="next"'
    return found.rows


@router.get("/audit/verification", response_model=list[PartVerification])
async def verifications(request: Request, caller: Known) -> list[PartVerification]:
    return await oversight.verifications(request, caller)


@router.post("/audit/verification", response_model=list[PartVerification], status_code=202)
async def verify_audit(request: Request, caller: Known) -> list[PartVerification]:
    return await oversight.verify_audit(request, caller)
