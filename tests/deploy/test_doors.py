"""The JSON door and the pages: who may, what is shown, bad forms, and the live log as a stream."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import anyio
import httpx
import pytest
from fastapi import FastAPI

from services.deploy import actions
from services.deploy.app import make
from services.deploy.model import Installation
from services.deploy.settings import Settings
from shared import identity, jobs, permit
from shared.database import Database
from shared.identity import Caller, Person
from shared.keys import GATEWAY, Keys
from shared.store import Store
from tests.deploy.test_actions import Campus, archive, hosting_fields, server_fields
from tests.people import ANI, BAYU, CITRA, EDI, EKO, JOKO, KIKI, LINA

NUMBER = "ALUR-2026-0001"


@dataclass
class Door:
    """The division's web application, asked as the gateway asks it."""

    app: FastAPI
    database: Database
    store: Store
    key: bytes
    case_id: UUID

    def ask(self, by: Person | None, method: str, path: str, **more: Any) -> httpx.Response:
        headers = {"accept": "text/html" if not path.startswith("/api") else "application/json"}
        if by:
            headers[identity.HEADER] = identity.sign(Caller(person=by), key=self.key, audience="deploy")
        headers |= more.pop("headers", {})

        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://deploy") as client:
                return await client.request(method, path, headers=headers, **more)

        return anyio.run(send)

    def known(self, *, is_handed_over: bool = True) -> None:
        with self.database.transaction() as session:
            campus = Campus(session, self.store, self.case_id)
            campus.handed_over() if is_handed_over else campus.contracted()

    def planned(self) -> Installation:
        with self.database.transaction() as session:
            campus = Campus(session, self.store, self.case_id).handed_over()
            return campus.planned(campus.hosting(), campus.build())


@pytest.fixture
def door(database_of: Callable[[str], Database], keys: Keys, tmp_path: Path) -> Iterator[Door]:
    """Return the doors of a division that knows nothing yet."""
    folder = tmp_path / "keys"
    folder.mkdir()
    for file in keys.folder.glob("*.key"):
        (folder / file.name).symlink_to(file)
    permit.new_key_pair(folder / "security")
    (folder / permit.PUBLIC_KEY).write_bytes((folder / "security" / permit.PUBLIC_KEY).read_bytes())
    settings = Settings(database_url=database_of("deploy").url, keys_folder=folder, files_folder=tmp_path / "files")
    app = make(settings)
    key = keys.pair(GATEWAY, "deploy", use="person")
    yield Door(app, app.state.database, Store(settings.files_folder), key, uuid4())
    app.state.database.close()


READS = ("servers", "hostings", "builds", "installations", "releases", "waiting")


@pytest.mark.parametrize("name", READS)
def test_nobody_reads_without_being_vouched_for(door: Door, name: str) -> None:
    assert door.ask(None, "GET", f"/api/{name}").status_code == 401
    forged = {identity.HEADER: identity.sign(Caller(person=EDI), key=b"x" * 32, audience="deploy")}
    assert door.ask(None, "GET", f"/api/{name}", headers=forged).status_code == 401
    assert door.ask(EDI, "GET", f"/api/{name}").json() == []


def test_a_probe_is_promised_and_the_register_waits_for_it(door: Door) -> None:
    asked = door.ask(EDI, "POST", "/api/servers/probe", json={"address": "web.kampus.example", "port": 22})

    assert (asked.status_code, asked.json()["state"]) == (202, "waiting")
    assert door.ask(EDI, "GET", f"/api/servers/probe/{asked.json()['id']}").json()["state"] == "waiting"
    assert door.ask(EDI, "POST", "/api/servers", json=server_fields("web-1")).status_code == 409
    assert door.ask(BAYU, "POST", "/api/servers/probe", json={"address": "x.example", "port": 22}).status_code == 403


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("subdomain", "a"),
        ("subdomain", "-presensi"),
        ("subdomain", "presensi-"),
        ("subdomain", "Presensi"),
        ("subdomain", "presensi.kampus"),
        ("subdomain", "presensi\n"),
        ("subdomain", "a" * 41),
        ("disk_mb", 0),
        ("disk_mb", "banyak"),
        ("runtime", "php"),
        ("technical_whatsapp", "tidak punya"),
        ("purpose", ""),
    ],
)
def test_a_hosting_request_outside_its_grammar_names_the_field(door: Door, field: str, value: object) -> None:
    door.known()
    body = hosting_fields(NUMBER, "presensi") | {field: value}

    answer = door.ask(BAYU, "POST", "/api/hostings", json=body)

    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == [f"/{field}"]


