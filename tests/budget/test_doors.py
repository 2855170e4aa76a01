"""The budget division's JSON door and pages: the whole way over HTTP, who may, what is shown, what is refused."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from services.budget import actions
from services.budget.app import make
from services.budget.model import DOCUMENT_ITEMS
from services.budget.settings import Settings
from shared.database import Database
from shared.identity import Person
from shared.keys import Keys
from tests.budget import walk
from tests.doors import Door
from tests.people import ANI, BAYU, BUDI, CITRA, DEWI, EKO, GITA, HADI, INDAH, JOKO, KIKI, LINA, TONO, ZULKIFLI

LINE = {
    "account_code": "525113",
    "description": "Jasa pemrogram",
    "volume": 6,
    "unit": "orang-bulan",
    "unit_price_amount": 8_500_000,
    "taxable": True,
}
CONTRACT = {
    "vendor": "CKD",
    "tax_base_amount": 50_000_000,
    "start_on": "2026-02-19",
    "end_on": "2026-06-30",
    "source_code_owner": "UIN Nusantara Contoh",
    "terms": [{"percent": 50}, {"percent": 50}],
}


@pytest.fixture
def door(database_of: Callable[[str], Database], keys: Keys, tmp_path: Path) -> Iterator[Door]:
    """Return the budget division's web application."""
    url = database_of("budget").url
    found = Door.of(make(Settings(database_url=url, keys_folder=keys.folder, files_folder=tmp_path / "files")), keys)
    yield found
    found.database.close()


@pytest.fixture
def plan(door: Door) -> str:
    """Return the id of an opened plan."""
    with door.database.transaction() as session:
        opened = walk.opened(session)
        actions.note_meetings(session, walk.concluded(opened))
        return str(opened.id)


def test_a_case_goes_all_the_way_over_the_json_door(door: Door, plan: str) -> None:
    contract = _contracted(door, plan)
    _do(door, BUDI, f"contracts/{contract}/distributions", activity="Pembangunan aplikasi", amount=55_500_000)
    claims = [_do(door, JOKO, f"contracts/{contract}/claims", term=n, invoice_number=f"INV-{n}")["id"] for n in (1, 2)]
    for claim in claims:
        _do(door, BUDI, f"claims/{claim}/verification")
    numbers = {"spm_number": "00012A", "sp2d_number": "260123", "paid_on": "2026-05-18"}
    _do(door, INDAH, f"claims/{claims[0]}/payment", **numbers)
    early = door.post(INDAH, f"/api/claims/{claims[1]}/payment", json=numbers)
    for item in DOCUMENT_ITEMS:
        sent = {"data": {"item": item}, "files": {"file": (f"{item}.pdf", item.encode())}}
        assert door.post(JOKO, f"/api/contracts/{contract}/documents", **sent).status_code == 201
    _do(door, BUDI, f"contracts/{contract}/document-acceptance")
    _do(door, BUDI, f"contracts/{contract}/financial-report", other_spending=[])
    handover = _do(door, BUDI, "handovers", contract_id=contract)["id"]
    for person in (JOKO, BUDI, HADI):
        signed = _do(door, person, f"handovers/{handover}/signature")
    last = _do(door, INDAH, f"claims/{claims[1]}/payment", **numbers)

    ceiling = door.get(GITA, f"/api/budget-plans/{plan}").json()["ceilings"][0]
    postings = [entry["kind"] for entry in door.get(GITA, f"/api/budget-plans/{plan}/ledger").json()]
    assert (early.status_code, early.json()["code"]) == (409, "last_payment_before_handover")
    assert signed["status"] == "signed"
    assert last["payment"]["is_before_permit"] is True
    assert (ceiling["amount"], ceiling["committed_amount"], ceiling["paid_amount"]) == (
        60_000_000,
        55_500_000,
        55_500_000,
    )
    assert postings == ["ceiling", "commitment", "distribution", "payment", "payment"]


@pytest.mark.parametrize("price", [1.5, "1.5", 8_500_000.0, "8500000", -1, True, None, 10**13])
def test_a_price_that_is_not_whole_rupiah_names_its_field(door: Door, plan: str, price: object) -> None:
    body = {"lines": [LINE, {**LINE, "unit_price_amount": price}]}

    answer = door.ask(BAYU, "PUT", f"/api/budget-plans/{plan}/lines", json=body)

    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == ["/lines/1/unit_price_amount"]
    assert door.get(BAYU, f"/api/budget-plans/{plan}").json()["versions"][0]["lines"] == []


