"""S01, F01, S02: a proposal from draft to decision, and every refusal on the way."""

import io
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select

from services.proposal import actions, queries
from services.proposal.authority import ACTS
from services.proposal.model import CaseStatus, Disposition, Office, Paper, Proposal, ProposalVersion
from shared.edition import tag_of
from shared.errors import Incomplete, NotAllowed, NotFound, OutOfTurn, Stale, TooLarge
from shared.identity import Person, Role
from tests.people import ANI, BAYU, BUDI, CITRA, DINA, GITA, SARI, TONO, ZULKIFLI
from tests.proposal.walk import Walk, content

REASON = "Surat belum ditandatangani pimpinan unit."


def test_a_draft_gets_a_case_number_of_its_year(walk: Walk) -> None:
    first, second = walk.drafted(), walk.drafted()

    assert first.status == "draft"
    assert first.number.startswith("APL-20")
    assert int(second.number[-4:]) == int(first.number[-4:]) + 1


def test_a_draft_may_be_nearly_empty(walk: Walk) -> None:
    case = walk.drafted(purpose="", letter_number="", letter_on=None, background="", benefit="", users="")

    assert case.status == "draft"


def test_a_submission_names_every_field_that_is_lacking(walk: Walk, office: Office) -> None:
    case = walk.drafted(purpose="", letter_number="", letter_on=None, background="", benefit="", users="")

    refusal = walk.refuses(Incomplete, actions.submit, ANI, case.id, office)

    fields = {error.pointer for error in refusal.errors}
    assert fields == {"/purpose", "/letter_number", "/letter_on", "/background", "/benefit", "/users"}
    assert case.status == "draft"


def test_a_submission_gets_an_agenda_number_and_keeps_its_content_and_paper(walk: Walk, office: Office) -> None:
    case = walk.submitted()

    kept = walk.session.scalars(select(ProposalVersion).where(ProposalVersion.proposal_id == case.id)).one()
    proposal = walk.session.get_one(Proposal, case.id)
    assert proposal.agenda_number
    assert kept.content["background"] == proposal.background
    assert office.store.path(kept.paper_digest).read_bytes().startswith(b"%PDF-")


def test_only_the_proposer_submits(walk: Walk, office: Office) -> None:
    case = walk.drafted()

    walk.refuses(NotAllowed, actions.submit, ZULKIFLI, case.id, office)
    walk.refuses(NotAllowed, actions.submit, CITRA, case.id, office)


@pytest.mark.parametrize("by", [SARI, TONO, GITA, CITRA], ids=lambda p: p.username)
def test_whoever_is_no_proposer_cannot_propose(walk: Walk, by: Person) -> None:
    walk.refuses(NotAllowed, actions.propose, by, content())


def test_a_name_in_use_is_refused_and_a_rejected_case_gives_it_back(walk: Walk, office: Office) -> None:
    case = walk.recommended(code="presensi")

    refusal = walk.refuses(Incomplete, actions.propose, ANI, content(code="presensi"))
    actions.reject(walk.session, CITRA, case.id, office, reason=REASON)

    assert refusal.errors[0].pointer == "/code"
    assert walk.drafted(code="presensi").code == "presensi"


def test_acceptance_leads_to_analysis_with_a_routing_slip(walk: Walk, office: Office) -> None:
    case = walk.submitted()

    actions.accept(walk.session, BUDI, case.id, office, words="Segera dianalisis.")

    slip = walk.session.scalars(select(Paper).where(Paper.kind == "lembar_disposisi")).one()
    line = walk.session.scalars(select(Disposition)).one()
    assert case.status == "under_analysis"
    assert (line.by_name, line.words) == (BUDI.name, "Segera dianalisis.")
    assert office.store.has(slip.digest)


