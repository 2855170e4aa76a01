"""What auditors and operators see and do in every service alike: audit lines, the chain's check, messages, jobs.

The gateway shows it; each service answers for its own database and asks the authority itself.
"""

from datetime import datetime
from pathlib import Path
from typing import Any, Final, Literal
from uuid import UUID

import orjson
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from shared import audit, clock, jobs, mailbox
from shared.authority import Act, Acts
from shared.database import Database, utc_now
from shared.errors import NotAllowed
from shared.identity import Person, Role
from shared.jobs import Lease

WATCHERS: Final = frozenset({Role.AUDITOR, Role.HEAD, Role.ADMIN})
OPERATORS: Final = frozenset({Role.ADMIN})
ACTS: Final = Acts.of(
    [
        Act("see_audit", "Lihat jejak audit", WATCHERS),
        Act(
            "verify_audit",
            "Periksa rantai",
            WATCHERS,
            consequence="Setiap baris rantai setiap bagian dihitung ulang sidiknya; pemeriksaan berjalan di belakang "
            "layar dan tidak mengubah apa pun.",
        ),
        Act("see_operations", "Lihat operasi", WATCHERS),
        Act(
            "retry_message",
            "Kirim ulang",
            OPERATORS,
            consequence="Pesan ini dikirim sekali lagi, dan yang tertahan di belakangnya menyusul bila ia diterima.",
        ),
        Act(
            "skip_message",
            "Lewati",
            OPERATORS,
            danger=True,
            step_up=True,
            consequence="Isi pesan ini tidak akan pernah berlaku pada penerimanya; yang tertahan di belakangnya "
            "berjalan. Tindakan ini tidak dapat ditarik kembali dan tercatat atas nama Anda.",
        ),
    ]
)
VERIFY: Final = "verify_audit"
CHAIN: Final = "audit.entry"
"""The thing that a check is about."""
SHOWN_BROKEN: Final = 20
SHOWN_JOBS: Final = 60
FAILED_DAYS: Final = 14


def _must(by: Person, act: Act) -> Person:
    """Return the person in the capacity that carries the act; raise NotAllowed."""
    reason = act.refusal(by, None)
    if reason:
        raise NotAllowed(reason)
    return by.carried_by(act.carriers(by, None))


# --- the audit chain --------------------------------------------------------------------------------------


class AuditQuery(BaseModel):
    """Which lines are asked for, as it goes over the wire between the gateway and a service."""

    model_config = ConfigDict(extra="forbid")
    act: str = ""
    thing: str = ""
    people: list[str] = []
    seqs: list[int] = []
    since: datetime | None = None
    until: datetime | None = None
    before_at: datetime | None = None
    before_seq: int = 0
    limit: int = Field(50, ge=1, le=1000)


class AuditLine(BaseModel):
    """One line of a chain: who did what to which thing as whom."""

    seq: int
    at: datetime
    act: str
    thing: str
    person_id: UUID | None
    name: str
    as_what: str
    facts: dict[str, Any]
    hash: str


def audit_lines(session: Session, by: Person, asked: AuditQuery) -> list[AuditLine]:
    """Return lines of this service's chain, newest first; raise NotAllowed."""
    _must(by, ACTS.see_audit)
    before = (asked.before_at, asked.before_seq) if asked.before_at else None
    wanted = audit.Wanted(
        act=asked.act,
        thing=asked.thing,
        people=asked.people,
        seqs=asked.seqs,
        since=asked.since,
        until=asked.until,
        before=before,
    )
    return [_line(row) for row in audit.newest(session, wanted, limit=asked.limit)]


def _line(row: Any) -> AuditLine:
    # A line that was damaged is shown as far as it can be read: the check says what is wrong with it.
    try:
        told = orjson.loads(row.line)
        facts, name, as_what = told.get("facts"), str(told.get("name", "?")), str(told.get("as", "?"))
    except (ValueError, AttributeError):
        facts, name, as_what = None, "?", "?"
    return AuditLine(
        seq=row.seq,
        at=row.at,
        act=row.act,
        thing=row.thing,
        person_id=row.person,
        name=name,
        as_what=as_what,
        facts=facts if isinstance(facts, dict) else {},
        hash=row.hash,
    )


