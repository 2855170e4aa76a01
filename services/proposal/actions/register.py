"""What people do with the application register: describe an application, and choose the columns of the export."""

from collections.abc import Mapping
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, joinedload

from services.proposal.authority import ACTS
from services.proposal.model import Description, RegisterChange, RegisteredApplication, RegisterLayout, description_of
from services.proposal.queries.register import BY_KEY, LAYOUT
from shared.authority import authorize
from shared.database import utc_now
from shared.edition import must_be_present
from shared.errors import FieldError, Incomplete, NotFound
from shared.identity import Person
from shared.sentence import Sentence


def describe_application(
    session: Session, by: Person, application_id: UUID, description: Description, *, seen: str | None = None
) -> RegisteredApplication:
    """Write the descriptive fields of an application; who changed what is kept.

    Raises Stale when somebody else changed them since they were seen.
    """
    entry = session.scalar(
        select(RegisteredApplication)
        .where(RegisteredApplication.id == application_id)
        .options(joinedload(RegisteredApplication.case))
        .with_for_update(of=RegisteredApplication)
        .execution_options(populate_existing=True)
    )
    if entry is None:
        raise NotFound("Aplikasi tidak ditemukan dalam daftar. Periksa kodenya atau cari di daftar aplikasi.")
    by = authorize(session, by, ACTS.describe_application, entry, code=entry.code)
    must_be_present(seen, entry.edition)
    before, after = description_of(entry, entry.case), description.model_dump(mode="json")
    says = [
        f"{info.title}: {before[key] or '(kosong)'} → {after[key] or '(kosong)'}"
        for key, info in Description.model_fields.items()
        if before[key] != after[key]
    ]
    if says:
        entry.described, entry.edition = after, entry.edition + 1
        session.add(RegisterChange(application_id=entry.id, by_id=by.id, by_name=by.name, says=says))
        session.flush()
    return entry


def choose_register_columns(session: Session, by: Person, order: Mapping[str, int]) -> list[str]:
    """Choose the columns of the export by their place; what has none is left out. Raises Incomplete for none at all."""
    by = authorize(session, by, ACTS.choose_register_columns, "register", columns=len(order))
    unknown = sorted(set(order) - set(BY_KEY))
    if unknown or not order:
        words = (
            Sentence("Kolom {unknown} tidak dikenal.", unknown=unknown[0])
            if unknown
            else "Pilih paling sedikit satu kolom."
        )
        raise Incomplete(words, errors=[FieldError("/order", words)])
    catalogue = list(BY_KEY)
    columns = sorted(order, key=lambda key: (order[key], catalogue.index(key)))
    values = {"columns": columns, "by_name": by.name, "changed_at": utc_now()}
    made = insert(RegisterLayout).values(id=LAYOUT, **values)
    session.execute(made.on_conflict_do_update(index_elements=["id"], set_=values))
    session.expire_all()
    return columns
