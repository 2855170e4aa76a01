"""The three doors: JSON and pages through a signed person, messages through the real mailbox."""

import asyncio
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient, Response
from sqlalchemy import select

from services.proposal import actions
from services.proposal.app import make
from services.proposal.model import Case, Office, Table, TraceEntry
from services.proposal.settings import Settings
from services.proposal.tasks import make_worker
from shared import mailbox, messages
from shared.database import Database
from shared.identity import HEADER, Caller, Person, sign
from shared.keys import GATEWAY, Keys
from shared.messages import CaseMessage, every_message
from shared.migrate import differences
from tests.people import ANI, BAYU, BUDI, CITRA, GITA, JOKO, SARI, ZULKIFLI
from tests.proposal.walk import TODAY, Walk, content


@dataclass
class House:
    """The division's web application on a database of its own."""

    app: FastAPI
    database: Database
    office: Office
    keys: Keys
    settings: Settings

    def ask(self, by: Person | None, method: str, path: str, **given: Any) -> Response:
        """Send a request as a person whom the gateway vouches for."""
        headers = dict(given.pop("headers", {}))
        if by:
            caller = Caller(person=by, form_token="token")
            key = self.keys.pair(GATEWAY, "proposal", use="person")
            headers[HEADER] = sign(caller, key=key, audience="proposal")

        async def send() -> Response:
            transport = ASGITransport(app=self.app)
            async with AsyncClient(transport=transport, base_url="http://alur.test") as client:
                return await client.request(method, path, headers=headers, **given)

        return asyncio.run(send())

    def walked(self, to: str) -> Case:
        """Commit a case that was walked to a status."""
        with self.database.transaction() as session:
            case: Case = getattr(Walk(session, self.office), to)()
            return case


@pytest.fixture
def house(database_of: Callable[[str], Database], keys: Keys, tmp_path: Path) -> Iterator[House]:
    """Return the division's application behind a signed header."""
    database = database_of("proposal")
    settings = Settings(database_url=database.url, keys_folder=keys.folder, files_folder=tmp_path / "files")
    app = make(settings)
    yield House(app, database, app.state.office, keys, settings)
    app.state.database.close()


def proposal_body(**changed: Any) -> dict[str, Any]:
    return content(**changed).model_dump(mode="json")


def test_a_proposal_goes_from_draft_to_the_work_programme_through_the_api(house: House) -> None:
    made = house.ask(ANI, "POST", "/api/proposals", json=proposal_body(code="presensi"))
    root = f"/api/proposals/{made.json()['id']}"
    steps: Sequence[tuple[Person, str, dict[str, Any] | None]] = [
        (ANI, "submission", None),
        (BUDI, "return", {"reason": "Surat belum ditandatangani."}),
        (ANI, "resubmission", proposal_body(code="presensi", background="Diperbaiki dan dilengkapi.")),
        (BUDI, "acceptance", {"words": "Segera."}),
        (BAYU, "analysis", {"summary": "Kebutuhan presensi pegawai.", "recommendation": "proceed"}),
        (BUDI, "recommendation", {}),
        (CITRA, "approval", {"words": "Temuan pemeriksaan.", "override_cut_off": True}),
        (BUDI, "work-programme-entry", {"estimated_amount": 136_000_000, "fiscal_year": TODAY.year + 1}),
        (BAYU, "terms-of-reference", {"background": "Dasar pembayaran uang makan.", "purpose": "Presensi."}),
    ]

    answers = [house.ask(by, "POST", f"{root}/{noun}", json=body) for by, noun, body in steps]

    assert made.status_code == 201
    assert made.headers["location"] == root
    assert [answer.status_code for answer in answers] == [200, 200, 200, 200, 200, 200, 200, 201, 201]
    programme = house.ask(GITA, "GET", f"/api/work-programme?fiscal_year={TODAY.year + 1}").json()
    assert [row["number"] for row in programme] == [f"{TODAY.year + 1}-APL-01"]
    view = house.ask(SARI, "GET", f"/api/cases/{made.json()['number']}").json()
    assert view["status"] == "in_work_programme"
    assert len(view["stations"]) == 11
    assert [entry["step"] for entry in view["trace"]].count("S02") == 3
    assert all(entry["at"] and entry["person"] and entry["as_what"] for entry in view["trace"])
    paper = view["papers"][0]
    pdf = house.ask(SARI, "GET", paper["link"])
    assert pdf.content.startswith(b"%PDF-")
    assert pdf.headers["content-disposition"].startswith("attachment")
    assert house.ask(ZULKIFLI, "GET", paper["link"]).status_code == 404


