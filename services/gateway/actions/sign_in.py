"""Signing in and out: passwords tried with growing pauses, sessions behind a cookie, personal tokens.

Somebody with a second factor comes in by two steps: the right password opens no session but a pending sign-in, and
`second_factor.complete` turns it into one.

A failed attempt must stay counted although it is refused, and hashing must hold no lock. So signing in is two short
transactions with the hash between them: the attempt is counted before it is judged, and taken back when it was right.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import ceil
from typing import Literal
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session as OrmSession

from services.gateway import passwords
from services.gateway.model import Attempt, PendingSignIn, Person, SecondFactor, Session, Token
from services.gateway.passwords import Profile
from shared import audit, identity
from shared.database import Database
from shared.errors import Incomplete, NotFound, NotSignedIn, StepUpNeeded, TooMany
from shared.identity import Caller
from shared.sentence import Sentence
from shared.words import local_date

IDLE = timedelta(minutes=30)
ABSOLUTE = timedelta(hours=10)
SEEN_EVERY = timedelta(minutes=1)
"""A session is marked as seen no oftener: not every page shall write."""
LONGEST_TOKEN_DAYS = 90
KNOWN_ADDRESS = timedelta(days=30)
FORGOTTEN = timedelta(hours=1)
"""After this long without a failure, counting starts anew."""
TOKEN_MARK = "alur_"  # noqa: S105 - a mark that lets leak scanners find our tokens, no secret

PROOF = timedelta(minutes=10)
"""For so long a proof of who somebody is carries acts that need a fresh one, unless a setting says otherwise."""
NEVER = datetime(1970, 1, 1, tzinfo=UTC)
"""When somebody proved who they are whose provider vouches for them without saying when they did."""
PENDING = timedelta(minutes=5)
"""For so long after the right password the code of the second step is taken."""

Scope = Literal["read", "write", "decide"]
"""What a personal token may: read, change, and do acts that need a fresh proof of whoever does them by hand."""


@dataclass(frozen=True)
class Patience:
    """How a counter slows attempts down: none for the first few, then doubling pauses up to the longest."""

    free: int
    longest: timedelta

    def pause(self, failures: int) -> timedelta:
        """Return how long to wait after so many failures."""
        if failures < self.free:
            return timedelta(0)
        return min(timedelta(seconds=2 ** min(failures - self.free, 20)), self.longest)


PATIENCE = {
    "pair": Patience(free=5, longest=timedelta(minutes=5)),
    "account": Patience(free=10, longest=timedelta(seconds=30)),
    "address": Patience(free=50, longest=timedelta(minutes=1)),
    "code": Patience(free=5, longest=timedelta(minutes=5)),
}
"""For one account from one address, one account from anywhere, one address for any account; for codes and proofs of
one person, which only somebody who has the password or a session can try.