@pytest.mark.parametrize("volume", [0, 1.5, "dua"])
def test_a_volume_is_a_count(door: Door, plan: str, volume: object) -> None:
    answer = door.ask(BAYU, "PUT", f"/api/budget-plans/{plan}/lines", json={"lines": [{**LINE, "volume": volume}]})

    assert [error["pointer"] for error in answer.json()["errors"]] == ["/lines/0/volume"]


def test_a_body_that_is_not_json_is_refused(door: Door, plan: str) -> None:
    answer = door.ask(
        BAYU,
        "PUT",
        f"/api/budget-plans/{plan}/lines",
        content=b'{"lines": [',
        headers={"content-type": "application/json"},
    )

    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")


def test_two_who_edit_at_once_are_told_apart(door: Door, plan: str) -> None:
    tag = door.get(BAYU, f"/api/budget-plans/{plan}").headers["etag"]
    ask: dict[str, Any] = {"json": {"lines": [LINE]}, "headers": {"if-match": tag}}

    first = door.ask(BAYU, "PUT", f"/api/budget-plans/{plan}/lines", **ask)
    second = door.ask(BUDI, "PUT", f"/api/budget-plans/{plan}/lines", **ask)

    assert (first.status_code, second.status_code) == (200, 412)
    assert first.headers["etag"] != tag


def test_whoever_has_the_plan_already_is_told_so_without_a_body(door: Door, plan: str) -> None:
    place = f"/api/budget-plans/{plan}"
    tag = door.get(BAYU, place).headers["etag"]

    again, other = (door.get(BAYU, place, headers={"if-none-match": held}) for held in (f"W/{tag}", '"lama"'))

    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert other.status_code == 200
    # A stranger is refused as ever: whether it changed is told only to who may read it.
    assert door.get(ZULKIFLI, place, headers={"if-none-match": tag}).status_code == 404


def test_a_page_drawn_before_somebody_elses_change_does_not_overwrite_it(door: Door, plan: str) -> None:
    old = re.search(r'name="seen_edition" value="([^"]+)"', door.get(BAYU, f"/rab/{plan}").text)
    assert old
    door.ask(BUDI, "PUT", f"/api/budget-plans/{plan}/lines", json={"lines": [LINE]})
    typed = {f"lines.0.{name}": str(value) for name, value in LINE.items()} | {"lines.0.description": "Ditulis Bayu"}

    late = door.post(BAYU, f"/rab/{plan}/rincian", data={**typed, "seen_edition": old[1]})
    new = re.search(r'name="seen_edition" value="([^"]+)"', late.text)
    assert new
    again = door.post(BAYU, f"/rab/{plan}/rincian", data={**typed, "seen_edition": new[1]})

    assert late.status_code == 412 and "diubah orang lain" in late.text and "Ditulis Bayu" in late.text
    assert new[1] != old[1]
    assert again.status_code == 303


def test_a_contract_sent_twice_is_one_contract(door: Door, plan: str) -> None:
    _budgeted(door, plan)
    headers = {"idempotency-key": "kontrak-1"}

    answers = [door.post(BUDI, "/api/contracts", json=CONTRACT | {"plan_id": plan}, headers=headers) for _ in (1, 2)]

    assert answers[0].json() == answers[1].json()
    assert len(door.get(BUDI, "/api/contracts").json()) == 1


def test_a_contract_beyond_the_ceiling_tells_the_rule(door: Door, plan: str) -> None:
    _budgeted(door, plan)

    answer = door.post(BUDI, "/api/contracts", json=CONTRACT | {"plan_id": plan, "tax_base_amount": 54_054_055})

    assert (answer.status_code, answer.json()["code"]) == (409, "cap_exceeded")
    assert "melampaui sisa pagu Rp60.000.000" in answer.json()["detail"]


