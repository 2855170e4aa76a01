"""The facts of other divisions: traced as they were told, moving the case in its turn, refused when early."""

import dataclasses
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from services.proposal import actions
from services.proposal.model import Case, CaseStatus, Paper, RegisteredApplication
from shared import messages
from shared.errors import OutOfTurn
from shared.messages import CaseMessage, PaperFact, every_message
from tests.people import EDI, FITRI, HADI
from tests.proposal.walk import DIGEST, OTHER_DIGEST, Walk, letter_of


def test_a_fact_stands_in_the_trace_with_person_post_time_paper_and_digest(walk: Walk) -> None:
    case = walk.handed_over()
    bast = PaperFact(kind="berita_acara_instalasi", title="BA instalasi", number="018/X", digest="9" * 64)

    entry = walk.told(case, messages.InstalledForTesting, digest=DIGEST, papers=(bast,), path="/rilis/1")

    paper = walk.session.scalars(select(Paper).where(Paper.trace_entry_id == entry.id)).one()
    assert (entry.person_id, entry.person_name, entry.as_what) == (EDI.id, EDI.name, EDI.as_what)
    assert (entry.step, entry.says, entry.kind) == ("S07", "Terpasang di alamat tertutup", "InstalledForTesting")
    assert (entry.digest, entry.path, entry.source) == (DIGEST, "/rilis/1", "deploy")
    assert (entry.audit_service, entry.audit_seq, entry.audit_hash) == ("deploy", 7, "a" * 64)
    assert (paper.kind, paper.number, paper.digest, paper.step) == (bast.kind, "018/X", "9" * 64, "S07")
    assert entry.at == case.entered_at


def test_every_message_to_the_case_is_taken_in_some_status(walk: Walk) -> None:
    states = {
        "submitted": walk.submitted,
        "programmed": walk.programmed,
        "discussed": walk.discussed,
        "handed_over": walk.handed_over,
        "installed": walk.installed,
        "live": walk.live,
    }
    cases = {name: make() for name, make in states.items()}
    conveyed, budgeted, built, tested = walk.discussed(), walk.discussed(), walk.built(), walk.installed()
    walk.told(conveyed, messages.PlanConveyed)
    walk.told(budgeted, messages.PlanConveyed)
    walk.told(budgeted, messages.CeilingSet)
    walk.told(tested, messages.SecurityTestStarted)
    cases |= {"conveyed": conveyed, "budgeted": budgeted, "built": built, "tested": tested}
    evaluation = walk.opened(cases["live"])
    kinds = [k for k in every_message().values() if "proposal" in k.to and issubclass(k, CaseMessage)]

    for kind in kinds:
        facts: dict[str, Any] = {"digest": DIGEST}
        if kind is messages.FiguresGathered:
            facts |= {"evaluation_id": evaluation.id, "division": "deploy", "figures": ()}
        assert any(_takes(walk, case, kind, facts) for case in cases.values()), kind.__name__


def _takes(walk: Walk, case: Case, kind: type[CaseMessage], facts: dict[str, Any]) -> bool:
    attempt = walk.session.begin_nested()
    try:
        walk.told(case, kind, **facts)
    except OutOfTurn:
        return False
    finally:
        attempt.rollback()
    return True


def test_a_fact_about_an_unknown_case_is_told_again_later(walk: Walk) -> None:
    message = messages.PlanConveyed(case_id=uuid4(), case_number="APL-2026-9999", letter_number="B-1", total_amount=1)

    walk.refuses(OutOfTurn, actions.note, message, letter_of(message))


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        ("programmed", messages.PlanConveyed),
        ("discussed", messages.CeilingSet),
        ("discussed", messages.ContractSigned),
        ("discussed", messages.PlanReturned),
        ("discussed", messages.PlanDeferred),
        ("programmed", messages.PlanDeferred),
        ("submitted", messages.PlanReturned),
        ("built", messages.InstalledForTesting),
        ("built", messages.DefectReported),
        ("handed_over", messages.SecurityTestStarted),
        ("installed", messages.TestPassed),
        ("installed", messages.TestFailed),
        ("installed", messages.WentLive),
        ("installed", messages.CaseSuspended),
    ],
)
def test_an_early_fact_is_refused_and_leaves_nothing(walk: Walk, status: str, kind: type[CaseMessage]) -> None:
    case = getattr(walk, status)()
    before, entries = case.status, len(walk.trace(case))

    with pytest.raises(OutOfTurn), walk.session.begin_nested():
        walk.told(case, kind, digest=DIGEST)

    walk.session.expire_all()
    assert (case.status, len(walk.trace(case))) == (before, entries)