The pause for an account is short and does not touch addresses from which its owner has signed in lately:
whoever guesses from elsewhere cannot lock the owner out.
"""


class WrongCredentials(NotSignedIn):
    """No active account has this name and password."""

    code = "wrong_credentials"
    title = "Belum berhasil masuk"


class PasswordOverdue(NotSignedIn):
    """The password is right, but older than this site allows; a new one is set before coming in."""

    code = "password_overdue"
    title = "Kata sandi sudah habis masa berlakunya"

    def __init__(self) -> None:
        super().__init__(
            "Kata sandi Anda benar, tetapi sudah terlalu lama dipakai. Gantilah dahulu, lalu masuk kembali."
        )


class SecondFactorNeeded(NotSignedIn):
    """The password was right; a code is still needed. `pending` is the token of the second step."""

    code = "second_factor_needed"
    title = "Kode langkah kedua diperlukan"

    def __init__(self, pending: str) -> None:
        super().__init__(
            "Kata sandi benar. Akun ini memakai verifikasi dua langkah: masukkan juga kode dari aplikasi autentikator, "
            "atau salah satu kode pemulihan."
        )
        self.pending = pending


class WaitBeforeTrying(TooMany):
    """Too many failures; `seconds` says when to try again."""

    code = "too_many_attempts"
    title = "Terlalu banyak percobaan"

    def __init__(self, seconds: int) -> None:
        super().__init__(
            Sentence(
                "Terlalu banyak percobaan masuk yang gagal. Mohon tunggu {seconds} detik, lalu coba lagi. Bila "
                "lupa kata sandi, hubungi admin sistem.",
                seconds=seconds,
            )
        )
        self.seconds = seconds


@dataclass(frozen=True)
class SignedIn:
    """A new session: the token for the cookie is told here once and nowhere kept."""

    token: str
    caller: Caller
    ends_at: datetime


@dataclass(frozen=True)
class MadeToken:
    """A new personal token: its text is told here once and nowhere kept."""

    text: str
    token: Token


def sign_in(
    database: Database,
    *,
    username: str,
    password: str,
    address: str,
    now: datetime,
    replaces: str | None = None,
    agent: str = "",
    profile: Profile = passwords.ASVS,
) -> SignedIn:
    """Open a session for who knows the password; `replaces` is the token of a session that ends with it.

    Raises SecondFactorNeeded when the person has one, PasswordOverdue, WrongCredentials, or WaitBeforeTrying without
    looking at the password. Each is written to the audit chain.
    """
    name = username.strip().lower()
    with database.transaction() as session:
        person = session.scalar(select(Person).where(Person.username == name, Person.is_active))
        counted = counted_for(session, name, address, person, now)
        wait = claim(session, counted, now)
    if wait:
        raise WaitBeforeTrying(wait)
    pending, is_overdue = "", False
    is_right = passwords.fits(password, person.password_hash if person else None)
    with database.transaction() as session:
        if person is None or not is_right:
            thing = f"Person:{person.id}" if person else "Person:unknown"
            audit.record(session, None, "refuse_sign_in", thing, address=address)
        else:
            forgive(session, counted, now)
            is_overdue = profile.is_over(person.password_set_at, now)
            if passwords.is_outdated(person.password_hash):
                renewed = passwords.rehashed(password)
                session.execute(update(Person).where(Person.id == person.id).values(password_hash=renewed))
            if not is_overdue and not has_second_factor(session, person.id):
                return enter(session, person, address=address, now=now, replaces=replaces, agent=agent)
            pending = "" if is_overdue else pend(session, person, address, now)
    if is_overdue:
        raise PasswordOverdue
    if pending:
        raise SecondFactorNeeded(pending)
    raise WrongCredentials(
        "Nama pengguna atau kata sandi tidak cocok. Periksa keduanya lalu coba lagi; bila lupa, hubungi admin sistem."
    )


def enter(
    session: OrmSession,
    person: Person,
    *,
    address: str,
    now: datetime,
    replaces: str | None = None,
    agent: str = "",
    proved_at: datetime | None = None,
) -> SignedIn:
    """Open a session for somebody who has proved who they are, end the one before, and say so in the audit chain.

    `proved_at` is when they proved it, where that was not just now.
    """
    signed_in = open_session(session, person, address, now, agent=agent, proved_at=proved_at)
    if replaces:
        end_session(session, replaces, now=now)
    audit.record(session, signed_in.caller.person, "sign_in", "Session", address=address)
    return signed_in


def has_second_factor(session: OrmSession, person_id: UUID) -> bool:
    """Tell whether the person signs in by two steps."""
    found = select(SecondFactor.person_id).where(
        SecondFactor.person_id == person_id, SecondFactor.confirmed_at.is_not(None)
    )
    return session.scalar(found) is not None


def end_session(session: OrmSession, token: str, *, now: datetime) -> None:
    """End a session by the token of its cookie; nothing happens when there is none."""
    found = session.get(Session, digest(token), with_for_update={"of": Session})
    if found is not None and found.ended_at is None:
        found.ended_at = now
        audit.record(session, found.person.as_signed(local_date(now)), "sign_out", "Session")


def session_caller(session: OrmSession, token: str, *, now: datetime, proof: timedelta = PROOF) -> Caller | None:
    """Return who the cookie's token stands for, or None when the session ended, idled out or never was."""
    found = session.get(Session, digest(token))
    if found is None or found.ended_at or not found.person.is_active:
        return None
    if now - found.seen_at >= IDLE or now - found.created_at >= ABSOLUTE:
        return None
    if now - found.seen_at >= SEEN_EVERY:
        found.seen_at = now
    look = {"theme": found.setting.theme, "language": found.setting.language} if found.setting else {}
    person = found.person.as_signed(local_date(now)).model_copy(update={"proved_until": found.proved_at + proof})
    return Caller(person=person, form_token=found.form_token, **look)


