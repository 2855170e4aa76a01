"""The security test from a build at its closed address to the verdict, and the permit that follows from it."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from alur.embedded import Postgres
from services.security import actions, queries
from services.security.actions import Answer
from services.security.authority import ACTS
from services.security.model import (
    ENDED,
    MOVES,
    ControlAnswer,
    FindingRow,
    KnownCase,
    PermitRow,
    SecurityTest,
    Table,
    TestStatus,
)
from services.security.settings import Settings
from services.security.tasks import make_worker
from services.security.verdict import PassRefused, Severity, standing_policy
from shared import audit, jobs
from shared.authority import Act
from shared.database import utc_now
from shared.errors import Incomplete, NotAllowed, NotFound, OutOfTurn
from shared.identity import Person, Role
from shared.keys import Keys
from shared.mailbox import Actor, outbox
from shared.messages import ApplicationRetired, BuildReceived, EvaluationOpened, Message
from shared.migrate import differences
from shared.permit import PermitRefused, SignedPermit, verify
from shared.words import local_date
from tests.papers import known
from tests.people import BAYU, EDI, FAJAR, FITRI, JOKO, KIKI, LINA, SARI, TONO
from tests.security.conftest import (
    CASE,
    CASE_NUMBER,
    CONTROLS,
    ENGINES,
    FIRST,
    HOSTING,
    SECOND,
    Bench,
    fault,
    handed_over,
    installed,
    letter,
    result,
    told,
    went_live,
)

BOTH = frozenset({Role.SECURITY_STAFF, Role.SECURITY_HEAD})
FRANS = FAJAR.model_copy(update={"id": uuid4(), "username": "frans", "name": "Frans"})
"""A second tester."""


# --- rounds -----------------------------------------------------------------------------------------------


def test_an_installed_build_opens_the_first_round(bench: Bench) -> None:
    test = bench.opened()

    assert (test.round, test.status, test.digest, test.hosting) == (1, "waiting", FIRST, HOSTING)
    assert (test.case.name, test.case.vendor, test.installed_by_id) == ("e-Presensi", "CKD", EDI.id)


def test_a_newer_build_takes_the_place_of_the_round_before(bench: Bench) -> None:
    first = bench.reviewed()

    second = bench.opened(SECOND)

    assert (first.status, second.round, second.status) == ("superseded", 2, "waiting")


def test_a_round_that_ended_stays_as_it_ended(bench: Bench) -> None:
    test = bench.submitted(fault())
    actions.fail(bench.session, FITRI, test.id, note="Temuan tinggi terbuka.", desk=bench.desk)

    bench.opened(SECOND)

    assert test.status == "failed"


def test_a_retired_application_is_seen_by_nobody_and_its_open_round_ends(bench: Bench) -> None:
    test = bench.reviewed()
    test.case.live_digest = FIRST
    message = ApplicationRetired(case_id=test.case_id, case_number=test.case.case_number)

    for _ in range(2):
        actions.note_retirement(bench.session, message)
    actions.note_retirement(bench.session, ApplicationRetired(case_id=uuid4(), case_number="APL-2020-0001"))

    assert (test.status, test.case.live_digest) == ("superseded", "")


def test_what_is_known_of_a_case_grows_with_each_message(bench: Bench) -> None:
    other = uuid4()
    build = BuildReceived(
        case_id=other,
        case_number="APL-2026-0003",
        digest=FIRST,
        build_id=uuid4(),
        file_name="a.zip",
        files=1,
        total_size=1,
    )

    early = actions.note_case(bench.session, build)
    assert (early.code, early.vendor) == ("", "")
    actions.note_case(bench.session, handed_over("MSK", other, "APL-2026-0003"))
    actions.note_case(bench.session, handed_over("", other, "APL-2026-0003"))

    assert (early.code, early.vendor) == ("e-presensi", "MSK")


def test_a_start_runs_every_engine_of_the_policy_as_a_job(bench: Bench) -> None:
    test = bench.opened()

    actions.start(bench.session, FAJAR, test.id)

    assert (test.status, test.tester_id, test.tester_name) == ("scanning", FAJAR.id, FAJAR.name)
    assert [scan.engine for scan in test.scans] == list(ENGINES) == sorted(standing_policy().engines)
    for scan in test.scans:
        job = jobs.find(bench.session, scan.job_id)
        assert (job.kind, job.params, job.state) == (actions.SCAN, {"scan_id": str(scan.id)}, "waiting")
    [body] = told(bench.session, "SecurityTestStarted")
    assert (body["case_number"], body["round"], body["digest"]) == (CASE_NUMBER, 1, FIRST)


def test_the_tester_looks_at_it_after_the_last_engine(bench: Bench) -> None:
    test = bench.opened()
    actions.start(bench.session, FAJAR, test.id)
    bandit, probe = test.scans

    actions.record_scan(bench.session, bandit.id, result("bandit", fault()))
    assert test.status == "scanning"
    actions.record_scan(bench.session, probe.id, result("probe", complete=False))

    assert test.status == "reviewing"
    assert (bandit.is_complete, probe.is_complete) == (True, False)


def test_an_answer_is_kept_once(bench: Bench) -> None:
    test = bench.reviewed(fault())
    [bandit, _probe] = test.scans

    actions.record_scan(bench.session, bandit.id, result("bandit"))

    assert bandit.result is not None and len(bandit.result["findings"]) == 1
    assert queries.findings(bench.session, CASE)[0].status == "open"


def test_an_engine_that_cannot_run_at_all_leaves_an_incomplete_scan(bench: Bench) -> None:
    test = bench.opened()
    actions.start(bench.session, FAJAR, test.id)
    for scan in test.scans:
        actions.give_up_scan(bench.session, scan.id, problem="Pemindai tidak dapat dijalankan: mati")

    assert test.status == "reviewing"
    assert [scan.is_complete for scan in test.scans] == [False, False]
    codes = {reason.code for reason in queries.file(bench.session, test).judgement.reasons}
    assert "scan_incomplete" in codes


def test_a_rescan_runs_all_engines_again_and_the_last_answer_counts(bench: Bench) -> None:
    test = bench.opened()
    actions.start(bench.session, FAJAR, test.id)
    bench.scanned(test, complete=False)

    actions.rescan(bench.session, FAJAR, test.id)
    assert (test.status, len(test.scans)) == ("scanning", 4)
    bench.scanned(test)

    codes = {reason.code for reason in queries.file(bench.session, test).judgement.reasons}
    assert (test.status, codes) == ("reviewing", {"unanswered_control"})


# --- findings through the rounds --------------------------------------------------------------------------


def statuses(bench: Bench) -> dict[str, tuple[str, int, int]]:
    """Return the findings by title: status, first and last round."""
    rows = bench.session.scalars(select(FindingRow).where(FindingRow.case_id == CASE))
    return {row.title: (str(row.status), row.first_round, row.last_round) for row in rows}


def test_a_finding_is_the_same_row_through_all_rounds(bench: Bench) -> None:
    bench.reviewed(fault("a"), fault("b"))
    assert statuses(bench) == {"Temuan a": ("open", 1, 1), "Temuan b": ("open", 1, 1)}

    bench.reviewed(fault("b"), fault("c"), digest=SECOND)
    assert statuses(bench) == {"Temuan a": ("fixed", 1, 1), "Temuan b": ("open", 1, 2), "Temuan c": ("open", 2, 2)}

    bench.reviewed(fault("a"), digest="c" * 64)
    assert statuses(bench) == {"Temuan a": ("open", 1, 3), "Temuan b": ("fixed", 1, 2), "Temuan c": ("fixed", 2, 2)}


def test_an_incomplete_scan_mends_nothing(bench: Bench) -> None:
    bench.reviewed(fault("a"))
    second = bench.opened(SECOND)
    actions.start(bench.session, FAJAR, second.id)

    bench.scanned(second, fault("b"), complete=False)

    assert statuses(bench) == {"Temuan a": ("open", 1, 1), "Temuan b": ("open", 2, 2)}


def test_one_engine_does_not_mend_what_another_found(bench: Bench) -> None:
    bench.reviewed(fault("a"), fault("b", engine="probe"))

    bench.reviewed(fault("a"), digest=SECOND)

    assert statuses(bench) == {"Temuan a": ("open", 1, 2), "Temuan b": ("fixed", 1, 1)}


def test_the_late_answer_of_a_round_that_is_over_changes_nothing(bench: Bench) -> None:
    old = bench.opened()
    actions.start(bench.session, FAJAR, old.id)
    bench.reviewed(digest=SECOND)

    bench.scanned(old, fault("a"))

    assert statuses(bench) == {}
    assert all(scan.finished_at for scan in old.scans)


def test_a_finding_told_twice_in_one_answer_is_one_row(bench: Bench) -> None:
    bench.reviewed(fault("a"), fault("a"))

    assert statuses(bench) == {"Temuan a": ("open", 1, 1)}


def test_a_finding_that_comes_back_is_due_anew(bench: Bench) -> None:
    medium = fault("a", severity=Severity.MEDIUM)
    bench.reviewed(medium)
    [row] = queries.findings(bench.session, CASE)
    today = local_date(utc_now())
    assert row.due_on == today + timedelta(days=30)
    row.due_on = today - timedelta(days=5)
    bench.reviewed(medium, digest=SECOND)
    assert row.due_on == today - timedelta(days=5)
    bench.reviewed(digest="c" * 64)

    bench.reviewed(medium, digest="d" * 64)

    assert row.due_on == today + timedelta(days=30)


def test_what_a_person_found_blocks_until_a_person_has_seen_it_mended(bench: Bench) -> None:
    test = bench.reviewed()
    words = {"title": "Menu admin terbuka", "where": "/admin", "risk": "Data terlihat.", "recommendation": "Tutup."}
    row = actions.add_finding(bench.session, FAJAR, test.id, control="K10", severity="high", evidence="", **words)
    second = bench.answered(bench.reviewed(digest=SECOND))
    assert [r.code for r in queries.file(bench.session, second).judgement.reasons] == ["open_finding"]

    actions.mend_finding(bench.session, FAJAR, second.id, finding_id=row.id, reason="Sudah ditutup, dicoba ulang.")

    assert row.status == "fixed"
    assert queries.file(bench.session, second).judgement.may_pass
    with pytest.raises(OutOfTurn):
        actions.mend_finding(bench.session, FAJAR, second.id, finding_id=row.id, reason="Sekali lagi.")


def test_nobody_calls_an_engines_finding_mended(bench: Bench) -> None:
    test = bench.reviewed(fault())
    [row] = queries.findings(bench.session, CASE)

    with pytest.raises(OutOfTurn):
        actions.mend_finding(bench.session, FAJAR, test.id, finding_id=row.id, reason="Tidak apa-apa.")

    assert row.status == "open"


def test_a_finding_names_a_control_that_exists(bench: Bench) -> None:
    test = bench.reviewed()

    with pytest.raises(Incomplete) as refused:
        actions.add_finding(
            bench.session,
            FAJAR,
            test.id,
            control="K73",
            severity="low",
            title="x",
            where="x",
            evidence="",
            recommendation="x",
            risk="x",
        )

    assert [e.pointer for e in refused.value.errors] == ["/control"]


def test_findings_stand_open_first_and_the_gravest_first(bench: Bench) -> None:
    bench.reviewed(fault("a", severity=Severity.CRITICAL))
    bench.reviewed(fault("l", severity=Severity.LOW), fault("c", severity=Severity.CRITICAL), fault("h"), digest=SECOND)

    rows = queries.findings(bench.session, CASE)

    assert [row.title[-1] for row in rows] == ["c", "h", "l", "a"]
    assert queries.open_by_severity(rows) == {"critical": 1, "high": 1, "medium": 0, "low": 1}


# --- controls ---------------------------------------------------------------------------------------------


def test_answers_are_kept_a_few_at_a_time_and_the_later_one_counts(bench: Bench) -> None:
    test = bench.reviewed()

    actions.answer_controls(bench.session, FAJAR, test.id, answers=[Answer("K01", "pass"), Answer("K02", "fail")])
    twice = [Answer("K02", "fail", "x"), Answer("K02", "not_applicable", "Tidak ada unggahan.")]
    actions.answer_controls(bench.session, FAJAR, test.id, answers=twice)

    kept = queries.file(bench.session, test).answers
    assert {n: (a.answer, a.note) for n, a in kept.items()} == {
        "K01": ("pass", ""),
        "K02": ("not_applicable", "Tidak ada unggahan."),
    }


def test_not_applicable_needs_a_reason_and_nothing_is_kept_without(bench: Bench) -> None:
    test = bench.reviewed()
    wrong = [Answer("K01", "pass"), Answer("K02", "not_applicable", " - "), Answer("K73", "pass")]

    with pytest.raises(Incomplete) as refused:
        actions.answer_controls(bench.session, FAJAR, test.id, answers=wrong)

    assert [e.pointer for e in refused.value.errors] == ["/answers/K02/note", "/answers/K73"]
    assert bench.session.scalars(select(ControlAnswer)).all() == []


def test_each_round_is_answered_anew(bench: Bench) -> None:
    bench.answered(bench.reviewed())

    second = bench.reviewed(digest=SECOND)

    assert queries.file(bench.session, second).answers == {}


# --- the verdict ------------------------------------------------------------------------------------------


def test_a_pass_is_refused_with_everything_that_stands_in_its_way(bench: Bench) -> None:
    test = bench.opened()
    actions.start(bench.session, FAJAR, test.id)
    bandit, probe = test.scans
    actions.record_scan(bench.session, bandit.id, result("bandit", fault("a"), complete=False))
    actions.record_scan(bench.session, probe.id, result("probe", digest=SECOND, policy_digest="0" * 64))
    actions.answer_controls(bench.session, FAJAR, test.id, answers=[Answer(n, "pass") for n in CONTROLS[1:]])
    actions.submit(bench.session, FAJAR, test.id)

    with pytest.raises(PassRefused) as refused:
        actions.clear(bench.session, FITRI, test.id, note="", desk=bench.desk)

    told_why = [e.detail for e in refused.value.errors]
    assert told_why == [
        "Pemindaian bandit tidak lengkap: Satu berkas tidak terbaca.",
        "Pemindaian probe adalah untuk kemasan lain.",
        "Pemindaian probe memakai aturan yang sudah diganti.",
        "Temuan tinggi “Temuan a” (app/a.py:5) masih terbuka.",
        "Butir kendali belum dijawab: K01.",
    ]
    assert (test.status, test.number) == ("submitted", "")
    assert bench.session.scalars(select(PermitRow)).all() == []
    assert told(bench.session, "TestPassed") == []


def test_a_pass_without_a_scan_is_refused(bench: Bench) -> None:
    test = bench.answered(bench.reviewed())
    for scan in list(test.scans):
        scan.result = None

    assert [r.code for r in queries.file(bench.session, test).judgement.reasons] == ["scan_missing", "scan_missing"]


def test_an_open_medium_finding_does_not_forbid_a_pass(bench: Bench) -> None:
    test = bench.submitted(fault(severity=Severity.MEDIUM))

    assert queries.file(bench.session, test).judgement.may_pass


def test_a_pass_gives_a_permit_for_exactly_this_build(bench: Bench) -> None:
    test = bench.submitted()

    actions.clear(bench.session, FITRI, test.id, note="Layak digunakan.", desk=bench.desk)

    assert (test.status, test.verdict_by_id, test.verdict_note) == ("passed", FITRI.id, "Layak digunakan.")
    [body] = told(bench.session, "TestPassed")
    signed = SignedPermit.model_validate_json(body["permit"])
    asked: dict[str, Any] = {
        "application": "e-presensi",
        "hosting": HOSTING,
        "now": utc_now(),
        "policy": standing_policy().digest,
    }
    permit = verify(signed, bench.desk.signer.public_key(), digest=FIRST, **asked)
    assert (str(permit.id), permit.case, permit.round) == (body["permit_id"], CASE_NUMBER, 1)
    assert permit.scans == tuple(str(scan.id) for scan in test.scans)
    assert permit.install_until - permit.issued_at == timedelta(days=14)
    for changed in ({"digest": SECOND}, {"application": "simak"}, {"hosting": "lain"}):
        with pytest.raises(PermitRefused):
            verify(signed, bench.desk.signer.public_key(), **{"digest": FIRST, **asked, **changed})
    [row] = queries.file(bench.session, test).permits
    assert (row.id, row.signed, row.given_by_id) == (permit.id, body["permit"], FITRI.id)


def test_the_record_is_a_numbered_pdf_in_the_store(bench: Bench) -> None:
    test = bench.submitted()

    actions.clear(bench.session, FITRI, test.id, note="", desk=bench.desk)

    with bench.desk.store.open(test.paper_digest, verify=True) as file:
        assert file.read(5) == b"%PDF-"
    today = local_date(utc_now())
    assert test.number == f"001/PUSTIPD-MS/{today:%m}/{today.year}"
    [paper] = told(bench.session, "TestPassed")[0]["papers"]
    assert (paper["kind"], paper["number"], paper["digest"]) == (
        "berita_acara_uji_keamanan",
        test.number,
        test.paper_digest,
    )


def test_a_fail_sends_the_findings_back_with_the_reason(bench: Bench) -> None:
    test = bench.submitted(fault("a"), fault("b", severity=Severity.LOW))

    actions.fail(bench.session, FITRI, test.id, note="Perintah sistem terbuka.", desk=bench.desk)

    assert test.status == "failed"
    [body] = told(bench.session, "TestFailed")
    assert body["findings"] == {"critical": 0, "high": 1, "medium": 0, "low": 1}
    assert (body["note"], body["papers"][0]["digest"]) == ("Perintah sistem terbuka.", test.paper_digest)
    assert bench.session.scalars(select(PermitRow)).all() == []


def test_a_fail_needs_a_finding_and_a_reason(bench: Bench) -> None:
    clean = bench.submitted()
    with pytest.raises(OutOfTurn, match="Tidak ada temuan terbuka"):
        actions.fail(bench.session, FITRI, clean.id, note="Kurang baik.", desk=bench.desk)

    faulty = bench.submitted(fault(), digest=SECOND)
    with pytest.raises(Incomplete) as refused:
        actions.fail(bench.session, FITRI, faulty.id, note="  - ", desk=bench.desk)

    assert [e.pointer for e in refused.value.errors] == ["/note"]
    assert faulty.status == "submitted"


def test_a_test_given_back_can_be_completed_and_submitted_again(bench: Bench) -> None:
    test = bench.submitted()

    actions.send_back(bench.session, FITRI, test.id, reason="Butir K10 perlu bukti.")
    assert (test.status, test.verdict_note) == ("reviewing", "Butir K10 perlu bukti.")
    actions.submit(bench.session, FAJAR, test.id)

    assert test.status == "submitted"


@pytest.mark.parametrize("move", sorted(MOVES))
@pytest.mark.parametrize("status", list(TestStatus))
def test_a_move_is_made_only_from_its_own_statuses(status: TestStatus, move: str) -> None:
    test = SecurityTest(status=status)
    sources, target = MOVES[move]

    if status in sources:
        test.move(move)
        assert test.status == target
    else:
        with pytest.raises(OutOfTurn):
            test.move(move)
        assert test.status == status
    assert status not in ENDED or not test.allows(move)


# --- permits taken back, applications stopped -------------------------------------------------------------


def test_a_permit_is_taken_back_once_and_everybody_is_told(bench: Bench) -> None:
    test = bench.submitted()
    actions.clear(bench.session, FITRI, test.id, note="", desk=bench.desk)
    [row] = queries.file(bench.session, test).permits

    actions.revoke(bench.session, FITRI, row.id, reason="Celah baru ditemukan.")

    assert row.revoked_at is not None
    [body] = told(bench.session, "PermitRevoked")
    assert (body["permit_id"], body["digest"], body["note"]) == (str(row.id), FIRST, "Celah baru ditemukan.")
    assert bench.session.scalars(
        select(outbox.c.dest).where(outbox.c.kind == "PermitRevoked").order_by(outbox.c.dest)
    ).all() == ["deploy", "proposal"]
    with pytest.raises(OutOfTurn):
        actions.revoke(bench.session, FITRI, row.id, reason="Sekali lagi.")
    with pytest.raises(NotFound):
        actions.revoke(bench.session, FITRI, uuid4(), reason="Tidak ada.")


def test_only_an_application_in_use_is_stopped(bench: Bench) -> None:
    test = bench.opened()
    with pytest.raises(OutOfTurn):
        actions.suspend(bench.session, FITRI, test.id, reason="Judi daring.")
    actions.note_live(bench.session, went_live())
    assert ACTS.suspend in queries.offered(FITRI, test)

    actions.suspend(bench.session, FITRI, test.id, reason="Judi daring.")

    assert told(bench.session, "CaseSuspended")[0]["note"] == "Judi daring."
    assert ACTS.suspend not in queries.offered(FITRI, test)
    with pytest.raises(OutOfTurn):
        actions.suspend(bench.session, FITRI, test.id, reason="Sekali lagi.")
    assert len(told(bench.session, "CaseSuspended")) == 1


# --- who may ----------------------------------------------------------------------------------------------

OF_TESTERS = ("start", "rescan", "add_finding", "mend_finding", "answer_controls", "submit")
OF_HEADS = ("send_back", "clear", "fail", "revoke", "suspend")


@pytest.mark.parametrize("act", list(ACTS), ids=lambda act: act.name)
@pytest.mark.parametrize("role", list(Role))
def test_the_table_alone_decides_which_role_may(role: Role, act: Act) -> None:
    by = Person(id=uuid4(), username="x", name="X", roles=frozenset({role}))
    tester = None if act.name in OF_HEADS else by.id
    test = SecurityTest(tester_id=tester, installed_by_id=EDI.id)

    allowed = Role.SECURITY_STAFF if act.name in OF_TESTERS else Role.SECURITY_HEAD

    assert act.name in OF_TESTERS + OF_HEADS
    assert act.allows(by, test) is (role is allowed)


@pytest.mark.parametrize("name", OF_TESTERS)
def test_whoever_installed_it_does_not_test_it(name: str) -> None:
    both = EDI.model_copy(update={"roles": frozenset({Role.INFRA_STAFF, Role.SECURITY_STAFF})})

    assert not ACTS.rows[name].allows(both, SecurityTest(installed_by_id=both.id, tester_id=both.id))


@pytest.mark.parametrize("name", ["clear", "fail"])
@pytest.mark.parametrize("attribute", ["tester_id", "installed_by_id"])
def test_neither_tester_nor_installer_gives_the_verdict(name: str, attribute: str) -> None:
    both = FITRI.model_copy(update={"roles": BOTH})
    people = {"tester_id": FAJAR.id, "installed_by_id": EDI.id, attribute: both.id}

    assert not ACTS.rows[name].allows(both, SecurityTest(**people))
    assert ACTS.rows[name].allows(FITRI, SecurityTest(tester_id=FAJAR.id, installed_by_id=EDI.id))


def test_the_installer_cannot_start_and_the_tester_cannot_pass(bench: Bench) -> None:
    installer = FAJAR.model_copy(update={"id": EDI.id})
    test = bench.opened()
    with pytest.raises(NotAllowed, match="pemisahan wewenang"):
        actions.start(bench.session, installer, test.id)

    tester = FAJAR.model_copy(update={"roles": BOTH})
    ready = bench.submitted(digest=SECOND)
    with pytest.raises(NotAllowed, match="pemisahan wewenang"):
        actions.clear(bench.session, tester, ready.id, note="", desk=bench.desk)
    assert ready.status == "submitted"


def test_a_round_belongs_to_the_tester_who_started_it(bench: Bench) -> None:
    test = bench.reviewed()

    with pytest.raises(NotAllowed):
        actions.answer_controls(bench.session, FRANS, test.id, answers=[Answer("K01", "pass")])
    with pytest.raises(NotAllowed):
        actions.submit(bench.session, FRANS, test.id)
    assert queries.offered(FRANS, test) == []


def test_a_vendor_sees_the_tests_of_its_own_contract_only(bench: Bench) -> None:
    test = bench.reviewed(fault())

    assert queries.test(bench.session, JOKO, test.id) is test
    assert queries.tests(bench.session, JOKO) == [test]
    for by in (KIKI, LINA, TONO):
        assert queries.tests(bench.session, by) == []
        with pytest.raises(NotFound):
            queries.test(bench.session, by, test.id)
        with pytest.raises(NotFound):
            queries.scan(bench.session, by, test.scans[0].id)
        with pytest.raises(NotFound):
            actions.submit(bench.session, by, test.id)
    assert queries.offered(JOKO, test) == []


def test_a_case_without_vendor_is_shown_to_none(bench: Bench) -> None:
    nobody = KIKI.model_copy(update={"vendor": ""})
    other = uuid4()
    test = bench.opened(case_id=other, case_number="APL-2026-0009")

    assert test.case.vendor == ""
    with pytest.raises(NotFound):
        queries.test(bench.session, nobody, test.id)
    assert queries.tests(bench.session, nobody) == []


def test_the_centre_and_the_auditor_see_every_test(bench: Bench) -> None:
    test = bench.opened()

    for by in (SARI, BAYU, EDI, FITRI):
        assert queries.tests(bench.session, by, case_number=CASE_NUMBER) == [test]
    assert queries.tests(bench.session, SARI, case_number="APL-2026-9999") == []


def test_a_test_waits_for_whoever_is_to_move_it(bench: Bench) -> None:
    def waits() -> set[str]:
        people = {"fajar": FAJAR, "frans": FRANS, "fitri": FITRI, "sari": SARI, "edi": EDI}
        return {name for name, by in people.items() if queries.waiting_on(bench.session, by)}

    test = bench.opened()
    assert waits() == {"fajar", "frans"}
    actions.start(bench.session, FAJAR, test.id)
    assert waits() == set()
    bench.scanned(test)
    assert waits() == {"fajar"}
    actions.submit(bench.session, FAJAR, test.id)
    assert waits() == {"fitri"}
    both = FITRI.model_copy(update={"roles": BOTH})
    bench.opened(case_id=uuid4(), case_number="APL-2026-0009")
    assert len(queries.waiting_on(bench.session, both)) == 2


def test_every_act_leaves_a_line_in_the_audit_chain(bench: Bench) -> None:
    test = bench.submitted()
    actions.clear(bench.session, FITRI, test.id, note="", desk=bench.desk)

    lines = bench.session.execute(audit.entry.select().order_by(audit.entry.c.seq)).all()
    assert [line.act for line in lines] == ["start", "answer_controls", "submit", "clear"]
    row = bench.session.execute(outbox.select().where(outbox.c.kind == "TestPassed")).first()
    assert row is not None
    actor = Actor.model_validate_json(row.actor)
    assert (actor.id, actor.audit_seq, actor.audit_hash) == (FITRI.id, lines[-1].seq, lines[-1].hash)


# --- messages, tables -------------------------------------------------------------------------------------


def test_going_live_before_the_case_is_known_is_out_of_turn(bench: Bench) -> None:
    with pytest.raises(OutOfTurn):
        actions.note_live(bench.session, went_live(case_id=uuid4()))


def evaluation() -> EvaluationOpened:
    """Return the question for the figures of the case."""
    today = local_date(utc_now())
    return EvaluationOpened(case_id=CASE, case_number=CASE_NUMBER, evaluation_id=uuid4(), from_on=today, until_on=today)


def test_an_evaluation_is_answered_with_findings_and_rounds(bench: Bench) -> None:
    bench.reviewed(fault("a"), fault("b"))
    bench.reviewed(fault("a"), digest=SECOND)
    asked = evaluation()

    actions.gather_figures(bench.session, asked, letter(asked, source="proposal"))

    [body] = told(bench.session, "FiguresGathered")
    assert body["division"] == "security"
    assert {f["key"]: f["value"] for f in body["figures"]} == {
        "findings_open": 1,
        "findings_fixed": 1,
        "test_rounds": 2,
    }


def test_each_message_reaches_its_action(bench: Bench, postgres: Postgres, keys: Keys) -> None:
    worker = make_worker(
        Settings(database_url=postgres.url("security"), keys_folder=keys.folder, files_folder=keys.folder)
    )
    received = BuildReceived(
        case_id=CASE,
        case_number=CASE_NUMBER,
        digest=FIRST,
        build_id=uuid4(),
        file_name="a.zip",
        files=1,
        total_size=1,
    )
    messages: list[Message] = [handed_over("MSK"), received, installed(), went_live(), evaluation()]

    for message in messages:
        worker.handlers[type(message).__name__].call(bench.session, message, letter(message))

    case = bench.session.get_one(KnownCase, CASE)
    assert (case.vendor, case.live_digest) == ("MSK", FIRST)
    assert len(queries.tests(bench.session, FITRI)) == len(told(bench.session, "FiguresGathered")) == 1
    worker.database.close()


def test_the_tables_match_the_model(postgres: Postgres, migrated: Callable[[str], str]) -> None:
    assert differences(postgres.url(migrated("security")), Table.metadata) == []


def test_a_list_goes_on_where_it_stopped(bench: Bench, sessions: Callable[[str], Session]) -> None:
    made = [bench.opened(case_id=uuid4(), case_number=f"APL-2026-1{n:03}") for n in range(5)]
    moment = utc_now()
    for test in made:
        test.created_at = moment
    bench.session.flush()

    first = queries.tests(bench.session, FITRI, limit=3)
    second = queries.tests(bench.session, FITRI, limit=3, after=(first[-1].created_at, first[-1].id))

    assert {t.id for t in (*first, *second)} == {t.id for t in made}
    assert (len(first), len(second)) == (3, 2)


def test_the_record_can_be_checked_by_its_code_and_names_who_confirmed_it(bench: Bench) -> None:
    test = bench.submitted()
    actions.clear(bench.session, FITRI, test.id, note="Layak digunakan.", desk=bench.desk)

    [paper] = known(bench.session, bench.desk.store).values()

    assert paper is not None
    assert (paper.digest, paper.number, paper.kind) == (test.paper_digest, test.number, "berita_acara_uji_keamanan")
    # The tester has approved nothing in the system, so only the head of the division signed.
    assert [(signer.name, signer.as_what) for signer in paper.signers] == [(FITRI.name, FITRI.as_what)]
    assert "Layak digunakan" not in paper.model_dump_json()