def test_the_same_letter_never_stands_twice(walk: Walk) -> None:
    case = walk.live()
    message = messages.TicketOpened(
        case_id=case.id, case_number=case.number, ticket_number="TKT-2026-0001", title="Tidak dapat masuk"
    )
    letter = letter_of(message)
    actions.note(walk.session, message, letter)

    with pytest.raises(IntegrityError), walk.session.begin_nested():
        actions.note(walk.session, message, letter)

    told = [entry for entry in walk.trace(case) if entry.message_id == letter.id]
    assert len(told) == 1


def test_money_is_kept_as_told(walk: Walk) -> None:
    case = walk.built()

    walk.told(case, messages.PaymentMade, amount=39_294_000, paid_amount=39_294_000)

    assert (case.plan_amount, case.is_plan_locked) == (135_400_000, True)
    assert (case.ceiling_amount, case.contract_amount, case.paid_amount) == (136_000_000, 130_980_000, 39_294_000)
    assert (case.vendor, case.contract_number) == ("CKD", "007/PPK/02/2026")
    assert "Rp39.294.000" in walk.trace(case)[-1].detail


def test_a_terminated_contract_takes_the_vendor_away(walk: Walk) -> None:
    case = walk.built()

    walk.told(case, messages.ContractTerminated, by=HADI, note="Terlambat 60 hari.")

    assert (case.status, case.vendor, case.contract_amount) == ("budgeted", None, None)


def test_a_planning_section_without_funds_defers(walk: Walk) -> None:
    case = walk.discussed()
    walk.told(case, messages.PlanConveyed)

    walk.told(case, messages.PlanDeferred, note="Anggaran belum tersedia.")

    assert (case.status, case.status_reason) == ("deferred", "Anggaran belum tersedia.")


def test_a_defect_goes_back_to_the_vendor_from_handed_over(walk: Walk) -> None:
    case = walk.handed_over()

    entry = walk.told(case, messages.DefectReported, note="Berkas konfigurasi tidak ada.")

    assert (case.status, entry.move) == ("in_development", "report_defect")


@pytest.mark.parametrize("status", ["installed", "live"])
def test_a_later_defect_is_only_noted(walk: Walk, status: str) -> None:
    case = getattr(walk, status)()
    before = case.status

    entry = walk.told(case, messages.DefectReported, note="Paket pembaruan cacat.")

    assert (case.status, entry.move) == (before, "")


def test_a_failed_test_is_mended_and_tested_again(walk: Walk) -> None:
    case = walk.installed()
    walk.told(case, messages.SecurityTestStarted, digest=DIGEST)

    failed = walk.told(case, messages.TestFailed, digest=DIGEST, note="Berkas .env dapat diunduh.")
    after_failure = case.status
    walk.told(case, messages.InstalledForTesting, digest=OTHER_DIGEST)
    walk.told(case, messages.SecurityTestStarted, digest=OTHER_DIGEST, round=2)
    walk.told(case, messages.TestPassed, digest=OTHER_DIGEST, round=2)

    assert after_failure == "remediation"
    assert "1 kritis" in failed.detail
    assert (case.status, case.installed_digest) == ("cleared", OTHER_DIGEST)


def test_a_mended_build_that_arrives_before_the_verdict_waits_for_its_test(walk: Walk) -> None:
    case = walk.installed()
    walk.told(case, messages.InstalledForTesting, digest=OTHER_DIGEST)
    walk.told(case, messages.SecurityTestStarted, digest=DIGEST)
    walk.told(case, messages.TestFailed, digest=DIGEST)

    statuses = walk.session.scalars(
        select(CaseStatus.status).where(CaseStatus.case_id == case.id).order_by(CaseStatus.at, CaseStatus.created_at)
    ).all()
    assert case.status == "installed"
    assert statuses[-2:] == ["remediation", "installed"]


