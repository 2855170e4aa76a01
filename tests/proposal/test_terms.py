"""The terms of reference are written by sections, by several people at once; every version stays and is compared."""

import io
import random
import re
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pypdf
import pytest
from fastapi import FastAPI
from sqlalchemy import select, text

from services.proposal import actions, queries
from services.proposal.app import make
from services.proposal.model import (
    TERMS_SECTIONS,
    Case,
    Difference,
    Office,
    Stage,
    Terms,
    TermsContent,
    TermsDraft,
    TermsOfReference,
    terms_section,
)
from services.proposal.schemas.draft import parted
from services.proposal.settings import Settings
from shared import messages
from shared.database import Database
from shared.edition import tag_of
from shared.errors import Incomplete, NotAllowed, NotFound, OutOfTurn, Stale
from shared.identity import Person
from shared.keys import Keys
from shared.pages import DRAW
from tests.counting import statements
from tests.doors import Door
from tests.people import ANI, BAYU, BUDI, CITRA, GITA, JOKO, SARI, ZULKIFLI
from tests.proposal.walk import TERMS, Walk

BACKGROUND = "Kehadiran dicatat di kertas dan direkap setiap akhir bulan."
"""What the unit wrote in its proposal (tests/proposal/walk.py)."""


def save(walk: Walk, case: Case, key: str, typed: Mapping[str, Any], *, by: Any = BAYU, seen: Any = None) -> Case:
    """Save a section as the doors do; `seen` is the edition that the writer saw."""
    section = terms_section(key)
    assert section
    form = queries.terms_form(walk.session, by, case.id)
    accepted, rough = parted(form.content, section.fields, typed, is_whole=False)
    tag = None if seen is None else tag_of(seen)
    return actions.save_terms(walk.session, by, case.id, section, accepted=accepted, rough=rough, seen=tag)


def form_of(walk: Walk, case: Case) -> queries.TermsForm:
    return queries.terms_form(walk.session, BAYU, case.id)


def versions(walk: Walk, case: Case) -> list[TermsOfReference]:
    return list(queries.terms(walk.session, SARI, case.id)[1])


# --- the shape -----------------------------------------------------------------------------------------------------


def test_every_heading_of_the_paper_stands_in_one_section() -> None:
    told = [name for section in TERMS_SECTIONS for name in section.fields]

    assert told == list(TermsContent.model_fields)
    assert list(Terms.model_fields) == list(TermsContent.model_fields)
    assert {name for section in TERMS_SECTIONS for name in section.advised} == set(told)


# --- the draft -----------------------------------------------------------------------------------------------------


def test_the_first_draft_begins_with_what_the_unit_wrote(walk: Walk) -> None:
    form = form_of(walk, walk.programmed(legal_basis=["UU 27/2022"]))

    assert form.content.background == BACKGROUND
    assert form.content.legal_basis == ["UU 27/2022"]
    assert form.content.performance_indicators == ["Rekap tepat waktu: hari kerja pertama"]
    assert not form.is_pending


def test_a_section_keeps_what_can_be_taken_and_the_rest_as_typed(walk: Walk) -> None:
    case = walk.programmed()

    save(walk, case, "metode-jadwal", {"method": "Bertahap.", "schedule": [{"period": "bulan ke-1"}]})

    form = form_of(walk, case)
    part = form.part("metode-jadwal")
    assert form.content.method == "Bertahap."
    assert form.rough["schedule"]["typed"] == [{"period": "bulan ke-1"}]
    assert set(form.rough["schedule"]["errors"]) == {"schedule.0.stage"}
    assert (part.wrong, part.lacking) == (("schedule",), ("Jadwal pelaksanaan", "Jangka waktu"))


def test_what_is_put_right_is_rough_no_more(walk: Walk) -> None:
    case = save(walk, walk.programmed(), "metode-jadwal", {"schedule": [{"period": "bulan ke-1"}]})

    save(walk, case, "metode-jadwal", {"schedule": [{"stage": "Analisis", "period": "bulan ke-1"}]})

    assert form_of(walk, case).rough == {}
    assert form_of(walk, case).content.schedule == [Stage(stage="Analisis", period="bulan ke-1")]


