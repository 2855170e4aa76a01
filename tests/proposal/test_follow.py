"""Following a case without an account, and its way in plain words; similar applications."""

import io

import pytest
from pypdf import PdfReader
from sqlalchemy import event, select

from services.proposal import actions, queries
from services.proposal.model import FollowCode, Office, Paper, read_code
from services.proposal.schemas.follow import FollowView
from shared.errors import Incomplete, NotFound
from tests.people import ANI, BUDI, ZULKIFLI
from tests.proposal.walk import Walk


def text_of(office: Office, digest: str) -> str:
    reader = PdfReader(io.BytesIO(office.store.path(digest).read_bytes()))
    return "\n".join(page.extract_text() for page in reader.pages)


def code_of(walk: Walk, case_id: object) -> str:
    return walk.session.get_one(FollowCode, case_id).printed


def test_the_receipt_names_number_and_code_and_the_code_stays(walk: Walk, office: Office) -> None:
    case = walk.submitted()
    code = code_of(walk, case.id)
    actions.send_back(walk.session, BUDI, case.id, office, reason="Lengkapi suratnya.")

    actions.submit(walk.session, ANI, case.id, office)

    papers = walk.session.scalars(
        select(Paper).where(Paper.kind == "tanda_terima_usulan").order_by(Paper.created_at)
    ).all()
    assert len(papers) == 2
    for paper in papers:
        said = text_of(office, paper.digest)
        assert case.number in said
        assert code in said
    assert code_of(walk, case.id) == code
    shown = queries.receipt(walk.session, ANI, case)
    assert shown == queries.Receipt(code, papers[-1].digest)
    assert queries.receipt(walk.session, BUDI, case) is None


def test_whoever_holds_the_receipt_reads_status_and_post_but_no_name_and_no_content(walk: Walk) -> None:
    case = walk.analysed()
    typed = code_of(walk, case.id).lower().replace("-", " ")

    view = FollowView.of(*queries.followed(walk.session, f" {case.number.lower()} ", typed))

    assert view.last.startswith("Diterima Koordinator Divisi Aplikasi pada ")
    assert view.now == "Kini menunggu analisis kebutuhan oleh Staf Pengembangan Aplikasi, biasanya 10 hari kerja."
    told = view.model_dump_json()
    assert case.name not in told
    assert ANI.name not in told
    assert BUDI.name not in told


def test_a_wrong_code_and_an_unknown_number_are_answered_alike(walk: Walk) -> None:
    one, other = walk.submitted(), walk.submitted()
    draft = walk.drafted()

    told = set()
    for number, code in (
        (one.number, code_of(walk, other.id)),
        ("APL-1999-0001", code_of(walk, one.id)),
        (one.number, ""),
        (one.number, "000000000000"),
        (draft.number, "000000000000"),
    ):
        with pytest.raises(NotFound) as refusal:
            queries.followed(walk.session, number, code)
        told.add(refusal.value.detail)
    assert len(told) == 1


@pytest.mark.parametrize(
    ("typed", "kept"),
    [("abcd-efgh-jkm0", "ABCDEFGHJKM0"), ("ABCD EFGH JKMO", "ABCDEFGHJKM0"), ("x", ""), ("U" * 12, "")],
)
def test_a_code_is_read_however_it_was_typed(typed: str, kept: str) -> None:
    assert read_code(typed) == kept


def test_each_status_of_the_procedure_tells_its_way(walk: Walk, office: Office) -> None:
    case = walk.recommended()
    way = queries.way(case, queries.history(walk.session, case))

    assert [turn.words for turn in way.turns] == [
        "Diajukan kepada Kepala PUSTIPD melalui Koordinator Divisi Aplikasi",
        "Diterima Koordinator Divisi Aplikasi",
        "Direkomendasikan Koordinator Divisi Aplikasi kepada Kepala PUSTIPD",
    ]
    assert way.waits_for == "Kepala PUSTIPD"
    for status in case.sop.statuses:
        case.status = status
        told = queries.way(case, ())
        assert told.now
        assert (told.waits_for == "") is (status in ("live", "retired", "rejected", "cancelled"))


