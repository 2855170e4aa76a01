"""The web door every division shares: one transaction a request, refusals in words, repeats, lists, live logs."""

import json
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID, uuid4

import anyio
import httpx
import pytest
from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse
from fastapi.sse import EventSourceResponse, ServerSentEvent
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import text
from structlog.testing import capture_logs

from alur.embedded import Postgres
from shared import identity, jobs
from shared.database import Database
from shared.errors import NotAllowed, OutOfTurn
from shared.identity import Caller
from shared.keys import GATEWAY, Keys
from shared.settings import ServiceSettings
from shared.web import Asker, Door, NavigationEntry, Session, answer_list, job_events, make_app, mark, place
from tests import doors
from tests.counting import statements
from tests.people import ANI, BUDI

TOYS = """
CREATE TABLE toy (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    name text NOT NULL,
    price bigint NOT NULL,
    CONSTRAINT uq_toy_name UNIQUE (name) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT ck_toy_price CHECK (price >= 0)
);
CREATE FUNCTION refuse_at_commit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'rahasia: toy % must not be', NEW.name; END $$;
CREATE CONSTRAINT TRIGGER late AFTER INSERT ON toy DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.name = 'terlambat') EXECUTE FUNCTION refuse_at_commit();
"""

router = APIRouter(prefix="/api", route_class=Door)