def test_two_people_write_in_two_sections_at_once(walk: Walk) -> None:
    case = walk.programmed()

    save(walk, case, "tenaga", {"personnel": "Pemrogram 2 orang"}, by=BAYU, seen=0)
    save(walk, case, "anggaran", {"budget_source": "PNBP BLU"}, by=BUDI, seen=0)

    form = form_of(walk, case)
    assert (form.content.personnel, form.content.budget_source) == (["Pemrogram 2 orang"], "PNBP BLU")
    assert form.newest_draft and form.newest_draft.saved_by_name == BUDI.name


def test_the_later_of_two_in_one_section_is_told_who_was_first(walk: Walk) -> None:
    case = walk.programmed()
    save(walk, case, "tenaga", {"personnel": "Dari Bayu"}, by=BAYU, seen=0)

    with pytest.raises(Stale) as refusal:
        save(walk, case, "tenaga", {"personnel": "Dari Budi"}, by=BUDI, seen=0)

    assert BAYU.name in refusal.value.detail
    assert form_of(walk, case).content.personnel == ["Dari Bayu"]


def test_only_the_division_writes_and_only_in_its_time(walk: Walk) -> None:
    early, case, late = walk.approved(), walk.programmed(), walk.discussed()
    walk.told(late, messages.PlanConveyed)

    for by in (ANI, CITRA, SARI, GITA):
        walk.refuses(NotFound, queries.terms_form, by, case.id)
    section = terms_section("tenaga")
    walk.refuses(NotAllowed, actions.save_terms, CITRA, case.id, section, accepted={}, rough={})
    walk.refuses(OutOfTurn, actions.save_terms, BAYU, early.id, section, accepted={}, rough={})
    walk.refuses(OutOfTurn, actions.save_terms, BAYU, late.id, section, accepted={}, rough={})
    walk.refuses(OutOfTurn, actions.restore_terms, BAYU, versions(walk, late)[0].id)


def test_a_sitting_has_one_line_in_the_audit_chain(walk: Walk) -> None:
    case = walk.programmed()
    for n in range(4):
        save(walk, case, "tenaga", {"personnel": f"Pemrogram {n} orang"}, by=BAYU)
    save(walk, case, "indikator", {"performance_indicators": "Tepat waktu"}, by=BUDI)

    lines = walk.session.scalar(text("SELECT count(*) FROM audit.entry WHERE act = 'save_terms'"))

    assert lines == 2


# --- versions ------------------------------------------------------------------------------------------------------


def test_a_draft_becomes_a_version_with_its_paper_and_is_pending_no_more(walk: Walk, office: Office) -> None:
    case = walk.programmed()
    save(walk, case, "maksud-tujuan", {"objectives": "Rekap tepat waktu\nSatu sumber data"})

    kept = actions.write_terms(walk.session, BAYU, case.id, office)

    assert (kept.version, kept.by_name) == (1, BAYU.name)
    assert kept.content.background == BACKGROUND
    assert kept.content.objectives == ["Rekap tepat waktu", "Satu sumber data"]
    assert queries.paper(walk.session, SARI, kept.paper_digest).kind == "kak"
    assert not form_of(walk, case).is_pending
    assert walk.trace(case)[-1].path == f"/perkara/{case.number}/kak"


def test_a_draft_that_says_nothing_new_makes_no_version(walk: Walk, office: Office) -> None:
    case = walk.programmed()
    actions.write_terms(walk.session, BAYU, case.id, office)

    refusal = walk.refuses(OutOfTurn, actions.write_terms, BAYU, case.id, office)
    walk.told(case, messages.BudgetPlanLocked, version=3, total_amount=135_400_000)
    again = actions.write_terms(walk.session, BAYU, case.id, office)

    assert refusal.code == "nothing_new"
    assert (again.version, again.plan_version, again.plan_amount) == (2, 3, 135_400_000)


def test_a_version_is_refused_with_everything_that_is_wrong(walk: Walk, office: Office) -> None:
    case = walk.programmed()
    save(walk, case, "latar-belakang", {"background": ""})
    save(walk, case, "metode-jadwal", {"schedule": [{"result": "tanpa tahap"}]})

    refusal = walk.refuses(Incomplete, actions.write_terms, BAYU, case.id, office)

    assert {error.pointer for error in refusal.errors} == {"/background", "/schedule"}
    assert versions(walk, case) == []


