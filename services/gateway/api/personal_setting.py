"""The JSON door for what a person chooses for themselves."""

from fastapi import APIRouter, Request

from services.gateway.actions import personal_setting as actions
from services.gateway.schemas.personal_setting import Appearance
from shared.web import Asker, Door, Session, Signed

router = APIRouter(prefix="/api", tags=["gateway"], route_class=Door)


@router.get("/appearance", response_model=Appearance)
def appearance(signed: Signed) -> Appearance:
    return Appearance.model_validate(signed)


@router.put("/appearance", response_model=Appearance)
def choose_appearance(request: Request, session: Session, by: Asker, body: Appearance) -> Appearance:
    chosen = actions.choose_appearance(session, by, body)
    request.app.state.memory.forget()
    return chosen
