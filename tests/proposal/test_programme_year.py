"""S02: the work programme of a year as a whole: ranked, frozen, revised, carried over, and as a spreadsheet."""

import io
import re
from collections.abc import Sequence
from typing import Any

import openpyxl
import pypdf
import pytest
from sqlalchemy import select

from services.proposal import actions, queries
from services.proposal.model import Case, Office, ProgrammeSheet, TraceEntry, WorkProgrammeEntry
from shared import sheets
from shared.edition import tag_of
from shared.errors import Incomplete, NotAllowed, OutOfTurn, Stale, StepUpNeeded, TooLarge
from tests.people import ANI, BAYU, BUDI, CITRA, JOKO, SARI
from tests.proposal.test_doors import House, house
from tests.proposal.walk import TODAY, Walk

__all__ = ["house"]
YEAR = TODAY.year + 3
HEADS = [column.title for column in actions.SHEET_COLUMNS]


def entered(walk: Walk, office: Office, count: int, *, year: int = YEAR, **more: Any) -> list[Case]:
    cases = [walk.approved(name=f"Aplikasi {n}") for n in range(1, count + 1)]
    for case in cases:
        actions.enter_work_programme(walk.session, BUDI, case.id, office, fiscal_year=year, **more)
    return cases


def order(walk: Walk, year: int = YEAR) -> list[str]:
    return [entry.case.name for entry in queries.work_programme(walk.session, BUDI, fiscal_year=year)]


def entry_of(walk: Walk, case: Case, year: int = YEAR) -> WorkProgrammeEntry:
    return walk.session.scalars(
        select(WorkProgrammeEntry).where(WorkProgrammeEntry.case_id == case.id, WorkProgrammeEntry.fiscal_year == year)
    ).one()


def test_an_entry_moves_to_its_place_and_the_others_make_room(walk: Walk, office: Office) -> None:
    cases = entered(walk, office, 4)

    actions.rank_programme(walk.session, BUDI, entry_of(walk, cases[3]).id, ordinal=2)

    assert order(walk) == ["Aplikasi 1", "Aplikasi 4", "Aplikasi 2", "Aplikasi 3"]
    actions.rank_programme(walk.session, CITRA, entry_of(walk, cases[0]).id, ordinal=99)
    assert order(walk) == ["Aplikasi 4", "Aplikasi 2", "Aplikasi 3", "Aplikasi 1"]
    walk.refuses(NotAllowed, actions.rank_programme, ANI, entry_of(walk, cases[0]).id, ordinal=1)


def test_of_two_who_rank_at_once_the_later_is_told_who_changed_what(walk: Walk, office: Office) -> None:
    first, second, third = entered(walk, office, 3)
    whole = queries.programme(walk.session, BUDI, YEAR).whole
    assert whole
    seen = tag_of(whole.edition)

    actions.rank_programme(walk.session, BUDI, entry_of(walk, third).id, ordinal=1, seen=seen)
    refusal = walk.refuses(Stale, actions.rank_programme, CITRA, entry_of(walk, second).id, ordinal=1, seen=seen)

    assert BUDI.name in refusal.detail
    assert f"{YEAR}-APL-03 dari urutan 3 ke 1" in refusal.detail
    assert order(walk) == ["Aplikasi 3", "Aplikasi 1", "Aplikasi 2"]
    assert first.status == "in_work_programme"


def test_a_frozen_programme_stands_until_it_is_revised_and_both_can_be_compared(walk: Walk, office: Office) -> None:
    cases = entered(walk, office, 2, estimated_amount=100_000_000)
    unproved = CITRA.model_copy(update={"proved_until": None})
    walk.refuses(NotAllowed, actions.freeze_programme, BUDI, YEAR, office)
    walk.refuses(StepUpNeeded, actions.freeze_programme, unproved, YEAR, office)

    first = actions.freeze_programme(walk.session, CITRA, YEAR, office)
    late = walk.approved()
    walk.refuses(OutOfTurn, actions.rank_programme, BUDI, entry_of(walk, cases[1]).id, ordinal=1)
    walk.refuses(OutOfTurn, actions.enter_work_programme, BUDI, late.id, office, fiscal_year=YEAR)
    walk.refuses(OutOfTurn, actions.freeze_programme, CITRA, YEAR, office)
    actions.revise_programme(walk.session, BUDI, YEAR, reason="Pagu indikatif berubah.")
    actions.rank_programme(walk.session, BUDI, entry_of(walk, cases[1]).id, ordinal=1)
    actions.enter_work_programme(walk.session, BUDI, late.id, office, fiscal_year=YEAR)
    second = actions.freeze_programme(walk.session, CITRA, YEAR, office)

    differences = {d.number: d.says for d in queries.compare(first.rows, second.rows)}
    assert (first.revision, second.revision, second.reason) == (1, 2, "Pagu indikatif berubah.")
    assert differences == {
        f"{YEAR}-APL-01": ("Prioritas: 1 → 2",),
        f"{YEAR}-APL-02": ("Prioritas: 2 → 1",),
        f"{YEAR}-APL-03": ("Butir baru",),
    }
    with office.store.open(second.paper_digest) as file:
        pages = pypdf.PdfReader(io.BytesIO(file.read())).pages
        words = "\n".join(page.extract_text() for page in pages)
    assert pages[0].mediabox.width > pages[0].mediabox.height
    assert f"{YEAR}-APL-R2" in words
    assert "Pagu indikatif berubah." in words
    assert "Rp200.000.000" in words
    assert "Citra" in words


