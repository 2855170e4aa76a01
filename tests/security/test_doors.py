"""The security division's JSON door and pages: who may, what is shown, bad forms, and what a page costs."""

import re
from typing import Any
from uuid import UUID, uuid4

import pytest

from services.security import actions
from services.security.model import SecurityTest
from services.security.settings import Settings
from services.security.verdict import Severity
from shared import jobs
from shared.database import utc_now
from shared.identity import Person
from shared.permit import SignedPermit, public_key, verify
from tests.counting import statements
from tests.doors import Door
from tests.people import BAYU, EDI, FAJAR, FITRI, JOKO, KIKI, SARI
from tests.security.conftest import (
    CASE_NUMBER,
    CONTROLS,
    FIRST,
    HOSTING,
    fault,
    installed,
    result,
    told,
    went_live,
)

FINDING = {
    "title": "Menu admin terbuka",
    "severity": "high",
    "control": "K10",
    "where": "/admin",
    "risk": "Data pengguna terlihat.",
    "recommendation": "Batasi dengan peran.",
}


def opened(door: Door, digest: str = FIRST, **changed: Any) -> str:
    """Open a round for a build and return its id."""
    with door.database.transaction() as session:
        return str(actions.open_test(session, installed(digest, **changed)).id)


def scanned(door: Door, test_id: str, *names: str, severity: Severity = Severity.HIGH) -> None:
    """Let both engines answer; bandit finds what is named."""
    with door.database.transaction() as session:
        for scan in session.get_one(SecurityTest, UUID(test_id)).scans:
            found = [fault(name, severity=severity) for name in names if scan.engine == "bandit"]
            test = session.get_one(SecurityTest, UUID(test_id))
            actions.record_scan(session, scan.id, result(scan.engine, *found, digest=test.digest))


def reviewed(door: Door, *names: str) -> str:
    """Return a round that Fajar looks at."""
    test_id = opened(door)
    assert door.post(FAJAR, f"/api/security-tests/{test_id}/start").status_code == 202
    scanned(door, test_id, *names)
    return test_id


def submitted(door: Door, *names: str) -> str:
    """Return a round that waits for the verdict."""
    test_id = reviewed(door, *names)
    answers = [{"control": number, "answer": "pass"} for number in CONTROLS]
    assert door.post(FAJAR, f"/api/security-tests/{test_id}/controls", json={"answers": answers}).status_code == 200
    assert door.post(FAJAR, f"/api/security-tests/{test_id}/submission").status_code == 200
    return test_id


# --- JSON -------------------------------------------------------------------------------------------------


def test_a_round_lives_at_the_json_door_to_a_permit_that_holds(door: Door, settings: Settings) -> None:
    test_id = submitted(door)
    path = f"/api/security-tests/{test_id}"
    assert door.get(FITRI, path).json()["may_pass"] is True

    passed = door.post(FITRI, f"{path}/verdict", json={"verdict": "pass"}).json()

    assert (passed["status"], passed["answered_controls"], len(passed["scans"])) == ("passed", 72, 2)
    signed = SignedPermit.model_validate_json(passed["permits"][0]["signed"])
    asked: dict[str, Any] = {"digest": FIRST, "application": "e-presensi", "hosting": HOSTING}
    assert verify(signed, public_key(settings.keys_folder), now=utc_now(), **asked).case == CASE_NUMBER
    record = door.get(JOKO, f"{path}/record")
    assert record.content.startswith(b"%PDF-")
    assert record.headers["content-disposition"].startswith('attachment; filename="berita-acara-uji-')

    revoked = door.post(FITRI, f"/api/permits/{passed['permits'][0]['id']}/revocation", json={"reason": "Celah baru"})
    assert revoked.json()["revoked_at"] is not None


