"""What a person chooses for themselves."""

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from services.gateway.model import PersonalSetting
from services.gateway.schemas.personal_setting import Appearance
from shared import audit
from shared.identity import Person


def choose_appearance(session: Session, by: Person, chosen: Appearance) -> Appearance:
    """Keep how pages look for this person and in which language they speak; return the same."""
    values = chosen.model_dump()
    audit.record(session, by, "choose_appearance", f"Person:{by.id}", **values)
    statement = insert(PersonalSetting).values(person_id=by.id, **values)
    session.execute(statement.on_conflict_do_update(index_elements=["person_id"], set_=values))
    return chosen