def test_meetings_and_evaluations_through_the_api(house: House) -> None:
    case = house.walked("live")
    period = {"from_on": f"{TODAY.year - 1}-01-01", "until_on": TODAY.isoformat()}
    opened = house.ask(BUDI, "POST", "/api/evaluations", json={"case_id": str(case.id), **period}).json()
    root = f"/api/evaluations/{opened['id']}"
    report = {"advice": ["Uji beban"], "advises": "further_development", "without_missing": True}
    early = house.ask(BUDI, "POST", f"{root}/report", json={**report, "without_missing": False})
    reported = house.ask(BUDI, "POST", f"{root}/report", json=report)
    meeting = {
        "kind": "weekly",
        "on": TODAY.isoformat(),
        "starts": "09:00",
        "place": "Ruang Rapat",
        "chair": "Kepala PUSTIPD",
        "attendees": ["Kepala PUSTIPD"],
    }
    called = house.ask(BAYU, "POST", "/api/meetings", json=meeting).json()
    item = {"evaluation_id": opened["id"], "discussion": "Laporan didengar.", "decision": "continue"}
    recorded = house.ask(BAYU, "POST", f"/api/meetings/{called['id']}/items", json=item)
    closed = house.ask(CITRA, "POST", f"/api/meetings/{called['id']}/closing")
    again = house.ask(CITRA, "POST", f"/api/meetings/{called['id']}/closing")
    decided = house.ask(CITRA, "POST", f"{root}/decision", json={"decision": "further_development"})
    followed = house.ask(BUDI, "POST", f"{root}/follow-up")

    assert (early.status_code, early.json()["code"]) == (409, "figures_missing")
    assert (reported.status_code, recorded.status_code, closed.status_code) == (200, 201, 200)
    assert (again.status_code, again.json()["code"]) == (409, "out_of_turn")
    assert decided.json()["decision"] == "further_development"
    assert (followed.status_code, followed.json()["parent_case_id"]) == (201, str(case.id))
    assert house.ask(CITRA, "GET", root).json()["follow_up_case_id"] == followed.json()["id"]
    assert [row["number"] for row in house.ask(SARI, "GET", "/api/meetings").json()] == [called["number"]]
    waiting = house.ask(CITRA, "GET", "/api/waiting").json()
    assert [task["case_number"] for task in waiting] == [followed.json()["number"]]
    registered = house.ask(CITRA, "GET", "/api/applications").json()
    assert [row["address"] for row in registered] == ["presensi.kampus.example"]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"code": "Presensi!"}, "/code"),
        ({"code": "admin"}, "/code"),
        ({"expected_users": 1.5}, "/expected_users"),
        ({"expected_users": True}, "/expected_users"),
        ({"expected_users": -1}, "/expected_users"),
        ({"kind": "game"}, "/kind"),
        ({"status": "live"}, "/status"),
        ({"proposer_id": str(uuid4())}, "/proposer_id"),
        ({"letter_on": "22-11-2026"}, "/letter_on"),
        ({"indicators": [{"target": "tanpa nama"}]}, "/indicators/0/name"),
        ({"name": "x" * 300}, "/name"),
    ],
)
def test_a_bad_field_is_named_in_indonesian(house: House, body: dict[str, Any], pointer: str) -> None:
    answer = house.ask(ANI, "POST", "/api/proposals", json=proposal_body() | body)

    problem = answer.json()
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert pointer in [error["pointer"] for error in problem["errors"]]