def test_a_round_fails_with_findings_and_reason(door: Door) -> None:
    path = f"/api/security-tests/{submitted(door, 'a')}"
    refused = door.post(FITRI, f"{path}/verdict", json={"verdict": "pass"})
    assert (refused.status_code, refused.json()["code"]) == (409, "pass_refused")
    assert "Temuan a" in refused.json()["errors"][0]["detail"]
    assert door.post(FITRI, f"{path}/verdict", json={"verdict": "fail"}).status_code == 422

    failed = door.post(FITRI, f"{path}/verdict", json={"verdict": "fail", "note": "Perintah sistem terbuka."})

    assert (failed.json()["status"], failed.json()["verdict_note"]) == ("failed", "Perintah sistem terbuka.")
    with door.database.session() as session:
        assert len(told(session, "TestFailed")) == 1


def test_a_finding_is_written_down_and_closed_at_the_json_door(door: Door) -> None:
    path = f"/api/security-tests/{reviewed(door)}"

    made = door.post(FAJAR, f"{path}/findings", json=FINDING)
    assert (made.status_code, made.json()["status"], made.json()["engine"]) == (201, "open", "manual")
    mended = door.post(FAJAR, f"{path}/findings/{made.json()['id']}/mending", json={"reason": "Dicoba ulang."})

    assert mended.json()["status"] == "fixed"
    assert door.post(FAJAR, f"{path}/findings/{uuid4()}/mending", json={"reason": "Tidak ada."}).status_code == 404


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"answers": []}, "/answers"),
        ({"answers": [{"control": "X1", "answer": "pass"}]}, "/answers/0/control"),
        ({"answers": [{"control": "K01", "answer": "ya"}]}, "/answers/0/answer"),
        ({"answers": [{"control": "K73", "answer": "pass"}]}, "/answers/K73"),
        ({"answers": [{"control": "K01", "answer": "not_applicable"}]}, "/answers/K01/note"),
        ({}, "/answers"),
    ],
)
def test_bad_answers_name_their_place(door: Door, body: dict[str, object], pointer: str) -> None:
    answer = door.post(FAJAR, f"/api/security-tests/{reviewed(door)}/controls", json=body)

    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer)


def test_a_vendor_sees_only_its_own_and_moves_nothing(door: Door) -> None:
    test_id = reviewed(door, "a")

    assert [row["id"] for row in door.get(JOKO, "/api/security-tests").json()] == [test_id]
    assert door.get(JOKO, f"/uji-keamanan/{test_id}").status_code == 200
    assert door.post(JOKO, f"/api/security-tests/{test_id}/submission").status_code == 403
    assert door.get(KIKI, "/api/security-tests").json() == []
    with door.database.session() as session:
        scan_id = session.get_one(SecurityTest, UUID(test_id)).scans[0].id
    for path in (
        f"/api/security-tests/{test_id}",
        f"/uji-keamanan/{test_id}",
        f"/api/security-tests/{test_id}/record",
        f"/api/scans/{scan_id}/log",
    ):
        assert door.get(KIKI, path).status_code == 404
    assert door.post(KIKI, f"/api/security-tests/{test_id}/submission").status_code == 404


def test_there_is_no_record_before_the_verdict(door: Door) -> None:
    assert door.get(FITRI, f"/api/security-tests/{reviewed(door)}/record").status_code == 404


def test_a_scans_log_can_be_followed(door: Door) -> None:
    test_id = opened(door)
    door.post(FAJAR, f"/api/security-tests/{test_id}/start")
    with door.database.session() as session:
        scan = session.get_one(SecurityTest, UUID(test_id)).scans[0]
    lease = jobs.claim(door.database, scan.job_id, "uji")
    assert lease is not None
    jobs.work(lease, lambda _database, held: held.write_line("Pemindai mulai"))

    answer = door.get(FITRI, f"/api/scans/{scan.id}/log")
    resumed = door.get(FITRI, f"/api/scans/{scan.id}/log", headers={"last-event-id": "1"})

    assert "Pemindai mulai" in answer.text and "event: end" in answer.text
    assert "Pemindai mulai" not in resumed.text and "event: end" in resumed.text


def test_what_waits_is_told_to_the_gateway(door: Door) -> None:
    test_id = opened(door)

    [waits] = door.get(FAJAR, "/api/waiting").json()

    assert (waits["path"], waits["case_number"], waits["step"]) == (f"/uji-keamanan/{test_id}", CASE_NUMBER, "S08")
    assert door.get(FITRI, "/api/waiting").json() == []