def test_an_empty_programme_is_not_frozen_and_a_draft_is_not_revised(walk: Walk, office: Office) -> None:
    walk.refuses(Incomplete, actions.freeze_programme, CITRA, YEAR, office)
    walk.refuses(OutOfTurn, actions.revise_programme, BUDI, YEAR, reason="Tanpa penetapan.")


def test_what_was_not_realised_is_carried_over_and_the_budget_is_told(walk: Walk, office: Office) -> None:
    case, _ = entered(walk, office, 2, estimated_amount=50_000_000)
    old = entry_of(walk, case)

    made = actions.carry_over(walk.session, BUDI, old.id, office, reason="Penyedia belum ada.")

    told = walk.posted("WorkProgrammeEntered")[-1]
    assert (old.carried_to, old.carried_reason) == (YEAR + 1, "Penyedia belum ada.")
    assert (made.fiscal_year, made.number, made.estimated_amount) == (YEAR + 1, f"{YEAR + 1}-APL-01", 50_000_000)
    assert (told["fiscal_year"], told["note"], case.fiscal_year) == (YEAR + 1, "Penyedia belum ada.", YEAR + 1)
    assert walk.trace(case)[-1].note == "Penyedia belum ada."
    sums = queries.programme(walk.session, BUDI, YEAR).sums
    assert [(one.label, one.count) for one in sums][-1] == ("Seluruhnya", 1)
    walk.refuses(OutOfTurn, actions.carry_over, BUDI, old.id, office, reason="Sekali lagi.")
    walk.refuses(Incomplete, actions.carry_over, BUDI, made.id, office, reason="Mundur setahun.", fiscal_year=YEAR)


def test_an_entry_is_changed_by_hand_and_its_case_says_what(walk: Walk, office: Office) -> None:
    case, other = entered(walk, office, 2, quarter="I", estimated_amount=5_000_000)
    whole = queries.programme(walk.session, BUDI, YEAR).whole
    assert whole
    seen = tag_of(whole.edition)
    values = {
        "activity": "Membangun",
        "indicator": "",
        "target": "",
        "quarter": "I-III",
        "estimated_amount": 7,
        "pic": "",
    }
    entry = entry_of(walk, case)

    walk.refuses(NotAllowed, actions.amend_entry, BAYU, entry.id, values=values)
    actions.amend_entry(walk.session, BUDI, entry.id, values=values, seen=seen)
    refusal = walk.refuses(Stale, actions.amend_entry, BUDI, entry_of(walk, other).id, values=values, seen=seen)

    assert (entry.activity, entry.quarter, entry.estimated_amount, entry.priority) == ("Membangun", "I-III", 7, 1)
    told = walk.session.scalars(select(TraceEntry).where(TraceEntry.kind == "amend_entry")).one()
    assert "Triwulan: I → I-III; Perkiraan anggaran: Rp5.000.000 → Rp7" in told.detail
    assert f"mengubah {YEAR}-APL-01" in refusal.detail
    actions.amend_entry(walk.session, BUDI, entry.id, values=values)
    assert len(walk.session.scalars(select(TraceEntry).where(TraceEntry.kind == "amend_entry")).all()) == 1
    actions.freeze_programme(walk.session, CITRA, YEAR, office)
    walk.refuses(OutOfTurn, actions.amend_entry, BUDI, entry.id, values=values | {"pic": "Bayu"})