@pytest.mark.parametrize("amount", [1.5, "1.5", "1500000", True, -1, 10**18])
def test_money_is_whole_rupiah(house: House, amount: object) -> None:
    case = house.walked("approved")

    answer = house.ask(
        BUDI, "POST", f"/api/proposals/{case.id}/work-programme-entry", json={"estimated_amount": amount}
    )

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/estimated_amount"


def test_what_no_door_takes(house: House) -> None:
    case = house.walked("submitted")
    root = f"/api/proposals/{case.id}"

    answers = {
        "no person": house.ask(None, "GET", "/api/cases"),
        "forged": house.ask(None, "GET", "/api/cases", headers={HEADER: "e30.e30.x"}),
        "no JSON": house.ask(
            BUDI, "POST", f"{root}/return", content=b"{", headers={"content-type": "application/json"}
        ),
        "no reason": house.ask(BUDI, "POST", f"{root}/return", json={"reason": ""}),
        "own proposal": house.ask(ANI, "POST", f"{root}/acceptance"),
        "out of turn": house.ask(CITRA, "POST", f"{root}/approval"),
        "stranger": house.ask(ZULKIFLI, "GET", root),
        "vendor": house.ask(JOKO, "GET", f"/api/cases/{case.number}"),
        "no case": house.ask(SARI, "GET", "/api/cases/APL-1999-0001"),
        "bad mark": house.ask(SARI, "GET", "/api/cases?after=xx"),
        "bad limit": house.ask(SARI, "GET", "/api/cases?limit=201"),
        "bad digest": house.ask(SARI, "GET", "/api/papers/..%2f..%2fetc"),
        "no digest": house.ask(SARI, "GET", f"/api/papers/{'0' * 64}"),
        "minutes": house.ask(ANI, "GET", "/api/meetings"),
    }

    assert {name: answer.status_code for name, answer in answers.items()} == {
        "no person": 401,
        "forged": 401,
        "no JSON": 422,
        "no reason": 422,
        "own proposal": 403,
        "out of turn": 409,
        "stranger": 404,
        "vendor": 404,
        "no case": 404,
        "bad mark": 422,
        "bad limit": 422,
        "bad digest": 404,
        "no digest": 404,
        "minutes": 403,
    }


def test_an_edition_is_told_and_asked_for(house: House) -> None:
    made = house.ask(ANI, "POST", "/api/proposals", json=proposal_body(code="arsip"))
    path = f"/api/proposals/{made.json()['id']}"
    seen = made.headers["etag"]

    first = house.ask(ANI, "PUT", path, json=proposal_body(code="arsip"), headers={"if-match": seen})
    second = house.ask(ANI, "PUT", path, json=proposal_body(code="arsip"), headers={"if-match": seen})

    assert (first.status_code, second.status_code) == (200, 412)
    assert first.headers["etag"] != seen


def test_a_repeated_request_is_answered_as_the_first_time(house: House) -> None:
    once = {"headers": {"idempotency-key": uuid4().hex}, "json": proposal_body(code="arsip")}

    first = house.ask(ANI, "POST", "/api/proposals", **once)
    second = house.ask(ANI, "POST", "/api/proposals", **once)

    assert first.json()["id"] == second.json()["id"]
    assert len(house.ask(ANI, "GET", "/api/cases").json()) == 1


def test_lists_go_on_by_link(house: House) -> None:
    for n in range(3):
        house.ask(ANI, "POST", "/api/proposals", json=proposal_body(code=f"app{n}x"))

    first = house.ask(ANI, "GET", "/api/cases?limit=2&status=draft")
    link = re.search(r"<([^>]+)>; rel=\"next\"", first.headers["link"])
    assert link
    rest = house.ask(ANI, "GET", link.group(1))

    assert (len(first.json()), len(rest.json())) == (2, 1)
    assert "link" not in rest.headers