# --- pages ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("by", "forms"),
    [
        (FAJAR, {"pemindaian-ulang", "temuan", "pengajuan", "kendali"}),
        (FITRI, {"penghentian"}),
        (SARI, set()),
        (BAYU, set()),
        (JOKO, set()),
    ],
    ids=["tester", "head", "auditor", "developer", "vendor"],
)
def test_a_page_offers_what_this_person_may_do(door: Door, by: Person, forms: set[str]) -> None:
    test_id = reviewed(door, "a")
    with door.database.transaction() as session:
        actions.note_live(session, went_live())

    listed, shown = door.get(by, "/uji-keamanan"), door.get(by, f"/uji-keamanan/{test_id}")

    assert (listed.status_code, shown.status_code) == (200, 200)
    assert f'href="/uji-keamanan/{test_id}"' in listed.text
    assert set(re.findall(rf'action="/uji-keamanan/{test_id}/([\w-]+)"', shown.text)) == forms
    assert FIRST in shown.text and "Temuan a" in shown.text and "Pemindaian" in shown.text


def test_the_sheet_shows_72_controls_and_keeps_a_few_answers(door: Door) -> None:
    page = f"/uji-keamanan/{reviewed(door)}"
    assert len(re.findall(r'name="answers\.K\d\d\.answer"', door.get(FAJAR, page).text)) == 72
    sheet = {f"answers.{number}.{part}": "" for number in CONTROLS for part in ("answer", "note")}

    sheet |= {"answers.K01.answer": "pass", "answers.K72.answer": "not_applicable", "answers.K72.note": "Tanpa API."}
    answer = door.post(FAJAR, f"{page}/kendali", data=sheet)

    assert (answer.status_code, answer.headers["location"]) == (303, f"{page}#kendali")
    shown = door.get(FAJAR, page).text
    assert "Terjawab 2 dari 72" in shown
    assert re.search(r'name="answers\.K01\.answer"[^>]*><option value="pass" selected>', shown)
    assert 'name="answers.K72.note" value="Tanpa API."' in shown


def test_a_refused_sheet_comes_back_with_every_answer_and_the_reason_in_its_line(door: Door) -> None:
    page = f"/uji-keamanan/{reviewed(door)}"
    sheet = {"answers.K01.answer": "fail", "answers.K05.answer": "not_applicable", "answers.K07.note": "Belum dilihat"}

    unsaid = door.post(FAJAR, f"{page}/kendali", data=sheet)
    del sheet["answers.K07.note"]
    reasonless = door.post(FAJAR, f"{page}/kendali", data=sheet)

    assert (unsaid.status_code, reasonless.status_code) == (422, 422)
    assert 'name="answers.K07.note" value="Belum dilihat"' in unsaid.text
    assert "Butir K07: pilih jawaban untuk keterangan ini." in unsaid.text
    line = next(part for part in reasonless.text.split("<tr>") if "answers.K05.answer" in part)
    assert '<option value="not_applicable" selected>' in line
    assert "memerlukan alasan tertulis" in line
    assert '<option value="fail" selected>' in reasonless.text
    assert "Terjawab 0 dari 72" in reasonless.text


@pytest.mark.parametrize("name", ["answers", "answers.K01", "answers.K01.answer.x", "answers.0.answer"])
def test_a_sheet_that_no_page_of_ours_sends_is_refused_and_no_fault(door: Door, name: str) -> None:
    page = f"/uji-keamanan/{reviewed(door)}"

    assert door.post(FAJAR, f"{page}/kendali", data={name: "pass"}).status_code == 422


def test_an_untrue_pass_is_refused_on_the_page_with_every_reason(door: Door) -> None:
    page = f"/uji-keamanan/{submitted(door, 'a', 'b', 'c', 'd')}"

    answer = door.post(FITRI, f"{page}/lulus", data={"note": "Bagus sekali"})

    assert answer.status_code == 409
    assert all(f"Temuan tinggi “Temuan {n}”" in answer.text for n in "abcd")
    assert ">Bagus sekali</textarea>" in answer.text


