"""The SOP as data (issue 4, item 6): versions, their editor, running cases that keep theirs, and the printed paper."""

import io
import re
from datetime import timedelta
from typing import Any

import pypdf
import pytest
from sqlalchemy import delete, select

from services.proposal import actions
from services.proposal.actions import sop
from services.proposal.model import Case, Office, ProcedureVersion, Wording
from services.proposal.model import sop as model
from services.proposal.model.sop import (
    PART_LABELS,
    UNIT_LABELS,
    Identity,
    Part,
    StepActor,
    StepWording,
    TimeUnit,
    lacks,
    shipped,
)
from services.proposal.queries import sop as queries
from services.proposal.queries import waiting_on
from shared import issued
from shared.database import utc_now
from shared.edition import tag_of
from shared.errors import Incomplete, NotAllowed, NotFound, OutOfTurn, Stale, StepUpNeeded
from shared.identity import Person, Role
from shared.procedure import SHIPPED, procedure
from shared.words import local_date, long_date
from tests import people
from tests.counting import statements
from tests.people import ANI, BUDI, CITRA, JOKO, MIRA, SARI, ZULKIFLI
from tests.proposal.test_doors import House, house
from tests.proposal.walk import TODAY, Walk, content

__all__ = ["house"]
NUMBER = "B-0007/Un.99/PUSTIPD/OT.01/11/2026"


def drafted(walk: Walk) -> int:
    """Return a draft that lacks nothing."""
    row = sop.draft_procedure(walk.session, MIRA, reason="Tinjauan tahunan.")
    identity = row.wording.identity.model_copy(update={"number": NUMBER})
    sop.write_procedure_identity(walk.session, MIRA, row.version, identity)
    return row.version


def reworded(walk: Walk, version: int, step: str, **changed: Any) -> StepWording:
    """Write one step of a draft with some fields changed; return what it says then."""
    said = queries.version(walk.session, MIRA, version).wording.steps[step]
    wording = StepWording.model_validate(said.model_dump() | changed)
    sop.write_procedure_step(walk.session, MIRA, version, step, wording)
    return wording


def published(walk: Walk, office: Office, **changed: Any) -> int:
    """Return a published version in which step S01 has some fields changed."""
    version = drafted(walk)
    if changed:
        reworded(walk, version, "S01", **changed)
    sop.publish_procedure(walk.session, CITRA, version, office)
    return version


def proposed(walk: Walk) -> Case:
    """Return a new case."""
    return actions.propose(walk.session, ANI, content())


# --- what the file says -----------------------------------------------------------------------------------------------


def test_the_shipped_version_lacks_nothing_but_its_number() -> None:
    wording = shipped()

    assert [lack.words for lack in lacks(wording)] == ["Lembar identitas: nomor SOP belum diisi."]
    assert list(wording.steps) == list(procedure().steps)
    assert [number for _, number, _ in wording.ordered] == [
        "1", "1a", "2", "2a", "3", "3a", "4", "5", "6", "7", "8", "8a", "9", "10", "11",
    ]  # fmt: skip
    assert {step.id: step.working_days for step in procedure().steps.values()} == {
        key: one.working_days for key, one in wording.steps.items()
    }


def test_every_role_that_may_refuse_in_the_machine_is_drawn_as_a_decision_unless_it_does_the_step() -> None:
    drawn = queries.chart_of(shipped())

    for (step, number, one), row in zip(shipped().ordered, drawn.rows, strict=True):
        deciding = {drawn.lanes[sign.lane] for sign in row.signs if sign.kind == "decision"}
        doing = {actor.role for actor in one.actors if actor.part is Part.DO}
        wanted = {r.role for r in step.refusals} - doing
        assert deciding == {procedure().titles[role] for role in wanted}, number


# --- drafting ---------------------------------------------------------------------------------------------------------


def test_the_quality_officer_drafts_and_the_head_publishes(walk: Walk, office: Office) -> None:
    for nobody in (ANI, CITRA, JOKO, SARI):
        walk.refuses(NotAllowed, sop.draft_procedure, nobody, reason="Tinjauan tahunan.")
    version = drafted(walk)
    unproved = CITRA.model_copy(update={"proved_until": None})
    walk.refuses(NotAllowed, sop.publish_procedure, MIRA, version, office)
    walk.refuses(StepUpNeeded, sop.publish_procedure, unproved, version, office)

    row = sop.publish_procedure(walk.session, CITRA, version, office)

    assert (row.version, row.based_on, row.valid_from, row.published_by_name) == (2, SHIPPED, TODAY, CITRA.name)
    assert queries.current_version(walk.session) == 2
    wrote = walk.refuses(OutOfTurn, sop.write_procedure_step, MIRA, version, "S01", row.wording.steps["S01"])
    assert "Susun versi baru" in wrote.detail
    walk.refuses(OutOfTurn, sop.publish_procedure, CITRA, version, office)


