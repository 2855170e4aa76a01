"""Invitations and reset links: made, taken back, looked at, and used once.

A link's token is 256 random bits, told once and kept as its digest. Accepting hashes the password first and takes the
row's lock after that: of two who accept at once, one comes in and the other is told that the link was used.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select, tuple_, update
from sqlalchemy.orm import Session as OrmSession

from services.gateway import passwords
from services.gateway.actions import appointment, identity_provider
from services.gateway.actions import person as people
from services.gateway.actions.sign_in import NEVER, SignedIn, digest, enter
from services.gateway.authority import ACTS
from services.gateway.model import Invitation, Person, ProviderVisit
from services.gateway.model.invitation import INVITE, RESET
from services.gateway.passwords import ASVS, Profile
from services.gateway.schemas.invitation import NewInvitation, NewReset
from shared import audit, identity
from shared.authority import authorize
from shared.database import Database
from shared.errors import FieldError, Incomplete, NotAllowed, NotFound, OutOfTurn
from shared.identity import Role
from shared.sentence import Sentence

LASTS = timedelta(hours=24)
PAGE = 50


class LinkOver(NotFound):
    """A link that was never made, was used or taken back, or is too old: said alike, so that guessing tells nothing."""

    code = "link_over"
    title = "Tautan ini tidak berlaku"

    def __init__(self) -> None:
        super().__init__(
            "Tautan ini salah salin, sudah dipakai, sudah ditarik, atau lebih dari 24 jam. Bila Anda sudah mempunyai "
            "kata sandi, silakan masuk; bila belum, mintalah tautan baru kepada admin sistem."
        )


@dataclass(frozen=True)
class Made:
    """A link just made: its token is told here once and nowhere kept."""

    token: str
    invitation: Invitation


def invite(session: OrmSession, by: identity.Person | None, new: NewInvitation, *, now: datetime) -> Made:
    """Invite somebody and return the link's token; an earlier open invitation for that username is taken back.

    `by` is None on the command line. Raises Incomplete with the field for a username that is taken, an unknown unit, a
    post that somebody holds, and a firm's code without the firm's role or the other way round.
    """
    roles = sorted({new.role, *new.more_roles})
    username = new.username.strip().lower()
    made = Invitation(purpose=INVITE, username=username, display_name=new.display_name.strip(), address=new.address)
    facts: dict[str, Any] = {"username": username, "roles": roles, "unit": new.unit, "vendor": new.vendor}
    if by:
        by = authorize(session, by, ACTS.invite, made, **facts)
    else:
        audit.record(session, None, ACTS.invite.name, "Invitation", **facts)
    people.free_username(session, username)
    people.check_post(session, roles=roles, unit=new.unit)
    if (Role.VENDOR in roles) is not bool(new.vendor) or (new.vendor and len(roles) > 1):
        words = "Akun penyedia memerlukan kode penyedia dan hanya memegang peran penyedia; akun lain tanpa kode itu."
        raise Incomplete(words, errors=[FieldError("/vendor", words)])
    appointment.check_vacant(session, roles, now=now)
    made.roles, made.title = [role.value for role in roles], new.title.strip()
    made.unit, made.vendor = new.unit, new.vendor
    return _make(session, made, by, now)


def reset_password(session: OrmSession, by: identity.Person, person_id: UUID, new: NewReset, *, now: datetime) -> Made:
    """Make a link by which somebody sets a new password; refused for one's own account.

    The old password stays until the link is used. Raises NotFound, or OutOfTurn for a closed account.
    """
    person = people.find_person(session, person_id)
    by = authorize(session, by, ACTS.reset_password, person)
    if not person.is_active:
        raise OutOfTurn("Akun ini sudah ditutup, jadi kata sandinya tidak dapat diganti.")
    made = Invitation(
        purpose=RESET,
        username=person.username,
        display_name=person.display_name,
        roles=sorted(person.as_signed().roles),
        title=person.title,
        unit=person.unit,
        vendor=person.vendor,
        address=new.address,
        person_id=person.id,
    )
    return _make(session, made, by, now)


def _make(session: OrmSession, made: Invitation, by: identity.Person | None, now: datetime) -> Made:
    # The line in the audit chain has its lock until the commit: of two at once the later one sees the earlier here.
    earlier = update(Invitation).where(
        Invitation.username == made.username,
        Invitation.purpose == made.purpose,
        Invitation.used_at.is_(None),
        Invitation.withdrawn_at.is_(None),
    )
    session.execute(earlier.values(withdrawn_at=now))
    token = secrets.token_urlsafe(32)
    made.digest, made.created_at, made.ends_at = digest(token), now, now + LASTS
    made.made_by_id, made.made_by_name = (by.id, by.name) if by else (None, "Operator")
    session.add(made)
    session.flush()
    return Made(token, made)


def withdraw_invitation(session: OrmSession, by: identity.Person, invitation_id: UUID, *, now: datetime) -> Invitation:
    """Take a link back before it is used; raise NotFound, or OutOfTurn when it is used, taken back or over."""
    found = session.get(Invitation, invitation_id, with_for_update=True)
    if found is None:
        raise NotFound("Undangan itu tidak ditemukan. Buka kembali daftar undangan.")
    by = authorize(session, by, ACTS.withdraw_invitation, found)
    if found.used_at or found.withdrawn_at or found.ends_at <= now:
        raise OutOfTurn("Tautan ini sudah dipakai, ditarik, atau berakhir.")
    found.withdrawn_at = now
    session.flush()
    return found


def invitations(
    session: OrmSession, *, after: tuple[datetime, UUID] | None = None, limit: int = PAGE
) -> list[Invitation]:
    """Return links from the newest on, at most `limit`."""
    rows = select(Invitation).order_by(Invitation.created_at.desc(), Invitation.id.desc()).limit(limit)
    if after:
        rows = rows.where(tuple_(Invitation.created_at, Invitation.id) < after)
    return list(session.scalars(rows))


def look(session: OrmSession, token: str, *, now: datetime, locked: bool = False) -> Invitation:
    """Return the invitation of a link that may still be used; raise LinkOver for any other."""
    found = select(Invitation).where(Invitation.digest == digest(token)).execution_options(populate_existing=True)
    one = session.scalar(found.with_for_update() if locked else found) if token else None
    if one is None or one.used_at or one.withdrawn_at or one.ends_at <= now:
        raise LinkOver
    return one


def accept_invitation(
    database: Database,
    *,
    token: str,
    password: str,
    address: str,
    now: datetime,
    profile: Profile = ASVS,
    replaces: str | None = None,
    agent: str = "",
) -> SignedIn | None:
    """Take the invited person in with a password and sign them in, or give the known one their new password.

    Returns None after a reset: the person signs in themselves, with their second factor where they have one. Raises
    LinkOver, or Incomplete for a poor password and a username that somebody has taken in the meantime.
    """
    with database.transaction() as session:
        username = look(session, token, now=now).username
    password_hash = passwords.hashed(password, username=username, profile=profile)
    with database.transaction() as session:
        found = look(session, token, now=now, locked=True)
        if found.purpose == RESET:
            _reset(session, found, password_hash, now)
            return None
        person = _take_in(session, found, password_hash, now)
        return enter(session, person, address=address, now=now, replaces=replaces, agent=agent)


def accept_by_identity(
    database: Database,
    *,
    token: str,
    secret: str,
    address: str,
    now: datetime,
    replaces: str | None = None,
    agent: str = "",
) -> SignedIn:
    """Take the invited person in with the campus account they have just proven, and sign them in.

    Raises LinkOver, OutOfTurn without a proven account or for one that is linked already, and NotAllowed when the
    provider vouches for another e-mail address than the one the invitation is bound to.
    """
    with database.transaction() as session:
        found = look(session, token, now=now, locked=True)
        visit = identity_provider.proven_for_acceptance(session, secret, invitation_id=found.id, now=now)
        if found.purpose != INVITE or visit is None:
            raise OutOfTurn("Akun kampus Anda belum dibuktikan. Pilih akun kampus sekali lagi di halaman undangan.")
        _check_address(found, visit)
        person = _take_in(session, found, "", now)
        identity_provider.link_proven(session, visit, person.id, now=now)
        return enter(session, person, address=address, now=now, replaces=replaces, agent=agent, proved_at=NEVER)


def _check_address(found: Invitation, visit: ProviderVisit) -> None:
    if visit.email and visit.email != found.address:
        raise NotAllowed(
            Sentence(
                "Undangan ini terikat pada {address}, sedangkan akun kampus yang Anda pilih memakai {email}. "
                "Pilih akun yang sesuai, atau minta admin sistem mengundang alamat yang benar.",
                address=found.address,
                email=visit.email,
            ),
            code="other_address",
        )


def _take_in(session: OrmSession, found: Invitation, password_hash: str, now: datetime) -> Person:
    person = Person(
        username=people.free_username(session, found.username),
        display_name=found.display_name,
        unit=found.unit,
        vendor=found.vendor,
        password_hash=password_hash,
        password_set_at=now,
    )
    session.add(person)
    session.flush()
    found.used_at, found.person_id = now, person.id
    audit.record(session, None, "accept_invitation", found, person=person.id, roles=found.roles)
    try:
        appointment.grant(session, person, [Role(role) for role in found.roles], title=found.title, now=now)
    except Incomplete as reason:
        # What the administrator would be told is no matter of the invited person, who cannot change it.
        raise OutOfTurn(
            "Jabatan dalam undangan ini sementara itu dipegang orang lain. Mohon hubungi admin sistem yang mengundang "
            "Anda; undangannya dapat dipakai lagi setelah jabatan itu kosong, atau Anda diundang sekali lagi."
        ) from reason
    session.expire(person, ["appointments"])
    return person


def _reset(session: OrmSession, found: Invitation, password_hash: str, now: datetime) -> None:
    if found.person_id is None:
        raise LinkOver
    found.used_at = now
    session.flush()
    person = people.find_person(session, found.person_id)
    if not person.is_active:
        raise LinkOver
    people.give_password(session, person, password_hash, now=now)
    audit.record(session, person.as_signed(), "accept_invitation", found, person=person.id)