class Break(BaseModel):
    """A place where a chain does not hold."""

    seq: int
    reason: str


class Verification(BaseModel):
    """One check of a chain: how far it is, and what it found."""

    state: Literal["never", "waiting", "running", "done", "failed"] = "never"
    asked_at: datetime | None = None
    ended_at: datetime | None = None
    lines: int = 0
    """How many were looked at so far."""
    breaks: int = 0
    broken: list[Break] = []
    """The first of them."""
    anchors: int = 0
    """Heads noted earlier, outside the chain, that it was held against."""
    reason: str = ""
    """Why the check itself did not come to its end."""

    @property
    def is_whole(self) -> bool:
        """Tell whether the check came to its end and found nothing."""
        return self.state == "done" and not self.breaks


def verify_audit(session: Session, by: Person) -> Verification:
    """Have this service's chain checked in the background, unless a check is under way; raise NotAllowed."""
    acting = _must(by, ACTS.verify_audit)
    last = verification(session, by)
    if last.state in ("waiting", "running"):
        return last
    audit.record(session, acting, ACTS.verify_audit.name, CHAIN)
    jobs.start(session, VERIFY, CHAIN, most_attempts=3)
    return verification(session, by)


def verification(session: Session, by: Person) -> Verification:
    """Return the newest check of this service's chain; raise NotAllowed."""
    _must(by, ACTS.see_audit)
    row = session.execute(
        select(jobs.job).where(jobs.job.c.thing_id == CHAIN).order_by(jobs.job.c.created_at.desc()).limit(1)
    ).first()
    if row is None:
        return Verification()
    found = row.result or {}
    lines = found.get("lines", 0) if row.state == jobs.DONE else _lines_so_far(session, row.id)
    return Verification(
        state=row.state,
        asked_at=row.created_at,
        ended_at=row.ended_at,
        lines=lines,
        breaks=found.get("breaks", 0),
        broken=found.get("broken", []),
        anchors=found.get("anchors", 0),
        reason=row.reason or "",
    )


def _lines_so_far(session: Session, job_id: UUID) -> int:
    line = jobs.job_line
    told = session.execute(
        select(line.c.text).where(line.c.job_id == job_id).order_by(line.c.seq.desc()).limit(1)
    ).scalar()
    return int(told) if told and told.isdecimal() else 0


def verify_chain(database: Database, lease: Lease, *, anchors: Path | None) -> None:
    """Walk this service's whole chain slice by slice, telling how far it is, and keep what was found (a job's runner).

    It is held against the heads noted outside the database (the file `anchors`) and those of earlier checks. The head
    of a whole chain is noted there in turn.
    """
    with database.session() as session:
        known = _checked_heads(session)
    known |= audit.read_anchors(anchors) if anchors else {}
    walk = audit.Walk(dict(known))
    while True:
        with database.session() as session:
            rows = audit.lines_after(session, walk.seq)
        if not rows:
            break
        walk.take(rows)
        lease.write_line(str(walk.seq))
    broken = walk.end()
    found = {
        "lines": walk.seq,
        "hash": walk.hash,
        "breaks": len(broken),
        "broken": [{"seq": one.seq, "reason": one.reason} for one in broken[:SHOWN_BROKEN]],
        "anchors": len(known),
    }
    with lease.recording() as session:
        lease.finish(session, found)
    if anchors and walk.seq and not broken:
        audit.note_anchor(anchors, audit.Link(walk.seq, walk.hash), at=utc_now())


def _checked_heads(session: Session) -> dict[int, str]:
    """Return the heads that earlier checks found at the end of a whole chain."""
    rows = session.execute(
        select(jobs.job.c.result)
        .where(jobs.job.c.thing_id == CHAIN, jobs.job.c.state == jobs.DONE)
        .order_by(jobs.job.c.created_at.desc())
        .limit(50)
    ).scalars()
    return {row["lines"]: row["hash"] for row in rows if row and row["lines"] and not row["breaks"]}


# --- operations -------------------------------------------------------------------------------------------


class Pair(BaseModel):
    """How the letters of one service to another stand."""

    dest: str
    waiting: int
    dead: int
    held: int
    """Those that wait behind a dead one."""
    oldest_at: datetime | None


