"""Telling people that they were named in a comment."""

from datetime import datetime

from sqlalchemy.orm import Session

from services.gateway.actions.notice import tell
from services.gateway.model import Person
from services.gateway.model.notice import NEWS
from shared.messages import PersonMentioned


def tell_mention(session: Session, message: PersonMentioned, source: str, *, at: datetime) -> None:
    """Tell somebody that they were named in a comment, once for each comment; nobody for an account that is gone."""
    if session.get(Person, message.person_id) is None:
        return
    as_what = f" ({message.as_what})" if message.as_what != message.by_name else ""
    tell(
        session,
        message.person_id,
        kind=NEWS,
        title=f"{message.by_name}{as_what} menyebut Anda dalam komentar perkara {message.case_number}",
        path=message.path,
        key=f"mention:{message.comment_id}",
        now=at,
        about=message.about,
        case_number=message.case_number,
        source=source,
        thing=f"comment:{message.comment_id}",
    )