def test_who_keeps_a_version_of_a_draft_that_has_moved_on_is_told(walk: Walk, office: Office) -> None:
    case = walk.programmed()
    seen = tag_of(form_of(walk, case).edition)
    save(walk, case, "tenaga", {"personnel": "Pemrogram"}, by=BUDI)

    refusal = walk.refuses(Stale, actions.write_terms, BAYU, case.id, office, seen=seen)

    assert BUDI.name in refusal.detail
    assert form_of(walk, case).content.personnel == ["Pemrogram"]


def test_a_version_given_whole_leaves_what_others_write_and_tells_their_windows(walk: Walk, office: Office) -> None:
    case = walk.programmed()
    save(walk, case, "tenaga", {"personnel": "Masih ditulis Budi"}, by=BUDI)

    kept = actions.write_terms(walk.session, BAYU, case.id, office, TERMS)

    form = form_of(walk, case)
    assert (kept.content.personnel, form.content.personnel) == ([], ["Masih ditulis Budi"])
    assert form.content.purpose == TERMS.purpose
    with pytest.raises(Stale):
        save(walk, case, "maksud-tujuan", {"purpose": "Dari jendela lama."}, seen=0)
    save(walk, case, "tenaga", {"personnel": "Terus ditulis"}, by=BUDI, seen=1)


def test_an_edition_never_comes_again(walk: Walk, office: Office) -> None:
    case = walk.programmed()
    save(walk, case, "tenaga", {"personnel": "Satu"}, seen=0)
    actions.write_terms(walk.session, BAYU, case.id, office)
    save(walk, case, "tenaga", {"personnel": "Dua"}, by=BUDI, seen=1)

    with pytest.raises(Stale):
        save(walk, case, "tenaga", {"personnel": "Dari jendela yang terbuka sejak versi 1"}, seen=1)


# --- going back ----------------------------------------------------------------------------------------------------


def with_two(walk: Walk, office: Office) -> Case:
    """Return a case with two versions."""
    case = walk.programmed()
    save(walk, case, "tenaga", {"personnel": "Pemrogram 2 orang"})
    actions.write_terms(walk.session, BAYU, case.id, office)
    save(walk, case, "tenaga", {"personnel": "Pemrogram 1 orang\nPenguji 1 orang"})
    save(walk, case, "anggaran", {"budget_source": "PNBP BLU"})
    actions.write_terms(walk.session, BUDI, case.id, office)
    return case


def test_an_old_version_becomes_the_draft_and_no_version_changes(walk: Walk, office: Office) -> None:
    case = with_two(walk, office)
    second, first = versions(walk, case)

    actions.restore_terms(walk.session, BAYU, first.id)
    third = actions.write_terms(walk.session, BAYU, case.id, office)

    assert third.version == 3
    assert third.sections == first.sections
    assert third.sections != second.sections
    assert [one.version for one in versions(walk, case)] == [3, 2, 1]


def test_what_no_version_has_is_not_replaced_without_a_word(walk: Walk, office: Office) -> None:
    case = with_two(walk, office)
    second, first = versions(walk, case)
    save(walk, case, "indikator", {"performance_indicators": "Belum menjadi versi"}, by=BUDI)

    refusal = walk.refuses(OutOfTurn, actions.restore_terms, BAYU, first.id)
    kept = form_of(walk, case).content.performance_indicators
    actions.restore_terms(walk.session, BAYU, second.id, replaces_draft=True)

    assert refusal.code == "draft_pending"
    assert BUDI.name in refusal.detail
    assert kept == ["Belum menjadi versi"]
    assert not form_of(walk, case).is_pending


def test_going_back_also_takes_away_what_could_not_be_taken(walk: Walk, office: Office) -> None:
    case = with_two(walk, office)
    save(walk, case, "metode-jadwal", {"schedule": [{"period": "bulan ke-1"}]})

    actions.restore_terms(walk.session, BAYU, versions(walk, case)[0].id, replaces_draft=True)

    assert form_of(walk, case).rough == {}
    with pytest.raises(Stale):
        save(walk, case, "metode-jadwal", {"method": "Dari jendela lama."}, seen=1)


# --- differences ---------------------------------------------------------------------------------------------------