class DeadLetter(BaseModel):
    """A letter that its receiver gave up."""

    id: UUID
    dest: str
    kind: str
    aggregate: str
    case_number: str
    created_at: datetime
    dead_at: datetime
    reason: str
    held: int


class JobRow(BaseModel):
    """One piece of long work that waits, runs, or failed lately."""

    id: UUID
    kind: str
    thing_id: str
    state: str
    attempts: int
    most_attempts: int
    created_at: datetime
    due_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    reason: str
    step: str
    last_line: str


class Mark(BaseModel):
    """When something that happens by itself happened last."""

    name: str
    at: datetime


class Alarm(BaseModel):
    """Something that must be looked at: a wrong signature, a fork, an unknown kind of message."""

    kind: str
    source: str
    subject: str
    count: int
    detail: str
    last_at: datetime


class Standing(BaseModel):
    """How one service stands: its worker, letters, jobs and timetable."""

    relay_is_active: bool
    """Whether somebody carries this service's letters to the queue now."""
    worker_at: datetime | None
    """When its worker last did what the queue told it to, each minute when all is well."""
    pairs: list[Pair]
    dead: list[DeadLetter]
    jobs: list[JobRow]
    marks: list[Mark]
    alarms: list[Alarm]


_SIGNS = text("""
SELECT EXISTS (SELECT 1 FROM pg_locks l JOIN pg_database d ON d.oid = l.database
        WHERE d.datname = current_database() AND l.locktype = 'advisory' AND l.granted
        AND l.classid = 0 AND l.objid = :lock) AS relay_is_active,
    (SELECT coalesce(json_agg(m ORDER BY m.name), '[]') FROM (SELECT name, at FROM msg.mark) AS m) AS marks,
    (SELECT coalesce(json_agg(a ORDER BY a.last_at DESC), '[]')
        FROM (SELECT kind, source, subject, count, detail, last_at FROM msg.alarm ORDER BY last_at DESC LIMIT 20) AS a
    ) AS alarms
""")
# In three parts, each with its own index: what was acknowledged is most of the table.
_PAIRS = text("""
WITH open AS (
    SELECT dest, aggregate, version, created_at, dead_at FROM msg.outbox
        WHERE sent_at IS NULL AND acked_at IS NULL AND dead_at IS NULL
    UNION ALL SELECT dest, aggregate, version, created_at, dead_at FROM msg.outbox
        WHERE sent_at IS NOT NULL AND acked_at IS NULL AND dead_at IS NULL
    UNION ALL SELECT dest, aggregate, version, created_at, dead_at FROM msg.outbox
        WHERE acked_at IS NULL AND (sent_at IS NOT NULL OR dead_at IS NOT NULL) AND dead_at IS NOT NULL
)
SELECT dest, count(*) FILTER (WHERE dead_at IS NULL) AS waiting, count(dead_at) AS dead,
    count(*) FILTER (WHERE dead_at IS NULL AND EXISTS (
        SELECT 1 FROM msg.outbox e WHERE e.dest = open.dest AND e.aggregate = open.aggregate
        AND e.version < open.version AND e.acked_at IS NULL
        AND (e.sent_at IS NOT NULL OR e.dead_at IS NOT NULL) AND e.dead_at IS NOT NULL)) AS held,
    min(created_at) AS oldest_at
FROM open GROUP BY dest ORDER BY dest
""")
_JOBS = text("""
SELECT j.id, j.kind, j.thing_id, j.state, j.attempts, j.most_attempts, j.created_at, j.due_at, j.started_at,
    j.ended_at, coalesce(j.reason, '') AS reason,
    coalesce((SELECT s.name FROM msg.job_step s WHERE s.job_id = j.id ORDER BY s.ordinal DESC LIMIT 1), '') AS step,
    coalesce((SELECT l.text FROM msg.job_line l WHERE l.job_id = j.id ORDER BY l.seq DESC LIMIT 1), '') AS last_line
FROM (
    SELECT * FROM msg.job WHERE state IN ('waiting', 'running')
    UNION ALL SELECT * FROM msg.job
        WHERE state = 'failed' AND ended_at > clock_timestamp() - make_interval(days => :days)
) AS j ORDER BY j.created_at DESC LIMIT :most
""")


