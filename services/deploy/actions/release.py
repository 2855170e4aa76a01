"""Releases (S08, F04): verdicts and permits arrive; what is permitted and authorised is opened, or rolled back."""

from datetime import datetime
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pydantic import ValidationError
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from services.deploy.actions.application import of_case
from services.deploy.actions.operation import actor, end, enqueue, must_be_idle, must_be_usable
from services.deploy.actions.paper import release_note
from services.deploy.authority import ACTS
from services.deploy.model import (
    Application,
    ApplicationStatus,
    KeptPermit,
    Operation,
    OperationKind,
    Release,
    ReleaseStatus,
    RevokedPermit,
)
from shared.authority import authorize
from shared.database import utc_now
from shared.errors import NotFound, OutOfTurn
from shared.identity import Person
from shared.mailbox import post
from shared.messages import (
    ApplicationRetired,
    CaseSuspended,
    GoLivePostponed,
    PermitRevoked,
    RolledBack,
    TestFailed,
    TestPassed,
    WentLive,
)
from shared.permit import Permit, PermitRefused, SignedPermit, verify
from shared.printing import Office
from shared.sentence import Sentence


def fail_test(session: Session, message: TestFailed) -> None:
    """Know that a release did not pass: it waits for a mended build (S08)."""
    application = of_case(session, message.case_id)
    release = _tested(session, message.case_id, message.digest)
    release.move("fail")
    release.failed_note = message.note
    if application.allows("fail"):
        application.move("fail")


def pass_test(session: Session, message: TestPassed, *, public_key: Ed25519PublicKey) -> None:
    """Keep the permit of a release that passed, after verifying it here (S08).

    Refuses PermitRefused when it is not genuine, not for this build, application and hosting, or not for now:
    then nothing is kept and the message stays as a dead letter.
    """
    application = of_case(session, message.case_id)
    try:
        signed = SignedPermit.model_validate_json(message.permit)
    except ValidationError as reason:
        raise PermitRefused("Izin keamanan tidak dapat dibaca.", code="malformed") from reason
    release = _tested(session, message.case_id, message.digest or signed.unverified().digest)
    permit = _verified(session, release, signed, public_key=public_key, now=utc_now(), first_opening=True)
    if permit.id != message.permit_id:
        raise PermitRefused("Nomor izin pada berita berbeda dari isi izinnya.", code="other_permit")
    if session.get(KeptPermit, permit.id) is None:
        release.permits.append(
            KeptPermit(
                id=permit.id,
                signed=signed.model_dump_json(),
                install_until=permit.install_until,
                valid_until=permit.valid_until,
            )
        )
    release.move("pass")
    if application.allows("pass"):
        application.move("pass")


def revoke_permit(session: Session, message: PermitRevoked) -> None:
    """Know that a permit was taken back, and tell the host so (S08); it may come before the permit itself."""
    session.execute(
        insert(RevokedPermit)
        .values(id=message.permit_id, reason=message.note, revoked_at=utc_now())
        .on_conflict_do_nothing()
    )
    kept = session.get(KeptPermit, message.permit_id)
    if kept is None or kept.revoked_at:
        return
    kept.revoked_at, kept.revoked_reason = utc_now(), message.note
    release = session.get_one(Release, kept.release_id)
    release.authorised_by_id, release.authorised_by_name, release.authorised_at = None, "", None
    enqueue(session, release.hosting, OperationKind.REVOKE, kept.id, by=None, reason=message.note)


def suspend(session: Session, message: CaseSuspended) -> None:
    """Shut the front door of a live application by order of the security division (S08).

    Raises OutOfTurn while the application is not live.
    """
    application = of_case(session, message.case_id)
    application.move("suspend")
    _close(session, message.case_id, message.note)


def retire(session: Session, message: ApplicationRetired) -> None:
    """Shut the front door of an application that the Head retired (S10); its files, data and place stay.

    What becomes of those is decided by the case that shuts it down. An application without a place here has no door.
    """
    application = session.get(Application, message.case_id, with_for_update=True)
    if application:
        application.move("retire")
        _close(session, message.case_id, message.note)