def test_versions_are_compared_section_by_section_and_word_by_word(walk: Walk, office: Office) -> None:
    case = with_two(walk, office)
    walk.told(case, messages.BudgetPlanLocked, version=1, total_amount=135_400_000)
    actions.write_terms(walk.session, BAYU, case.id, office)
    third, second, first = (queries.version_state(one) for one in versions(walk, case))

    people, money = queries.terms_differences(first, second)
    again = queries.terms_differences(second, third)

    assert (people[0].key, money[0].key) == ("tenaga", "anggaran")
    assert [(piece.mark, piece.words) for piece in people[1][0].pieces] == [
        ("same", "Pemrogram"),
        ("gone", "2"),
        ("new", "1"),
        ("same", "orang"),
        ("new", "\nPenguji 1 orang"),
    ]
    assert [(one.label, one.before, one.after) for one in money[1]] == [("Sumber dana", "", "PNBP BLU")]
    assert [one.after for _, found in again for one in found] == ["Rp135.400.000 (RAB versi 1)"]
    assert queries.terms_differences(second, second) == []


@pytest.mark.parametrize("seed", range(40))
def test_both_texts_can_be_read_out_of_their_difference(seed: int) -> None:
    chance = random.Random(seed)
    before, after = (" ".join(chance.choices("abcde", k=chance.randrange(20))) for _ in range(2))

    found = Difference("", before, after).pieces

    for text_, mark in ((before, "gone"), (after, "new")):
        assert " ".join(piece.words for piece in found if piece.mark in ("same", mark)).split() == text_.split()


def test_long_texts_are_compared_in_little_time_and_shown_cut_short() -> None:
    words = [f"kata{n % 977}" for n in range(3_000)]
    after = [*words[:1_500], "SISIPAN", *words[1_500:]]
    hostile = [" ".join(random.Random(seed).choices("ab", k=10_000)) for seed in (1, 2)]

    began = time.process_time()
    found = Difference("", " ".join(words), " ".join(after)).pieces
    wild = Difference("", *hostile).pieces
    lines = Difference("", "\n".join("x" * 9 for _ in range(30_000)), "y").pieces
    spent = time.process_time() - began

    assert [piece.mark for piece in found] == ["same", "new", "same"]
    assert sum(len(piece.words.split()) for piece in found) < 120
    assert "[…]" in found[0].words
    assert wild and [piece.mark for piece in lines] == ["gone", "new"]
    assert spent < 3


# --- the paper -----------------------------------------------------------------------------------------------------


def test_the_paper_says_every_section_and_the_budget(walk: Walk, office: Office) -> None:
    case = walk.programmed()
    written = {
        name: f"Isi {name} lengkap." for name in ("background", "purpose", "beneficiaries", "method", "duration")
    }
    lists = {name: [f"Butir {name}"] for name in ("legal_basis", "objectives", "scope", "outputs", "personnel")}
    stages = [Stage(stage="Perancangan", period="bulan ke-1", result="Rancangan disetujui")]
    terms = Terms(
        **written,
        **lists,
        schedule=stages,
        performance_indicators=["2 detik"],
        budget_source="PNBP BLU",
    )
    walk.told(case, messages.BudgetPlanLocked, version=2, total_amount=135_400_000)

    kept = actions.write_terms(walk.session, BAYU, case.id, office, terms)

    with office.store.open(kept.paper_digest) as file:
        pages = pypdf.PdfReader(io.BytesIO(file.read())).pages
        said = re.sub(r"\s+", " ", " ".join(page.extract_text() for page in pages))
    wanted = [
        *written.values(),
        *(one[0] for one in lists.values()),
        "Perancangan",
        "bulan ke-1",
        "2 detik",
        "PNBP BLU",
    ]
    assert [words for words in wanted if words not in said] == []
    assert "M. Sumber dana" in said
    assert "Rp135.400.000 (RAB versi 2)" in said
    assert "seratus tiga puluh lima juta empat ratus ribu rupiah" in said


# --- the doors -----------------------------------------------------------------------------------------------------


@pytest.fixture
def door(database_of: Callable[[str], Database], keys: Keys, tmp_path: Path) -> Iterator[Door]:
    """Return the division's application, asked as the gateway asks it."""
    database = database_of("proposal")
    app: FastAPI = make(Settings(database_url=database.url, keys_folder=keys.folder, files_folder=tmp_path / "files"))
    yield Door.of(app, keys)
    app.state.database.close()