def test_whoever_drafted_does_not_publish_also_as_acting_head(walk: Walk, office: Office) -> None:
    both = BUDI.model_copy(update={"roles": BUDI.roles | {Role.HEAD}, "acting": {Role.HEAD: "Plh. Kepala PUSTIPD"}})
    row = sop.draft_procedure(walk.session, both, reason="Tinjauan tahunan.")
    sop.write_procedure_identity(
        walk.session, both, row.version, row.wording.identity.model_copy(update={"number": NUMBER})
    )

    walk.refuses(NotAllowed, sop.publish_procedure, both, row.version, office)


def test_there_is_one_draft_at_a_time_and_a_discarded_one_is_kept(walk: Walk) -> None:
    version = drafted(walk)
    walk.refuses(OutOfTurn, sop.draft_procedure, BUDI, reason="Rancangan kedua.")

    sop.discard_procedure(walk.session, MIRA, version, reason="Menunggu peraturan baru.")

    assert drafted(walk) == version + 1
    kept = queries.version(walk.session, MIRA, version)
    assert (kept.label, kept.row and kept.row.withdrawn_reason) == ("Ditarik", "Menunggu peraturan baru.")
    walk.refuses(OutOfTurn, sop.write_procedure_identity, MIRA, version, kept.wording.identity)


def test_of_two_who_write_a_draft_the_later_is_told(walk: Walk) -> None:
    version = drafted(walk)
    row = queries.version(walk.session, MIRA, version).row
    assert row
    seen, step = tag_of(row.edition), row.wording.steps["S05"]

    sop.write_procedure_step(walk.session, MIRA, version, "S05", step, seen=seen)

    walk.refuses(Stale, sop.write_procedure_step, BUDI, version, "S05", step, seen=seen)
    walk.refuses(NotFound, sop.write_procedure_step, BUDI, version, "S99", step)


def test_everything_that_is_lacking_is_said_at_once_and_nothing_is_published(walk: Walk, office: Office) -> None:
    row = sop.draft_procedure(walk.session, MIRA, reason="Tinjauan tahunan.")
    bare = Identity(title="Pembuatan Aplikasi")
    sop.write_procedure_identity(walk.session, MIRA, row.version, bare)
    only = [StepActor(role=Role.PROPOSER, part=Part.DO)]
    reworded(walk, row.version, "S01", actors=only, needs=[])

    refusal = walk.refuses(
        Incomplete, sop.publish_procedure, CITRA, row.version, office, valid_from=TODAY - timedelta(days=1)
    )

    told = [error.detail for error in refusal.errors]
    assert [words for words in told if words.startswith("Langkah 1:")] == [
        "Langkah 1: Koordinator Divisi Aplikasi dapat menolak pada langkah ini, jadi harus pelaksana.",
        "Langkah 1: kelengkapan belum diisi.",
    ]
    assert sum(words.startswith("Lembar identitas:") for words in told) == 5
    assert told[-1] == f"Pilih {long_date(TODAY)} atau sesudahnya."
    assert queries.current_version(walk.session) == SHIPPED


# --- which version counts ---------------------------------------------------------------------------------------------


def test_a_running_case_keeps_its_version_and_a_new_one_takes_the_new(walk: Walk, office: Office) -> None:
    old = proposed(walk)

    version = published(walk, office, activity="Menyampaikan usulan aplikasi", time_value=7)
    new = proposed(walk)

    assert (old.sop_version, new.sop_version) == (SHIPPED, version)
    assert (old.sop.steps["S01"].working_days, new.sop.steps["S01"].working_days) == (3, 7)
    assert new.sop.steps["S01"].title == "Menyampaikan usulan aplikasi"
    assert new.sop.moves == old.sop.moves == procedure().moves
    assert queries.version(walk.session, ANI, version).label == "Berlaku"


