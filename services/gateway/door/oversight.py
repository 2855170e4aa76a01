"""What the gateway gathers for auditors and operators: lines of every chain, their checks, how each part stands."""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any, TypeVar
from urllib.parse import quote, urlencode
from uuid import UUID

import sqlalchemy.exc
from fastapi import Request
from pydantic import TypeAdapter, ValidationError
from sqlalchemy import or_, select
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool

from services.gateway.authority import ACTS
from services.gateway.door import together
from services.gateway.door.doors import TITLES, Answered, Doors
from services.gateway.model import Person
from services.gateway.schemas.oversight import AuditRow, PartStanding, PartVerification
from shared import oversight
from shared.authority import Act, ActView
from shared.database import Database
from shared.errors import Incomplete, NotAllowed, NotFound, Refused, Unavailable
from shared.identity import Caller
from shared.keys import GATEWAY, SERVICES
from shared.log import logger
from shared.oversight import AuditLine, AuditQuery, Standing, Verification
from shared.sentence import Sentence
from shared.words import WIB

T = TypeVar("T")
LINES = TypeAdapter(list[AuditLine])
CHECK = TypeAdapter(Verification)
STANDING = TypeAdapter(Standing)
NAMES = {GATEWAY: "Pintu masuk", **TITLES}
ALUR = "alur"
"""What is typed for Alur itself, which acts without a person."""
MOST_PEOPLE = 50
LAST = 2**62
"""A number after that of every line."""


def must(caller: Caller, act: Act) -> None:
    """Raise NotAllowed unless this person may."""
    reason = act.refusal(caller.person, None)
    if reason:
        raise NotAllowed(reason)


@dataclass(frozen=True)
class Wanted:
    """Which lines of all chains are looked for, as it stands in the address; what is empty does not narrow."""

    part: str = ""
    act: str = ""
    person: str = ""
    """A username, (a part of) a name, or "alur"."""
    thing: str = ""
    """A case number, or (the beginning of) a thing's name as the lines tell it."""
    since: date | None = None
    until: date | None = None


@dataclass
class Found:
    """Lines of all chains, newest first, and who did not answer."""

    rows: list[AuditRow] = field(default_factory=list)
    silent: list[str] = field(default_factory=list)
    after: str = ""
    """The place to go on from; empty at the end."""


@dataclass(frozen=True)
class _Search:
    """What is asked of each part; a part that cannot have such lines is not asked."""

    queries: dict[str, AuditQuery]
    order: tuple[str, ...] = tuple(sorted(SERVICES))

    def from_place(self, after: str, limit: int) -> dict[str, AuditQuery]:
        """Return the queries for the lines after a place in the merged list."""
        if not after:
            return {part: query.model_copy(update={"limit": limit}) for part, query in self.queries.items()}
        at, last_part, seq = _read_place(after)
        place = {part: LAST if part > last_part else seq if part == last_part else 0 for part in self.queries}
        return {
            part: query.model_copy(update={"limit": limit, "before_at": at, "before_seq": place[part]})
            for part, query in self.queries.items()
        }


def _read_place(after: str) -> tuple[datetime, str, int]:
    try:
        moment, part, seq = after.split("~")
        at, number = datetime.fromisoformat(moment), int(seq)
        if at.tzinfo is None or part not in SERVICES or not 0 < number < LAST:
            raise ValueError(after)
    except ValueError:
        raise Incomplete("Tanda lanjut daftar tidak dikenal. Buka daftar dari awal.") from None
    return at, part, number


async def lines(request: Request, caller: Caller, wanted: Wanted, *, limit: int, after: str = "") -> Found:
    """Return lines of all chains, newest first; raise NotAllowed, or Incomplete for what cannot be looked for."""
    must(caller, ACTS.see_audit)
    return await _page(request, caller, await _search(request, caller, wanted), limit=limit, after=after)


async def all_lines(request: Request, caller: Caller, wanted: Wanted, *, at_once: int = 500) -> AsyncIterator[Found]:
    """Return every line that is looked for, some at a time; raise as `lines` before anything is given."""
    must(caller, ACTS.see_audit)
    search = await _search(request, caller, wanted)

    async def give() -> AsyncIterator[Found]:
        after = ""
        while True:
            found = await _page(request, caller, search, limit=at_once, after=after)
            yield found
            if not found.after or found.silent:
                return
            after = found.after

    return give()