def test_a_place_that_is_given_on_entering_is_kept_and_the_others_make_room(walk: Walk, office: Office) -> None:
    entered(walk, office, 2)
    late = walk.approved(name="Mendesak")

    entry = actions.enter_work_programme(walk.session, BUDI, late.id, office, fiscal_year=YEAR, priority=1)

    assert order(walk) == ["Mendesak", "Aplikasi 1", "Aplikasi 2"]
    assert [one.priority for one in queries.work_programme(walk.session, BUDI, fiscal_year=YEAR)] == [1, 2, 3]
    assert entry.priority == 1


def test_what_was_deferred_or_ended_counts_no_longer_in_its_year(walk: Walk, office: Office) -> None:
    first, second, third = entered(walk, office, 3, estimated_amount=10)
    actions.defer(walk.session, CITRA, first.id, office, reason="Menunggu peraturan baru.")
    actions.cancel(walk.session, ANI, third.id, office, reason="Unit dilebur.")

    found = queries.programme(walk.session, BUDI, YEAR)
    kept = actions.freeze_programme(walk.session, CITRA, YEAR, office)

    assert order(walk) == ["Aplikasi 2", "Aplikasi 1", "Aplikasi 3"]
    assert (found.sums[-1].count, found.sums[-1].estimated_amount) == (1, 10)
    assert ([row["case_number"] for row in kept.rows], kept.total_amount) == ([second.number], 10)
    actions.revise_programme(walk.session, BUDI, YEAR, reason="Diperiksa lagi.")
    refusal = walk.refuses(OutOfTurn, actions.rank_programme, BUDI, entry_of(walk, first).id, ordinal=1)
    assert "Ditunda" in refusal.detail
    row = [third.number, "Membangun", "", "", "", "", 0, ""]
    given = {"file": sheet(row), "file_name": "a.xlsx"}
    [mistake] = walk.refuses(Incomplete, actions.check_programme_sheet, BUDI, YEAR, office, **given).errors
    assert f"{third.number} berstatus “Dibatalkan”" in mistake.detail


