"""The guided form through its doors: with buttons only, and saving itself as a script does."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from sqlalchemy import select

from services.proposal.app import make
from services.proposal.model import SECTIONS_OF_FORM, Case, Office
from services.proposal.settings import Settings
from shared.database import Database
from shared.keys import Keys
from shared.pages import DRAW
from tests.doors import Door
from tests.people import ANI, BUDI, CITRA, ZULKIFLI
from tests.proposal.walk import Walk, content


@pytest.fixture
def door(database_of: Callable[[str], Database], keys: Keys, tmp_path: Path) -> Iterator[Door]:
    """Return the division's application, asked as the gateway asks it."""
    database = database_of("proposal")
    app: FastAPI = make(Settings(database_url=database.url, keys_folder=keys.folder, files_folder=tmp_path / "files"))
    yield Door.of(app, keys)
    app.state.database.close()


def drafted(door: Door, **changed: object) -> dict[str, object]:
    """Return the JSON of a draft that ANI made."""
    body = content(**changed).model_dump(mode="json")
    made: dict[str, object] = door.post(ANI, "/api/proposals", json=body).json()
    return made


def edition_in(page: str) -> str:
    found = re.search(r'name="edition" value="(\d+)"', page)
    assert found
    return found[1]


def test_a_name_begins_a_proposal_and_the_form_names_every_section(door: Door) -> None:
    made = door.post(ANI, "/usulan", data={"name": "Peminjaman Ruang Sidang", "kind": "new"})
    page = door.get(ANI, made.headers["location"]).text

    assert made.status_code == 303
    assert "0 dari 9 bagian lengkap" in page
    assert "Latar belakang dan masalah (wajib), Dasar hukum<" in page
    for section in SECTIONS_OF_FORM:
        shown = door.get(ANI, f"{made.headers['location']}/{section.key}")
        assert shown.status_code == 200
        assert section.title in shown.text
        assert section.title in page
        assert "<style" not in shown.text
        assert "<script" not in shown.text


def test_a_name_that_was_given_before_gets_a_short_name_of_its_own(door: Door) -> None:
    for _ in range(3):
        assert door.post(ANI, "/usulan", data={"name": "Peminjaman Ruang Sidang"}).status_code == 303

    with door.database.transaction() as session:
        codes = sorted(session.scalars(select(Case.code)))
    assert codes == ["peminjaman-ruang-sidang", "peminjaman-ruang-sidang-2", "peminjaman-ruang-sidang-3"]


def test_a_section_is_saved_by_its_button_whatever_stands_in_it(door: Door) -> None:
    number = drafted(door)["number"]
    path = f"/usulan/{number}/manfaat"
    edition = edition_in(door.get(ANI, path).text)
    form = {"benefit": "Rekap tepat waktu.", "cost_amount": "seratus juta", "edition": edition, "next": "1"}

    saved = door.post(ANI, path, data=form)
    page = door.get(ANI, path).text

    assert (saved.status_code, saved.headers["location"]) == (303, path)
    assert "seratus juta" in page
    assert "field--wrong" in page
    assert "Rekap tepat waktu." in page
    assert f"oleh {ANI.name}" in page


def test_the_right_section_leads_on_to_the_next(door: Door) -> None:
    number = drafted(door)["number"]
    form = {"risks.0.risk": "Data <lama>", "risks.0.mitigation": "Dibersihkan", "next": "1"}

    saved = door.post(ANI, f"/usulan/{number}/risiko", data=form)

    assert saved.headers["location"] == f"/usulan/{number}/indikator"
    assert "Data &lt;lama&gt;" in door.get(ANI, f"/usulan/{number}/risiko").text


def test_two_windows_do_not_overwrite_and_both_are_shown(door: Door) -> None:
    number = drafted(door)["number"]
    path = f"/usulan/{number}/alih-pengetahuan"
    edition = edition_in(door.get(ANI, path).text)
    door.post(ANI, path, data={"knowledge_transfer": "Dari jendela pertama.", "edition": edition})

    refused = door.post(ANI, path, data={"knowledge_transfer": "Dari jendela kedua.", "edition": edition})
    again = {"knowledge_transfer": "Dari jendela kedua.", "edition": edition_in(refused.text)}
    overwritten = door.post(ANI, path, data=again)

    assert refused.status_code == 412
    assert "Dari jendela pertama." in refused.text
    assert "Dari jendela kedua." in refused.text
    assert ANI.name in refused.text
    assert overwritten.status_code == 303
    assert "Dari jendela kedua." in door.get(ANI, path).text