def standing(session: Session, by: Person) -> Standing:
    """Return how this service stands; raise NotAllowed."""
    _must(by, ACTS.see_operations)
    signs = session.execute(_SIGNS, {"lock": mailbox.RELAY_LOCK}).one()
    marks = [Mark.model_validate(row) for row in signs.marks]
    rows = session.execute(_JOBS, {"days": FAILED_DAYS, "most": SHOWN_JOBS}).all()
    return Standing(
        relay_is_active=signs.relay_is_active,
        worker_at=next((mark.at for mark in marks if mark.name == clock.HEARTBEAT), None),
        pairs=[Pair(**row._mapping) for row in session.execute(_PAIRS)],
        dead=[DeadLetter.model_validate(one, from_attributes=True) for one in mailbox.dead_letters(session)],
        jobs=[JobRow(**row._mapping) for row in rows],
        marks=[mark for mark in marks if mark.name != clock.HEARTBEAT],
        alarms=[Alarm.model_validate(row) for row in signs.alarms],
    )


def retry_message(session: Session, by: Person, letter_id: UUID) -> None:
    """Send a dead letter again, recorded in the person's name; raise NotAllowed, NotFound or OutOfTurn."""
    mailbox.retry(session, letter_id, by=_must(by, ACTS.retry_message))


def skip_message(session: Session, by: Person, letter_id: UUID, *, reason: str) -> None:
    """Give a dead letter up for a written reason; raise NotAllowed, Incomplete, NotFound or OutOfTurn."""
    mailbox.skip(session, letter_id, reason=reason, by=_must(by, ACTS.skip_message))


# --- how acts are called ----------------------------------------------------------------------------------

SAID: Final = {
    "sign_in": "Masuk",
    "sign_out": "Keluar",
    "refuse_sign_in": "Gagal masuk",
    "make_token": "Buat token pribadi",
    "revoke_token": "Cabut token pribadi",
    "add_person": "Daftarkan orang",
    "register_unit": "Daftarkan unit",
    "register_existing": "Catat yang sudah berjalan",
    "accept_invitation": "Terima undangan",
    "prove": "Buktikan diri",
    "refuse_proof": "Gagal membuktikan diri",
    "change_password": "Ganti kata sandi sendiri",
    "refuse_change_of_password": "Gagal mengganti kata sandi",
    "begin_second_factor": "Mulai pasang kode kedua",
    "confirm_second_factor": "Pasang kode kedua",
    "switch_off_second_factor": "Lepas kode kedua",
    "renew_recovery_codes": "Buat kode pemulihan baru",
    "use_recovery_code": "Pakai kode pemulihan",
    "refuse_code": "Tolak kode kedua",
    "link_identity": "Hubungkan akun luar",
    "unlink_identity": "Lepas akun luar",
    "end_session": "Akhiri sesi",
    "end_every_session": "Akhiri semua sesi",
    "send_code": "Kirim kode saluran",
    "verify_channel": "Pastikan saluran",
    "remove_channel": "Hapus saluran",
    "choose_pace": "Pilih irama pemberitahuan",
    "set_hours": "Atur jam tenang",
    "set_password": "Ganti kata sandi",
    "shut_out": "Tutup akun",
    "gather_figures": "Kumpulkan angka evaluasi",
    "host_key_changed": "Kunci server berubah",
    "install_done": "Instalasi selesai",
    "install_failed": "Instalasi gagal",
    "open_done": "Pembukaan selesai",
    "open_failed": "Pembukaan gagal",
    "close_done": "Penutupan selesai",
    "close_failed": "Penutupan gagal",
    "revoke_done": "Penghentian karena izin dicabut selesai",
    "revoke_failed": "Penghentian karena izin dicabut gagal",
    "roll_back_done": "Pengembalian rilis selesai",
    "roll_back_failed": "Pengembalian rilis gagal",
    "retry_message": "Kirim ulang pesan",
    "skip_message": "Lewati pesan",
    "verify_audit": "Periksa rantai audit",
}
"""Words for what stands in the chains beside the acts of the tables."""