@pytest.fixture
def case(door: Door) -> Case:
    """Return a case in the work programme."""
    with door.database.transaction() as session:
        return Walk(session, door.app.state.office).programmed()  # type: ignore[attr-defined]


def edition_in(page: str, name: str = "edition") -> str:
    found = re.search(rf'name="{name}" value="(\d+)"', page)
    assert found
    return found[1]


def test_the_editor_is_walked_with_buttons_only(door: Door, case: Case) -> None:
    root = f"/perkara/{case.number}/kak"
    empty = door.get(BAYU, root).text
    path = f"{root}/latar-belakang"
    for n, section in enumerate(TERMS_SECTIONS):
        shown = door.get(BAYU, path)
        form = {"edition": edition_in(shown.text), "next": "1", "background": "Kehadiran adalah dasar <uang makan>."}
        fields = {name: value for name, value in form.items() if n == 0 or name != "background"}
        if section.key == "maksud-tujuan":
            fields["purpose"] = "Menyediakan pencatatan kehadiran."
        saved = door.post(BAYU, path, data=fields)
        assert (shown.status_code, saved.status_code) == (200, 303)
        assert section.title in shown.text
        assert "<style" not in shown.text and "<script" not in shown.text
        path = saved.headers["location"]

    ready = door.get(BAYU, path).text
    kept = door.post(BAYU, f"/perkara/{case.id}/kak", data={"seen_edition": edition_in(ready, "seen_edition")})
    told = door.get(BAYU, root).text

    assert path == root
    assert "belum ada versi" in empty
    assert (kept.status_code, kept.headers["location"]) == (303, root)
    assert "sama dengan versi 1" in told
    assert "Simpan sebagai versi" not in told
    assert "Kehadiran adalah dasar &lt;uang makan&gt;." in door.get(CITRA, root).text


def test_what_was_typed_stays_when_somebody_else_was_first(door: Door, case: Case) -> None:
    path = f"/perkara/{case.number}/kak/tenaga"
    edition = edition_in(door.get(BAYU, path).text)
    door.post(BUDI, path, data={"personnel": "Dari Budi", "edition": edition})

    refused = door.post(BAYU, path, data={"personnel": "Dari Bayu", "edition": edition})
    again = door.post(BAYU, path, data={"personnel": "Dari keduanya", "edition": edition_in(refused.text)})

    assert refused.status_code == 412
    assert "Dari Bayu</textarea>" in refused.text
    assert "Yang tersimpan sekarang" in refused.text and "Dari Budi" in refused.text
    assert BUDI.name in refused.text
    assert again.status_code == 303
    assert "Dari keduanya" in door.get(BAYU, path).text


def test_bad_rows_are_kept_and_named(door: Door, case: Case) -> None:
    path = f"/perkara/{case.number}/kak/metode-jadwal"

    saved = door.post(BAYU, path, data={"schedule.0.period": "bulan ke-1", "method": "Bertahap.", "next": "1"})
    page = door.get(BAYU, path).text
    overview = door.get(BAYU, f"/perkara/{case.number}/kak").text

    assert saved.headers["location"] == path
    assert "field--wrong" in page and "bulan ke-1" in page and "Bertahap." in page
    assert "Perlu diperbaiki" in overview


def test_of_two_at_the_same_moment_one_is_told(door: Door, case: Case) -> None:
    section = terms_section("tenaga")
    assert section

    def write(by: Person) -> str:
        try:
            with door.database.transaction() as session:
                accepted = {"personnel": [f"Dari {by.name}"]}
                actions.save_terms(session, by, case.id, section, accepted=accepted, rough={}, seen=tag_of(0))
            return by.name
        except Stale as refusal:
            return refusal.detail

    with ThreadPoolExecutor(2) as both:
        first, second = both.map(write, (BAYU, BUDI))

    saved, told = (first, second) if first == BAYU.name else (second, first)
    assert saved in (BAYU.name, BUDI.name) and saved in told
    shown = door.get(BAYU, f"/api/proposals/{case.id}/terms-of-reference/draft").json()
    assert (shown["content"]["personnel"], shown["edition"]) == ([f"Dari {saved}"], 1)