class NewToy(BaseModel):
    """What the toy door takes."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=2, max_length=20)
    price: int = Field(strict=True)


class Said(BaseModel):
    """A field that has the name of a source."""

    body: str = Field(min_length=3)


def _insert(session: Session, name: str, price: int) -> None:
    session.execute(text("INSERT INTO toy (name, price) VALUES (:name, :price)"), {"name": name, "price": price})


@router.post("/toys", status_code=201)
def make_toy(session: Session, by: Asker, body: NewToy) -> dict[str, str]:
    _insert(session, body.name, body.price)
    return {"name": body.name, "by": by.username, "number": uuid4().hex}


@router.post("/toys/cut")
def make_toy_and_lose_the_database(session: Session, by: Asker, body: NewToy) -> dict[str, str]:
    _insert(session, body.name, body.price)
    other: Any = session.get_bind()
    pid = session.scalar(text("SELECT pg_backend_pid()"))
    with other.connect() as connection:
        connection.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})
    return {"name": body.name}


@router.post("/toys/impatient")
def make_toy_at_once(session: Session, by: Asker, body: NewToy) -> None:
    session.execute(text("SET LOCAL lock_timeout = '50ms'"))
    _insert(session, body.name, body.price)


@router.post("/toys/refused")
def make_toy_and_refuse(session: Session, by: Asker, body: NewToy) -> dict[str, str]:
    _insert(session, body.name, body.price)
    raise OutOfTurn("Mainan ini belum gilirannya.")


@router.post("/toys/answered")
def make_toy_and_answer_badly(session: Session, by: Asker, body: NewToy) -> JSONResponse:
    _insert(session, body.name, body.price)
    return JSONResponse({"no": True}, status_code=400)


@router.post("/toys/broken")
def break_down(session: Session, by: Asker, body: NewToy) -> dict[str, str]:
    _insert(session, body.name, body.price)
    raise RuntimeError("kata sandi basis data: rahasia")


@router.post("/toys/forbidden")
def forbid(by: Asker) -> None:
    raise NotAllowed("Bukan wewenang Anda.")


@router.post("/said")
def say(by: Asker, body: Said) -> Said:
    return body


@router.get("/toys/{toy_id}")
def toy(session: Session, by: Asker, toy_id: UUID) -> dict[str, str]:
    return {"id": str(toy_id)}


@router.get("/wrong-id/{toy_id}")
def toy_by_text(session: Session, by: Asker, toy_id: str) -> str | None:
    name: str | None = session.scalar(text("SELECT name FROM toy WHERE id = CAST(:id AS uuid)"), {"id": toy_id})
    return name


@router.get("/toys")
def toys(request: Request, session: Session, by: Asker, limit: int = 2, after: str | None = None) -> JSONResponse:
    since = place(after)
    found = session.execute(
        text(
            "SELECT * FROM toy WHERE CAST(:at AS timestamptz) IS NULL OR (created_at, id) < (:at, CAST(:id AS uuid)) "
            "ORDER BY created_at DESC, id DESC LIMIT :limit"
        ),
        {"at": since[0] if since else None, "id": since[1] if since else None, "limit": limit},
    ).all()
    return answer_list(request, [row.name for row in found], after=mark(found, limit))


def _job_of(session: Session, by: Asker, job_id: UUID) -> UUID:
    return jobs.find(session, job_id).id


@router.get("/jobs/{job_id}/log", response_class=EventSourceResponse)
async def log(request: Request, job_id: Annotated[UUID, Depends(_job_of)]) -> AsyncIterator[ServerSentEvent]:
    async for event in job_events(request, job_id):
        yield event


@pytest.fixture(scope="module")
def door(postgres: Postgres, migrated: Callable[[str], str], keys: Keys, state: Path) -> Iterator[doors.Door]:
    """Return a division of toys on a real database, for the whole file; every test makes toys of its own name."""
    url = postgres.make_database("toys", user="helpdesk", template=migrated("helpdesk"))
    settings = ServiceSettings(database_url=url, keys_folder=keys.folder, files_folder=state / "files")
    app = make_app(
        service="helpdesk",
        title="Mainan",
        settings=settings,
        routers=[router],
        navigation=[NavigationEntry(label="Mainan", path="/mainan", icon="box")],
        database=Database(url, pool_size=4),
    )
    found = doors.Door.of(app, keys)
    with found.database.transaction() as session:
        session.execute(text(TOYS))
    yield found
    found.database.close()
    postgres.drop_database("toys")


@pytest.fixture
def count(door: doors.Door) -> Callable[[str], int]:
    """Return how many toys of a name are kept for everybody to see."""

    def counted(name: str) -> int:
        with door.database.session() as session:
            found: int = session.scalar(text("SELECT count(*) FROM toy WHERE name = :name"), {"name": name}) or 0
            return found

    return counted


Count = Callable[[str], int]


# --- one request is one transaction -----------------------------------------------------------------------


def test_what_was_answered_as_done_is_kept(door: doors.Door, count: Count) -> None:
    answer = door.post(ANI, "/api/toys", json={"name": "bola", "price": 10})

    assert (answer.status_code, answer.json()["by"]) == (201, "ani")
    assert count("bola") == 1


def test_commit_is_over_before_the_answer_leaves(door: doors.Door, count: Count) -> None:
    seen: list[int] = []

    async def watch(scope: Any, receive: Any, send: Any) -> None:
        async def noting(message: Any) -> None:
            if message["type"] == "http.response.start":
                seen.append(count("layang"))
            await send(message)

        await door.app(scope, receive, noting)

    answer = replace(door, app=watch).post(ANI, "/api/toys", json={"name": "layang", "price": 10})

    assert (answer.status_code, seen) == (201, [1])


def test_a_commit_that_fails_is_never_shown_as_success(door: doors.Door, count: Count) -> None:
    answer = door.post(ANI, "/api/toys", json={"name": "terlambat", "price": 10})

    assert answer.status_code == 500
    assert "rahasia" not in answer.text
    assert count("terlambat") == 0


def test_a_database_that_goes_away_before_the_commit_is_said_in_words(door: doors.Door, count: Count) -> None:
    answer = door.post(ANI, "/api/toys/cut", json={"name": "putus", "price": 10})

    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    assert answer.headers["retry-after"] == "5"
    assert count("putus") == 0


@pytest.mark.parametrize("path", ["/api/toys/refused", "/api/toys/answered", "/api/toys/broken"])
def test_whatever_does_not_succeed_leaves_nothing(door: doors.Door, count: Count, path: str) -> None:
    assert door.post(ANI, path, json={"name": "sisa", "price": 10}).status_code >= 400
    assert count("sisa") == 0


def test_a_rule_that_the_database_keeps_is_a_conflict_and_no_fault(door: doors.Door) -> None:
    door.post(ANI, "/api/toys", json={"name": "kembar", "price": 10})

    twin = door.post(ANI, "/api/toys", json={"name": "kembar", "price": 10})
    below = door.post(ANI, "/api/toys", json={"name": "minus", "price": -1})

    assert (twin.status_code, twin.json()["code"]) == (409, "conflict")
    assert (below.status_code, below.json()["code"]) == (409, "conflict")
    assert "uq_toy_name" not in twin.text


def test_a_row_that_somebody_else_holds_is_said_to_be_busy(door: doors.Door) -> None:
    with door.database.session() as session:
        session.execute(text("LOCK TABLE toy IN ACCESS EXCLUSIVE MODE"))
        answer = door.post(ANI, "/api/toys/impatient", json={"name": "antre", "price": 10})

    assert (answer.status_code, answer.json()["code"]) == (503, "busy")


def test_many_at_once_wait_for_their_turn_and_all_are_served(door: doors.Door, count: Count) -> None:
    caller = Caller(person=ANI)
    headers = {identity.HEADER: identity.sign(caller, key=door.key, audience="helpdesk")}

    async def all_at_once() -> list[int]:
        transport = httpx.ASGITransport(door.app, raise_app_exceptions=False)
        statuses: list[int] = []

        async def one(client: httpx.AsyncClient, n: int) -> None:
            answer = await client.post("/api/toys", json={"name": f"ramai {n}", "price": 1}, headers=headers)
            statuses.append(answer.status_code)

        async with (
            httpx.AsyncClient(transport=transport, base_url="http://division", timeout=60) as client,
            anyio.create_task_group() as tasks,
        ):
            for n in range(60):
                tasks.start_soon(one, client, n)
        return statuses

    assert anyio.run(all_at_once) == [201] * 60  # More than there are threads.


def test_senders_who_dawdle_keep_nobody_waiting(door: doors.Door) -> None:
    caller = identity.sign(Caller(person=ANI), key=door.key, audience="helpdesk")
    scope: dict[str, Any] = {
        "type": "http",
        "method": "POST",
        "path": "/api/toys",
        "raw_path": b"/api/toys",
        "query_string": b"",
        "headers": [(identity.HEADER.encode(), caller.encode()), (b"content-type", b"application/json")],
    }
    sent: list[Any] = []

    async def visit() -> int:
        let_go = anyio.Event()

        async def receive() -> dict[str, Any]:
            await let_go.wait()
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            sent.append(message)

        async def dawdle() -> None:
            await door.app({**scope}, receive, send)

        async with anyio.create_task_group() as tasks:
            for _ in range(20):
                tasks.start_soon(dawdle)
            transport = httpx.ASGITransport(door.app)
            async with httpx.AsyncClient(transport=transport, base_url="http://division") as client:
                answer = await client.get("/api/toys", headers={identity.HEADER: caller})
            let_go.set()
        return answer.status_code

    assert anyio.run(visit) == 200
    assert sent == []


# --- refusals in words ------------------------------------------------------------------------------------


def test_a_refusal_is_problem_details_in_indonesian(door: doors.Door) -> None:
    answer = door.post(ANI, "/api/toys/forbidden")

    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json() == {
        "type": "/galat/not_allowed",
        "title": "Anda tidak berwenang",
        "status": 403,
        "detail": "Bukan wewenang Anda.",
        "code": "not_allowed",
        "instance": "/api/toys/forbidden",
    }


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"{tidak sah", "application/json"),
        (b"", "application/json"),
        (b"nama=bola", "text/plain"),
        (b"[1, 2]", "application/json"),
        (b'"bola"', "application/json"),
        (b"null", "application/json"),
    ],
)
def test_a_body_that_is_not_the_json_we_take_is_told_in_words(door: doors.Door, body: bytes, kind: str) -> None:
    answer = door.post(ANI, "/api/toys", content=body, headers={"content-type": kind})

    assert (answer.status_code, answer.json()["code"]) == (422, "incomplete")
    [error] = answer.json()["errors"]
    assert error["pointer"] == ""
    assert error["detail"] in (
        "Isi permintaan bukan JSON yang sah. Periksa tanda kutip dan koma.",
        "Isi permintaan harus berupa objek JSON.",
        "Wajib diisi.",
    )


@pytest.mark.parametrize("body", [b"\xff\xfe\xfd", b"[" * 100_000, b'{"price": ' + b"9" * 5000 + b"}"])
def test_a_body_that_cannot_be_read_at_all_is_refused_and_no_fault(door: doors.Door, body: bytes) -> None:
    answer = door.post(ANI, "/api/toys", content=body, headers={"content-type": "application/json"})

    assert answer.status_code in (400, 422)
    assert answer.json()["title"]


@pytest.mark.parametrize(
    ("price", "words"),
    [
        (1.5, "Harus berupa bilangan bulat, bukan pecahan atau teks."),
        ("1.5", "Harus berupa bilangan bulat, bukan pecahan atau teks."),
        ("1000", "Harus berupa bilangan bulat, bukan pecahan atau teks."),
        (None, "Harus berupa bilangan bulat, bukan pecahan atau teks."),
    ],
)
def test_a_price_with_a_fraction_names_the_field(door: doors.Door, price: object, words: str) -> None:
    answer = door.post(ANI, "/api/toys", json={"name": "mahal", "price": price})

    assert answer.status_code == 422
    assert answer.json()["errors"] == [{"pointer": "/price", "detail": words}]


def test_every_field_that_is_wrong_is_named_at_once(door: doors.Door) -> None:
    answer = door.post(ANI, "/api/toys", json={"name": "x", "harga/satuan": 1})

    assert {e["pointer"]: e["detail"] for e in answer.json()["errors"]} == {
        "/name": "Terlalu pendek, paling sedikit 2 huruf.",
        "/price": "Wajib diisi.",
        "/harga~1satuan": "Isian ini tidak dikenal.",
    }


def test_a_field_that_is_called_body_is_named_too(door: doors.Door) -> None:
    answer = door.post(ANI, "/api/said", json={"body": "x"})

    assert [e["pointer"] for e in answer.json()["errors"]] == ["/body"]


def test_a_number_too_large_for_its_column_is_the_senders_matter(door: doors.Door) -> None:
    answer = door.post(ANI, "/api/toys", json={"name": "raksasa", "price": 2**63})

    assert (answer.status_code, answer.json()["code"]) == (422, "incomplete")


@pytest.mark.parametrize("body", [b'{"name": "a\\u0000b", "price": 1}', '{"name": "bola"}'.encode("utf-16")])
def test_nul_is_refused_wherever_it_hides(door: doors.Door, body: bytes) -> None:
    answer = door.post(ANI, "/api/toys", content=body, headers={"content-type": "application/json"})

    assert (answer.status_code, answer.json()["code"]) == (422, "nul")


@pytest.mark.parametrize("path", ["/api/toys?after=%00", "/api/toys/%00"])
def test_nul_in_an_address_is_refused(door: doors.Door, path: str) -> None:
    assert door.get(ANI, path).status_code == 422


def test_a_text_about_nul_is_no_nul(door: doors.Door) -> None:
    about = "tulis \\u0000 atau %00"
    body = json.dumps({"body": about}).encode()

    answer = door.post(ANI, "/api/said", content=body, headers={"content-type": "application/json"})

    assert answer.json() == {"body": about}


def test_half_a_character_is_refused_in_words(door: doors.Door) -> None:
    body = b'{"body": "abc\\ud800"}'

    answer = door.post(ANI, "/api/said", content=body, headers={"content-type": "application/json"})

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["detail"] == "Memuat huruf yang tidak dapat disimpan. Hapus lalu tulis ulang."


@pytest.mark.parametrize("path", ["/api/tidak-ada", "/api/toys/bukan-uuid", "/api/wrong-id/bukan-uuid"])
def test_an_address_that_is_not_there_is_told_in_words(door: doors.Door, path: str) -> None:
    answer = door.get(ANI, path)

    assert (answer.status_code, answer.json()["title"]) == (404, "Tidak ditemukan")
    assert answer.json()["detail"].startswith("Alamat ini tidak ada.")


def test_a_person_gets_a_page_instead(door: doors.Door) -> None:
    answer = door.get(ANI, "/tidak-ada")

    assert answer.status_code == 404
    assert answer.headers["content-type"].startswith("text/html")
    assert "Alamat ini tidak ada." in answer.text
    assert "x-alur-title" in answer.headers


def test_a_method_that_is_not_taken_says_which_are(door: doors.Door) -> None:
    answer = door.ask(ANI, "DELETE", "/api/said")

    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    assert answer.json()["title"] == "Cara memanggil tidak dikenal"


def test_a_bug_is_told_with_a_number_and_nothing_else(door: doors.Door) -> None:
    with capture_logs() as told:
        answer = door.post(ANI, "/api/toys/broken", json={"name": "rusak", "price": 1})

    assert answer.status_code == 500
    assert "rahasia" not in answer.text
    assert "Traceback" not in answer.text
    assert [line["number"] for line in told] == [answer.json()["detail"].split("nomor ")[1].split(".")[0]]
    assert told[0]["exc_info"].args == ("kata sandi basis data: rahasia",)


# --- who asks ---------------------------------------------------------------------------------------------


def test_nobody_is_let_in_without_the_gateways_word(door: doors.Door, keys: Keys) -> None:
    def answered(header: str | None) -> int:
        headers = {identity.HEADER: header} if header else {}
        return door.get(None, "/api/toys", headers=headers).status_code

    caller = Caller(person=ANI)
    for_budget = keys.pair(GATEWAY, "budget", use="person")
    long_ago = datetime.now(UTC) - timedelta(minutes=5)

    assert answered(None) == 401
    assert answered("bukan tanda") == 401
    assert answered(identity.sign(caller, key=b"x" * 32, audience="helpdesk")) == 401
    assert answered(identity.sign(caller, key=for_budget, audience="helpdesk")) == 401
    assert answered(identity.sign(caller, key=door.key, audience="budget")) == 401
    assert answered(identity.sign(caller, key=door.key, audience="helpdesk", now=long_ago)) == 401
    assert answered(identity.sign(caller, key=door.key, audience="helpdesk")) == 200


def test_whoever_is_not_known_costs_no_database(door: doors.Door) -> None:
    with statements(door.database.engine) as sent:
        door.get(None, "/api/toys")

    assert sent == []


# --- the same request twice -------------------------------------------------------------------------------


def test_a_repeated_post_gets_the_first_answer_and_acts_once(door: doors.Door, count: Count) -> None:
    asked: dict[str, Any] = {"json": {"name": "ulang", "price": 1}, "headers": {"idempotency-key": "ulang-1"}}

    first, second = door.post(ANI, "/api/toys", **asked), door.post(ANI, "/api/toys", **asked)

    assert (first.status_code, first.content) == (second.status_code, second.content)
    assert first.headers["content-type"] == second.headers["content-type"]
    assert count("ulang") == 1


def test_a_key_is_for_one_request_only(door: doors.Door, count: Count) -> None:
    headers = {"idempotency-key": "satu-saja"}
    door.post(ANI, "/api/toys", json={"name": "satu", "price": 1}, headers=headers)

    other = door.post(ANI, "/api/toys", json={"name": "dua", "price": 1}, headers=headers)
    elsewhere = door.post(ANI, "/api/said", json={"body": "halo"}, headers=headers)

    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert elsewhere.status_code == 422
    assert count("dua") == 0


def test_two_people_may_choose_the_same_key(door: doors.Door) -> None:
    headers = {"idempotency-key": "sama"}

    mine = door.post(ANI, "/api/said", json={"body": "halo"}, headers=headers)
    theirs = door.post(BUDI, "/api/said", json={"body": "lain"}, headers=headers)

    assert (mine.status_code, theirs.json()) == (200, {"body": "lain"})


def test_a_refused_request_may_be_sent_again_under_its_key(door: doors.Door, count: Count) -> None:
    headers = {"idempotency-key": "gagal-dulu"}
    refused = door.post(ANI, "/api/toys", json={"name": "gagal", "price": 1.5}, headers=headers)

    again = door.post(ANI, "/api/toys", json={"name": "gagal", "price": 1}, headers=headers)

    assert (refused.status_code, again.status_code, count("gagal")) == (422, 201, 1)


def test_two_at_once_with_one_key_act_once(door: doors.Door, count: Count) -> None:
    together = threading.Barrier(4)

    def send(_: int) -> tuple[int, bytes]:
        together.wait(10)
        answer = door.post(
            ANI, "/api/toys", json={"name": "serentak", "price": 1}, headers={"idempotency-key": "serentak"}
        )
        return answer.status_code, answer.content

    with ThreadPoolExecutor(4) as pool:
        answers = set(pool.map(send, range(4)))

    assert len(answers) == 1
    assert next(iter(answers))[0] == 201
    assert count("serentak") == 1


def test_a_key_that_is_too_long_is_refused(door: doors.Door) -> None:
    answer = door.post(ANI, "/api/said", json={"body": "halo"}, headers={"idempotency-key": "k" * 201})

    assert (answer.status_code, answer.json()["code"]) == (422, "bad_idempotency_key")


# --- lists ------------------------------------------------------------------------------------------------


def test_a_list_is_read_to_its_end_by_its_own_links(door: doors.Door) -> None:
    with door.database.transaction() as session:
        session.execute(text("DELETE FROM toy"))
        for n in range(5):
            _insert(session, f"urut {n}", n)
    path: str | None = "/api/toys?limit=2&warna=merah&warna=biru"
    told: list[str] = []

    while path:
        answer = door.get(ANI, path)
        told += answer.json()
        link = answer.headers.get("link", "")
        assert not link or ('rel="next"' in link and "warna=merah&warna=biru" in link)
        path = link.split("<")[1].split(">")[0] if link else None

    assert told == [f"urut {n}" for n in (4, 3, 2, 1, 0)]


@pytest.mark.parametrize("after", ["xxx", "%2B%2B%2B%2B", "MjAyNg", "é"])
def test_a_place_that_we_did_not_give_is_refused(door: doors.Door, after: str) -> None:
    answer = door.get(ANI, f"/api/toys?after={after}")

    assert (answer.status_code, answer.json()["code"]) == (422, "incomplete")


# --- what the gateway asks --------------------------------------------------------------------------------


def test_the_gateway_learns_which_paths_are_ours(door: doors.Door) -> None:
    told = door.get(None, "/inner/doors").json()

    assert told["prefixes"] == ["/api/jobs", "/api/said", "/api/toys", "/api/wrong-id"]
    assert told["navigation"][0]["path"] == "/mainan"


def test_health_looks_at_the_database(door: doors.Door, keys: Keys, state: Path) -> None:
    settings = ServiceSettings(
        database_url="postgresql+psycopg://x@/x?host=/nonexistent", keys_folder=keys.folder, files_folder=state
    )
    away = doors.Door.of(make_app(service="helpdesk", title="Mainan", settings=settings, routers=[router]), keys)

    assert door.get(None, "/api/health").json() == {"status": "ok", "service": "helpdesk"}
    assert away.get(None, "/api/health").status_code == 503
    assert away.get(ANI, "/api/toys").status_code == 503


# --- live logs --------------------------------------------------------------------------------------------


def test_a_log_is_followed_to_its_end_and_holds_no_connection(door: doors.Door) -> None:
    with door.database.transaction() as session:
        job_id = jobs.start(session, "toy", "t").id
    lease = jobs.claim(door.database, job_id, "uji")
    assert lease is not None
    lease.write_line("baris satu")
    jobs.work(lease, lambda database, held: held.write_line("baris dua"))

    answer = door.get(ANI, f"/api/jobs/{job_id}/log")

    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.text.index("baris satu") < answer.text.index("baris dua") < answer.text.index("event: end")
    pool: Any = door.database.engine.pool
    assert pool.checkedout() == 0


def test_a_log_that_is_not_there_is_refused_before_the_stream_begins(door: doors.Door) -> None:
    assert door.get(ANI, f"/api/jobs/{uuid4()}/log").status_code == 404
