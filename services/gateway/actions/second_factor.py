"""Second factors: one-time codes of an authenticator (RFC 6238), codes for the day it is lost, and fresh proofs.

Each time step is taken once only: the row of the factor is locked while its last step is compared and moved on.
"""

import base64
import hmac
import secrets
from datetime import datetime
from uuid import UUID

import pyotp
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session as OrmSession

from services.gateway import passwords
from services.gateway.actions import notice, sign_in
from services.gateway.actions.sign_in import PATIENCE, SignedIn, WaitBeforeTrying, digest, has_second_factor
from services.gateway.authority import ACTS
from services.gateway.model import PendingSignIn, Person, RecoveryCode, SecondFactor, Session
from services.gateway.model.notice import URGENT
from services.gateway.sealed import Seal
from shared import audit, identity
from shared.authority import authorize
from shared.database import Database, utc_now
from shared.errors import FieldError, Incomplete, NotAllowed, NotFound, NotSignedIn, OutOfTurn, StepUpNeeded

MY_FACTOR = "/saya/dua-langkah"
STEP = 30
"""Seconds for which a code stands."""
DRIFT = 1
"""Steps by which a phone's clock may be off."""
RECOVERY_CODES = 10
RECOVERY_BYTES = 10
"""80 random bits: such a code needs no slow hash."""
CHANGE = "Ubah verifikasi dua langkah"
WHY = "Cara masuk ke akun Anda berubah mulai saat ini."


class WrongCode(NotSignedIn):
    """The code or password does not fit, or the code was taken before."""

    code = "wrong_code"
    title = "Belum cocok"


def begin(session: OrmSession, by: identity.Person, seal: Seal, *, now: datetime) -> str:
    """Make a new secret that is not yet in force and return it; needs a fresh proof (StepUpNeeded).

    Raises OutOfTurn when the person has a second factor already.
    """
    _must_be_proved(by)
    # The person's row is the lock: there may be no factor yet whose row two could wait for.
    session.execute(select(Person.id).where(Person.id == by.id).with_for_update(key_share=True))
    found = session.get(SecondFactor, by.id, with_for_update=True)
    if found and found.confirmed_at:
        raise OutOfTurn("Verifikasi dua langkah sudah aktif. Matikan dahulu bila ingin mengganti perangkat.")
    secret = pyotp.random_base32(32)
    if found is None:
        found = SecondFactor(person_id=by.id, created_at=now)
        session.add(found)
    found.secret = seal.close(secret.encode(), of=str(by.id))
    found.created_at, found.last_counter = now, 0
    audit.record(session, by, "begin_second_factor", f"Person:{by.id}")
    return secret


def secret_to_confirm(session: OrmSession, by: identity.Person, seal: Seal) -> str | None:
    """Return the secret that waits for its first code; None when there is none or it is in force."""
    found = session.get(SecondFactor, by.id)
    if found is None or found.confirmed_at:
        return None
    return seal.open(found.secret, of=str(by.id)).decode()


def address_of(secret: str, by: identity.Person, *, issuer: str) -> str:
    """Return the otpauth address that an authenticator reads from the QR code."""
    return pyotp.TOTP(secret).provisioning_uri(name=by.username, issuer_name=issuer)


def confirm(session: OrmSession, by: identity.Person, seal: Seal, *, code: str, now: datetime) -> list[str]:
    """Put the second factor in force with its first code; return the recovery codes, told here once.

    Raises Incomplete for a wrong code, OutOfTurn when nothing waits to be confirmed.
    """
    found = session.get(SecondFactor, by.id, with_for_update=True)
    if found is None or found.confirmed_at:
        raise OutOfTurn("Tidak ada pengaturan yang menunggu kode. Mulai kembali dari halaman verifikasi dua langkah.")
    if not _takes(found, seal, code, now):
        words = "Kode ini belum cocok. Periksa jam pada telepon Anda, lalu masukkan kode yang sedang tampil."
        raise Incomplete(words, errors=[FieldError("/code", words)])
    found.confirmed_at = now
    audit.record(session, by, "confirm_second_factor", f"Person:{by.id}")
    return _new_codes(session, by, now)