def test_a_letter_is_uploaded(house: House) -> None:
    made = house.ask(ANI, "POST", "/api/proposals", json=proposal_body()).json()
    path = f"/api/proposals/{made['id']}/letter"

    good = house.ask(ANI, "POST", path, files={"letter": ("surat.pdf", b"%PDF-1.7 x", "application/pdf")})
    bad = house.ask(ANI, "POST", path, files={"letter": ("surat.pdf", b"<html>", "application/pdf")})

    assert good.status_code == 200
    assert len(good.json()["letter_digest"]) == 64
    assert bad.status_code == 422


@pytest.mark.parametrize(
    ("by", "path", "words"),
    [
        (ANI, "/usulan", "Buat usulan"),
        (CITRA, "/usulan?milik=semua", "Usulan"),
        (CITRA, "/perkara", "Perkara"),
        (CITRA, "/perkara?q=presensi&status=submitted&unit=BPEG", "Perkara"),
        (CITRA, "/proker", "Program kerja"),
        (CITRA, "/proker?tahun=2027", "2027"),
        (BAYU, "/rapat", "Buat rapat"),
        (SARI, "/aplikasi-terdaftar", "Daftar aplikasi"),
    ],
)
def test_pages_without_data_say_what_will_stand_there(house: House, by: Person, path: str, words: str) -> None:
    answer = house.ask(by, "GET", path)

    assert answer.status_code == 200
    assert words in answer.text
    assert 'class="empty"' in answer.text


@pytest.mark.parametrize("status", ["drafted", "submitted", "recommended", "programmed", "ready", "installed", "live"])
def test_the_case_page_at_each_turn(house: House, status: str) -> None:
    case = house.walked(status)

    for by in (ANI, BUDI, CITRA, SARI):
        if status == "drafted" and by in (BUDI, CITRA):
            continue
        answer = house.ask(by, "GET", f"/perkara/{case.number}")
        assert answer.status_code == 200
        assert case.number in answer.text
        assert 'class="timeline"' in answer.text
        assert "<style" not in answer.text
        assert "<script" not in answer.text
    assert house.ask(ZULKIFLI, "GET", f"/perkara/{case.number}").status_code == 404


def test_what_people_write_is_shown_as_text(house: House) -> None:
    hostile = "<script>alert(1)</script>"
    made = house.ask(ANI, "POST", "/api/proposals", json=proposal_body(name=hostile, background=hostile)).json()

    page = house.ask(ANI, "GET", f"/perkara/{made['number']}")

    assert hostile not in page.text
    assert "&lt;script&gt;" in page.text


def test_acts_are_done_from_the_page(house: House) -> None:
    form = {"name": "Arsip Digital", "code": "arsip", "expected_users": "300", "form_token": "token"}

    made = house.ask(ANI, "POST", "/usulan", data=form)
    page = made.headers["location"]
    with house.database.transaction() as session:
        case_id = session.scalars(select(Case.id)).one()
    refused = house.ask(ANI, "POST", f"/perkara/{case_id}/pengajuan", data={"form_token": "token"})
    whole = proposal_body(code="arsip") | {"indicators.0.name": "Rekap tepat waktu"}
    whole.pop("indicators")
    amended = house.ask(ANI, "POST", f"/perkara/{case_id}/perbaikan", data=whole)
    submitted = house.ask(ANI, "POST", f"/perkara/{case_id}/pengajuan", data={"form_token": "token"})

    assert (made.status_code, page[:12]) == (303, "/usulan/APL-")
    assert refused.status_code == 422
    assert "belum lengkap" in refused.text
    assert (amended.status_code, submitted.status_code) == (303, 303)
    assert "Diajukan" in house.ask(ANI, "GET", page).text


def test_a_refused_form_keeps_what_was_typed(house: House) -> None:
    answer = house.ask(ANI, "POST", "/usulan", data={"name": "Arsip Digital Lama", "code": "Salah Sekali"})

    assert answer.status_code == 422
    assert "Arsip Digital Lama" in answer.text
    assert "Salah Sekali" in answer.text


