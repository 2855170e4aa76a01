"""The JSON door for what a person chooses for themselves."""

from fastapi import APIRouter, Request

from services.gateway.actions import personal_setting as actions
from services.gateway.model import PersonalSetting
from services.gateway.schemas.personal_setting import Appearance
from shared.web import Asker, Door, Session

router = APIRouter(prefix="/api", tags=["gateway"], route_class=Door)


@router.get("/appearance", response_model=Appearance)
def appearance(session: Session, by: Asker) -> Appearance:
    # As it was chosen: the caller of this door is spoken to in Indonesian, whatever they chose for pages.
    kept = session.get(PersonalSetting, by.id)
    return Appearance.model_validate(kept) if kept else Appearance()


@router.put("/appearance", response_model=Appearance)
def choose_appearance(request: Request, session: Session, by: Asker, body: Appearance) -> Appearance:
    chosen = actions.choose_appearance(session, by, body)
    request.app.state.memory.forget()
    return chosen