def _close(session: Session, case_id: UUID, reason: str) -> None:
    live = session.scalars(select(Release).where(Release.case_id == case_id, Release.status == ReleaseStatus.LIVE))
    for release in live:
        release.is_closed = True
        enqueue(session, release.hosting, OperationKind.CLOSE, release.id, by=None, reason=reason)


def authorise_go_live(session: Session, by: Person, release_id: UUID, *, public_key: Ed25519PublicKey) -> Release:
    """Let the infrastructure division open a cleared release (F04); refuses PermitRefused without a standing permit."""
    release = find_release(session, release_id)
    by = authorize(session, by, ACTS.authorise_go_live, release, digest=release.digest)
    release.move("authorise_go_live")
    standing_permit(session, release, public_key=public_key)
    release.authorised_by_id, release.authorised_by_name = by.id, by.name
    release.authorised_at = utc_now()
    release.postponed_reason = ""
    return release


def postpone(session: Session, by: Person, release_id: UUID, *, reason: str) -> Release:
    """Put the opening of a cleared release off, with the reason (F04)."""
    release = find_release(session, release_id)
    by = authorize(session, by, ACTS.postpone, release)
    release.move("postpone")
    must_be_idle(session, release.hosting)
    release.authorised_by_id, release.authorised_by_name, release.authorised_at = None, "", None
    release.postponed_reason = reason
    post(
        session,
        GoLivePostponed(
            case_id=release.case_id,
            case_number=release.application.case_number,
            note=reason,
            digest=release.digest,
            path=f"/rilis/{release.id}",
        ),
        by=by,
    )
    return release


def go_live(
    session: Session,
    by: Person,
    release_id: UUID,
    *,
    public_key: Ed25519PublicKey,
    now: datetime | None = None,
) -> Release:
    """Begin to open an authorised release for its users and return it (F04).

    Raises OutOfTurn before the Head's authorisation, PermitRefused when the permit does not stand at `now`
    (default: this moment).
    """
    release = find_release(session, release_id)
    by = authorize(session, by, ACTS.go_live, release, digest=release.digest)
    _may_open(release)
    standing_permit(session, release, public_key=public_key, now=now)
    must_be_usable(release.hosting.place)
    must_be_idle(session, release.hosting)
    enqueue(session, release.hosting, OperationKind.OPEN, release.id, by=by)
    return release


def roll_back(session: Session, by: Person, release_id: UUID, *, public_key: Ed25519PublicKey) -> Release:
    """Begin to let an earlier release serve again and return it (F04); its permit must still stand."""
    release = find_release(session, release_id)
    by = authorize(session, by, ACTS.roll_back, release, digest=release.digest)
    _may_roll_back(release)
    standing_permit(session, release, public_key=public_key, first_opening=False)
    must_be_usable(release.hosting.place)
    must_be_idle(session, release.hosting)
    enqueue(session, release.hosting, OperationKind.ROLL_BACK, release.id, by=by)
    return release


def check_opening(
    session: Session,
    operation: Operation,
    *,
    public_key: Ed25519PublicKey,
    now: datetime | None = None,
) -> KeptPermit:
    """Return the permit with which an operation may open its release at this moment; refuse otherwise (F04).

    Asked again right before the host is: between the button and the host a permit may lapse or be revoked.
    """
    release = find_release(session, operation.thing_id)
    is_first = operation.kind == OperationKind.OPEN
    _may_open(release) if is_first else _may_roll_back(release)
    return standing_permit(session, release, public_key=public_key, first_opening=is_first, now=now)