def test_a_year_takes_no_more_entries_than_it_can_show(
    walk: Walk, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.proposal.actions.programme.MOST_ENTRIES", 2)
    first, _ = entered(walk, office, 2)
    third = walk.approved()

    refusal = walk.refuses(OutOfTurn, actions.enter_work_programme, BUDI, third.id, office, fiscal_year=YEAR)
    row = [third.number, "Membangun", "", "", "", "", 0, ""]
    by_sheet = walk.refuses(
        OutOfTurn, actions.check_programme_sheet, BUDI, YEAR, office, file=sheet(row), file_name="a.xlsx"
    )
    actions.carry_over(walk.session, BUDI, entry_of(walk, first).id, office, reason="Belum terlaksana.")
    entry = actions.enter_work_programme(walk.session, BUDI, third.id, office, fiscal_year=YEAR)

    assert refusal.code == by_sheet.code == "programme_full"
    assert entry.priority == 2


def test_the_sums_stand_by_quarter_beside_the_ceiling_that_the_budget_told(walk: Walk, office: Office) -> None:
    cases = entered(walk, office, 2, estimated_amount=10_000_000, quarter="I-II")
    entered(walk, office, 1, estimated_amount=5_000_000)
    cases[0].ceiling_amount = 9_000_000
    walk.session.flush()

    sums = queries.programme(walk.session, SARI, YEAR).sums

    assert [(s.label, s.count, s.estimated_amount, s.ceiling_amount, s.without_ceiling) for s in sums] == [
        ("Triwulan I-II", 2, 20_000_000, 9_000_000, 1),
        ("Triwulan belum ditentukan", 1, 5_000_000, 0, 1),
        ("Seluruhnya", 3, 25_000_000, 9_000_000, 2),
    ]


# --- spreadsheets -------------------------------------------------------------------------------------------------


def sheet(*rows: Sequence[object]) -> io.BytesIO:
    """Return a workbook with the headings of the template and these rows (case … pic)."""
    book = openpyxl.Workbook()
    page = book.active
    assert page
    page.append(HEADS)
    for case, activity, indicator, target, quarter, priority, amount, pic in rows:
        page.append(["", case, "", activity, indicator, target, quarter, priority, amount, pic, None, None])
    file = io.BytesIO()
    book.save(file)
    file.seek(0)
    return file


def test_every_mistake_of_a_sheet_is_told_with_row_and_column_and_nothing_is_kept(walk: Walk, office: Office) -> None:
    (case,) = entered(walk, office, 1)
    waiting = walk.recommended()
    file = sheet(
        [case.number, "Membangun", "1 aplikasi", "100%", "V", 1, 1000, "Budi"],
        [case.code, "", "", "", "I", 1, 1000.5, ""],
        ["APL-1999-0001", "Kegiatan", "", "", "I", "dua", "satu juta", ""],
        [waiting.number, "=1+1", "", "", "I-III", 0, -5, "x" * 201],
        [None, "Kegiatan", "", "", "", None, None, ""],
    )

    refusal = walk.refuses(
        Incomplete, actions.check_programme_sheet, BUDI, YEAR, office, file=file, file_name="proker.xlsx"
    )

    told = [error.detail for error in refusal.errors]
    wanted = [
        "Baris 2, kolom G (Triwulan): “V” bukan triwulan",
        "Baris 3, kolom B (Perkara atau kode aplikasi): " + f"{case.number} sudah ada di baris 2",
        "Baris 3, kolom D (Kegiatan): Kegiatan belum diisi",
        "Baris 3, kolom H (Prioritas): Prioritas 1 sudah dipakai baris 2",
        "Baris 3, kolom I (Perkiraan anggaran): “1000.5” bukan rupiah bulat",
        "Baris 4, kolom B (Perkara atau kode aplikasi): “APL-1999-0001” tidak ditemukan",
        "Baris 4, kolom H (Prioritas): “dua” bukan urutan",
        "Baris 4, kolom I (Perkiraan anggaran): Jumlah uang tidak terbaca",
        f"Baris 5, kolom B (Perkara atau kode aplikasi): {waiting.number} berstatus",
        "Baris 5, kolom D (Kegiatan): Kegiatan belum diisi",
        "Baris 5, kolom D (Kegiatan): Sel berisi rumus",
        "Baris 5, kolom H (Prioritas): “0” bukan urutan",
        "Baris 5, kolom I (Perkiraan anggaran): “-5” bukan rupiah bulat",
        "Baris 5, kolom J (Penanggung jawab): Terlalu panjang: 201 huruf",
        "Baris 6, kolom B (Perkara atau kode aplikasi): Nomor perkara atau kode aplikasi belum diisi",
    ]
    assert len(told) == len(wanted)
    assert [line for line in wanted if not any(words.startswith(line) for words in told)] == []
    assert walk.session.scalars(select(ProgrammeSheet)).all() == []
    assert entry_of(walk, case).activity == f"Pembangunan {case.name}"


def test_a_right_sheet_is_previewed_and_taken_over_whole(walk: Walk, office: Office) -> None:
    first, second = entered(walk, office, 2)
    new = walk.approved(name="Aplikasi baru")
    rows = [
        [new.code.upper(), "Membangun yang baru", "1 aplikasi", "100%", "Triwulan I - III", 1, "136.000.000", "Bayu"],
        [first.number, "Membangun lebih baik", "", "", "", 2, 7_000_000, ""],
    ]
    kept = actions.check_programme_sheet(walk.session, BUDI, YEAR, office, file=sheet(*rows), file_name="proker.xlsx")
    with office.store.open(kept.digest) as file:
        plan = actions.read_plan(walk.session, office, YEAR, file)
    assert (plan.count("new"), plan.count("changed"), plan.count("unchanged")) == (1, 1, 0)
    assert order(walk) == ["Aplikasi 1", "Aplikasi 2"]

    walk.refuses(NotAllowed, actions.take_programme_sheet, BAYU, kept.id, office)
    actions.take_programme_sheet(walk.session, BUDI, kept.id, office)

    assert order(walk) == ["Aplikasi baru", "Aplikasi 1", "Aplikasi 2"]
    made = entry_of(walk, new)
    assert (made.quarter, made.estimated_amount, made.priority, made.pic) == ("I-III", 136_000_000, 1, "Bayu")
    assert entry_of(walk, first).activity == "Membangun lebih baik"
    assert entry_of(walk, second).priority == 3
    changed = walk.session.scalars(select(TraceEntry).where(TraceEntry.kind == "take_programme_sheet")).one()
    assert "Kegiatan: Pembangunan Aplikasi 1 → Membangun lebih baik" in changed.detail
    walk.refuses(OutOfTurn, actions.take_programme_sheet, BUDI, kept.id, office)


def test_a_sheet_with_more_new_entries_than_are_printed_at_once_is_refused(
    walk: Walk, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.proposal.actions.programme_sheet.MOST_NEW", 1)
    (old,) = entered(walk, office, 1)
    new = [walk.approved(name=f"Baru {n}") for n in range(2)]
    rows = [[case.number, "Membangun", "", "", "", "", 0, ""] for case in (old, *new)]

    refusal = walk.refuses(
        TooLarge, actions.check_programme_sheet, BUDI, YEAR, office, file=sheet(*rows), file_name="a.xlsx"
    )

    assert "2 butir baru; paling banyak 1" in refusal.detail
    actions.check_programme_sheet(walk.session, BUDI, YEAR, office, file=sheet(*rows[:2]), file_name="a.xlsx")


def test_a_sheet_is_not_taken_over_beside_another_programme_than_was_seen(walk: Walk, office: Office) -> None:
    first, second = entered(walk, office, 2)
    row = [first.number, "Membangun", "", "", "", 1, 0, ""]
    kept = actions.check_programme_sheet(walk.session, BUDI, YEAR, office, file=sheet(row), file_name="a.xlsx")
    whole = queries.programme(walk.session, BUDI, YEAR).whole
    assert whole
    seen = tag_of(whole.edition)
    actions.rank_programme(walk.session, CITRA, entry_of(walk, second).id, ordinal=1)

    refusal = walk.refuses(Stale, actions.take_programme_sheet, BUDI, kept.id, office, seen=seen)

    assert CITRA.name in refusal.detail


@pytest.mark.parametrize("form", ["xlsx", "csv"])
def test_what_goes_out_comes_back_unchanged(house: House, form: sheets.Format) -> None:
    with house.database.transaction() as session:
        entered(Walk(session, house.office), house.office, 3, indicator="=HYPERLINK(1)", quarter="I-II")

    out = house.ask(BUDI, "GET", f"/api/work-programme/{YEAR}/export?form={form}")
    back = house.ask(BUDI, "POST", f"/api/work-programme/{YEAR}/sheets", files={"file": (f"a.{form}", out.content)})

    assert out.headers["content-disposition"] == f'attachment; filename="program-kerja-{YEAR}.{form}"'
    assert back.status_code == 201, back.text
    assert (back.json()["unchanged"], back.json()["changed"], back.json()["new"]) == (3, 0, 0)
    if form == "xlsx":
        page = openpyxl.load_workbook(io.BytesIO(out.content))["Data"]
        assert [cell.value for cell in page[1]] == HEADS
        assert (page["E2"].value, page["E2"].data_type) == ("=HYPERLINK(1)", "s")
        assert {"I-III" in str(one.formula1) for one in page.data_validations.dataValidation} == {True, False}


def test_the_page_ranks_without_a_script_and_tells_the_later_one(house: House) -> None:
    with house.database.transaction() as session:
        walk = Walk(session, house.office)
        first, second = entered(walk, house.office, 2)
        ids = [entry_of(walk, first).id, entry_of(walk, second).id]
    page = house.ask(BUDI, "GET", f"/proker?tahun={YEAR}")
    edition = page.text.partition('name="seen_edition" value="')[2].partition('"')[0]
    given = {"form_token": "token", "ordinal": "1", "seen_edition": edition}

    done = house.ask(BUDI, "POST", f"/proker/butir/{ids[1]}/urutan", data={**given, "idempotency_key": "a"})
    late = house.ask(CITRA, "POST", f"/proker/butir/{ids[0]}/urutan", data={**given, "idempotency_key": "b"})

    assert "Turunkan" in page.text
    assert (done.status_code, done.headers["location"]) == (303, f"/proker?tahun={YEAR}#butir-{ids[1]}")
    assert late.status_code == 412
    assert BUDI.name in late.text
    assert late.text.index("Pembangunan Aplikasi 2") < late.text.index("Pembangunan Aplikasi 1")
    assert "Naikkan" not in house.ask(SARI, "GET", f"/proker?tahun={YEAR}").text
    assert house.ask(JOKO, "GET", f"/proker?tahun={YEAR}").status_code == 403


def test_the_page_closes_the_gap_that_a_deferred_entry_leaves(house: House) -> None:
    with house.database.transaction() as session:
        walk = Walk(session, house.office)
        _, second, third = entered(walk, house.office, 3)
        actions.defer(session, CITRA, second.id, house.office, reason="Menunggu peraturan baru.")
        last = entry_of(walk, third).id

    page = house.ask(BUDI, "GET", f"/proker?tahun={YEAR}").text
    row = page.partition(f'id="butir-{last}"')[2].partition("</tr>")[0]
    form = {
        "form_token": "token",
        "idempotency_key": "a",
        "ordinal": re.findall(r'name="ordinal" value="(\d+)"', row)[0],
    }
    house.ask(BUDI, "POST", f"/proker/butir/{last}/urutan", data=form)

    assert "<span>2</span>" in row
    assert "Turunkan" not in row
    entries = house.ask(BUDI, "GET", f"/api/work-programme?fiscal_year={YEAR}").json()
    assert [entry["activity"] for entry in entries] == [f"Pembangunan Aplikasi {n}" for n in (3, 1, 2)]


def test_the_page_changes_an_entry_and_keeps_what_was_typed_wrong(house: House) -> None:
    with house.database.transaction() as session:
        walk = Walk(session, house.office)
        first, second = entered(walk, house.office, 2)
        ids = [entry_of(walk, first).id, entry_of(walk, second).id]
    page = house.ask(BUDI, "GET", f"/proker?tahun={YEAR}")
    edition = page.text.partition('name="seen_edition" value="')[2].partition('"')[0]
    form = {"form_token": "token", "seen_edition": edition, "activity": "Membangun lagi", "quarter": "II"}
    path = f"/proker/butir/{ids[1]}/perubahan"

    wrong = house.ask(BUDI, "POST", path, data={**form, "idempotency_key": "a", "estimated_amount": "tujuh juta"})
    odd = house.ask(BUDI, "POST", path, data={**form, "idempotency_key": "b", "quarter": "V"})
    done = house.ask(BUDI, "POST", path, data={**form, "idempotency_key": "c", "estimated_amount": "7.000.000"})

    assert page.text.count("Simpan perubahan") == 2
    assert (wrong.status_code, odd.status_code) == (422, 422)
    assert wrong.text.count("tujuh juta") == 1
    assert wrong.text.count('role="alert"') == 1
    assert wrong.text.count("Membangun lagi") == 1
    assert (done.status_code, done.headers["location"]) == (303, f"/proker?tahun={YEAR}#butir-{ids[1]}")
    entries = house.ask(BUDI, "GET", f"/api/work-programme?fiscal_year={YEAR}").json()
    assert [(e["activity"], e["quarter"], e["estimated_amount"]) for e in entries][1] == (
        "Membangun lagi",
        "II",
        7_000_000,
    )
    assert "Simpan perubahan" not in house.ask(CITRA, "GET", f"/proker?tahun={YEAR}").text


def test_the_page_shows_every_mistake_then_the_preview_and_the_paper(house: House) -> None:
    with house.database.transaction() as session:
        walk = Walk(session, house.office)
        (case,) = entered(walk, house.office, 1)
    form = {"form_token": "token", "idempotency_key": "a"}
    wrong = sheet([case.number, "", "", "", "V", 1, 0, ""])
    right = sheet([case.number, "Membangun", "", "", "", 1, 0, ""])

    refused = house.ask(BUDI, "POST", f"/proker/{YEAR}/impor", data=form, files={"file": ("a.xlsx", wrong)})
    done = house.ask(BUDI, "POST", f"/proker/{YEAR}/impor", data=form, files={"file": ("a.xlsx", right)})
    preview = house.ask(BUDI, "GET", done.headers["location"])
    taken = house.ask(BUDI, "POST", f"{done.headers['location']}/penerapan", data=form)
    frozen = house.ask(CITRA, "POST", f"/proker/{YEAR}/penetapan", data=form)
    paper = house.ask(SARI, "GET", f"/api/work-programme/{YEAR}/paper?revision=1")
    draft = house.ask(SARI, "GET", f"/api/work-programme/{YEAR}/paper")

    assert refused.status_code == 422
    assert "Baris 2, kolom D (Kegiatan)" in refused.text
    assert "Baris 2, kolom G (Triwulan)" in refused.text
    assert "Membangun" in preview.text
    assert (taken.status_code, frozen.status_code) == (303, 303)
    assert paper.content.startswith(b"%PDF-")
    assert draft.content.startswith(b"%PDF-")
    assert house.ask(SARI, "GET", f"/proker/{YEAR}/revisi/1").status_code == 200
    assert house.ask(SARI, "GET", f"/proker/{YEAR}/revisi/2").status_code == 404
    assert house.ask(SARI, "GET", done.headers["location"]).status_code == 404
    assert house.ask(SARI, "GET", "/proker?tahun=9999").status_code in (200, 404)
