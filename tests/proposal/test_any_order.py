"""W18: whatever is tried in whatever order, a case goes only where the procedure leads, and leaves no step out."""

from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from services.proposal import actions
from services.proposal.authority import MOVES
from services.proposal.model import Case, Office
from shared import messages
from shared.errors import Refused
from shared.messages import CaseMessage
from shared.procedure import procedure
from tests.people import ANI, BUDI, CITRA
from tests.proposal.walk import Walk

Do = Callable[[Walk, Case], Any]
REASON = "Sesuai hasil pembahasan."


def _fact(kind: type[CaseMessage]) -> Do:
    return lambda walk, case: walk.told(case, kind)


def _act(name: str, by: Any, **words: Any) -> Do:
    return lambda walk, case: getattr(actions, name)(walk.session, by, case.id, walk.office, **words)


ROAD: dict[str, Do] = {
    "submit": _act("submit", ANI),
    "accept": _act("accept", BUDI),
    "analyse": lambda walk, case: walk.analyse(case),
    "recommend": _act("recommend", BUDI, words="Mohon disetujui."),
    "approve": _act("approve", CITRA),
    "enter_work_programme": _act("enter_work_programme", BUDI, estimated_amount=5),
}
"""The acts of S01 to S03 in the order of the procedure, each by somebody who may."""
BESIDE: dict[str, Do] = {
    "send_back": _act("send_back", BUDI, reason=REASON),
    "send_back_from_head": _act("send_back", CITRA, reason=REASON),
    "reject": _act("reject", CITRA, reason=REASON),
    "defer": _act("defer", CITRA, reason=REASON),
    "cancel": _act("cancel", ANI, reason=REASON),
    "conclude": lambda walk, case: actions.conclude(walk.session, BUDI, case.id),
}
EARLY: dict[str, Do] = {
    kind.__name__: _fact(kind)
    for kind in (messages.CeilingSet, messages.ContractSigned, messages.HandedOver, messages.WentLive)
}
"""What other divisions tell, and what nothing here makes due."""
EVERYTHING = {**ROAD, **BESIDE, **EARLY}
REACHED = {"under_analysis": 2, "awaiting_decision": 4, "approved": 5, "in_work_programme": 6}
"""How many acts of the road lie behind a case of this status."""
tries = st.lists(
    # As likely the next act of the road as anything else: else few cases would come far.
    st.one_of(st.just("next"), st.sampled_from(sorted(EVERYTHING))), min_size=4, max_size=16
)  # fmt: skip


# What fails is told as it was found: to shorten it would print a thousand papers.
@settings(max_examples=20, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
@given(tries=tries)
def test_w18_no_order_of_acts_leaves_a_step_out(
    sessions: Callable[[str], Session], office: Office, tries: list[str]
) -> None:
    walk = Walk(sessions("proposal"), office)
    case = walk.drafted()
    done: list[str] = []
    possible = {(move.source, move.name, move.target) for move in procedure().moves}

    for name in tries:
        name = next((act for act in ROAD if act not in done), "cancel") if name == "next" else name
        before, entries = case.status, len(walk.trace(case))
        attempt = walk.session.begin_nested()
        try:
            EVERYTHING[name](walk, case)
        except Refused:
            attempt.rollback()
            assert (case.status, len(walk.trace(case))) == (before, entries), name
            continue
        attempt.commit()
        assert name not in EARLY, (name, before)
        done.append(name)
        if case.status != before:
            moves = {move for source, move, target in possible if (source, target) == (before, case.status)}
            assert moves & {MOVES.get(name, ""), "resubmit", "return"}, (name, before, case.status)
        road = list(ROAD)[: REACHED.get(case.status, 0)]
        assert [act for act in road if act not in done] == [], (case.status, done)