def renew_codes(session: OrmSession, by: identity.Person, *, now: datetime) -> list[str]:
    """Make new recovery codes in place of all earlier ones; needs a fresh proof. Raises OutOfTurn without a factor."""
    _must_be_proved(by)
    _must_be_on(session, by)
    audit.record(session, by, "renew_recovery_codes", f"Person:{by.id}")
    return _new_codes(session, by, now)


def switch_off(session: OrmSession, by: identity.Person) -> None:
    """Take one's own second factor away; needs a fresh proof. Raises OutOfTurn without one."""
    _must_be_proved(by)
    _must_be_on(session, by)
    _remove(session, by.id)
    audit.record(session, by, "switch_off_second_factor", f"Person:{by.id}")


def remove_second_factor(session: OrmSession, by: identity.Person, person_id: UUID, *, reason: str) -> Person:
    """Take a lost second factor away from somebody, end their sessions and tell them; return them. Raises NotFound."""
    now = utc_now()
    found = session.get(Person, person_id, with_for_update={"of": Person, "key_share": True})
    by = authorize(session, by, ACTS.remove_second_factor, found or f"Person:{person_id}", reason=reason)
    if found is None or not has_second_factor(session, person_id):
        raise NotFound("Orang ini tidak memakai verifikasi dua langkah.")
    _remove(session, person_id)
    ended = update(Session).where(Session.person_id == person_id, Session.ended_at.is_(None))
    session.execute(ended.values(ended_at=now))
    # Whoever did not ask for it has to hear of it, also at night.
    title = f"Verifikasi dua langkah Anda dicabut oleh {by.name}. Bila bukan permintaan Anda, hubungi admin sistem."
    key = f"second_factor:{person_id}:{now.isoformat()}"
    notice.tell(session, person_id, kind=URGENT, title=title, about=reason, path=MY_FACTOR, key=key, now=now)
    return found


def holders(session: OrmSession, by: identity.Person) -> list[tuple[Person, datetime]]:
    """Return who has a second factor in force and since when, by name (the first 500); raise NotAllowed."""
    reason = ACTS.remove_second_factor.refusal(by, None)
    if reason:
        raise NotAllowed(reason)
    rows = (
        select(Person, SecondFactor.confirmed_at)
        .join(SecondFactor, SecondFactor.person_id == Person.id)
        .where(SecondFactor.confirmed_at.is_not(None))
        .order_by(Person.display_name, Person.id)
        .limit(500)
    )
    return [(person, since) for person, since in session.execute(rows) if since]


def codes_left(session: OrmSession, by: identity.Person) -> int:
    """Return how many recovery codes are unused."""
    unused = select(RecoveryCode.digest).where(RecoveryCode.person_id == by.id, RecoveryCode.used_at.is_(None))
    return len(session.scalars(unused).all())


def complete(
    database: Database,
    seal: Seal,
    *,
    pending: str,
    code: str,
    address: str,
    now: datetime,
    replaces: str | None = None,
    agent: str = "",
) -> SignedIn:
    """Open the session of a pending sign-in by its code; raise WrongCode, WaitBeforeTrying or NotSignedIn."""
    wait, signed_in, is_known = 0, None, False
    with database.transaction() as session:
        found = session.get(PendingSignIn, digest(pending), with_for_update={"of": PendingSignIn}) if pending else None
        if found and found.expires_at > now and found.address == address and found.person.is_active:
            is_known = True
            counted = [(f"code:{found.person_id}", PATIENCE["code"])]
            wait = sign_in.claim(session, counted, now)
            if not wait and verify(session, seal, found.person_id, code, now):
                sign_in.forgive(session, counted, now)
                session.delete(found)
                signed_in = sign_in.enter(
                    session, found.person, address=address, now=now, replaces=replaces, agent=agent
                )
            elif not wait:
                audit.record(session, None, "refuse_code", f"Person:{found.person_id}", address=address)
    if signed_in:
        return signed_in
    if wait:
        raise WaitBeforeTrying(wait)
    if not is_known:
        raise NotSignedIn("Waktu untuk memasukkan kode sudah habis. Silakan masuk kembali dengan kata sandi Anda.")
    raise WrongCode(
        "Kode tidak cocok atau sudah pernah dipakai. Tunggu kode berikutnya, atau gunakan satu kode pemulihan."
    )