def test_strangers_do_not_learn_what_exists(door: Door, plan: str) -> None:
    contract = _contracted(door, plan)
    paper = door.get(JOKO, f"/api/contracts/{contract}").json()["paper_id"]
    rab = door.get(BUDI, f"/api/budget-plans/{plan}").json()["versions"][0]["paper_id"]
    secret = [
        (KIKI, f"/api/contracts/{contract}"),
        (KIKI, f"/kontrak/{contract}"),
        (KIKI, f"/api/budget-papers/{paper}/file"),
        (JOKO, f"/api/budget-plans/{plan}"),
        (JOKO, f"/api/budget-papers/{rab}/file"),
        (ZULKIFLI, f"/api/budget-plans/{plan}"),
        (ZULKIFLI, f"/rab/{plan}"),
        (LINA, f"/rab/{plan}"),
        (TONO, f"/api/budget-plans/{plan}"),
        (DEWI, f"/api/contracts/{contract}"),
        (ANI, f"/api/contracts/{contract}"),
        (BUDI, f"/api/contracts/{uuid4()}"),
    ]

    assert [door.get(by, path).status_code for by, path in secret] == [404] * len(secret)
    case_id = door.get(BUDI, f"/api/budget-plans/{plan}").json()["case_id"]
    assert [c["id"] for c in door.get(BUDI, "/api/contracts", params={"case_id": case_id}).json()] == [contract]
    assert door.get(BUDI, "/api/contracts", params={"case_id": str(uuid4())}).json() == []
    assert door.get(KIKI, "/api/contracts").json() == []
    assert door.get(KIKI, "/api/vendors").json() == []
    assert door.get(JOKO, f"/api/contracts/{contract}").status_code == 200
    assert door.get(ANI, f"/api/budget-plans/{plan}").status_code == 200
    assert door.get(None, f"/api/budget-plans/{plan}").status_code == 401


def test_those_who_install_read_the_documents_but_not_the_contract(door: Door, plan: str) -> None:
    contract = _contracted(door, plan)
    sent = {"data": {"item": "install_guide"}, "files": {"file": ("panduan.html", b"<script>alert(1)</script>")}}
    document = door.post(JOKO, f"/api/contracts/{contract}/documents", **sent).json()

    file = door.get(EKO, f"/api/contract-documents/{document['id']}/file")

    assert [d["item"] for d in door.get(EKO, f"/api/contracts/{contract}/documents").json()] == ["install_guide"]
    assert door.get(EKO, f"/kontrak/{contract}/dokumen").status_code == 200
    assert door.get(EKO, f"/api/contracts/{contract}").status_code == 404
    assert file.content == b"<script>alert(1)</script>"
    assert file.headers["content-disposition"].startswith("attachment")
    assert file.headers["content-type"] == "application/octet-stream"
    assert door.get(KIKI, f"/api/contract-documents/{document['id']}/file").status_code == 404


def test_a_paper_is_sent_as_pdf(door: Door, plan: str) -> None:
    _budgeted(door, plan)
    paper = door.get(BUDI, f"/api/budget-plans/{plan}").json()["versions"][0]["paper_id"]

    answer = door.get(GITA, f"/api/budget-papers/{paper}/file")

    assert (answer.content[:5], answer.headers["content-type"]) == (b"%PDF-", "application/pdf")


def test_plans_are_found_by_case(door: Door, plan: str) -> None:
    one = door.get(BUDI, f"/api/budget-plans/{plan}").json()
    with door.database.transaction() as session:
        walk.opened(session)

    by_id = door.get(BUDI, "/api/budget-plans", params={"case_id": one["case_id"]}).json()
    by_number = door.get(BUDI, "/api/budget-plans", params={"case_number": one["case_number"]}).json()
    first = door.get(BUDI, "/api/budget-plans", params={"limit": 1})

    assert [row["id"] for row in by_id] == [row["id"] for row in by_number] == [plan]
    assert len(first.json()) == 1
    assert 'rel="next"' in first.headers["link"]


def test_what_waits_moves_from_person_to_person(door: Door, plan: str) -> None:
    seen = [_waiting(door, BAYU)]
    door.ask(BAYU, "PUT", f"/api/budget-plans/{plan}/lines", json={"lines": [LINE]})
    seen.append(_waiting(door, BUDI))
    _do(door, BUDI, f"budget-plans/{plan}/lock")
    seen.append(_waiting(door, BUDI))
    conveyance = _do(door, BUDI, "conveyances", plan_id=plan)["id"]
    seen.append(_waiting(door, DEWI))
    _do(door, DEWI, f"conveyances/{conveyance}/sign-off")
    seen += [_waiting(door, DEWI), _waiting(door, CITRA), _waiting(door, BUDI)]
    _do(door, BUDI, f"conveyances/{conveyance}/sign-off")
    seen.append(_waiting(door, CITRA))
    _do(door, CITRA, f"conveyances/{conveyance}/approval")
    seen.append(_waiting(door, GITA))

    assert seen == [
        ["Susun RAB"],
        ["Kunci RAB"],
        ["Sampaikan RAB ke Bagian Perencanaan"],
        ["Tanda tangani penyampaian RAB"],
        [],
        [],
        ["Tanda tangani penyampaian RAB"],
        ["Setujui penyampaian RAB"],
        ["Tetapkan pagu"],
    ]