def test_a_temporary_hosting_needs_an_end(door: Door) -> None:
    door.known()
    body = hosting_fields(NUMBER, "presensi") | {"permanence": "temporary"}

    assert door.ask(BAYU, "POST", "/api/hostings", json=body).status_code == 422
    ending = body | {"until_on": "2027-01-31"}
    assert door.ask(BAYU, "POST", "/api/hostings", json=ending).json()["until_on"] == "2027-01-31"


def test_a_body_that_is_not_json_is_refused_in_words(door: Door) -> None:
    answer = door.ask(BAYU, "POST", "/api/hostings", content=b"{nope", headers={"content-type": "application/json"})

    assert answer.status_code == 422
    assert "bukan JSON" in answer.json()["errors"][0]["detail"]


def upload(
    door: Door, by: Person, files: dict[str, bytes] | None = None, *, path: str = "/api/builds"
) -> httpx.Response:
    return door.ask(
        by, "POST", path, data={"case_number": NUMBER}, files={"file": ("presensi.zip", archive(**files or {}))}
    )


def test_an_upload_becomes_a_build_and_twice_the_same_one(door: Door) -> None:
    door.known()

    first, second = upload(door, JOKO), upload(door, JOKO)

    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json()["id"] == second.json()["id"]
    assert (first.json()["files"], first.json()["file_name"]) == (1, "presensi.zip")
    assert len(door.ask(JOKO, "GET", "/api/builds").json()) == 1


def test_an_upload_for_somebody_elses_contract_is_refused(door: Door) -> None:
    door.known()

    assert [upload(door, by).status_code for by in (KIKI, ANI, EDI)] == [403, 403, 403]
    assert door.ask(KIKI, "GET", f"/api/builds/{upload(door, JOKO).json()['id']}").status_code == 404


@pytest.mark.parametrize(
    ("entry", "code"),
    [("../etc/passwd", "parent_path"), ("/etc/passwd", "absolute_path"), ("INDEX.html", "case_twin")],
)
def test_a_bad_archive_is_refused_with_its_entry(door: Door, entry: str, code: str) -> None:
    door.known()

    answer = upload(door, JOKO, {entry: b"x"})

    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert entry in answer.json()["detail"]
    assert door.ask(JOKO, "GET", "/api/builds").json() == []


def test_what_is_no_archive_is_refused(door: Door) -> None:
    door.known()

    answer = door.ask(JOKO, "POST", "/api/builds", data={"case_number": NUMBER}, files={"file": ("x.zip", b"hello")})

    assert (answer.status_code, answer.json()["code"]) == (422, "unknown_format")


def test_an_installation_shows_its_plan_and_goes_on_after_approval(door: Door) -> None:
    made = door.planned()

    shown = door.ask(EKO, "GET", f"/api/installations/{made.id}").json()
    assert (shown["status"], shown["plan_digest"]) == ("planned", made.plan_digest)
    assert shown["plan"]["steps"][0]["verb"] == "install"
    path = f"/api/installations/{made.id}/approval"
    assert door.ask(EDI, "POST", path, json={"plan_digest": made.plan_digest}).status_code == 403
    assert door.ask(EKO, "POST", path, json={"plan_digest": "0" * 64}).status_code == 412
    approved = door.ask(EKO, "POST", path, json={"plan_digest": made.plan_digest})
    assert (approved.status_code, approved.json()["job_state"]) == (202, "waiting")
    assert door.ask(EKO, "POST", path, json={}).status_code == 409


def test_a_planned_installation_is_promised(door: Door) -> None:
    with door.database.transaction() as session:
        campus = Campus(session, door.store, door.case_id).handed_over()
        hosting, build = campus.hosting(), campus.build()
    body = {"hosting_id": str(hosting.id), "build_id": str(build.id)}

    made = door.ask(EDI, "POST", "/api/installations", json=body)

    assert (made.status_code, made.json()["status"], made.json()["job_state"]) == (202, "planning", "waiting")
    assert door.ask(EDI, "POST", "/api/installations", json=body).status_code == 409
    assert door.ask(BAYU, "POST", "/api/installations", json=body).status_code == 403