def test_the_script_saves_one_section_with_the_edition_it_has_seen(door: Door, case: Case) -> None:
    root = f"/api/proposals/{case.id}/terms-of-reference/draft"
    seen = door.get(BAYU, f"{root}/tenaga").headers["etag"]

    first = door.ask(BAYU, "PATCH", f"{root}/tenaga", json={"personnel": "Satu"}, headers={"if-match": seen})
    late = door.ask(BUDI, "PATCH", f"{root}/tenaga", json={"personnel": "Dua"}, headers={"if-match": seen})
    beside = door.ask(BUDI, "PATCH", f"{root}/anggaran", json={"budget_source": "PNBP"}, headers={"if-match": seen})
    over = door.ask(BUDI, "PATCH", f"{root}/tenaga", json={"personnel": "Dua"}, headers={"if-match": "*"})
    strange = door.ask(BAYU, "PATCH", f"{root}/tenaga", json={"purpose": "Lain bagian."})
    nowhere = door.ask(BAYU, "PATCH", f"{root}/penutup", json={})
    garbled = door.ask(BAYU, "PATCH", f"{root}/tenaga", json={}, headers={"if-match": "satu"})
    whole = door.get(BAYU, root)

    assert [one.status_code for one in (first, late, beside, over)] == [200, 412, 200, 200]
    assert [one.status_code for one in (strange, nowhere, garbled)] == [422, 404, 422]
    assert late.json()["code"] == "stale" and BAYU.name in late.json()["detail"]
    assert {"edition", "saved_at", "done", "of", "errors"} <= set(first.json())
    assert {"key", "is_complete", "lacking"} <= set(first.json()["sections"][0])
    assert whole.json()["content"]["personnel"] == ["Dua"]
    assert whole.headers["etag"] == '"3"'


def test_versions_differences_and_the_way_back_through_the_api(door: Door, case: Case) -> None:
    root = f"/api/proposals/{case.id}/terms-of-reference"
    first = door.post(BAYU, root).json()
    door.ask(BAYU, "PATCH", f"{root}/draft/tenaga", json={"personnel": ["Pemrogram"]})
    second = door.post(BUDI, root).json()

    again = door.post(BUDI, root)
    told = door.get(SARI, f"{root}/differences", params={"before": 1, "after": 2}).json()
    back = door.post(BAYU, f"/api/terms-of-reference/{first['id']}/restoration", json={})

    assert (first["version"], second["version"], again.status_code) == (1, 2, 409)
    assert [(one["section"], one["label"], one["after"]) for one in told] == [
        ("tenaga", "Tenaga pelaksana", "Pemrogram")
    ]
    assert told[0]["pieces"] == [{"mark": "new", "words": "Pemrogram"}]
    assert [one["version"] for one in door.get(ANI, root).json()] == [2, 1]
    assert door.get(SARI, f"{root}/1").json()["sections"]["personnel"] == []
    assert (back.status_code, back.json()["is_pending"], back.json()["content"]["personnel"]) == (200, True, [])
    assert door.get(SARI, second["paper"]).content.startswith(b"%PDF-")
    assert door.get(SARI, f"{root}/9").status_code == 404


def test_the_pages_show_versions_differences_and_the_way_back(door: Door, case: Case) -> None:
    root = f"/perkara/{case.number}/kak"
    api = f"/api/proposals/{case.id}/terms-of-reference"
    first = door.post(BAYU, api).json()
    alone = door.get(BAYU, f"{root}/perbedaan")
    door.ask(BAYU, "PATCH", f"{api}/draft/maksud-tujuan", json={"purpose": "Mencatat kehadiran dosen tetap."})
    drafted = door.get(BAYU, f"{root}/perbedaan").text
    page = door.get(BAYU, root).text
    back = f"/kak/{first['id']}/pemulihan"
    unsure = door.post(BAYU, back, data={"seen_edition": edition_in(page, "seen_edition")})
    sure = door.post(BAYU, back, data={"replaces_draft": "true", "seen_edition": edition_in(page, "seen_edition")})

    assert alone.status_code == 404
    assert "Dari Versi 1 ke Draf." in drafted
    assert re.search(r"<del>.*dihapus: .*</del>", drafted) and re.search(r"<ins>.*ditambahkan: .*</ins>", drafted)
    assert "Mencatat kehadiran" in drafted
    assert unsure.status_code == 409 and "belum menjadi versi" in unsure.text and BAYU.name in unsure.text
    assert (sure.status_code, sure.headers["location"]) == (303, root)
    assert "sama dengan versi 1" in door.get(BAYU, root).text
    assert "Mencatat kehadiran pegawai dan dosen." in door.get(CITRA, f"{root}/versi/1").text