def test_what_waits_under_a_contract_moves_on(door: Door, plan: str) -> None:
    _budgeted(door, plan)
    seen = [_waiting(door, BUDI)]
    contract = _do(door, BUDI, "contracts", **CONTRACT, plan_id=plan)
    seen.append(_waiting(door, HADI))
    _do(door, HADI, f"contracts/{contract['id']}/signature")
    seen += [_waiting(door, JOKO), _waiting(door, KIKI)]
    claim = _do(door, JOKO, f"contracts/{contract['id']}/claims", term=1, invoice_number="INV-1")["id"]
    seen.append(_waiting(door, BUDI))
    _do(door, BUDI, f"claims/{claim}/verification")
    seen.append(_waiting(door, INDAH))

    assert seen == [
        ["Siapkan kontrak dengan penyedia"],
        [f"Tanda tangani kontrak {contract['number']}"],
        ["Unggah 10 dokumen yang belum ada"],
        [],
        ["Periksa tagihan termin 1"],
        ["Bayar tagihan termin 1"],
    ]


def test_a_case_goes_all_the_way_over_the_pages(door: Door, plan: str) -> None:
    rows = {f"lines.0.{key}": str(value) for key, value in LINE.items()} | {
        "lines.0.unit_price_amount": "Rp 8.500.000",
        "lines.0.taxable": "true",
    }
    _fill(door, BAYU, f"/rab/{plan}", "rincian", rows)
    _fill(door, BUDI, f"/rab/{plan}", "kunci")
    _fill(door, BUDI, f"/rab/{plan}", "penyampaian", {"note": "Mohon diproses."})
    for person in (BUDI, DEWI):
        _fill(door, person, f"/rab/{plan}", "tanda-tangan")
    _fill(door, CITRA, f"/rab/{plan}", "persetujuan")
    _fill(
        door,
        GITA,
        f"/rab/{plan}",
        "pagu",
        {
            "amount": "60.000.000",
            "accounts.0.account_code": "525113",
            "accounts.0.amount": "60.000.000",
            "fund_source": "PNBP BLU",
        },
    )
    _fill(door, BUDI, "/penyedia", "penyedia", {"code": "CKD", "name": "CV Contoh Karya Digital", "is_pkp": "true"})
    terms = {"terms.0.percent": "50", "terms.1.percent": "50"}
    fields = {key: str(value) for key, value in CONTRACT.items() if key != "terms"}
    contract = _fill(door, BUDI, f"/rab/{plan}", "kontrak", {**fields, **terms, "tax_base_amount": "50.000.000"})
    _fill(door, HADI, contract, "tanda-tangan")
    _fill(door, BUDI, contract, "distribusi", {"activity": "Pembangunan aplikasi", "amount": "55.500.000"})
    for item in DOCUMENT_ITEMS:
        _fill(door, JOKO, contract, "dokumen", {"item": item}, file=item.encode())
    _fill(door, BUDI, contract, "penerimaan-dokumentasi")
    _fill(door, BUDI, contract, "laporan-keuangan", {"note": "Sesuai rencana."})
    _fill(door, BUDI, contract, "serah-terima")
    for person in (JOKO, BUDI, HADI):
        _fill(door, person, contract, "tanda-tangan")
    claim = _fill(door, JOKO, contract, "tagihan", {"term": "1", "invoice_number": "INV-1"})
    _fill(door, BUDI, claim, "pemeriksaan")
    _fill(door, INDAH, claim, "pembayaran", {"spm_number": "00012A", "sp2d_number": "260123"})

    shown = door.get(JOKO, contract).text
    assert "Sudah serah terima" in shown
    assert "Rp27.750.000" in shown
    assert "Dibayar" in door.get(INDAH, claim).text
    for path in ("/rab", "/kontrak", "/tagihan", "/penyedia", "/akun-belanja", f"/rab/{plan}"):
        assert door.get(BUDI, path).status_code == 200


