"""The page of a case's proof packs."""

from uuid import UUID

from fastapi import Request, Response
from sqlalchemy import orm

from services.proposal import actions, queries
from services.proposal.actions.paper import DIVISIONS
from services.proposal.authority import ACTS
from services.proposal.pages.case import pages
from shared import jobs
from shared.identity import Person
from shared.pages import Nothing
from shared.sentence import Sentence
from shared.web import Asker, Session

router = pages.router


@router.get("/perkara/{number}/bukti")
def proof_packs(request: Request, session: Session, by: Asker, number: str) -> Response:
    return _packs(request, session, by, number)


def _packs(request: Request, session: orm.Session, by: Person, which: UUID | str) -> Response:
    case = queries.case(session, by, which)
    packs = queries.proof_packs(session, by, case.id)
    under_way = next((pack for pack in packs if not pack.digest and not pack.refusal), None)
    act = ACTS.make_proof_pack
    offered = [act] if case.status != "draft" and not under_way and act.allows(by, case) else []
    told = jobs.lines(session, under_way.job_id) if under_way and under_way.job_id else []
    return pages.render(
        request,
        "proof.html",
        Sentence("Paket bukti {number}", number=case.number),
        case=case,
        packs=packs,
        under_way=under_way,
        told=told[-1].text if told else "",
        divisions=DIVISIONS,
        offers=pages.offers(request, offered, id=case.id),
    )


pages.act(
    ACTS.make_proof_pack,
    "/perkara/{id}/bukti",
    Nothing,
    lambda s, by, id, _b, _r: f"/perkara/{actions.make_proof_pack(s, by, id).case.number}/bukti",
    back=_packs,
)