def events(text: str) -> list[dict[str, str]]:
    """Return the events of a stream, each as its fields."""
    found = []
    for block in text.strip().split("\n\n"):
        lines = [line.partition(": ") for line in block.splitlines() if not line.startswith(":")]
        found.append({name: value for name, _, value in lines})
    return found


def written(door: Door, installation: Installation, *words: str) -> None:
    """Let the job of an installation tell some lines and end, as its worker does."""
    assert installation.plan_job_id is not None
    lease = jobs.claim(door.database, installation.plan_job_id, "test")
    assert lease is not None
    for word in words:
        lease.write_line(word)
    with lease.recording() as session:
        lease.finish(session)


def test_the_live_log_streams_and_resumes(door: Door) -> None:
    made = door.planned()
    written(door, made, "satu", "dua", "tiga")
    path = f"/api/installations/{made.id}/log"

    whole = door.ask(EKO, "GET", path)
    rest = door.ask(EKO, "GET", path, headers={"last-event-id": "1.2"})

    assert whole.headers["content-type"].startswith("text/event-stream")
    told = events(whole.text)
    assert [json.loads(event["data"]).get("text") for event in told] == ["satu", "dua", "tiga", None]
    assert [event.get("id") for event in told] == ["1.1", "1.2", "1.3", None]
    assert told[-1]["event"] == "end"
    assert [json.loads(event["data"]).get("text") for event in events(rest.text)] == ["tiga", None]


