"""Campus accounts: going to a provider and coming back, signing in, linking and unlinking.

A visit is a row that one cookie of one browser points to. It knows its provider, state, nonce and verifier, serves one
return, and ends after ten minutes. What the provider vouched for stays on it until the person has said in a form of
ours what becomes of it, so that nobody's account is linked by a page that somebody else made them open.
"""

import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.orm import Session as OrmSession

from services.gateway.actions import sign_in
from services.gateway.actions.sign_in import SecondFactorNeeded, SignedIn, digest
from services.gateway.model import Identity, Person, ProviderVisit
from services.gateway.provider import Proven, Provider
from shared import audit, identity
from shared.database import Database
from shared.errors import NotAllowed, NotFound, NotSignedIn, OutOfTurn, StepUpNeeded
from shared.sentence import Sentence

LASTS = timedelta(minutes=10)
LINK = "Hubungkan akun kampus"
Purpose = Literal["sign_in", "link", "accept"]


class VisitOver(NotSignedIn):
    """The return belongs to no visit of this browser, or to one that was used or is too old."""

    code = "provider_visit_over"
    title = "Belum berhasil masuk dengan akun kampus"

    def __init__(self) -> None:
        super().__init__(
            "Perjalanan ke akun kampus ini sudah berakhir, sudah dipakai, atau dimulai dari peramban lain. Mohon "
            "mulai lagi dari halaman masuk."
        )


class UnknownIdentity(NotAllowed):
    """The provider vouches for an account that is linked to nobody here."""

    code = "unknown_identity"
    title = "Akun kampus ini belum terhubung"


@dataclass(frozen=True)
class Departure:
    """A visit that begins: the secret for the browser's cookie, told here once, and where the browser goes."""

    secret: str
    address: str


@dataclass(frozen=True)
class Return:
    """A visit that came back: what it was for, and what the provider vouches for."""

    purpose: Purpose
    target: str
    proven: Proven


def depart(
    database: Database,
    provider: Provider,
    *,
    purpose: Purpose,
    now: datetime,
    target: str = "/",
    within: timedelta | None = None,
    person_id: UUID | None = None,
    invitation_id: UUID | None = None,
) -> Departure:
    """Begin a visit and return the way to the provider; raise Unavailable when it is silent.

    `within` is how old the person's proof over there may be.
    """
    secret, state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(4))
    address = provider.way_there(state=state, nonce=nonce, verifier=verifier, within=within)
    with database.transaction() as session:
        session.execute(delete(ProviderVisit).where(ProviderVisit.created_at < now - LASTS))
        session.add(
            ProviderVisit(
                id=digest(secret),
                created_at=now,
                provider=provider.name,
                purpose=purpose,
                state=state,
                nonce=nonce,
                verifier=verifier,
                target=target[:2000],
                person_id=person_id,
                invitation_id=invitation_id,
            )
        )
    return Departure(secret, address)


def come_back(
    database: Database, provider: Provider, *, secret: str, state: str, code: str, issuer: str, now: datetime
) -> Return:
    """Take a return once and return what the provider vouches for.

    Raises VisitOver for a return that is not this browser's own, comes to another provider's address, twice or too
    late; NotVouched and Unavailable as `Provider.prove`. Whatever comes of it, the visit is used up.
    """
    with database.transaction() as session:
        visit = session.get(ProviderVisit, digest(secret), with_for_update=True) if secret else None
        is_good = (
            visit is not None
            and visit.used_at is None
            and now - visit.created_at < LASTS
            and visit.provider == provider.name
            and hmac.compare_digest(visit.state.encode(), state.encode())
        )
        if visit is not None:
            visit.used_at = visit.used_at or now
    if visit is None or not is_good or not code:
        raise VisitOver
    proven = provider.prove(code=code, issuer=issuer, nonce=visit.nonce, verifier=visit.verifier)
    with database.transaction() as session:
        kept = session.get(ProviderVisit, visit.id)
        if kept is None:
            raise VisitOver
        if kept.purpose == "sign_in":
            session.delete(kept)
        else:
            kept.issuer, kept.subject, kept.shown_as = proven.issuer, proven.subject, proven.shown_as
            kept.email = proven.email
    return Return(visit.purpose, visit.target, proven)  # type: ignore[arg-type]


