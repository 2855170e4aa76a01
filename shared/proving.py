"""What a division gives to a proof pack: the audit lines that a trace cites, its papers' codes, and signed permits."""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final, Protocol
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from shared import audit, issued
from shared.mailbox import Letter, post
from shared.messages import ProofAsked, ProofGiven, ProofItem

ROOM: Final = 40_000
"""Bytes of evidence in one letter; a letter itself may have a little more."""
Permits = Callable[[Session, UUID], Iterable[dict[str, Any]]]


class Keeps(Protocol):
    """What can hear of messages: a division's worker."""

    service: str

    def handles(self, message: type[Any]) -> Callable[[Callable[..., Any]], Any]:
        """Register what is done about a message."""
        ...


def keep(worker: Keeps, *, permits: Permits | None = None) -> None:
    """Let a division answer when a proof pack is made; `permits` gives what it signed for a case."""

    @worker.handles(ProofAsked)
    def give_proof(session: Session, message: ProofAsked, letter: Letter) -> None:
        give(session, worker.service, message, letter, permits=permits)


def give(
    session: Session, division: str, message: ProofAsked, letter: Letter, *, permits: Permits | None = None
) -> None:
    """Answer with the evidence of this division, in as many letters as it needs.

    Handing it out is itself written into the division's chain, after its head was read for the pack.
    """
    head = audit.head(session)
    items = [*cited(session, message.lines.get(division, ())), *papers(session, message.case_number)]
    items += [item("permit", one) for one in (permits(session, message.case_id) if permits else ())]
    parts = list(_portions(items))
    audit.record(session, None, "give_proof", f"proof:{message.pack_id}", case=message.case_number, items=len(items))
    for number, part in enumerate(parts, 1):
        post(
            session,
            ProofGiven(
                pack_id=message.pack_id,
                case_id=message.case_id,
                case_number=message.case_number,
                division=division,
                part=number,
                parts=len(parts),
                head_seq=head.seq if head else 0,
                head_hash=head.hash if head else audit.ORIGIN,
                items=tuple(part),
            ),
            actor=letter.actor,
        )


def item(kind: Any, facts: dict[str, Any]) -> ProofItem:
    """Return one piece of evidence as canonical JSON."""
    return ProofItem(kind=kind, body=json.dumps(facts, ensure_ascii=False, sort_keys=True, default=str))


def cited(session: Session, seqs: Sequence[int]) -> list[ProofItem]:
    """Return the lines of this chain with these numbers, each with the digest before it and its own."""
    rows = session.execute(select(audit.entry).where(audit.entry.c.seq.in_(seqs)).order_by(audit.entry.c.seq)).all()
    return [
        item("line", {"seq": row.seq, "line": row.line, "previous": row.previous, "hash": row.hash}) for row in rows
    ]


def papers(session: Session, case_number: str, digests: Sequence[str] = ()) -> list[ProofItem]:
    """Return what the register of papers says of a case's printed papers, and of those with these digests."""
    row = issued.registered_paper.c
    found = session.execute(
        select(issued.registered_paper)
        .where((row.case_number == case_number) | row.digest.in_(digests), row.digest.is_not(None))
        .order_by(row.code)
    ).all()
    names = ("kind", "title", "number", "on", "signers", "digest", "withdrawn_at", "withdrawn_reason")
    return [
        item("paper", {"code": issued.grouped(one.code), **{name: one._mapping[name] for name in names}})
        for one in found
    ]


def _portions(items: Sequence[ProofItem]) -> Iterator[list[ProofItem]]:
    """Yield the items in portions that fit into a letter each; an empty portion when there are none."""
    portion: list[ProofItem] = []
    room = ROOM
    for one in items:
        size = len(one.model_dump_json().encode())
        if portion and size > room:
            yield portion
            portion, room = [], ROOM
        portion.append(one)
        room -= size
    yield portion
