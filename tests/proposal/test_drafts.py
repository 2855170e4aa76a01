"""A draft holds whatever was written, however incomplete; two windows do not overwrite each other; files beside it."""

import io
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from services.proposal import actions, queries
from services.proposal.model import Case, Content, Draft, Office, Proposal, content_of, lacking, section_named
from services.proposal.schemas.draft import code_from, parted
from shared import authority
from shared.edition import tag_of
from shared.errors import Incomplete, NotAllowed, NotFound, OutOfTurn, Stale, TooLarge
from tests.people import ANI, BUDI, ZULKIFLI
from tests.proposal.walk import Walk, content

ALL = tuple(Content.model_fields)


def save(walk: Walk, case: Case, typed: Mapping[str, Any], *, seen: str | None = None) -> Case:
    """Save what was typed, as the doors do."""
    base = content_of(case, walk.session.get_one(Proposal, case.id))
    accepted, rough = parted(base, ALL, typed, is_whole=False)
    return actions.save_draft(walk.session, ANI, case.id, accepted=accepted, rough=rough, seen=seen)


def test_what_can_be_taken_is_taken_and_the_rest_is_kept_as_typed(walk: Walk) -> None:
    case = walk.drafted()

    save(walk, case, {"cost_amount": "Rp 1.500.000", "benefit_amount": "seratus juta", "expected_users": "12.5"})

    form = queries.form(walk.session, ANI, case.id)
    assert form.content.cost_amount == 1_500_000
    assert form.content.benefit_amount == 0
    assert form.rough["benefit_amount"]["typed"] == "seratus juta"
    assert set(form.rough) == {"benefit_amount", "expected_users"}
    assert "bilangan bulat" in form.rough["expected_users"]["errors"]["expected_users"]


def test_what_is_put_right_is_rough_no_more(walk: Walk) -> None:
    case = save(walk, walk.drafted(), {"letter_on": "kemarin"})

    save(walk, case, {"letter_on": "2026-08-03"})

    form = queries.form(walk.session, ANI, case.id)
    assert form.rough == {}
    assert str(form.content.letter_on) == "2026-08-03"


def test_a_row_that_is_wrong_is_named_by_its_place(walk: Walk) -> None:
    case = save(walk, walk.drafted(), {"risks": [{"risk": "Data lama"}, {"effect": "tanpa risikonya"}]})

    rough = queries.form(walk.session, ANI, case.id).rough["risks"]

    assert set(rough["errors"]) == {"risks.1.risk"}
    assert rough["typed"][1] == {"effect": "tanpa risikonya"}


def test_a_section_sent_whole_empties_what_is_not_in_it(walk: Walk) -> None:
    case = walk.drafted(legal_basis=["UU 27/2022"])
    base = content_of(case, walk.session.get_one(Proposal, case.id))

    accepted, rough = parted(base, ("purpose", "legal_basis"), {"purpose": "Baru."}, is_whole=True)

    assert (accepted, rough) == ({"purpose": "Baru.", "legal_basis": []}, {})


def test_an_unknown_field_is_refused(walk: Walk) -> None:
    case = walk.drafted()
    base = content_of(case, walk.session.get_one(Proposal, case.id))

    with pytest.raises(Incomplete):
        parted(base, ALL, {"status": "approved"}, is_whole=False)


def test_a_short_name_in_use_stays_rough_and_the_rest_is_saved(walk: Walk) -> None:
    walk.drafted(code="presensi")
    case = walk.drafted(code="absensi")

    save(walk, case, {"code": "presensi", "benefit": "Lebih cepat."})

    form = queries.form(walk.session, ANI, case.id)
    assert (form.content.code, form.content.benefit) == ("absensi", "Lebih cepat.")
    assert "sudah dipakai" in form.rough["code"]["errors"]["code"]


def test_who_saves_an_older_edition_is_told_who_saved_since(walk: Walk) -> None:
    case = walk.drafted()
    seen = tag_of(case.edition)
    save(walk, case, {"benefit": "Dari jendela pertama."}, seen=seen)

    with pytest.raises(Stale) as refusal:
        save(walk, case, {"benefit": "Dari jendela kedua."}, seen=seen)

    assert ANI.name in refusal.value.detail
    assert queries.form(walk.session, ANI, case.id).content.benefit == "Dari jendela pertama."


def test_the_audit_chain_has_one_line_for_each_sitting(walk: Walk, monkeypatch: pytest.MonkeyPatch) -> None:
    case = walk.drafted()
    lines = "SELECT count(*) FROM audit.entry WHERE act = 'save_draft'"

    for words in ("Satu.", "Satu dua.", "Satu dua tiga."):
        save(walk, case, {"benefit": words})
    first = walk.session.scalar(text(lines))
    monkeypatch.setattr(authority, "SITTING", timedelta(0))
    save(walk, case, {"benefit": "Sesudah makan siang."})

    assert (first, walk.session.scalar(text(lines))) == (1, 2)
    assert queries.form(walk.session, ANI, case.id).content.benefit == "Sesudah makan siang."