def prove(
    database: Database, seal: Seal, *, by: identity.Person, token: str, answer: str, address: str, now: datetime
) -> None:
    """Take a fresh proof for the session of the cookie: the code of who has a second factor, else the password.

    Raises WrongCode, or WaitBeforeTrying without looking at it. Each is written to the audit chain.
    """
    counted = [(f"proof:{by.id}", PATIENCE["code"])]
    with database.transaction() as session:
        wait = sign_in.claim(session, counted, now)
        needs_code = has_second_factor(session, by.id)
        password_hash = session.scalar(select(Person.password_hash).where(Person.id == by.id))
    if wait:
        raise WaitBeforeTrying(wait)
    is_right = not needs_code and passwords.fits(answer, password_hash)
    with database.transaction() as session:
        if needs_code:
            is_right = verify(session, seal, by.id, answer, now)
        if is_right:
            sign_in.forgive(session, counted, now)
            mine = update(Session).where(Session.id == digest(token), Session.person_id == by.id)
            session.execute(mine.values(proved_at=now))
        audit.record(session, by, "prove" if is_right else "refuse_proof", "Session", address=address)
    if not is_right:
        raise WrongCode(
            "Kode tidak cocok atau sudah pernah dipakai. Tunggu kode berikutnya, lalu coba lagi."
            if needs_code
            else "Kata sandi tidak cocok. Periksa, lalu coba lagi."
        )


def verify(session: OrmSession, seal: Seal, person_id: UUID, code: str, now: datetime) -> bool:
    """Tell whether a code of the authenticator or for recovery is right, and take it: it is right once."""
    found = session.get(SecondFactor, person_id, with_for_update=True, populate_existing=True)
    if found is None or found.confirmed_at is None:
        return False
    if _takes(found, seal, code, now):
        return True
    typed = "".join(sign for sign in code.upper() if sign.isalnum())
    taken = update(RecoveryCode).where(
        RecoveryCode.person_id == person_id, RecoveryCode.digest == digest(typed), RecoveryCode.used_at.is_(None)
    )
    used = session.execute(taken.values(used_at=now).returning(RecoveryCode.digest)).first()
    if used:
        audit.record(session, None, "use_recovery_code", f"Person:{person_id}")
    return used is not None


def _takes(factor: SecondFactor, seal: Seal, code: str, now: datetime) -> bool:
    """Tell whether the code is that of a time step not yet taken; moves the last one on."""
    typed = "".join(code.split())
    if len(typed) != 6 or not (typed.isascii() and typed.isdigit()):
        return False
    totp = pyotp.TOTP(seal.open(factor.secret, of=str(factor.person_id)).decode(), interval=STEP)
    current = int(now.timestamp()) // STEP
    for counter in range(current - DRIFT, current + DRIFT + 1):
        if counter > factor.last_counter and hmac.compare_digest(totp.generate_otp(counter), typed):
            factor.last_counter = counter
            return True
    return False


def _new_codes(session: OrmSession, by: identity.Person, now: datetime) -> list[str]:
    session.execute(delete(RecoveryCode).where(RecoveryCode.person_id == by.id))
    codes = [base64.b32encode(secrets.token_bytes(RECOVERY_BYTES)).decode() for _ in range(RECOVERY_CODES)]
    session.add_all(RecoveryCode(person_id=by.id, digest=digest(code), created_at=now) for code in codes)
    return ["-".join(code[n : n + 4] for n in range(0, len(code), 4)) for code in codes]


def _must_be_proved(by: identity.Person) -> None:
    if not by.is_proved():
        raise StepUpNeeded(CHANGE, WHY)


def _must_be_on(session: OrmSession, by: identity.Person) -> None:
    if session.get(SecondFactor, by.id, with_for_update=True) is None or not has_second_factor(session, by.id):
        raise OutOfTurn("Verifikasi dua langkah belum aktif.")


def _remove(session: OrmSession, person_id: UUID) -> None:
    session.execute(delete(RecoveryCode).where(RecoveryCode.person_id == person_id))
    session.execute(delete(PendingSignIn).where(PendingSignIn.person_id == person_id))
    session.execute(delete(SecondFactor).where(SecondFactor.person_id == person_id))
