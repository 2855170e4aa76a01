"""The operators' page: how each part stands, messages that were given up, long work, and what happens by itself."""

from datetime import timedelta
from functools import partial
from pathlib import Path
from uuid import UUID

from anyio import from_thread
from fastapi import Request, Response
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool

from services.gateway.asker import Known
from services.gateway.authority import ACTS
from services.gateway.door import oversight
from services.gateway.door.oversight import NAMES
from services.gateway.schemas.oversight import PartStanding
from shared.database import utc_now
from shared.errors import NotFound
from shared.identity import Caller, Person
from shared.messages import every_message
from shared.oversight import JobRow, Standing
from shared.pages import AREA, Nothing, Pages
from shared.sentence import Sentence
from shared.web import Session

pages = Pages(Path(__file__).parents[1] / "templates")
router = pages.router
OPERATIONS = "/operasi"
SILENT_AFTER = timedelta(minutes=3)
"""A worker whose mark is older is not at work: it is set each minute."""
JOBS = {
    "probe": "Pemeriksaan server",
    "plan": "Penyusunan rencana instalasi",
    "install": "Instalasi",
    "open": "Pembukaan untuk pengguna",
    "roll_back": "Pengembalian rilis",
    "close": "Penutupan",
    "revoke": "Penghentian karena izin dicabut",
    "scan": "Pemindaian keamanan",
    "verify_audit": "Pemeriksaan rantai audit",
}
PLACES = {
    "plan": "/instalasi/{}",
    "install": "/instalasi/{}",
    "open": "/rilis/{}",
    "roll_back": "/rilis/{}",
    "verify_audit": "/audit#pemeriksaan",
}
"""The page on which a job can be followed; the others have none of their own."""
STATES = {"waiting": ("Menunggu", "quiet"), "running": ("Berjalan", "wait"), "failed": ("Gagal", "bad")}
MARKS = {
    "prune": "Merapikan kotak pesan",
    "anchor": "Mencatat kepala rantai audit di luar basis data",
    "measure": "Mengukur aplikasi yang dibuka",
    "deliver": "Mengantar pemberitahuan",
    "lookout": "Mencari yang patut diingatkan",
    "prune_forms": "Membuang formulir yang ditahan",
    "prune_notices": "Membuang pemberitahuan lama",
}


class SkipReason(BaseModel):
    """Why a message is given up."""

    reason: str = Field(
        min_length=5,
        max_length=4000,
        title="Alasan",
        description="Mengapa isi pesan ini tidak perlu lagi berlaku; tercatat di rantai audit atas nama Anda.",
        json_schema_extra=AREA,
    )


@router.get(OPERATIONS)
async def operation(request: Request, caller: Known) -> Response:
    return await _show(request, caller)


async def _show(request: Request, caller: Caller) -> Response:
    standings = await oversight.standings(request, caller)
    return await run_in_threadpool(_draw, request, caller.person, standings)


def _draw(request: Request, by: Person, standings: list[PartStanding]) -> Response:
    known = [(one.part, one.standing) for one in standings if one.standing]
    acts = [act for act in (ACTS.retry_message, ACTS.skip_message) if act.allows(by, None)]
    dead = [
        (part, letter, pages.offers(request, acts, part=part, id=letter.id))
        for part, told in known
        for letter in told.dead
    ]
    jobs = sorted(((part, job) for part, told in known for job in told.jobs), key=lambda one: one[1].created_at)
    return pages.render(
        request,
        "operator.html",
        "Operasi",
        parts_=[(one.part, one.standing, _health(one.standing)) for one in standings],
        silent=[NAMES[one.part] for one in standings if one.standing is None],
        dead=dead,
        pairs=[(part, pair) for part, told in known for pair in told.pairs],
        jobs=[(part, job, _place(job)) for part, job in reversed(jobs)],
        marks=[(part, mark) for part, told in known for mark in told.marks],
        alarms=[(part, alarm) for part, told in known for alarm in told.alarms],
        names=NAMES,
        kinds={name: message.says for name, message in every_message().items() if message.says},
        job_names=JOBS,
        states=STATES,
        mark_names=MARKS,
    )


def _health(standing: Standing | None) -> tuple[str, str]:
    """Return what is said of a part, and in which tone."""
    if standing is None:
        return Sentence("Tidak menjawab"), "bad"
    if not standing.relay_is_active:
        return Sentence("Pekerja mati"), "bad"
    if standing.worker_at is None or utc_now() - standing.worker_at > SILENT_AFTER:
        return Sentence("Pekerja diam"), "bad"
    if standing.dead:
        return Sentence("Pesan tertahan"), "bad"
    return Sentence("Baik"), "good"


def _place(job: JobRow) -> str:
    return PLACES.get(job.kind, "").format(job.thing_id)


def _part(request: Request, letter_id: object) -> tuple[str, UUID]:
    if not isinstance(letter_id, UUID):
        raise NotFound("Pesan itu tidak ada. Buka kembali halaman Operasi.")
    return request.path_params["part"], letter_id


def _retry(session: Session, by: Person, letter_id: object, body: Nothing, request: Request) -> str:
    part, letter = _part(request, letter_id)
    from_thread.run(partial(oversight.retry_message, request, request.state.caller, part, letter))
    return OPERATIONS


def _skip(session: Session, by: Person, letter_id: object, body: SkipReason, request: Request) -> str:
    part, letter = _part(request, letter_id)
    from_thread.run(partial(oversight.skip_message, request, request.state.caller, part, letter, reason=body.reason))
    return OPERATIONS


def _again(request: Request, session: Session, by: Person, _id: object = None) -> Response:
    return from_thread.run(partial(_show, request, request.state.caller))


pages.act(ACTS.retry_message, f"{OPERATIONS}/pesan/{{part}}/{{id}}/kirim-ulang", Nothing, _retry, back=_again)
pages.act(ACTS.skip_message, f"{OPERATIONS}/pesan/{{part}}/{{id}}/lewati", SkipReason, _skip, back=_again)
