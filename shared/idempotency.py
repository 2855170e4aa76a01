"""A POST that is sent twice is answered as the first time: the key, what was asked, what was answered."""

import hashlib
from dataclasses import dataclass

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from shared.database import utc_now
from shared.errors import Incomplete
from shared.mailbox import idempotency


@dataclass(frozen=True)
class KeptAnswer:
    """The answer that a key was given the first time."""

    status: int
    headers: dict[str, str]
    body: bytes


def remembered(session: Session, *, actor: str, key: str, request_digest: str) -> KeptAnswer | None:
    """Return the first answer to this key, or None; raise Incomplete when it was used for something else.

    Holds a lock until the transaction ends: two at once, and the second sees the first one's answer.
    """
    if len(key) > 200:
        raise Incomplete("Idempotency-Key terlalu panjang; paling banyak 200 huruf.", code="bad_idempotency_key")
    place = int.from_bytes(hashlib.sha256(f"{actor}\n{key}".encode()).digest()[:8], signed=True)
    session.execute(text("SELECT pg_advisory_xact_lock(:place)"), {"place": place})
    table = idempotency.c
    row = session.execute(select(idempotency).where(table.actor == actor, table.key == key)).first()
    if row is None:
        return None
    if row.request_digest != request_digest:
        raise Incomplete(
            "Idempotency-Key ini sudah dipakai untuk permintaan lain. Pakai kunci baru untuk permintaan baru.",
            code="idempotency_key_reused",
        )
    return KeptAnswer(row.status, dict(row.headers), bytes(row.body))


def remember(
    session: Session,
    *,
    actor: str,
    key: str,
    request_digest: str,
    status: int,
    headers: dict[str, str],
    body: bytes,
) -> None:
    """Keep the answer in the transaction of the act itself: either both stand or neither."""
    session.execute(
        idempotency.insert().values(
            actor=actor,
            key=key,
            request_digest=request_digest,
            status=status,
            headers=headers,
            body=body,
            created_at=utc_now(),
        )
    )