def test_a_proposal_returned_with_reason_is_amended_and_submitted_again(walk: Walk, office: Office) -> None:
    case = walk.submitted()
    proposal = walk.session.get_one(Proposal, case.id)
    agenda = proposal.agenda_number

    actions.send_back(walk.session, BUDI, case.id, office, reason=REASON)
    returned, why = case.status, case.status_reason
    actions.amend(walk.session, ANI, case.id, content(code=case.code, background="Lebih lengkap dari semula."))
    actions.submit(walk.session, ANI, case.id, office)

    versions = walk.session.scalars(select(ProposalVersion).order_by(ProposalVersion.version)).all()
    assert (returned, why) == ("returned", REASON)
    assert (case.status, case.status_reason) == ("submitted", "")
    assert [kept.version for kept in versions] == [1, 2]
    assert versions[0].content["background"] != versions[1].content["background"]
    assert versions[0].paper_digest != versions[1].paper_digest
    assert proposal.agenda_number == agenda


def test_a_submitted_proposal_cannot_be_amended(walk: Walk) -> None:
    case = walk.submitted()

    walk.refuses(OutOfTurn, actions.amend, ANI, case.id, content())


def test_who_amends_an_older_edition_is_told(walk: Walk) -> None:
    case = walk.drafted()
    seen = tag_of(case.edition)
    actions.amend(walk.session, ANI, case.id, content(code=case.code), seen=seen)

    walk.refuses(Stale, actions.amend, ANI, case.id, content(code=case.code), seen=seen)


@pytest.mark.parametrize(
    ("status", "by", "back"),
    [("submitted", BUDI, "returned"), ("analysed", BUDI, "returned"), ("recommended", CITRA, "under_analysis")],
)
def test_each_return_of_the_procedure(walk: Walk, office: Office, status: str, by: Person, back: str) -> None:
    case = getattr(walk, status)()

    actions.send_back(walk.session, by, case.id, office, reason=REASON)

    assert case.status == back


@pytest.mark.parametrize(
    ("status", "by"), [("submitted", CITRA), ("analysed", CITRA), ("recommended", BUDI), ("submitted", ANI)]
)
def test_a_return_by_the_wrong_post_is_refused(walk: Walk, office: Office, status: str, by: Person) -> None:
    case = getattr(walk, status)()

    walk.refuses(NotAllowed, actions.send_back, by, case.id, office, reason=REASON)


def test_a_return_from_planning_is_no_act_of_this_house(walk: Walk, office: Office) -> None:
    from shared.messages import PlanConveyed

    case = walk.discussed()
    walk.told(case, PlanConveyed)
    both = CITRA.model_copy(update={"roles": frozenset({Role.HEAD, Role.PLANNING})})

    walk.refuses(NotAllowed, actions.send_back, both, case.id, office, reason=REASON)


@pytest.mark.parametrize(
    ("act", "status", "by"),
    [
        (actions.send_back, "submitted", BUDI),
        (actions.send_back, "analysed", BUDI),
        (actions.send_back, "recommended", CITRA),
        (actions.reject, "recommended", CITRA),
        (actions.defer, "programmed", CITRA),
        (actions.defer, "discussed", CITRA),
        (actions.cancel, "drafted", ANI),
        (actions.cancel, "submitted", CITRA),
    ],
)
def test_a_refusal_without_reason_is_refused(
    walk: Walk, office: Office, act: Callable[..., Any], status: str, by: Person
) -> None:
    case = getattr(walk, status)()

    refusal = walk.refuses(Incomplete, act, by, case.id, office, reason="  ")

    assert refusal.code == "reason_missing"


def test_a_duplicate_is_merged_into_the_case_that_exists(walk: Walk, office: Office) -> None:
    first, second = walk.submitted(), walk.submitted()

    actions.merge_duplicate(walk.session, BUDI, second.id, office, into=first.number, reason="Usulan yang sama.")

    assert (second.status, second.merged_into_id) == ("cancelled", first.id)


def test_a_duplicate_of_nothing_is_refused(walk: Walk, office: Office) -> None:
    case = walk.submitted()

    for into in ("APL-1999-0001", case.number):
        walk.refuses(Incomplete, actions.merge_duplicate, BUDI, case.id, office, into=into, reason=REASON)
    walk.refuses(NotAllowed, actions.merge_duplicate, ANI, case.id, office, into=case.number, reason=REASON)