def finish_opening(session: Session, operation: Operation, *, office: Office) -> None:
    """Record that a release is open for users, and that the one before it is kept (F04)."""
    release, by = find_release(session, operation.thing_id), actor(operation)
    permit = release.permit
    if permit is None or by is None:
        raise ValueError("a release is opened by a person, under a permit")
    is_first = operation.kind == OperationKind.OPEN
    _supersede_others(session, release)
    release.move("go_live" if is_first else "roll_back")
    release.is_closed = False
    release.live_at = release.live_at or utc_now()
    application = session.get_one(Application, release.case_id, with_for_update=True)
    told = {
        "case_id": application.case_id,
        "case_number": application.case_number,
        "digest": release.digest,
        "path": f"/rilis/{release.id}",
        "release_id": release.id,
        "release_number": release.number,
    }
    fact: WentLive | RolledBack
    if is_first:
        application.move("go_live")
        fact = WentLive.model_validate(
            told
            | {
                "application": application.facts,
                "address": release.hosting.public_address,
                "permit_id": permit.id,
                "papers": (release_note(session, office, release, permit, by),),
            }
        )
    else:
        fact = RolledBack.model_validate(told)
    # Last before the letter: its line in the audit chain is the one that the letter points to.
    end(session, operation)
    post(session, fact, by=by)


def standing_permit(
    session: Session,
    release: Release,
    *,
    public_key: Ed25519PublicKey,
    first_opening: bool = True,
    now: datetime | None = None,
) -> KeptPermit:
    """Return the permit of a release if it stands at `now` (default: this moment); refuses PermitRefused (F04)."""
    kept = release.permit
    # What was opened under its permit once may be opened again after the permit's first term is over.
    first = first_opening and release.live_at is None
    signed = kept.envelope if kept else None
    _verified(session, release, signed, public_key=public_key, now=now or utc_now(), first_opening=first)
    if kept is None:
        raise PermitRefused("Rilis ini belum mempunyai izin keamanan.", code="no_permit")
    return kept


def find_release(session: Session, release_id: UUID) -> Release:
    """Return a release, locked; raise NotFound."""
    release = session.get(Release, release_id, with_for_update={"of": Release})
    if release is None:
        raise NotFound("Rilis tidak ditemukan. Periksa daftar rilis.")
    return release


def _verified(
    session: Session,
    release: Release,
    signed: SignedPermit | None,
    *,
    public_key: Ed25519PublicKey,
    now: datetime,
    first_opening: bool,
) -> Permit:
    named = signed.unverified().id if signed else None
    revoked = {named} if named and session.get(RevokedPermit, named) else set()
    return verify(
        signed,
        public_key,
        digest=release.digest,
        application=release.application.code,
        hosting=release.hosting.key,
        now=now,
        first_opening=first_opening,
        revoked=revoked,
    )


def _tested(session: Session, case_id: UUID, digest: str) -> Release:
    statement = select(Release).where(Release.case_id == case_id, Release.digest == digest)
    release = session.scalar(
        statement.where(Release.status != ReleaseStatus.WITHDRAWN)
        .order_by(Release.number.desc())
        .limit(1)
        .with_for_update(of=Release)
    )
    if release is None:
        raise OutOfTurn("Paket yang diuji tidak terpasang sebagai rilis di sini.")
    return release


def _may_open(release: Release) -> None:
    if not release.allows("go_live"):
        release.move("go_live")
    if release.authorised_by_id is None:
        raise OutOfTurn("Pembukaan belum diizinkan oleh Kepala PUSTIPD. Mohon tunggu keputusannya.")
    if not release.application.allows("go_live"):
        raise OutOfTurn(
            Sentence(
                "Aplikasi ini berstatus “{label}”, sehingga belum dapat dibuka.",
                label=release.application.label,
            )
        )


def _may_roll_back(release: Release) -> None:
    if not release.allows("roll_back"):
        release.move("roll_back")
    if release.application.status != ApplicationStatus.LIVE:
        raise OutOfTurn(
            Sentence(
                "Aplikasi ini berstatus “{label}”; pengembalian hanya untuk yang sedang digunakan.",
                label=release.application.label,
            )
        )


def _supersede_others(session: Session, release: Release) -> None:
    others = session.scalars(
        select(Release)
        .where(
            Release.hosting_id == release.hosting_id,
            Release.status == ReleaseStatus.LIVE,
            Release.id != release.id,
        )
        .with_for_update(of=Release)
    )
    for other in others:
        other.move("supersede")
    # Before the new one is written: the index allows one live release at every moment.
    session.flush()