def token_caller(session: OrmSession, text: str, *, now: datetime) -> tuple[Caller, frozenset[str]] | None:
    """Return who a personal token stands for and its scopes, or None when it ended, was revoked or never was.

    A program cannot be asked for a password. What its owner allowed it when making the token, by a proof of their
    own then, stands for the proof: only a token with the scope `decide` does acts that need one.
    """
    found = session.scalar(select(Token).where(Token.digest == digest(text)))
    if found is None or found.revoked_at or found.ends_at <= now or not found.person.is_active:
        return None
    if found.used_at is None or now - found.used_at >= SEEN_EVERY:
        found.used_at = now
    person, scopes = found.person.as_signed(local_date(now)), frozenset(found.scopes)
    if "decide" in scopes:
        person = person.model_copy(update={"proved_until": now + PROOF})
    return Caller(person=person), scopes


def make_token(
    session: OrmSession, by: identity.Person, *, name: str, days: int, scopes: frozenset[Scope], now: datetime
) -> MadeToken:
    """Make a personal token that ends after 1-90 days; raise Incomplete for any other length or no scope.

    A token that may decide needs a fresh proof of who makes it (StepUpNeeded).
    """
    if "decide" in scopes and not by.is_proved():
        raise StepUpNeeded("Buat token yang boleh memutus", "Program dengan token ini dapat memutus atas nama Anda.")
    if not 1 <= days <= LONGEST_TOKEN_DAYS or not scopes:
        raise Incomplete(
            Sentence(
                "Token berlaku 1 sampai {longest_token_days} hari dan memerlukan paling sedikit satu lingkup.",
                longest_token_days=LONGEST_TOKEN_DAYS,
            )
        )
    text = TOKEN_MARK + secrets.token_urlsafe(32)
    token = Token(
        person_id=by.id,
        name=name,
        digest=digest(text),
        scopes=sorted(scopes),
        created_at=now,
        ends_at=now + timedelta(days=days),
    )
    session.add(token)
    session.flush()
    audit.record(session, by, "make_token", token, name=name, scopes=token.scopes, ends_at=token.ends_at.isoformat())
    return MadeToken(text, token)


def revoke_token(session: OrmSession, by: identity.Person, token_id: UUID, *, now: datetime) -> None:
    """End one of the person's own tokens; raise NotFound for any other."""
    token = session.get(Token, token_id, with_for_update={"of": Token})
    if token is None or token.person_id != by.id or token.revoked_at:
        raise NotFound("Token tidak ditemukan atau sudah dicabut.")
    token.revoked_at = now
    audit.record(session, by, "revoke_token", token)


def tokens_of(session: OrmSession, by: identity.Person, *, now: datetime) -> list[Token]:
    """Return the person's tokens that still open the door, newest first."""
    statement = select(Token).where(Token.person_id == by.id, Token.revoked_at.is_(None), Token.ends_at > now)
    return list(session.scalars(statement.order_by(Token.created_at.desc()).limit(100)))