def test_a_round_lives_on_its_pages(door: Door) -> None:
    page = f"/uji-keamanan/{opened(door)}"
    assert door.post(FAJAR, f"{page}/mulai").status_code == 303
    assert "data-stream=" in door.get(FAJAR, page).text
    scanned(door, page.rsplit("/", 1)[1])
    assert door.post(FAJAR, f"{page}/temuan", data=FINDING).headers["location"] == f"{page}#temuan"
    [mending] = re.findall(rf'action="({page}/temuan/[^"]+/perbaikan)"', door.get(FAJAR, page).text)
    assert door.post(FAJAR, mending, data={"reason": "x"}).status_code == 422
    assert door.post(FAJAR, mending, data={"reason": "Dicoba ulang."}).status_code == 303
    door.post(FAJAR, f"{page}/kendali", data={f"answers.{number}.answer": "pass" for number in CONTROLS})
    assert door.post(FAJAR, f"{page}/pengajuan").status_code == 303
    assert door.post(FITRI, f"{page}/pengembalian", data={"reason": "Periksa K10."}).status_code == 303
    door.post(FAJAR, f"{page}/pengajuan")

    assert door.post(FITRI, f"{page}/lulus").status_code == 303

    shown = door.get(FITRI, page).text
    assert "Lulus" in shown and "/record" in shown
    [revoking] = re.findall(r'action="(/izin/[^"]+/pencabutan)"', shown)
    assert door.post(FITRI, revoking, data={"reason": "x"}).status_code == 422
    assert door.post(FITRI, revoking, data={"reason": "Celah baru."}).headers["location"] == page
    assert "Dicabut" in door.get(FITRI, page).text
    with door.database.session() as session:
        assert len(told(session, "TestPassed")) == len(told(session, "PermitRevoked")) == 1


def test_a_failed_round_needs_its_reason_on_the_page(door: Door) -> None:
    page = f"/uji-keamanan/{submitted(door, 'a')}"

    assert "Wajib diisi." in door.post(FITRI, f"{page}/tidak-lulus").text
    assert door.post(FITRI, f"{page}/tidak-lulus", data={"note": "Perintah sistem terbuka."}).status_code == 303


def test_an_application_in_use_is_stopped_from_its_page(door: Door) -> None:
    page = f"/uji-keamanan/{opened(door)}"
    with door.database.transaction() as session:
        actions.note_live(session, went_live())

    assert door.post(FITRI, f"{page}/penghentian", data={"reason": "Judi daring."}).status_code == 303

    assert "penghentian" not in door.get(FITRI, page).text


def test_what_people_and_sites_write_is_shown_and_never_obeyed(door: Door) -> None:
    evil = "<script>alert(1)</script>"
    test_id = reviewed(door, evil)
    door.post(FAJAR, f"/api/security-tests/{test_id}/findings", json={**FINDING, "title": evil, "evidence": evil})

    page = door.get(FITRI, f"/uji-keamanan/{test_id}").text

    assert "<script" not in page
    assert page.count("&lt;script&gt;alert(1)&lt;/script&gt;") >= 3


# --- what it costs ----------------------------------------------------------------------------------------


def test_lists_and_pages_cost_the_same_however_much_there_is(door: Door) -> None:
    def cost(path: str) -> int:
        with statements(door.database.engine) as sent:
            assert door.get(FITRI, path).status_code == 200
        return len(sent)

    test_id = reviewed(door, "a")
    paths = ["/uji-keamanan", "/api/security-tests", "/api/waiting"]
    heavy = [f"/uji-keamanan/{test_id}", f"/api/security-tests/{test_id}"]
    before = [cost(path) for path in paths + heavy]
    for n in range(20):
        opened(door, case_id=str(uuid4()), case_number=f"APL-2026-1{n:03}", installed_by=EDI.id)
    for _ in range(3):
        door.post(FAJAR, f"/api/security-tests/{test_id}/rescan")
        scanned(door, test_id, *(f"t{n}" for n in range(30)))
    for _ in range(10):
        door.post(FAJAR, f"/api/security-tests/{test_id}/findings", json=FINDING)

    after = [cost(path) for path in paths + heavy]

    assert after == before
    assert max(after) <= 6