def test_a_version_of_a_later_day_is_taken_on_that_day(walk: Walk, office: Office) -> None:
    version, coming = drafted(walk), TODAY + timedelta(days=30)

    sop.publish_procedure(walk.session, CITRA, version, office, valid_from=coming)

    assert proposed(walk).sop_version == SHIPPED
    assert queries.current_version(walk.session, coming - timedelta(days=1)) == SHIPPED
    assert queries.current_version(walk.session, coming) == version
    assert queries.version(walk.session, ANI, version).label == "Akan berlaku"


def test_a_withdrawn_version_counts_for_its_cases_alone(walk: Walk, office: Office) -> None:
    version = published(walk, office, time_value=7)
    case = proposed(walk)

    walk.refuses(NotAllowed, sop.withdraw_procedure, MIRA, version, reason="Keliru mengesahkan.")
    sop.withdraw_procedure(walk.session, CITRA, version, reason="Keliru mengesahkan.")

    assert queries.current_version(walk.session) == SHIPPED
    assert case.sop.steps["S01"].working_days == 7
    assert queries.version(walk.session, ANI, version).is_withdrawn
    walk.refuses(OutOfTurn, sop.withdraw_procedure, CITRA, version, reason="Sekali lagi.")


def test_a_case_under_a_version_that_no_longer_exists_runs_on(walk: Walk, office: Office) -> None:
    version = published(walk, office, time_value=7)
    case = walk.submitted()
    assert case.sop_version == version
    walk.session.execute(delete(ProcedureVersion).where(ProcedureVersion.version == version))
    walk.session.expire_all()
    walk.session.info.clear()

    actions.accept(walk.session, BUDI, case.id, office)

    assert (case.status, case.sop.version) == ("under_analysis", version)
    assert case.sop.steps["S01"].working_days == 3, "the words and times of the file stand in"
    walk.refuses(NotFound, lambda s, by, n: queries.version(s, by, n), MIRA, version)