async def _page(request: Request, caller: Caller, search: _Search, *, limit: int, after: str) -> Found:
    queries = search.from_place(after, limit)
    targets = {part: f"/inner/audit?{urlencode(_told(query), doseq=True)}" for part, query in queries.items()}
    answers = await _ask(
        request,
        caller,
        targets,
        LINES,
        lambda session, part: oversight.audit_lines(session, caller.person, queries[part]),
    )
    found = Found(silent=[NAMES[part] for part, told in answers.items() if told is None])
    rows = [AuditRow(part=part, **line.model_dump()) for part, told in answers.items() for line in told or []]
    rows.sort(key=lambda row: row.seq, reverse=True)
    rows.sort(key=lambda row: row.part)
    rows.sort(key=lambda row: row.at, reverse=True)
    found.rows = rows[:limit]
    if len(rows) >= limit:
        last = found.rows[-1]
        found.after = f"{last.at.isoformat()}~{last.part}~{last.seq}"
    return found


def _told(query: AuditQuery) -> dict[str, Any]:
    told = query.model_dump(mode="json", exclude_defaults=True)
    return {"limit": query.limit, **told}


async def _search(request: Request, caller: Caller, wanted: Wanted) -> _Search:
    query = AuditQuery(act=wanted.act, limit=50)
    if wanted.since:
        query.since = datetime.combine(wanted.since, time(), WIB)
    if wanted.until:
        query.until = datetime.combine(wanted.until + timedelta(days=1), time(), WIB)
    if wanted.person:
        query.people = await run_in_threadpool(_people, request, wanted.person)
        if not query.people:
            raise Incomplete(
                Sentence(
                    "Tidak ada orang bernama “{person}”. Tulis nama, nama pengguna, atau “alur”.",
                    person=wanted.person,
                )
            )
    asked = [wanted.part] if wanted.part in SERVICES else list(SERVICES)
    queries = dict.fromkeys(asked, query)
    if wanted.thing:
        seqs = await _lines_of_case(request, caller, wanted.thing)
        if seqs is None:
            queries = {part: query.model_copy(update={"thing": wanted.thing}) for part in asked}
        else:
            queries = {part: query.model_copy(update={"seqs": seqs[part]}) for part in asked if part in seqs}
    return _Search(queries)


def _people(request: Request, words: str) -> list[str]:
    """Return the ids of those whose name or username has these words; the empty text for Alur itself."""
    if words.strip().lower() == ALUR:
        return [""]
    database: Database = request.app.state.database
    asked = select(Person.id).where(
        or_(
            Person.username == words.strip().lower(),
            Person.display_name.icontains(words.strip(), autoescape=True),
        )
    )
    with database.session() as session:
        return [str(one) for one in session.scalars(asked.limit(MOST_PEOPLE))]


async def _lines_of_case(request: Request, caller: Caller, number: str) -> dict[str, list[int]] | None:
    """Return where the trace of a case points to in the chains, by part; None when it is no number of a case."""
    doors: Doors = request.app.state.doors
    part = doors.parts.get(together.CASES)
    answered = await doors.ask(part, f"/api/cases/{quote(number.strip(), safe='')}", caller=caller) if part else None
    if answered is None or answered.status != 200:
        return None
    found: dict[str, list[int]] = {}
    for entry in answered.json().get("trace", []):
        if entry.get("audit_seq"):
            found.setdefault(entry["audit_service"], []).append(entry["audit_seq"])
    return found


# --- the check --------------------------------------------------------------------------------------------


async def verifications(request: Request, caller: Caller) -> list[PartVerification]:
    """Return the newest check of each chain; raise NotAllowed."""
    must(caller, ACTS.see_audit)
    return await _verifications(request, caller, posted=None)


async def verify_audit(request: Request, caller: Caller) -> list[PartVerification]:
    """Have every chain checked in the background; return how the checks stand. Raise NotAllowed."""
    must(caller, ACTS.verify_audit)
    return await _verifications(request, caller, posted={})


async def _verifications(request: Request, caller: Caller, *, posted: Any) -> list[PartVerification]:
    ask = oversight.verification if posted is None else oversight.verify_audit
    answers = await _ask(
        request,
        caller,
        dict.fromkeys(SERVICES, "/inner/audit/verification"),
        CHECK,
        lambda session, _: ask(session, caller.person),
        posted=posted,
    )
    return [
        PartVerification(part=part, is_silent=told is None, **(told or Verification()).model_dump())
        for part, told in answers.items()
    ]


# --- operations -------------------------------------------------------------------------------------------


async def standings(request: Request, caller: Caller) -> list[PartStanding]:
    """Return how each part stands, the gateway first; raise NotAllowed."""
    must(caller, ACTS.see_operations)
    answers = await _ask(
        request,
        caller,
        dict.fromkeys(SERVICES, "/inner/operations"),
        STANDING,
        lambda session, _: oversight.standing(session, caller.person),
    )
    return [PartStanding(part=part, standing=told) for part, told in answers.items()]