def test_a_submission_names_what_is_still_rough(walk: Walk, office: Office) -> None:
    case = save(walk, walk.drafted(), {"cost_amount": "banyak"})

    refusal = walk.refuses(Incomplete, actions.submit, ANI, case.id, office)

    assert [error.pointer for error in refusal.errors] == ["/cost_amount"]


@pytest.mark.parametrize(
    ("kind", "wanted"),
    [
        ("retender", {"/earlier_application", "/earlier_contract"}),
        ("shut_down", {"/earlier_application", "/data_after"}),
        ("module", {"/earlier_application"}),
    ],
)
def test_each_kind_asks_for_what_it_cannot_do_without(walk: Walk, office: Office, kind: str, wanted: set[str]) -> None:
    case = walk.drafted(kind=kind)

    refusal = walk.refuses(Incomplete, actions.submit, ANI, case.id, office)
    save(walk, case, {"earlier_application": "APL-2020-0001", "earlier_contract": "SPK-1", "data_after": "Diarsipkan."})
    actions.submit(walk.session, ANI, case.id, office)

    assert {error.pointer for error in refusal.errors} == wanted
    assert case.status == "submitted"


def test_only_the_proposer_writes_and_only_while_it_is_open(walk: Walk) -> None:
    case, submitted = walk.drafted(), walk.submitted()

    walk.refuses(NotAllowed, actions.save_draft, BUDI, case.id, accepted={"benefit": "x"}, rough={})
    walk.refuses(OutOfTurn, actions.save_draft, ANI, submitted.id, accepted={"benefit": "x"}, rough={})


def test_sections_say_what_they_lack(walk: Walk) -> None:
    problem = section_named("masalah")
    assert problem

    assert lacking(content(), problem, has_letter=False) == ["Dasar hukum"]
    assert lacking(content(legal_basis=["UU 27/2022"]), problem, has_letter=False) == []


def test_a_whole_put_leaves_nothing_rough(walk: Walk) -> None:
    case = save(walk, walk.drafted(), {"cost_amount": "banyak"})

    actions.amend(walk.session, ANI, case.id, content(code=case.code))

    assert walk.session.get_one(Draft, case.id).rough == {}


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("e-Presensi Pegawai", "e-presensi-pegawai"),
        ("2026", "aplikasi-2026"),
        ("Ö", "aplikasi"),
        ("Sistem Informasi Penelitian dan Pengabdian", "sistem-informasi-penelitian"),
    ],
)
def test_a_short_name_is_made_from_the_name(name: str, code: str) -> None:
    assert code_from(name) == code
    assert Content(name=f"{name}   x", code=code)


# --- files ---------------------------------------------------------------------------------------------------------


def attach(walk: Walk, case: Case, office: Office, name: str, words: bytes = b"%PDF-1.7 bagan") -> Any:
    return actions.attach_file(
        walk.session, ANI, case.id, office, kind="process", file=io.BytesIO(words), file_name=name
    )


def test_a_file_goes_with_each_submission_that_held_it(walk: Walk, office: Office) -> None:
    case = walk.drafted()
    first = attach(walk, case, office, "../../bagan proses?.pdf")
    actions.submit(walk.session, ANI, case.id, office)
    actions.send_back(walk.session, BUDI, case.id, office, reason="Lengkapi bagannya.")

    actions.remove_file(walk.session, ANI, first.id)
    actions.submit(walk.session, ANI, case.id, office)

    later, earlier = queries.submissions(walk.session, ANI, case.id)[1]
    assert first.file_name == "bagan proses.pdf"
    assert [file["digest"] for file in earlier.kept.attachments] == [first.digest]
    assert later.kept.attachments == []
    assert [(one.label, one.before, one.after) for one in later.differences] == [("Lampiran", "bagan proses.pdf", "")]
    assert queries.paper(walk.session, ANI, first.digest).file_name == "bagan proses.pdf"


def test_a_file_of_another_kind_or_size_is_refused(walk: Walk, office: Office) -> None:
    case = walk.drafted()
    huge = b"%PDF-" + b"0" * (20 * 1024 * 1024)

    for name, words in (("virus.exe", b"MZ"), ("palsu.pdf", b"<html>"), ("tanpa-akhiran", b"x")):
        with pytest.raises(Incomplete):
            attach(walk, case, office, name, words)
    with pytest.raises(TooLarge):
        attach(walk, case, office, "besar.pdf", huge)


def test_after_submission_no_file_is_added_or_taken_away(walk: Walk, office: Office) -> None:
    case = walk.drafted()
    kept = attach(walk, case, office, "bagan.pdf")
    actions.submit(walk.session, ANI, case.id, office)

    walk.refuses(OutOfTurn, actions.remove_file, ANI, kept.id)
    with pytest.raises(OutOfTurn):
        attach(walk, case, office, "lain.pdf")


def test_a_stranger_reads_no_file(walk: Walk, office: Office) -> None:
    kept = attach(walk, walk.drafted(), office, "bagan.pdf")

    walk.refuses(NotFound, queries.attachment, ZULKIFLI, kept.id)
    walk.refuses(NotAllowed, actions.remove_file, ZULKIFLI, kept.id)
