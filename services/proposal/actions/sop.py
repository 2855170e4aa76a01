"""Versions of the SOP: drafted by the quality officer, published by the Head, withdrawn but never deleted."""

from datetime import date

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from services.proposal.actions import sop_paper
from services.proposal.authority import ACTS
from services.proposal.model import Office, ProcedureVersion, VersionState
from services.proposal.model.sop import Identity, StepWording, lacks, shipped
from services.proposal.queries.sop import NO_VERSION, Version, current_version, dates, measured
from shared.authority import authorize
from shared.database import utc_now
from shared.edition import must_be_present
from shared.errors import FieldError, Incomplete, NotFound, OutOfTurn
from shared.identity import Person
from shared.procedure import SHIPPED
from shared.sentence import Sentence
from shared.words import local_date

CLOSED = (
    "Versi {version} tidak dapat diubah lagi, karena sudah disahkan atau ditarik. Susun versi baru dari halaman SOP."
)


def draft_procedure(session: Session, by: Person, *, reason: str) -> ProcedureVersion:
    """Draw up a new version from the present one; raise OutOfTurn while another draft is open."""
    base = current_version(session)
    by = authorize(session, by, ACTS.draft_procedure, None, version=base)
    former = _row(session, base)
    newest = session.scalar(select(func.max(ProcedureVersion.version))) or SHIPPED
    row = ProcedureVersion(
        version=newest + 1,
        based_on=base,
        body=(former.wording if former else shipped()).model_dump(mode="json"),
        reason=reason,
        drafted_by_id=by.id,
        drafted_by_name=by.name,
        changed_by_name=by.name,
    )
    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError as problem:
        raise OutOfTurn(
            "Sebuah rancangan SOP masih terbuka. Lanjutkan rancangan itu dari halaman SOP, atau batalkan dahulu."
        ) from problem
    return row


def write_procedure_identity(
    session: Session, by: Person, version: int, identity: Identity, *, seen: str | None = None
) -> ProcedureVersion:
    """Write the first sheet of a draft; raise OutOfTurn for another version, Stale for who saw an older edition."""
    row = _draft(session, version)
    by = authorize(session, by, ACTS.write_procedure_identity, row, version=version)
    must_be_present(seen, row.edition)
    row.reword(row.wording.model_copy(update={"identity": identity}), by.name)
    return row


def write_procedure_step(
    session: Session, by: Person, version: int, step: str, wording: StepWording, *, seen: str | None = None
) -> ProcedureVersion:
    """Write one step of a draft; raise NotFound for an unknown step, OutOfTurn and Stale as for the first sheet."""
    row = _draft(session, version)
    by = authorize(session, by, ACTS.write_procedure_step, row, version=version, step=step)
    must_be_present(seen, row.edition)
    said = row.wording
    if step not in said.steps:
        raise NotFound("Langkah ini tidak ada dalam SOP. Pilih langkah dari halaman rancangan.")
    row.reword(said.model_copy(update={"steps": {**said.steps, step: wording}}), by.name)
    return row


def discard_procedure(session: Session, by: Person, version: int, *, reason: str) -> ProcedureVersion:
    """Close a draft that shall not become a version; it is kept."""
    row = _draft(session, version)
    by = authorize(session, by, ACTS.discard_procedure, row, version=version)
    _withdraw(row, by, reason)
    return row


def publish_procedure(
    session: Session,
    by: Person,
    version: int,
    office: Office,
    *,
    valid_from: date | None = None,
    seen: str | None = None,
) -> ProcedureVersion:
    """Publish a draft as the Head: it is printed with what was measured, and never changes again.

    New cases take it from `valid_from` on (today without one). Raises Incomplete with everything that is lacking, and
    for a day that is past.
    """
    row = _draft(session, version)
    by = authorize(session, by, ACTS.publish_procedure, row, version=version)
    must_be_present(seen, row.edition)
    today = local_date(utc_now())
    wording, first_day = row.wording, valid_from or today
    wrong = [FieldError("", lack.words) for lack in lacks(wording)]
    if first_day < today:
        wrong.append(FieldError("/valid_from", Sentence("Pilih {today} atau sesudahnya.", today=today)))
    if wrong:
        raise Incomplete("SOP belum dapat disahkan karena masih ada yang perlu dilengkapi.", errors=wrong)
    row.state = VersionState.PUBLISHED
    row.published_at, row.published_by_name, row.valid_from = utc_now(), by.name, first_day
    row.paper_digest = sop_paper.print_published(
        session,
        office,
        wording,
        measured(session),
        signer=by,
        version=version,
        dates=dates(session, Version(version, row, is_current=False)),
        on=today,
    )
    return row


def withdraw_procedure(session: Session, by: Person, version: int, *, reason: str) -> ProcedureVersion:
    """Take a published version out of use as the Head; cases that took it go on under it, and its paper is kept."""
    row = _locked(session, version)
    by = authorize(session, by, ACTS.withdraw_procedure, row, version=version)
    if row.state != VersionState.PUBLISHED or row.withdrawn_at is not None:
        raise OutOfTurn(
            Sentence(
                "Versi {version} tidak sedang disahkan, sehingga tidak ada yang dapat ditarik.",
                version=version,
            )
        )
    _withdraw(row, by, reason)
    return row


def _withdraw(row: ProcedureVersion, by: Person, reason: str) -> None:
    row.withdrawn_at, row.withdrawn_by_name, row.withdrawn_reason = utc_now(), by.name, reason


def _row(session: Session, version: int) -> ProcedureVersion | None:
    return session.scalar(select(ProcedureVersion).where(ProcedureVersion.version == version))


def _locked(session: Session, version: int) -> ProcedureVersion:
    row = session.scalar(select(ProcedureVersion).where(ProcedureVersion.version == version).with_for_update())
    if row is None:
        raise NotFound(NO_VERSION)
    return row


def _draft(session: Session, version: int) -> ProcedureVersion:
    row = _locked(session, version)
    if row.state != VersionState.DRAFT or row.withdrawn_at is not None:
        raise OutOfTurn(Sentence(CLOSED, version=version))
    return row