def test_a_build_that_was_only_received_does_not_count_as_installed(walk: Walk) -> None:
    case = walk.installed()
    walk.told(case, messages.SecurityTestStarted, digest=DIGEST)
    walk.told(case, messages.BuildReceived, digest=OTHER_DIGEST)

    walk.told(case, messages.TestFailed, digest=DIGEST)

    assert (case.status, case.digest) == ("remediation", OTHER_DIGEST)


def test_an_update_of_a_live_application_leaves_it_live(walk: Walk) -> None:
    case = walk.live()

    walk.told(case, messages.InstalledForTesting, digest=OTHER_DIGEST, release_number=2)
    walk.told(case, messages.SecurityTestStarted, digest=OTHER_DIGEST)
    walk.told(case, messages.TestFailed, digest=OTHER_DIGEST)
    during = (case.status, case.live_digest)
    walk.told(case, messages.TestPassed, digest=OTHER_DIGEST, round=2)
    walk.told(case, messages.WentLive, digest=OTHER_DIGEST, release_number=2)

    assert during == ("live", DIGEST)
    assert (case.status, case.live_digest) == ("live", OTHER_DIGEST)


def test_going_live_enters_the_application_register(walk: Walk) -> None:
    case = walk.live()

    entry = walk.session.scalars(select(RegisteredApplication)).one()

    assert (entry.case_id, entry.state, entry.address) == (case.id, "live", "presensi.kampus.example")
    assert (entry.release_number, entry.digest) == (1, DIGEST)
    assert entry.live_since == case.live_at


def test_a_roll_back_and_a_suspension_stand_in_the_register(walk: Walk) -> None:
    case = walk.live()

    walk.told(case, messages.RolledBack, digest=OTHER_DIGEST, release_number=3)
    walk.told(case, messages.CaseSuspended, by=FITRI, note="Sisipan judi online.")

    entry = walk.session.scalars(select(RegisteredApplication)).one()
    assert (entry.state, entry.release_number, entry.digest) == ("suspended", 3, OTHER_DIGEST)
    assert (case.status, case.status_reason) == ("suspended", "Sisipan judi online.")


def test_a_suspended_application_is_installed_and_tested_anew(walk: Walk) -> None:
    case = walk.live()
    walk.told(case, messages.CaseSuspended, note="Sisipan judi online.")

    entry = walk.told(case, messages.InstalledForTesting, digest=OTHER_DIGEST, release_number=2)
    tested = (case.status, entry.move)
    walk.told(case, messages.SecurityTestStarted, digest=OTHER_DIGEST)
    walk.told(case, messages.TestPassed, digest=OTHER_DIGEST)
    walk.told(case, messages.WentLive, digest=OTHER_DIGEST, release_number=2)

    registered = walk.session.scalars(select(RegisteredApplication)).one()
    assert tested == ("installed", "retest")
    assert (case.status, registered.state) == ("live", "live")


def test_a_fact_that_happened_earlier_stands_before_what_arrived_earlier(walk: Walk) -> None:
    case = walk.live()
    first = walk.told(case, messages.TicketOpened)

    second = walk.told(case, messages.GoLivePostponed, at=first.at.replace(year=first.at.year - 1), note="Menunggu.")

    order = [entry.id for entry in walk.trace(case)]
    assert order.index(second.id) < order.index(first.id)


def test_alur_itself_may_tell_a_fact(walk: Walk) -> None:
    case = walk.live()
    message = messages.InstallationFailed(case_id=case.id, case_number=case.number)
    letter = letter_of(message)
    nobody = dataclasses.replace(letter, actor=type(letter.actor)())

    actions.note(walk.session, message, nobody)

    entry = next(one for one in walk.trace(case) if one.message_id == letter.id)
    assert (entry.person_id, entry.person_name) == (None, "Alur")