def test_a_refused_form_keeps_what_was_typed(door: Door, plan: str) -> None:
    rows = {f"lines.0.{key}": str(value) for key, value in LINE.items()} | {"lines.0.unit_price_amount": "1,5"}

    answer = door.post(BAYU, f"/rab/{plan}/rincian", data=rows)

    assert answer.status_code == 422
    assert 'value="1,5"' in answer.text
    assert "tanpa sen" in answer.text


def test_the_form_of_the_lines_holds_the_present_lines(door: Door, plan: str) -> None:
    door.ask(BAYU, "PUT", f"/api/budget-plans/{plan}/lines", json={"lines": [LINE]})

    shown = door.get(BAYU, f"/rab/{plan}").text

    assert 'value="8.500.000"' in shown
    assert re.search(r'name="lines\.0\.taxable" value="true" checked', shown)


def test_a_page_offers_only_what_is_in_turn(door: Door, plan: str) -> None:
    door.ask(BAYU, "PUT", f"/api/budget-plans/{plan}/lines", json={"lines": [LINE]})

    shown = {person.username: door.get(person, f"/rab/{plan}").text for person in (BAYU, BUDI, CITRA, ANI)}

    assert f"/rab/{plan}/rincian" in shown["bayu"]
    assert f"/rab/{plan}/kunci" in shown["budi"]
    assert "/kunci" not in shown["bayu"] + shown["citra"]
    assert "<form" not in shown["ani"]


def test_an_act_out_of_turn_is_refused_on_the_page_too(door: Door, plan: str) -> None:
    answer = door.post(CITRA, f"/rab/{plan}/revisi", data={"reason": "Kurangi konsumsi rapat."})

    assert answer.status_code == 409
    assert door.post(BAYU, f"/rab/{plan}/kunci").status_code == 403


def _do(door: Door, by: Person, path: str, **body: object) -> Any:
    answer = door.post(by, f"/api/{path}", json=body)
    assert answer.status_code in (200, 201), f"{path}: {answer.text}"
    return answer.json()


def _budgeted(door: Door, plan: str) -> None:
    with door.database.transaction() as session:
        office = actions.Office.of(door.app.state.settings)  # type: ignore[attr-defined]
        actions.draft_lines(session, BAYU, UUID(plan), lines=walk.LINES)
        actions.lock(session, BUDI, UUID(plan), office=office)
    conveyance = _do(door, BUDI, "conveyances", plan_id=plan)["id"]
    for person in (BUDI, DEWI):
        _do(door, person, f"conveyances/{conveyance}/sign-off")
    _do(door, CITRA, f"conveyances/{conveyance}/approval")
    accounts = [{"account_code": "525113", "amount": 60_000_000}]
    _do(door, GITA, f"conveyances/{conveyance}/ceiling", amount=60_000_000, accounts=accounts, fund_source="PNBP BLU")
    _do(door, BUDI, "vendors", code="CKD", name="CV Contoh Karya Digital", is_pkp=True)


def _contracted(door: Door, plan: str) -> str:
    _budgeted(door, plan)
    contract = _do(door, BUDI, "contracts", **CONTRACT, plan_id=plan)["id"]
    _do(door, HADI, f"contracts/{contract}/signature")
    return str(contract)


def _waiting(door: Door, by: Person) -> list[str]:
    return [task["title"] for task in door.get(by, "/api/waiting").json()]


def _fill(
    door: Door, by: Person, page: str, act: str, fields: dict[str, str] | None = None, *, file: bytes | None = None
) -> str:
    """Fill in the form that a page offers and return where it leads."""
    shown = door.get(by, page)
    assert shown.status_code == 200, shown.text
    target = re.search(rf'<form method="post" action="([^"]*/{act})"', shown.text)
    assert target, f"{by.username} is not offered {act} on {page}"
    more: dict[str, Any] = {"files": {"file": ("berkas.pdf", file)}} if file is not None else {}
    answer = door.post(by, target[1], data={"form_token": "tanda-formulir", **(fields or {})}, **more)
    assert answer.status_code == 303, f"{act}: {answer.text}"
    return answer.headers["location"].split("#")[0]