def test_the_routing_slip_lists_every_turn_with_its_reason(walk: Walk, office: Office) -> None:
    case = walk.submitted()
    actions.send_back(walk.session, BUDI, case.id, office, reason="Surat belum ditandatangani.")
    actions.submit(walk.session, ANI, case.id, office)
    actions.accept(walk.session, BUDI, case.id, office, words="Segera dianalisis.")

    newest = walk.session.scalars(
        select(Paper).where(Paper.kind == "lembar_disposisi").order_by(Paper.created_at.desc()).limit(1)
    ).one()
    said = " ".join(text_of(office, newest.digest).split())
    places = [
        said.index(words)
        for words in ("Usulan diajukan", "Surat belum ditandatangani.", "diajukan kembali", "Segera dianalisis.")
    ]
    assert places == sorted(places)


# --- what resembles it ---------------------------------------------------------------------------------------------


def test_a_similar_name_and_a_similar_purpose_are_found_whose_unit_ever(walk: Walk) -> None:
    walk.submitted(name="e-Presensi Pegawai dan Dosen", purpose="Mencatat kehadiran pegawai dan dosen.")
    walk.submitted(name="Rekam Hadir", purpose="Mencatat kehadiran pegawai dan dosen setiap hari.")
    walk.submitted(name="Repositori Skripsi", purpose="Menyimpan karya ilmiah mahasiswa.")

    found = queries.similar(
        walk.session, ZULKIFLI, name="Presensi Dosen dan Pegawai", purpose="Mencatat kehadiran dosen dan pegawai."
    )

    assert {one.name for one in found} == {"e-Presensi Pegawai dan Dosen", "Rekam Hadir"}
    assert [one.likeness for one in found] == sorted((one.likeness for one in found), reverse=True)
    assert {one.path for one in found} == {""}


def test_drafts_ended_cases_and_itself_are_not_similar(walk: Walk, office: Office) -> None:
    walk.drafted(name="Arsip Digital Surat")
    ended = walk.submitted(name="Arsip Digital Surat Masuk")
    actions.cancel(walk.session, ANI, ended.id, office, reason="Tidak jadi diusulkan.")
    own = walk.submitted(name="Arsip Digital Surat Keluar")

    assert queries.similar(walk.session, ANI, name="Arsip Digital Surat", besides=own.id) == []
    assert [one.path for one in queries.similar(walk.session, ANI, name="Arsip Digital Surat")] == [
        f"/perkara/{own.number}"
    ]


def test_the_search_is_one_bounded_statement(walk: Walk) -> None:
    walk.submitted()
    seen: list[str] = []
    connection = walk.session.connection()

    @event.listens_for(connection, "before_cursor_execute")
    def note(_c: object, _cursor: object, statement: str, *_more: object) -> None:
        seen.append(statement)

    queries.similar(walk.session, ANI, name="e-Presensi", purpose="Mencatat kehadiran pegawai dan dosen.")
    event.remove(connection, "before_cursor_execute", note)

    asked = [statement for statement in seen if "application_case" in statement]
    assert len(asked) == 1
    assert "LIMIT" in asked[0]


def test_who_was_warned_must_say_why(walk: Walk, office: Office) -> None:
    case = walk.drafted()

    refusal = walk.refuses(Incomplete, actions.submit, ANI, case.id, office, is_warned=True)
    actions.save_draft(walk.session, ANI, case.id, accepted={"similar_reason": "Untuk dosen luar biasa."}, rough={})
    actions.submit(walk.session, ANI, case.id, office, is_warned=True)

    assert [error.pointer for error in refusal.errors] == ["/similar_reason"]
    kept = queries.submissions(walk.session, ANI, case.id)[1][0].kept
    assert "Untuk dosen luar biasa." in text_of(office, kept.paper_digest)
