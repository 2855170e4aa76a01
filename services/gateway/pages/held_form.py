"""Pages of kept forms: going on with a form after signing in, and the fresh proof that an act needs."""

from typing import Annotated
from urllib.parse import parse_qsl
from uuid import UUID

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse
from starlette.concurrency import run_in_threadpool

from services.gateway.actions import held_form, sign_in
from services.gateway.actions.held_form import Held
from services.gateway.asker import OwnSession, prove
from services.gateway.door import replay
from services.gateway.door.replay import Sent
from services.gateway.pages.show import pages, show
from shared.database import Database, utc_now
from shared.errors import NotFound, Refused, Unavailable
from shared.identity import Caller

router = APIRouter(include_in_schema=False)
OF_THE_HOUSE = frozenset({"form_token", "idempotency_key"})
LOST_FILES = "Berkas yang Anda pilih tidak ikut tersimpan. Pilih kembali sebelum mengirim."
HELD_PLACE, PROOF_PLACE = "/lanjutkan", "/konfirmasi"


@router.get(f"{HELD_PLACE}/{{held_id}}")
async def go_on(request: Request, caller: OwnSession, held_id: UUID) -> Response:
    held = await run_in_threadpool(_find, request, caller, held_id)
    if held.purpose != "restore" and not held.lost_files:
        return RedirectResponse(f"{PROOF_PLACE}/{held.id}", status_code=303)
    state = request.app.state
    try:
        drawn = await replay.draw(state.doors, request.app, caller=caller, path=held.path, body=held.body)
    except Unavailable:
        drawn = Sent()
    if drawn.status != 200 or b"x-alur-title" not in dict(drawn.headers):
        # The page knows no such form any more, or none at all: what was typed is shown so that it can be copied.
        return await run_in_threadpool(_copy, request, held)
    if held.lost_files:
        notice = pages.environment.get_template("restored.html").render(words=LOST_FILES)
        drawn.body[:0] = notice.encode()
    return _answer(drawn)


def _copy(request: Request, held: Held) -> Response:
    typed = parse_qsl(held.body.decode("latin-1"), keep_blank_values=False)
    return show(
        request,
        "held_form.html",
        "Isian yang tersimpan",
        fields=[(name, value) for name, value in typed if name not in OF_THE_HOUSE],
        path=held.path.partition("?")[0],
        lost_files=LOST_FILES if held.lost_files else "",
    )


@router.get(f"{PROOF_PLACE}/{{held_id}}")
def proof_form(request: Request, caller: OwnSession, held_id: UUID) -> Response:
    return _ask(request, caller, _find(request, caller, held_id))


@router.post(f"{PROOF_PLACE}/{{held_id}}")
async def give_proof(
    request: Request, caller: OwnSession, held_id: UUID, answer: Annotated[str, Form()] = ""
) -> Response:
    held = await run_in_threadpool(_find, request, caller, held_id)
    if held.purpose != "step_up":
        raise NotFound("Isian ini tidak menunggu konfirmasi.")
    if not caller.person.is_proved():
        try:
            caller = await run_in_threadpool(prove, request, caller.person, answer[:500])
        except Refused as refusal:
            return await run_in_threadpool(_ask, request, caller, held, refusal)
    if held.lost_files:
        return RedirectResponse(f"{HELD_PLACE}/{held.id}", status_code=303)
    await run_in_threadpool(_take, request, held)
    key = dict(parse_qsl(held.body.decode("latin-1"))).get("idempotency_key") or held.id.hex
    state = request.app.state
    try:
        done = await replay.send(
            state.doors,
            request.app,
            caller=caller,
            path=held.path,
            body=held.body,
            key="" if held.path.startswith("/saya/") else key,
            address=request.state.address,
        )
    except Unavailable:
        await run_in_threadpool(_put_back, request, held)
        raise
    return _answer(done)


def _ask(request: Request, caller: Caller, held: Held, refusal: Refused | None = None) -> Response:
    database: Database = request.app.state.database
    with database.session() as session:
        needs_code = sign_in.has_second_factor(session, caller.person.id)
    return show(
        request,
        "proof.html",
        "Konfirmasi bahwa ini Anda",
        status=refusal.status if refusal else 200,
        held=held,
        needs_code=needs_code,
        is_proved=caller.person.is_proved(),
        refusal=refusal,
        lost_files=held.lost_files,
        minutes=request.app.state.settings.proof_minutes,
    )


def _answer(sent: Sent) -> Response:
    response = Response(bytes(sent.body), status_code=sent.status)
    for name, value in sent.headers:
        response.headers[name.decode("latin-1")] = value.decode("latin-1")
    return response


def _find(request: Request, caller: Caller, held_id: UUID) -> Held:
    state = request.app.state
    with state.database.session() as session:
        return held_form.find(session, state.held_seal, caller.person, held_id, now=utc_now())


def _take(request: Request, held: Held) -> None:
    with request.app.state.database.transaction() as session:
        held_form.take(session, held.id, now=utc_now())


def _put_back(request: Request, held: Held) -> None:
    with request.app.state.database.transaction() as session:
        held_form.put_back(session, held.id)