def test_a_duplicate_is_not_merged_into_what_leads_nowhere(walk: Walk, office: Office) -> None:
    case, merged = walk.submitted(), walk.submitted()
    actions.merge_duplicate(walk.session, BUDI, merged.id, office, into=case.number, reason=REASON)

    for into in (walk.drafted(), merged):
        refusal = walk.refuses(
            Incomplete, actions.merge_duplicate, BUDI, case.id, office, into=into.number, reason=REASON
        )
        assert refusal.errors[0].pointer == "/into"
        assert into.label in refusal.detail
    assert case.merged_into_id is None


def test_a_recommendation_needs_an_analysis(walk: Walk, office: Office) -> None:
    case = walk.submitted()
    actions.accept(walk.session, BUDI, case.id, office)

    refusal = walk.refuses(Incomplete, actions.recommend, BUDI, case.id, office)

    assert refusal.code == "analysis_missing"
    assert ACTS.recommend not in queries.offered(BUDI, case)


def test_each_analysis_is_a_version_with_its_paper(walk: Walk, office: Office) -> None:
    case = walk.analysed()

    walk.analyse(case)

    kept = walk.session.scalars(select(Paper).where(Paper.kind == "analisis_kebutuhan")).all()
    assert case.analysis_version == 2
    assert len({paper.digest for paper in kept}) == 2


def test_only_staff_analyses_and_only_while_it_is_analysed(walk: Walk, office: Office) -> None:
    words = {"summary": "Kebutuhan presensi pegawai.", "recommendation": "proceed"}
    case = walk.submitted()

    walk.refuses(OutOfTurn, actions.analyse, BAYU, case.id, office, **words)
    walk.refuses(NotAllowed, actions.analyse, ANI, case.id, office, **words)


@pytest.mark.parametrize("by", [BUDI, BAYU, ANI, TONO, SARI], ids=lambda p: p.username)
def test_only_the_head_decides(walk: Walk, office: Office, by: Person) -> None:
    case = walk.recommended()

    walk.refuses(NotAllowed, actions.approve, by, case.id, office)
    walk.refuses(NotAllowed, actions.reject, by, case.id, office, reason=REASON)


def test_a_rejection_ends_the_case(walk: Walk, office: Office) -> None:
    case = walk.recommended()

    actions.reject(walk.session, CITRA, case.id, office, reason=REASON)

    assert (case.status, case.status_reason) == ("rejected", REASON)
    walk.refuses(OutOfTurn, actions.approve, CITRA, case.id, office)
    assert queries.offered(CITRA, case) == []


def test_a_step_out_of_turn_names_the_present_status(walk: Walk, office: Office) -> None:
    case = walk.submitted()

    refusal = walk.refuses(OutOfTurn, actions.approve, CITRA, case.id, office)

    assert "Diajukan" in refusal.detail
    assert case.status == "submitted"


def test_nobody_decides_on_an_own_proposal(walk: Walk, office: Office) -> None:
    own = ANI.model_copy(update={"roles": frozenset({Role.PROPOSER, Role.APP_HEAD, Role.HEAD})})
    case = walk.recommended()

    walk.refuses(NotAllowed, actions.approve, own, case.id, office)
    walk.refuses(NotAllowed, actions.reject, own, case.id, office, reason=REASON)
    walk.refuses(NotAllowed, actions.send_back, own, case.id, office, reason=REASON)
    assert not {ACTS.approve, ACTS.reject, ACTS.send_back} & set(queries.offered(own, case))


def test_a_proposer_who_is_app_head_by_another_post_cannot_accept(walk: Walk, office: Office) -> None:
    own = ANI.model_copy(update={"roles": frozenset({Role.PROPOSER, Role.APP_HEAD})})
    case = walk.submitted(ANI)

    walk.refuses(NotAllowed, actions.accept, own, case.id, office)


def test_who_recommended_does_not_approve_as_acting_head(walk: Walk, office: Office) -> None:
    acting = BUDI.model_copy(
        update={"roles": frozenset({Role.APP_HEAD, Role.HEAD}), "acting_for": "Plh. Kepala PUSTIPD"}
    )
    case = walk.recommended()

    walk.refuses(NotAllowed, actions.approve, acting, case.id, office)