def test_a_meeting_and_an_evaluation_are_walked_on_pages(house: House) -> None:
    with house.database.transaction() as session:
        walk = Walk(session, house.office)
        programmed = walk.programmed()
        evaluation = walk.reported()
        number, evaluation_id = programmed.number, evaluation.id

    form = {
        "kind": "weekly",
        "on": TODAY.isoformat(),
        "place": "Ruang Rapat",
        "chair": "Kepala",
        "attendees": "Kepala PUSTIPD\nKoordinator",
    }
    path = house.ask(BAYU, "POST", "/rapat", data=form).headers["location"]
    page = house.ask(BAYU, "GET", f"{path}?evaluasi={evaluation_id}")
    for named in ({"case_number": number}, {"evaluation_id": str(evaluation_id)}):
        item = {"discussion": "Dibahas bersama.", "decision": "continue", **named}
        assert house.ask(BAYU, "POST", f"{path}/butir", data=item).status_code == 303
    closed = house.ask(CITRA, "POST", f"{path}/penutupan", data={"form_token": "token"})
    report = house.ask(CITRA, "GET", f"/evaluasi/{evaluation_id}")
    decided = house.ask(CITRA, "POST", f"/evaluasi/{evaluation_id}/keputusan", data={"decision": "further_development"})
    followed = house.ask(BUDI, "GET", f"/evaluasi/{evaluation_id}")

    assert str(evaluation_id) in page.text
    assert number in page.text
    assert closed.status_code == 303
    assert "Unduh PDF" in house.ask(CITRA, "GET", path).text
    assert "Catatan helpdesk" in report.text
    assert decided.status_code == 303
    assert "Menindaklanjuti evaluasi" in followed.text


def test_every_message_to_the_case_has_its_one_handler(house: House) -> None:
    worker = make_worker(house.settings)

    addressed = {kind.__name__ for kind in every_message().values() if "proposal" in kind.to}
    worker.database.close()
    assert set(worker.handlers) == addressed


def test_a_letter_early_and_twice_takes_effect_once_and_in_its_turn(
    house: House, database_of: Callable[[str], Database]
) -> None:
    budget = database_of("budget")
    worker = make_worker(house.settings)
    case = house.walked("ready")
    locked = _send(budget, house.keys, _fact(case, messages.PlanConveyed, letter_number="B-1", total_amount=1))

    early = _receive(house, worker, locked)
    with house.database.transaction() as session:
        actions.conclude(session, BUDI, case.id)
    in_turn = _receive(house, worker, locked)
    twice = _receive(house, worker, locked)

    with house.database.transaction() as session:
        told = session.scalars(select(TraceEntry).where(TraceEntry.kind == "PlanConveyed")).all()
        status = session.get_one(Case, case.id).status
    worker.database.close()
    assert (early, in_turn, twice) == (["refused"], ["done"], ["done"])
    assert status == "sent_to_planning"
    assert [(entry.source, entry.person_name) for entry in told] == [("budget", GITA.name)]


def _fact(case: Case, kind: type[CaseMessage], **facts: Any) -> CaseMessage:
    return kind(case_id=case.id, case_number=case.number, **facts)


def _send(database: Database, keys: Keys, message: CaseMessage) -> list[dict[str, Any]]:
    with database.transaction() as session:
        mailbox.post(session, message, by=GITA)
        parcels = mailbox.take(session, source="budget", keys=keys, room={"proposal": 5})
    return [wire for parcel in parcels for wire in parcel.wires]


def _receive(house: House, worker: Any, wires: list[dict[str, Any]]) -> list[str]:
    outcomes = mailbox.receive(house.database, wires, service="proposal", keys=house.keys, handlers=worker.handlers)
    return [outcome.result for outcome in outcomes]


def test_the_tables_are_those_of_the_models(house: House) -> None:
    assert differences(house.database.url, Table.metadata) == []