def sign_in_by_identity(
    database: Database, proven: Proven, *, address: str, now: datetime, replaces: str | None = None, agent: str = ""
) -> SignedIn:
    """Open a session for the person whose campus account it is; `replaces` is the token of one that ends with it.

    The session carries acts that need a fresh proof only as long after the proof that the provider tells of. Raises
    UnknownIdentity for nobody's account and a closed one's, and SecondFactorNeeded when the person has one here: what
    they have put before their account stands before every way into it.
    """
    with database.transaction() as session:
        found = session.get(Identity, (proven.issuer, proven.subject))
        if found is None or not found.person.is_active:
            # Said alike: whoever holds a campus account is not told whose account was closed here.
            raise UnknownIdentity(
                Sentence(
                    "Akun kampus “{shown_as}” belum terhubung dengan akun di sini, atau akunnya sudah ditutup. Bila "
                    "Anda sudah mempunyai akun, masuklah dengan kata sandi, lalu hubungkan di halaman Saya. Bila "
                    "belum, mintalah undangan kepada admin sistem.",
                    shown_as=proven.shown_as,
                )
            )
        if not sign_in.has_second_factor(session, found.person_id):
            return sign_in.enter(
                session,
                found.person,
                address=address,
                now=now,
                replaces=replaces,
                agent=agent,
                proved_at=proven.proved_at or sign_in.NEVER,
            )
        token = sign_in.pend(session, found.person, address, now)
    raise SecondFactorNeeded(token)


def proven_for_link(session: OrmSession, by: identity.Person, *, now: datetime) -> ProviderVisit | None:
    """Return the visit by which this person lately proved a campus account that they may link, or None."""
    fresh = ProviderVisit.created_at > now - LASTS, ProviderVisit.subject.is_not(None)
    mine = select(ProviderVisit).where(ProviderVisit.purpose == "link", ProviderVisit.person_id == by.id, *fresh)
    return session.scalar(mine.order_by(ProviderVisit.created_at.desc()).limit(1).with_for_update())


def proven_for_acceptance(
    session: OrmSession, secret: str, *, invitation_id: UUID, now: datetime
) -> ProviderVisit | None:
    """Return the visit by which this browser lately proved a campus account for an invitation, or None."""
    visit = session.get(ProviderVisit, digest(secret), with_for_update=True) if secret else None
    if visit is None or visit.subject is None or visit.purpose != "accept" or now - visit.created_at >= LASTS:
        return None
    return visit if visit.invitation_id == invitation_id else None


def link_identity(session: OrmSession, by: identity.Person, *, now: datetime) -> Identity:
    """Link the campus account that was just proven to the signed-in person; return the link.

    Needs a fresh proof (StepUpNeeded), for it opens a new way into the account. Raises OutOfTurn without a proven
    account, and when it or its provider is linked already.
    """
    if not by.is_proved():
        raise StepUpNeeded(LINK, "Akun kampus itu menjadi jalan masuk ke akun Anda.")
    visit = proven_for_link(session, by, now=now)
    if visit is None:
        raise OutOfTurn("Belum ada akun kampus yang dibuktikan. Pilih penyedianya, masuk di sana, lalu hubungkan.")
    made = link_proven(session, visit, by.id, now=now)
    audit.record(session, by, "link_identity", f"Person:{by.id}", issuer=made.issuer, subject=made.subject)
    return made


def link_proven(session: OrmSession, visit: ProviderVisit, person_id: UUID, *, now: datetime) -> Identity:
    """Link what a visit has proven to a person and use the visit up; raise OutOfTurn when it is linked already."""
    if visit.issuer is None or visit.subject is None:
        raise OutOfTurn("Akun kampus ini belum dibuktikan. Mohon ulangi dari awal.")
    taken = select(Identity).where(Identity.issuer == visit.issuer)
    is_own = Identity.person_id == person_id
    found = session.scalar(taken.where(is_own | (Identity.subject == visit.subject)).limit(1))
    if found is not None:
        raise OutOfTurn(
            "Akun Anda sudah terhubung dengan akun kampus dari penyedia ini. Putuskan dahulu bila ingin mengganti."
            if found.person_id == person_id
            else "Akun kampus ini sudah terhubung dengan akun lain di sini. Bila itu keliru, hubungi admin sistem."
        )
    made = Identity(
        issuer=visit.issuer,
        subject=visit.subject,
        person_id=person_id,
        shown_as=visit.shown_as or visit.subject[:254],
        linked_at=now,
    )
    session.add(made)
    session.delete(visit)
    session.flush()
    return made


def unlink_identity(session: OrmSession, by: identity.Person, *, issuer: str) -> None:
    """Take the person's link to a provider back; raise NotFound, or OutOfTurn when they have no password."""
    found = session.scalar(select(Identity).where(Identity.person_id == by.id, Identity.issuer == issuer))
    if found is None:
        raise NotFound("Akun kampus itu tidak terhubung dengan akun Anda.")
    person = session.get_one(Person, by.id)
    if not person.password_hash:
        raise OutOfTurn(
            "Akun Anda belum mempunyai kata sandi, jadi akun kampus ini satu-satunya jalan masuk. Mintalah tautan kata "
            "sandi kepada admin sistem lebih dahulu."
        )
    session.delete(found)
    audit.record(session, by, "unlink_identity", f"Person:{by.id}", issuer=issuer)


def identities_of(session: OrmSession, by: identity.Person) -> list[Identity]:
    """Return the campus accounts that are linked to the person."""
    return list(session.scalars(select(Identity).where(Identity.person_id == by.id).order_by(Identity.linked_at)))