def test_the_script_saves_with_the_edition_it_has_seen(door: Door) -> None:
    made = drafted(door)
    path = f"/api/proposals/{made['id']}/draft"
    seen = door.get(ANI, path).headers["etag"]

    first = door.ask(ANI, "PATCH", path, json={"cost_amount": "1.500.000"}, headers={"if-match": seen})
    late = door.ask(ANI, "PATCH", path, json={"cost_amount": "2.000.000"}, headers={"if-match": seen})
    next_ = {"if-match": first.headers["etag"]}
    rough = door.ask(ANI, "PATCH", path, json={"letter_on": "kemarin", "risks": []}, headers=next_)
    unknown = door.ask(ANI, "PATCH", path, json={"status": "approved"})

    assert (first.status_code, late.status_code, rough.status_code, unknown.status_code) == (200, 412, 200, 422)
    assert late.json()["code"] == "stale"
    assert set(rough.json()["errors"]) == {"letter_on"}
    assert rough.json()["of"] == 9
    assert door.get(ANI, f"/api/proposals/{made['id']}").json()["content"]["cost_amount"] == 1_500_000


def test_a_form_whose_session_ended_is_drawn_again_with_what_was_typed(door: Door) -> None:
    number = drafted(door)["number"]

    drawn = door.ask(ANI, DRAW, f"/usulan/{number}/masalah", data={"purpose": "Belum tersimpan."})

    assert "Belum tersimpan." in drawn.text
    assert "Belum tersimpan." not in door.get(ANI, f"/usulan/{number}/masalah").text


def test_others_read_on_one_page_and_strangers_nothing(door: Door) -> None:
    made = drafted(door, legal_basis=["UU 27/2022"])
    hidden = door.get(BUDI, f"/usulan/{made['number']}")
    door.post(ANI, f"/api/proposals/{made['id']}/submission")

    page = door.get(BUDI, f"/usulan/{made['number']}")
    section = door.get(BUDI, f"/usulan/{made['number']}/masalah")

    assert hidden.status_code == 404
    assert "UU 27/2022" in page.text
    assert "kini menunggu" in page.text.lower()
    assert (section.status_code, section.headers["location"]) == (303, f"/usulan/{made['number']}")
    assert door.get(ZULKIFLI, f"/usulan/{made['number']}").status_code == 404
    assert door.post(BUDI, f"/usulan/{made['number']}/masalah", data={"purpose": "Diubah."}).status_code == 403


def test_what_differs_between_submissions_is_told_field_by_field(door: Door) -> None:
    made = drafted(door, cost_amount=1_000_000)
    root = f"/api/proposals/{made['id']}"
    door.post(ANI, f"{root}/submission")
    door.post(BUDI, f"{root}/return", json={"reason": "Perbaiki biayanya."})
    door.ask(ANI, "PATCH", f"{root}/draft", json={"cost_amount": 2_000_000, "risks": [{"risk": "Data lama"}]})
    door.post(ANI, f"{root}/resubmission")

    page = door.get(ANI, f"/usulan/{made['number']}/pengajuan").text
    told = door.get(ANI, f"{root}/submissions").json()

    assert [one["version"] for one in told] == [2, 1]
    assert told[0]["differences"] == [
        {"label": "Perkiraan biaya", "before": "Rp1.000.000", "after": "Rp2.000.000"},
        {"label": "Risiko", "before": "", "after": "Data lama"},
    ]
    assert told[0]["paper"] != told[1]["paper"]
    assert "Rp1.000.000" in page
    assert door.get(ANI, told[1]["paper"]).content.startswith(b"%PDF-")