def digest(text: str) -> str:
    """Return the sha256 of a secret of 256 random bits, in hex; such a secret needs no slow hash."""
    return hashlib.sha256(text.encode()).hexdigest()


def open_session(
    session: OrmSession,
    person: Person,
    address: str,
    now: datetime,
    *,
    agent: str = "",
    proved_at: datetime | None = None,
) -> SignedIn:
    """Open a session with a new token for a person who has proved who they are, just now or at `proved_at`."""
    proved_at = proved_at or now
    token, form_token = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
    opened = Session(
        id=digest(token),
        person_id=person.id,
        form_token=form_token,
        address=address,
        agent=agent[:300],
        created_at=now,
        proved_at=proved_at,
        seen_at=now,
    )
    session.add(opened)
    signed = person.as_signed(local_date(now)).model_copy(update={"proved_until": proved_at + PROOF})
    return SignedIn(token, Caller(person=signed, form_token=form_token), now + ABSOLUTE)


def pend(session: OrmSession, person: Person, address: str, now: datetime) -> str:
    """Begin the second step for somebody whose first proof was right; return its token, told here once."""
    token = secrets.token_urlsafe(32)
    session.add(
        PendingSignIn(id=digest(token), person_id=person.id, address=address, created_at=now, expires_at=now + PENDING)
    )
    return token


def counted_for(
    session: OrmSession, name: str, address: str, person: Person | None, now: datetime
) -> list[tuple[str, Patience]]:
    """Return the counters of an attempt to prove a password: of account and address together, and of each."""
    account = digest(name)
    counted = [(f"pair:{digest(f'{name} {address}')}", PATIENCE["pair"])]
    if not _is_known(session, person, address, now):
        counted.append((f"account:{account}", PATIENCE["account"]))
        counted.append((f"address:{address}", PATIENCE["address"]))
    return sorted(counted, key=lambda one: one[0])


def _is_known(session: OrmSession, person: Person | None, address: str, now: datetime) -> bool:
    if person is None:
        return False
    lately = select(Session.id).where(
        Session.person_id == person.id, Session.address == address, Session.created_at > now - KNOWN_ADDRESS
    )
    return session.scalar(lately.limit(1)) is not None


def claim(session: OrmSession, counted: list[tuple[str, Patience]], now: datetime) -> int:
    """Count the attempt as failed until proven right; return the seconds to wait when it may not be made at all."""
    rows = []
    for key, patience in counted:
        fresh = {"failures": 0, "failed_at": now, "next_at": now}
        session.execute(insert(Attempt).values(key=key, **fresh).on_conflict_do_nothing())
        # Always in the order of the keys: two attempts at once wait, they do not deadlock.
        row = session.get(Attempt, key, with_for_update=True, populate_existing=True)
        if row is None:
            raise NotFound("Catatan percobaan masuk hilang. Mohon coba lagi.")
        rows.append((row, patience))
    # Never longer than the pause itself, should the clock have been set back in between.
    wait = max(min(row.next_at - now, patience.pause(row.failures)) for row, patience in rows)
    if wait > timedelta(0):
        return ceil(wait.total_seconds())
    for row, patience in rows:
        row.failures = 1 if now - row.failed_at >= FORGOTTEN else row.failures + 1
        row.failed_at = now
        row.next_at = now + patience.pause(row.failures)
    return 0


def forgive(session: OrmSession, counted: list[tuple[str, Patience]], now: datetime) -> None:
    """Take back the attempt that was right; of the account and address together, every earlier one too."""
    for key, patience in counted:
        row = session.get(Attempt, key, with_for_update=True)
        if row is None:
            continue
        row.failures = 0 if patience is PATIENCE["pair"] else max(0, row.failures - 1)
        row.next_at = now + patience.pause(row.failures)
    stale = select(Attempt.key).where(Attempt.failed_at < now - timedelta(days=1)).with_for_update(skip_locked=True)
    session.execute(delete(Attempt).where(Attempt.key.in_(stale)))