def test_who_only_reads_sees_versions_and_never_the_draft(door: Door, case: Case) -> None:
    root, api = f"/perkara/{case.number}/kak", f"/api/proposals/{case.id}/terms-of-reference"
    door.post(BAYU, api)
    door.ask(BAYU, "PATCH", f"{api}/draft/tenaga", json={"personnel": ["Rahasia draf"]})

    for by in (ANI, CITRA, SARI, GITA):
        page = door.get(by, root)
        assert page.status_code == 200
        assert BACKGROUND in page.text and "Rahasia draf" not in page.text
        assert door.get(by, f"{root}/tenaga").status_code == 303
        assert door.get(by, f"{api}/draft").status_code == 404
        assert door.get(by, f"{api}/draft/tenaga").status_code == 404
        assert door.get(by, f"{root}/perbedaan?dari=0&ke=1").status_code == 404
        assert door.get(by, f"{api}/differences?before=0&after=1").status_code == 422
        assert door.post(by, f"{root}/tenaga", data={"personnel": "x"}).status_code in (403, 404)
    for by in (ZULKIFLI, JOKO):
        for path in (root, f"{root}/tenaga", f"{root}/versi/1", f"{root}/perbedaan", api, f"{api}/draft", f"{api}/1"):
            assert door.get(by, path).status_code == 404, path


def test_after_the_plan_is_conveyed_everybody_reads_and_nobody_writes(door: Door) -> None:
    with door.database.transaction() as session:
        walk = Walk(session, door.app.state.office)  # type: ignore[attr-defined]
        case = walk.discussed()
        walk.told(case, messages.PlanConveyed)
    root = f"/perkara/{case.number}/kak"

    page = door.get(BAYU, root)
    section = door.get(BAYU, f"{root}/tenaga")
    saved = door.post(BAYU, f"{root}/tenaga", data={"personnel": "Terlambat"})
    patched = door.ask(BAYU, "PATCH", f"/api/proposals/{case.id}/terms-of-reference/draft/tenaga", json={})

    assert TERMS.purpose in page.text and "Pulihkan" not in page.text and '<form method="post"' not in page.text
    assert (section.status_code, saved.status_code, patched.status_code) == (303, 409, 409)


def test_a_form_whose_session_ended_is_drawn_again_with_what_was_typed(door: Door, case: Case) -> None:
    path = f"/perkara/{case.number}/kak/tenaga"

    drawn = door.ask(BAYU, DRAW, path, data={"personnel": "Belum tersimpan."})

    assert "Belum tersimpan." in drawn.text
    assert "Belum tersimpan." not in door.get(BAYU, path).text


def test_no_page_of_the_editor_costs_more_than_six_statements(door: Door, case: Case) -> None:
    root, api = f"/perkara/{case.number}/kak", f"/api/proposals/{case.id}/terms-of-reference"
    for n in range(4):
        door.ask(BAYU, "PATCH", f"{api}/draft/tenaga", json={"personnel": [f"Pemrogram {n} orang"]})
        door.post(BAYU, api)
    door.ask(BAYU, "PATCH", f"{api}/draft/tenaga", json={"personnel": ["Draf"]})

    costs = {}
    for path in (root, f"{root}/tenaga", f"{root}/versi/1", f"{root}/perbedaan", api, f"{api}/draft", f"{api}/1"):
        with statements(door.database.engine) as sent:
            assert door.get(BAYU, path).status_code == 200
        costs[path] = len(sent)

    assert {path: cost for path, cost in costs.items() if cost > 6} == {}


def test_the_case_leads_to_its_terms(door: Door, case: Case) -> None:
    before = door.get(BAYU, f"/perkara/{case.number}").text
    door.post(BAYU, f"/api/proposals/{case.id}/terms-of-reference")
    after = door.get(SARI, f"/perkara/{case.number}").text

    assert "Susun KAK" in before and f'href="/perkara/{case.number}/kak"' in before
    assert "KAK versi 1" in after
    with door.database.transaction() as session:
        assert session.scalars(select(TermsDraft)).all() == []