def test_a_version_is_read_once_for_all_requests_but_not_while_it_may_yet_be_undone(
    walk: Walk, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: dict[Any, Any] = {}
    monkeypatch.setattr(model, "_kept", kept)
    version = published(walk, office, time_value=7)
    case = proposed(walk)

    assert (case.sop.steps["S01"].working_days, kept) == (7, {})
    row = queries.version(walk.session, MIRA, version).row
    assert row
    row.published_at = utc_now() - timedelta(minutes=2)
    walk.session.flush()
    walk.session.info.clear()

    assert case.sop is case.sop
    assert list(kept.values()) == [case.sop]
    walk.session.info.clear()
    with statements(walk.session.get_bind().engine) as asked:
        assert case.sop.steps["S01"].working_days == 7
    assert asked == []


def test_a_published_version_is_read_by_everybody_and_a_draft_by_who_writes_and_decides(walk: Walk) -> None:
    version = drafted(walk)

    for by in (MIRA, BUDI, CITRA, SARI):
        assert queries.version(walk.session, by, version).is_draft
        assert [one.number for one in queries.versions(walk.session, by)] == [version, SHIPPED]
    for by in (ANI, JOKO, ZULKIFLI):
        walk.refuses(NotFound, lambda s, who, n: queries.version(s, who, n), by, version)
        assert [one.number for one in queries.versions(walk.session, by)] == [SHIPPED]


def test_what_differs_from_the_former_version_is_named_field_by_field(walk: Walk) -> None:
    version = drafted(walk)
    reworded(walk, version, "S05", time_value=70, actors=[StepActor(role=Role.PPK, part=Part.DO)])

    found = queries.changes(walk.session, queries.version(walk.session, MIRA, version))

    assert [(one.place, one.field, one.before, one.after) for one in found] == [
        ("", "Nomor SOP", "–", NUMBER),
        (
            "5",
            "Pelaksana",
            "Koordinator Divisi Aplikasi (melaksanakan); Penyedia (melaksanakan); "
            "Pejabat Pembuat Komitmen (PPK) (menandatangani)",
            "Pejabat Pembuat Komitmen (PPK) (melaksanakan)",
        ),
        ("5", "Waktu baku", "66", "70"),
    ]


# --- the paper --------------------------------------------------------------------------------------------------------


def read(content: bytes) -> pypdf.PdfReader:
    """Return a printed SOP."""
    return pypdf.PdfReader(io.BytesIO(content))


def squeezed(words: str) -> str:
    """Return words without spaces and hyphens: where a line broke says nothing."""
    return re.sub(r"[\s\-\u00ad\u2010]", "", words)


def words_of(content: bytes) -> str:
    """Return all words of a printed SOP, squeezed."""
    return squeezed("".join(page.extract_text() for page in read(content).pages))


def cells(wording: Wording, measured: dict[str, str]) -> list[tuple[str, ...]]:
    """Return each row of the table as it must be read, cell by cell, straight from the data of a version.

    The last cell is what stands in the signs of the row: "Ya" where a decision leads on, then for each sign, from left
    to right, the row of its way back with "Tidak", and the turn.
    """
    titles = procedure().titles
    rows: list[tuple[str, ...]] = []
    acting = {actor.role for one in wording.steps.values() for actor in one.actors}
    lanes = [role for role in titles if role in acting]
    numbers = {step.id: number for step, number, _ in wording.ordered}
    for step, number, one in wording.ordered:
        says: list[tuple[Part, list[Role]]] = []
        for actor in one.actors:
            if not says or says[-1][0] is not actor.part:
                says.append((actor.part, []))
            says[-1][1].append(actor.role)
        told = "; ".join(
            f"{' dan '.join(part for part in (', '.join(names[:-1]), names[-1]) if part)} {PART_LABELS[part]}"
            for part, names in ((part, [titles[role] for role in roles]) for part, roles in says)
        )
        turns = {role: turn for turn, (_, roles) in enumerate(says, start=1) for role in roles}
        backs: dict[Role, list[str]] = {}
        remarks = []
        for refusal in step.refusals:
            target = queries.way_back(step, refusal.target)
            if refusal.role in turns and Part.DO not in {a.part for a in one.actors if a.role is refusal.role}:
                backs.setdefault(refusal.role, []).append(numbers[target] if target else "×")
            where = "selesai" if not target else f"ke langkah {numbers[target]}"
            remarks.append(f"Jika tidak ({refusal.words}): {'langkah ini diulang' if target == step.id else where}.")
        if step.parallel_with:
            remarks.append(f"Berjalan bersama langkah {', '.join(numbers[key] for key in step.parallel_with)}.")
        leads_on = number != "11" and any(role in backs for role in says[-1][1])
        signs = "Ya" if leads_on else ""
        for lane in (lane for lane in lanes if lane in turns):
            signs += (f"{backs[lane][0]}Tidak" if lane in backs else "") + str(turns[lane])
        span = f"{one.time_value}–{one.time_most}" if one.time_most else str(one.time_value)
        rows.append(
            (
                number,
                one.activity + told,
                "".join(one.needs),
                f"{span} {UNIT_LABELS[one.time_unit]}{one.time_note}",
                one.output + (f"Dokumen: {', '.join(one.papers)}" if one.papers else ""),
                measured[step.id],
                "".join([*remarks, one.remark]),
                signs,
            )
        )
    return rows


def compare(content: bytes, wording: Wording, measured: dict[str, str]) -> int:
    """Find every row of the data in the paper, cell after cell with nothing between; return how many were compared.

    Row follows row; only the head of a sheet may stand between. The signs of a sheet's rows stand on the same sheet.
    """
    texts = [squeezed(page.extract_text()) for page in read(content).pages]
    sheet, place, count, signs = 0, 0, 0, ""
    for *row, mine in cells(wording, measured):
        whole = squeezed("".join(row))
        if not (place and texts[sheet].startswith(whole, place)):
            assert signs in texts[sheet], f"the signs of sheet {sheet + 1}: {signs}"
            sheet, signs = sheet + bool(place), ""
            while sheet < len(texts) and whole not in texts[sheet]:
                sheet += 1
            assert sheet < len(texts), f"row {row[0]} stands nowhere: {whole}"
            place = texts[sheet].index(whole)
            assert texts[sheet][:place].endswith("Output"), f"row {row[0]} does not follow the head of its sheet"
        place, count, signs = place + len(whole), count + len(row) + 1, signs + mine
    assert signs in texts[sheet], f"the signs of sheet {sheet + 1}: {signs}"
    assert texts[sheet][place:].startswith("Totalwaktu")
    return count


NOT_YET = {key: "belum ada" if key not in {"F03", "S06", "S10", "S11"} else "–" for key in procedure().steps}


def test_the_paper_says_row_by_row_and_cell_by_cell_what_the_version_says(walk: Walk, office: Office) -> None:
    version = published(walk, office, remark="Usulan tertulis di luar Alur dicatat oleh koordinator.")
    found = queries.version(walk.session, ANI, version)
    assert found.row
    with office.store.open(found.row.paper_digest) as file:
        content = file.read()

    compared = compare(content, found.wording, NOT_YET)

    assert compared == 15 * 8
    identity, text = found.wording.identity, words_of(content)
    for words in (
        NUMBER, identity.title.upper(), long_date(TODAY), "Disahkan oleh", "Citra", "Disahkan dalam sistem pada",
        *identity.legal_bases, *identity.related, *identity.warnings, *identity.qualifications, *identity.equipment,
        *identity.records, *identity.purpose, *identity.coverage, "112–178 hari kerja",
    ):  # fmt: skip
        assert squeezed(words) in text, words
    pages = read(content).pages
    assert all(page.mediabox.width > page.mediabox.height for page in pages)
    assert "KONSEP" not in text
    heads = [squeezed(page.extract_text()) for page in pages[1:]]
    assert all("MutuBaku" in head and "Pelaksana" in head for head in heads), "the head is repeated on each sheet"


def test_a_changed_time_changes_the_new_paper_and_leaves_the_old_one(walk: Walk, office: Office) -> None:
    first = published(walk, office)
    second = drafted(walk)
    reworded(walk, second, "S08", time_value=9, time_unit=TimeUnit.WORKING_DAY)
    sop.publish_procedure(walk.session, CITRA, second, office)

    papers = {}
    for version in (first, second):
        found = queries.version(walk.session, ANI, version)
        assert found.row
        with office.store.open(found.row.paper_digest) as file:
            papers[version] = file.read()
        compare(papers[version], found.wording, NOT_YET)

    before, after = (
        cells(queries.version(walk.session, ANI, first).wording, NOT_YET),
        cells(queries.version(walk.session, ANI, second).wording, NOT_YET),
    )
    assert [
        (a, b) for old, new in zip(before, after, strict=True) for a, b in zip(old, new, strict=True) if a != b
    ] == [("5 hari kerja", "9 hari kerja")]
    assert words_of(papers[first]) != words_of(papers[second])
    assert squeezed("116–182 hari kerja") in words_of(papers[second])
    assert squeezed("116–182 hari kerja") not in words_of(papers[first])
    with pytest.raises(AssertionError, match="row 8"):
        compare(papers[first], queries.version(walk.session, ANI, second).wording, NOT_YET)


def test_only_the_newest_paper_counts_and_anybody_can_check_it(walk: Walk, office: Office) -> None:
    published(walk, office)
    published(walk, office, time_value=4)

    row = issued.registered_paper.c
    kept = walk.session.execute(
        select(row.number, row.title, row.digest, row.withdrawn_reason)
        .where(row.kind == "sop")
        .order_by(row.created_at)
    ).all()
    assert [(one.number, one.withdrawn_reason) for one in kept] == [(NUMBER, issued.REPLACED), (NUMBER, None)]
    assert kept[1].title == "SOP Pembuatan Aplikasi dan Website, versi 3"
    newest = queries.version(walk.session, ANI).row
    assert newest and newest.paper_digest == kept[1].digest


def test_measured_medians_stand_beside_the_standard_with_their_count(walk: Walk, office: Office) -> None:
    for _ in range(3):
        walk.analysed()

    found = queries.measured(walk.session)
    version = published(walk, office)
    row = queries.version(walk.session, ANI, version).row

    assert row and found.stays["S01"].count == 3
    assert found.until == local_date(utc_now()) and found.since.day == 1
    with office.store.open(row.paper_digest) as file:
        content = file.read()
    shown = {**NOT_YET, "S01": f"{found.stays['S01'].median_days:g} hari kerja (n = 3)".replace(".", ",")}
    assert compare(content, row.wording, shown) == 15 * 8
    assert squeezed(f"pada {long_date(found.since)} s.d. {long_date(found.until)}") in words_of(content)


def test_a_row_longer_than_a_sheet_goes_on_on_the_next_and_loses_no_word(walk: Walk, office: Office) -> None:
    version, entries = drafted(walk), [f"Kelengkapan nomor {n} " + "panjang sekali " * 18 for n in range(1, 21)]
    identity = queries.version(walk.session, MIRA, version).wording.identity
    every = [f"Dasar hukum nomor {n} " + "yang panjang " * 20 for n in range(1, 21)]
    sop.write_procedure_identity(
        walk.session, MIRA, version, identity.model_copy(update={"legal_bases": every, "records": every})
    )
    words = "kata " * 118 + "terakhir"
    reworded(walk, version, "S05", needs=entries, remark=words, activity=words)

    row = sop.publish_procedure(walk.session, CITRA, version, office)

    with office.store.open(row.paper_digest) as file:
        content = file.read()
    text = words_of(content)
    for n in range(1, 21):
        assert squeezed(f"Kelengkapan nomor {n} panjang sekali") in text
        assert text.count(squeezed(f"Dasar hukum nomor {n} yang panjang")) == 2
    assert text.count("kataterakhir") == 2
    assert squeezed(row.wording.steps["S11"].activity) in text


def test_a_complete_draft_waits_for_the_head_who_did_not_draft_it(walk: Walk, office: Office) -> None:
    row = sop.draft_procedure(walk.session, MIRA, reason="Tinjauan tahunan.")
    assert queries.to_publish(walk.session, CITRA) == []
    complete = row.wording.identity.model_copy(update={"number": NUMBER})

    sop.write_procedure_identity(walk.session, MIRA, row.version, complete)

    [task] = [one for one in waiting_on(walk.session, CITRA) if one.path.startswith("/sop")]
    assert (task.title, task.path) == ("Periksa dan sahkan SOP", f"/sop/{row.version}")
    assert queries.to_publish(walk.session, MIRA) == queries.to_publish(walk.session, BUDI) == []
    sop.publish_procedure(walk.session, CITRA, row.version, office)
    assert queries.to_publish(walk.session, CITRA) == []


def test_what_people_write_is_only_ever_shown(walk: Walk, office: Office) -> None:
    hostile = '#import "x": * <b>\\ $ [ ] ☃ \U0001f600 ' + "panjang" * 20
    version = drafted(walk)
    reworded(walk, version, "S01", activity=hostile, needs=[hostile], remark=hostile, output=hostile)

    row = sop.publish_procedure(walk.session, CITRA, version, office)

    with office.store.open(row.paper_digest) as file:
        text = words_of(file.read())
    assert text.count(squeezed('#import "x": * <b>\\ $ [ ]')) >= 4


# --- the doors --------------------------------------------------------------------------------------------------------


def test_the_editor_keeps_what_was_typed_and_says_all_mistakes_at_once(house: House) -> None:
    made = house.ask(MIRA, "POST", "/sop/versi", data={"reason": "Tinjauan tahunan.", "form_token": "token"})
    assert made.status_code == 303, made.text
    place = made.headers["location"]
    fields = {
        "activity": "Uji",
        "actors.0.role": "app_head", "actors.0.part": "check", "actors.1.role": "head", "actors.1.part": "approve",
        "needs": "Surat usulan\r\n\r\nUraian kebutuhan", "time_value": "0", "time_unit": "wd", "time_most": "banyak",
        "output": "", "remark": "Keterangan yang panjang", "form_token": "token",
    }  # fmt: skip

    refused = house.ask(MIRA, "POST", f"{place}/langkah/S01", data=fields)

    assert refused.status_code == 422
    for words in ("Keterangan yang panjang", "banyak", "Surat usulan", 'value="0"'):
        assert words in refused.text
    assert refused.text.count('class="error"') >= 5, "activity, actors, both times and the output"
    assert "melaksanakan”" in refused.text
    right = fields | {"activity": "Mengajukan usulan", "time_value": "4", "time_most": "6", "output": "Usulan tercatat"}
    right |= {"actors.0.part": "do", "actors.1.part": "addressee"}
    saved = house.ask(MIRA, "POST", f"{place}/langkah/S01", data=right)
    assert (saved.status_code, saved.headers["location"]) == (303, f"{place}/langkah/S01")
    page = house.ask(MIRA, "GET", f"{place}/langkah/S01").text
    assert "4–6 hari kerja" in page and "Surat usulan" in page and "<svg" in page
    assert "style=" not in page.replace("font-size", "") and "<script" not in page


def test_the_head_publishes_from_the_page_and_everybody_reads_it_there(house: House) -> None:
    place = house.ask(MIRA, "POST", "/sop/versi", data={"reason": "Tinjauan tahunan."}).headers["location"]
    draft = house.ask(CITRA, "GET", place)
    assert "Belum dapat disahkan" in draft.text and f'href="{place}/identitas"' in draft.text
    assert house.ask(CITRA, "POST", f"{place}/pengesahan", data={}).status_code == 422
    assert house.ask(ANI, "GET", place).status_code == 404
    identity = shipped().identity
    typed = {name: "\n".join(v) if isinstance(v, list) else v for name, v in identity.model_dump().items()}
    saved = house.ask(MIRA, "POST", f"{place}/identitas", data=typed | {"number": NUMBER})
    assert saved.status_code == 303, saved.text

    answer = house.ask(CITRA, "POST", f"{place}/pengesahan", data={})

    assert (answer.status_code, answer.headers["location"]) == (303, place)
    for by in (ANI, JOKO, SARI):
        page = house.ask(by, "GET", "/sop")
        assert page.status_code == 200 and NUMBER in page.text and "Berlaku" in page.text
    number = place.removeprefix("/sop/")
    paper = house.ask(JOKO, "GET", f"/api/procedure-versions/{number}/paper")
    assert paper.headers["content-type"] == "application/pdf" and "KONSEP" not in words_of(paper.content)
    old = house.ask(ANI, "GET", "/api/procedure-versions/1/paper")
    assert old.status_code == 200 and "KONSEP" in words_of(old.content)
    page = house.ask(ANI, "GET", place)
    assert "langkah/S01" in page.text and "Simpan langkah" not in house.ask(ANI, "GET", f"{place}/langkah/S01").text


def test_everybody_who_is_signed_in_reads_the_sop_and_nobody_else(house: House) -> None:
    places = ["/sop", "/sop/1", "/sop/1/identitas", "/sop/1/langkah/S05"]
    places += ["/api/procedure-versions", "/api/procedure-versions/1"]
    everybody = [one for one in vars(people).values() if isinstance(one, Person)]

    refused = [
        (by.username, place) for by in everybody for place in places if house.ask(by, "GET", place).status_code != 200
    ]

    assert {role for one in everybody for role in one.roles} >= set(Role) - {Role.UNIT_HEAD}
    assert refused == []
    assert "Simpan" not in house.ask(MIRA, "GET", "/sop/1/langkah/S05").text
    assert house.ask(None, "GET", "/api/procedure-versions/1").status_code == 401


def test_the_json_door_takes_a_version_from_draft_to_withdrawal(house: House) -> None:
    made = house.ask(MIRA, "POST", "/api/procedure-versions", json={"reason": "Tinjauan tahunan."})
    assert (made.status_code, made.headers["etag"]) == (201, '"1"')
    place, told = f"/api/procedure-versions/{made.json()['version']}", made.json()
    assert told["lacks"] == ["Lembar identitas: nomor SOP belum diisi."]
    assert list(told["steps"]) == list(procedure().steps)
    headers = {"if-match": '"1"'}
    identity = told["identity"] | {"number": NUMBER}
    assert house.ask(MIRA, "PUT", f"{place}/identity", json=identity, headers=headers).status_code == 200
    assert house.ask(MIRA, "PUT", f"{place}/identity", json=identity, headers=headers).status_code == 412
    step = told["steps"]["S08"] | {"time_value": 9}
    written = house.ask(MIRA, "PUT", f"{place}/steps/S08", json=step)
    assert [one["after"] for one in written.json()["changes"]] == [NUMBER, "9"]
    assert house.ask(MIRA, "PUT", f"{place}/steps/S08", json=step | {"asing": 1}).status_code == 422
    assert house.ask(MIRA, "POST", f"{place}/publication", json={}).status_code == 403
    assert house.ask(CITRA, "POST", f"{place}/publication", json={}).json()["state"] == "Berlaku"
    assert (
        house.ask(CITRA, "POST", f"{place}/withdrawal", json={"reason": "Salah terbit."}).json()["state"] == "Ditarik"
    )
    listed = house.ask(ANI, "GET", "/api/procedure-versions").json()
    assert [(one["version"], one["state"]) for one in listed] == [(2, "Ditarik"), (1, "Berlaku")]
    second = house.ask(BUDI, "POST", "/api/procedure-versions", json={"reason": "Rancangan lain."}).json()["version"]
    closed = house.ask(BUDI, "POST", f"/api/procedure-versions/{second}/closing", json={"reason": "Tidak jadi."})
    assert closed.json()["state"] == "Ditarik"
    for path in ("/sop/999", "/sop/abc", "/sop/1/langkah/S99", "/api/procedure-versions/999"):
        assert house.ask(ANI, "GET", path).status_code == 404