def test_the_live_log_waits_for_lines_of_a_running_job(door: Door) -> None:
    made = door.planned()
    headers = {identity.HEADER: identity.sign(Caller(person=EKO), key=door.key, audience="deploy")}
    got: list[dict[str, Any]] = []

    async def follow() -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(listen)
            await anyio.to_thread.run_sync(lambda: written(door, made, "satu", "dua"))

    async def listen() -> None:
        transport = httpx.ASGITransport(door.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://deploy") as client:
            answer = await client.get(f"/api/installations/{made.id}/log", headers=headers)
            got.extend(json.loads(event["data"]) for event in events(answer.text))

    anyio.run(follow)

    assert [event.get("text") for event in got] == ["satu", "dua", None]


def test_the_log_is_only_for_those_who_may_see_the_case(door: Door) -> None:
    made = door.planned()
    path = f"/api/installations/{made.id}/log"

    assert door.ask(KIKI, "GET", path).status_code == 404
    assert door.ask(None, "GET", path).status_code == 401
    assert door.ask(EKO, "GET", path, headers={"last-event-id": "rusak"}).status_code == 422


def test_a_list_goes_on_where_it_ended(door: Door) -> None:
    door.known()
    for word in ("satu", "dua", "tiga"):
        upload(door, JOKO, {word: b"x"})

    first = door.ask(JOKO, "GET", "/api/builds?limit=2")
    after = httpx.Headers(first.headers)["link"].partition("after=")[2].partition(">")[0]
    second = door.ask(JOKO, "GET", f"/api/builds?limit=2&after={after}")

    assert [len(first.json()), len(second.json())] == [2, 1]
    assert "link" not in second.headers


def test_an_act_on_nothing_is_not_found(door: Door) -> None:
    nothing = uuid4()
    for by, path in ((EDI, "go-live"), (EDI, "roll-back"), (CITRA, "authorisation")):
        assert door.ask(by, "POST", f"/api/releases/{nothing}/{path}").status_code == 404
    assert door.ask(EKO, "POST", f"/api/installations/{nothing}/approval", json={}).status_code == 404


# --- pages ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/server", "/hosting", "/paket", "/instalasi", "/rilis"])
def test_every_list_has_its_page_with_and_without_rows(door: Door, path: str) -> None:
    empty = door.ask(EDI, "GET", path)
    assert (empty.status_code, "Belum ada" in empty.text) == (200, True)

    with door.database.transaction() as session:
        campus = Campus(session, door.store, door.case_id).handed_over()
        campus.installed(campus.hosting())
    full = door.ask(EDI, "GET", path)

    assert (full.status_code, "<table" in full.text) == (200, True)
    assert full.headers["x-alur-title"]


def test_each_thing_has_its_page(door: Door) -> None:
    with door.database.transaction() as session:
        campus = Campus(session, door.store, door.case_id).handed_over()
        release = campus.live(campus.installed(campus.hosting()))
        server = release.hosting.place
    things = [
        (f"/server/{server.id}", server.fingerprint),
        (f"/hosting/{release.hosting_id}", "presensi-uji.kampus.example"),
        (f"/paket/{release.build_id}", release.digest),
        (f"/instalasi/{release.installation_id}", "Alamat tertutup menunjuk rilis"),
        (f"/rilis/{release.id}", "Digunakan"),
    ]

    for path, words in things:
        answer = door.ask(EDI, "GET", path)
        assert (answer.status_code, words in answer.text) == (200, True), path


def test_a_suspended_server_says_on_its_page_what_happened_and_what_to_do(door: Door) -> None:
    with door.database.transaction() as session:
        server = Campus(session, door.store, door.case_id).server()
        actions.suspend_server(session, server.id, shown="SHA256:lain")

    shown = door.ask(EKO, "GET", f"/server/{server.id}").text

    assert "Insiden" in shown
    assert "SHA256:lain" in shown
    assert "Kunci ulang sidik jari" in shown


def test_a_plan_is_approved_from_its_page_but_not_by_its_maker(door: Door) -> None:
    made = door.planned()
    path = f"/instalasi/{made.id}/persetujuan/{made.plan_digest}"
    assert path in door.ask(EKO, "GET", f"/instalasi/{made.id}").text
    assert path not in door.ask(EDI, "GET", f"/instalasi/{made.id}").text

    assert door.ask(EDI, "POST", path).status_code == 403
    assert door.ask(EKO, "POST", f"/instalasi/{made.id}/persetujuan/{'0' * 64}").status_code == 412
    done = door.ask(EKO, "POST", path)

    assert (done.status_code, done.headers["location"]) == (303, f"/instalasi/{made.id}")


def test_an_installation_is_planned_from_the_list(door: Door) -> None:
    with door.database.transaction() as session:
        campus = Campus(session, door.store, door.case_id).handed_over()
        hosting, build = campus.hosting(), campus.build()
    path = f"/instalasi/rencana/{hosting.id}/{build.id}"
    assert path in door.ask(EDI, "GET", "/instalasi").text
    assert path not in door.ask(EKO, "GET", "/instalasi").text

    done = door.ask(EDI, "POST", path)

    assert (done.status_code, done.headers["location"].startswith("/instalasi/")) == (303, True)
    assert door.ask(EDI, "POST", "/instalasi/rencana/x/y").status_code == 404


def test_a_package_is_uploaded_from_its_page_and_a_bad_one_is_explained_there(door: Door) -> None:
    door.known()

    bad = upload(door, JOKO, {"../x": b"x"}, path="/paket")
    good = upload(door, JOKO, path="/paket")

    assert (bad.status_code, "../x" in bad.text, NUMBER in bad.text) == (422, True, True)
    assert good.status_code == 303


def test_a_form_that_lacks_something_keeps_what_was_typed(door: Door) -> None:
    door.known()

    answer = door.ask(BAYU, "POST", "/hosting", data={"case_number": NUMBER, "subdomain": "Salah!", "disk_mb": "100"})

    assert answer.status_code == 422
    assert "Salah!" in answer.text
    assert "Wajib diisi." in answer.text


def test_hostile_words_stay_words_on_every_page(door: Door) -> None:
    canary = "<script>alert(1)</script>"
    with door.database.transaction() as session:
        campus = Campus(session, door.store, door.case_id).handed_over()
        hosting = campus.request()
        actions.refuse_hosting(session, EKO, hosting.id, reason=canary)

    shown = door.ask(EDI, "GET", f"/hosting/{hosting.id}").text

    assert canary not in shown
    assert "&lt;script&gt;" in shown


def test_what_waits_is_listed_with_its_page(door: Door) -> None:
    made = door.planned()

    assert [row["path"] for row in door.ask(EKO, "GET", "/api/waiting").json()] == [f"/instalasi/{made.id}"]
    assert door.ask(LINA, "GET", "/api/waiting").json() == []


def test_the_head_opens_nothing_without_a_permit_from_the_page(door: Door) -> None:
    with door.database.transaction() as session:
        campus = Campus(session, door.store, door.case_id).handed_over()
        release = campus.installed(campus.hosting())
        # Signed by a key that this installation does not know: what one machine took, another does not.
        campus.passed(release)

    answer = door.ask(CITRA, "POST", f"/rilis/{release.id}/izin-buka")

    assert answer.status_code == 403
    assert "Izin keamanan tidak berlaku" in answer.text