async def retry_message(request: Request, caller: Caller, part: str, letter_id: UUID) -> None:
    """Have a dead letter sent again; raise as `shared.oversight.retry_message`, Unavailable for a silent part."""
    must(caller, ACTS.retry_message)
    await _tell(
        request,
        caller,
        part,
        f"/inner/messages/{letter_id}/retry",
        {},
        lambda session: oversight.retry_message(session, caller.person, letter_id),
    )


async def skip_message(request: Request, caller: Caller, part: str, letter_id: UUID, *, reason: str) -> None:
    """Have a dead letter given up; raise as `shared.oversight.skip_message`, Unavailable for a silent part."""
    must(caller, ACTS.skip_message)
    await _tell(
        request,
        caller,
        part,
        f"/inner/messages/{letter_id}/skip",
        {"reason": reason},
        lambda session: oversight.skip_message(session, caller.person, letter_id, reason=reason),
    )


# --- asking -----------------------------------------------------------------------------------------------


async def _ask(
    request: Request,
    caller: Caller,
    targets: dict[str, str],
    shape: TypeAdapter[T],
    own: Callable[[Session, str], T],
    *,
    posted: Any = None,
) -> dict[str, T | None]:
    """Ask several parts at once, our own database in their way; None for one that does not answer well."""
    doors: Doors = request.app.state.doors
    answers = await doors.ask_some({p: t for p, t in targets.items() if p != GATEWAY}, caller=caller, posted=posted)
    found: dict[str, T | None] = {}
    for part in targets:
        if part == GATEWAY:
            found[part] = await run_in_threadpool(_own, request, lambda session: own(session, GATEWAY))
        else:
            found[part] = _read(part, answers.get(part), shape)
    return found


def _own(request: Request, do: Callable[[Session], T]) -> T | None:
    database: Database = request.app.state.database
    try:
        with database.transaction() as session:
            return do(session)
    except sqlalchemy.exc.SQLAlchemyError as reason:
        logger().error("own_part_failed", reason=str(reason))
        return None


def _read(part: str, answered: Answered | None, shape: TypeAdapter[T]) -> T | None:
    if answered is None or answered.status != 200:
        return None
    try:
        return shape.validate_json(answered.body)
    except ValidationError as reason:
        logger().error("oversight_not_understood", part=part, reason=str(reason))
        return None


async def _tell(
    request: Request, caller: Caller, part: str, target: str, posted: Any, own: Callable[[Session], None]
) -> None:
    doors: Doors = request.app.state.doors
    if part == GATEWAY:
        await run_in_threadpool(_change_own, request, own)
        return
    if part not in doors.parts:
        raise NotFound("Bagian itu tidak ada. Buka kembali halaman Operasi.")
    answered = await doors.ask(doors.parts[part], target, caller=caller, posted=posted)
    if answered is None or answered.status >= 500:
        raise Unavailable(
            Sentence(
                "Bagian {part} sedang tidak menjawab; belum ada yang berubah. Mohon ulangi beberapa saat lagi.",
                part=NAMES[part],
            )
        )
    if answered.status >= 400:
        raise _refusal(answered)


def _change_own(request: Request, do: Callable[[Session], None]) -> None:
    database: Database = request.app.state.database
    with database.transaction() as session:
        do(session)


def _refusal(answered: Answered) -> Refused:
    """Return what a part refused, as it said it."""
    told = answered.json()
    refusal = Refused(told["detail"], code=told["code"])
    refusal.status, refusal.title = answered.status, told["title"]
    return refusal


# --- how acts are called ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Labels:
    """How acts are called, by part and name."""

    by_part: dict[str, dict[str, str]]

    def of(self, part: str, act: str) -> str:
        """Return the words for an act of a part."""
        return self.by_part.get(part, {}).get(act) or oversight.SAID.get(act) or act.replace("_", " ").capitalize()

    def choices(self) -> list[tuple[str, list[tuple[str, str]]]]:
        """Return every act that can be looked for, by part, in the order of their words."""
        told = [
            (NAMES.get(part, part), sorted(acts.items(), key=lambda one: one[1])) for part, acts in self.by_part.items()
        ]
        return [*told, ("Sistem", sorted(oversight.SAID.items(), key=lambda one: one[1]))]


async def labels(request: Request) -> Labels:
    """Return how the acts of every part that answers are called."""
    told = await together.authority(request.app.state.doors)
    tables: dict[str, Sequence[ActView]] = {GATEWAY: [ActView.of(act) for act in ACTS]}
    tables |= {part: rows for part, rows in told.items() if rows is not None}
    return Labels({part: {act.name: act.label for act in rows} for part, rows in tables.items()})