def test_a_proposal_of_the_app_head_is_accepted_by_the_head_alone(walk: Walk, office: Office) -> None:
    case = walk.submitted(BUDI)
    other_head = BUDI.model_copy(update={"id": BAYU.id})

    walk.refuses(NotAllowed, actions.accept, BUDI, case.id, office)
    walk.refuses(NotAllowed, actions.accept, other_head, case.id, office)
    assert ACTS.accept not in queries.offered(other_head, case)
    assert ACTS.accept_from_app_head in queries.offered(CITRA, case)

    actions.accept(walk.session, CITRA, case.id, office)

    assert case.status == "under_analysis"


def test_the_head_does_not_accept_what_the_app_head_must_check(walk: Walk, office: Office) -> None:
    case = walk.submitted(ANI)

    walk.refuses(NotAllowed, actions.accept, CITRA, case.id, office)
    assert ACTS.accept_from_app_head not in queries.offered(CITRA, case)


@pytest.mark.parametrize("by", [ANI, CITRA], ids=lambda p: p.username)
def test_proposer_or_head_cancels_before_development(walk: Walk, office: Office, by: Person) -> None:
    case = walk.approved()

    actions.cancel(walk.session, by, case.id, office, reason="Tidak lagi diperlukan.")

    assert case.status == "cancelled"


def test_nobody_else_cancels_and_nobody_cancels_in_development(walk: Walk, office: Office) -> None:
    early, late = walk.submitted(), walk.built()

    walk.refuses(NotAllowed, actions.cancel, ZULKIFLI, early.id, office, reason=REASON)
    walk.refuses(NotAllowed, actions.cancel, BUDI, early.id, office, reason=REASON)
    walk.refuses(OutOfTurn, actions.cancel, CITRA, late.id, office, reason=REASON)


def test_an_offer_and_its_refusal_agree(walk: Walk, office: Office) -> None:
    case = walk.recommended()

    names = {act.name for act in queries.offered(CITRA, case)}

    assert names == {"send_back", "approve", "reject", "cancel"}
    assert queries.offered(DINA, case) == []


def test_the_letter_is_a_scan_of_a_known_kind_and_size(walk: Walk, office: Office) -> None:
    case = walk.drafted()

    actions.attach_letter(
        walk.session, ANI, case.id, office, file=io.BytesIO(b"%PDF-1.7 surat"), file_name="../surat usulan.pdf"
    )
    refusal = walk.refuses(
        Incomplete, actions.attach_letter, ANI, case.id, office, file=io.BytesIO(b"MZ\x90"), file_name="surat.pdf"
    )
    huge = io.BytesIO(b"%PDF-" + b"0" * (10 * 1024 * 1024))
    walk.refuses(TooLarge, actions.attach_letter, ANI, case.id, office, file=huge, file_name="surat.pdf")

    kept = walk.session.get_one(Proposal, case.id)
    assert refusal.errors[0].pointer == "/letter"
    assert kept.letter_file_name == "surat usulan.pdf"
    assert office.store.path(kept.letter_digest).read_bytes() == b"%PDF-1.7 surat"


def test_a_stranger_does_not_learn_that_a_case_exists(walk: Walk) -> None:
    case = walk.submitted()

    walk.refuses(NotFound, queries.case, ZULKIFLI, case.number)
    walk.refuses(NotFound, queries.proposal, ZULKIFLI, case.id)


def test_the_history_keeps_each_status_with_its_time(walk: Walk) -> None:
    case = walk.recommended()

    rows = walk.session.scalars(select(CaseStatus).where(CaseStatus.case_id == case.id).order_by(CaseStatus.at)).all()

    assert [(row.source, row.status) for row in rows] == [
        ("draft", "submitted"),
        ("submitted", "under_analysis"),
        ("under_analysis", "awaiting_decision"),
    ]
    assert [row.at for row in rows] == sorted(row.at for row in rows)
    assert case.entered_at == rows[-1].at