def test_similar_ones_are_shown_and_the_page_asks_why_all_the_same(door: Door) -> None:
    first = drafted(door)
    door.post(ANI, f"/api/proposals/{first['id']}/submission")
    made = drafted(door)
    path = f"/perkara/{made['id']}/pengajuan"

    found = door.get(ANI, "/api/similar-applications", params={"name": "ePresensi Pegawai dan Dosen"}).json()
    asked = door.get(ANI, f"/usulan/{made['number']}").text.partition("Mengapa tetap diajukan")[2]
    warned = door.post(ANI, path, data={})
    submitted = door.post(ANI, path, data={"similar_reason": "Untuk dosen luar biasa."})
    decides = door.get(BUDI, f"/perkara/{made['number']}").text

    assert [one["number"] for one in found] == [first["number"]]
    assert asked.index(" required") < asked.index("</textarea>")
    assert "(boleh kosong)" not in asked.partition("</textarea>")[0]
    assert warned.status_code == 422
    assert first["number"] in warned.text
    assert submitted.status_code == 303
    assert "Untuk dosen luar biasa." in decides
    assert first["number"] in decides
    assert door.get(CITRA, "/api/similar-applications", params={"name": "x" * 201}).status_code == 422


def test_files_go_up_and_come_down_as_attachments(door: Door) -> None:
    made = drafted(door)
    path = f"/usulan/{made['id']}/berkas"
    file = {"file": ("bagan.pdf", b"%PDF-1.7 x", "application/pdf")}

    sent = door.post(ANI, path, data={"kind": "process"}, files=file)
    kept = door.get(ANI, f"/api/proposals/{made['id']}/attachments").json()
    down = door.get(ANI, f"/api/attachments/{kept[0]['id']}")
    bad = door.post(ANI, path, data={"kind": "other"}, files={"file": ("x.exe", b"MZ", "application/x")})
    gone = door.post(ANI, f"/lampiran/{kept[0]['id']}/penghapusan", data={})

    assert (sent.status_code, sent.headers["location"]) == (303, f"/usulan/{made['number']}/lampiran")
    assert down.content == b"%PDF-1.7 x"
    assert down.headers["content-disposition"].startswith("attachment")
    assert down.headers["x-content-type-options"] == "nosniff"
    assert bad.status_code == 422
    assert "Jenis berkas ini tidak diterima" in bad.text
    assert gone.status_code == 303
    assert door.get(ANI, f"/api/proposals/{made['id']}/attachments").json() == []
    assert door.get(ZULKIFLI, f"/api/attachments/{kept[0]['id']}").status_code == 404


def test_comments_are_written_mended_and_withdrawn_on_their_page(door: Door) -> None:
    made = drafted(door)
    path = f"/perkara/{made['number']}/komentar"

    said = door.post(ANI, f"/perkara/{made['id']}/komentar", data={"words": "Mohon <dicek>."})
    kept = door.get(ANI, f"/api/proposals/{made['id']}/comments").json()[0]
    mended = door.post(ANI, f"/komentar/{kept['id']}/perbaikan", data={"words": "Mohon diperiksa."})
    page = door.get(ANI, path).text
    empty = door.post(ANI, f"/komentar/{kept['id']}/perbaikan", data={"words": ""})
    door.post(ANI, f"/komentar/{kept['id']}/penarikan", data={})

    assert (said.status_code, mended.status_code, empty.status_code) == (303, 303, 422)
    assert said.headers["location"] == path
    assert "Mohon diperiksa." in page
    assert "Hanya untuk staf" not in page
    assert "Mohon diperiksa." not in door.get(ANI, path).text
    assert "Komentar ditarik" in door.get(ANI, path).text


def test_the_gateway_asks_for_who_holds_a_receipt(door: Door) -> None:
    with door.database.transaction() as session:
        office: Office = door.app.state.office  # type: ignore[attr-defined]
        case = Walk(session, office).submitted()
        from services.proposal.model import FollowCode

        code = session.get_one(FollowCode, case.id).printed

    told = door.get(None, f"/inner/follow/{case.number}/{code}", headers={"accept": "application/json"})
    wrong = door.get(None, f"/inner/follow/{case.number}/0000-0000-0000")

    assert told.json()["now"].startswith("Kini menunggu pemeriksaan kelengkapan oleh Koordinator Divisi Aplikasi")
    assert wrong.status_code == 404
    with door.database.transaction() as session:
        assert session.scalars(select(Case.name)).one() not in told.text
