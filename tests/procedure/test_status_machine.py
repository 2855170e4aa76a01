"""The status machine of a case is the procedure's data: every move there is possible here, and no other."""

import pytest

from services.proposal.authority import ACTS, HERE, MOVES
from services.proposal.model import Case
from shared.errors import OutOfTurn
from shared.messages import CaseMessage, every_message
from shared.procedure import BEFORE_DEVELOPMENT, STATION, procedure

SOP = procedure()
EVERY_MOVE = sorted({move.name for move in SOP.moves})
RELEASES = {"hand_over_in_house", "start_in_house"}
"""Moves of in-house building, which no division makes yet (proposed in the procedure)."""


def _case(status: str) -> Case:
    return Case(number="APL-2026-0001", status=status, sop_version=SOP.version)


@pytest.mark.parametrize("status", sorted(SOP.statuses))
def test_a_case_makes_exactly_the_moves_of_the_procedure(status: str) -> None:
    possible = {name for name in EVERY_MOVE if _case(status).next(name)}

    assert possible == {move.name for move in SOP.moves_from(status)}


@pytest.mark.parametrize(("source", "name", "target"), [(m.source, m.name, m.target) for m in SOP.moves])
def test_each_move_leads_where_the_procedure_says(source: str, name: str, target: str) -> None:
    assert _case(source).require(name).target == target


@pytest.mark.parametrize("status", [key for key, status in SOP.statuses.items() if status.is_terminal])
def test_an_ended_case_makes_no_move(status: str) -> None:
    for name in EVERY_MOVE:
        with pytest.raises(OutOfTurn):
            _case(status).require(name)


def test_a_refusal_names_the_present_status() -> None:
    with pytest.raises(OutOfTurn) as refusal:
        _case("live").require("approve")

    assert "Digunakan" in refusal.value.detail


def test_a_duplicate_ends_only_a_submitted_case() -> None:
    assert _case("submitted").require("merge_duplicate").target == "cancelled"
    assert _case("under_analysis").next("merge_duplicate") is None


@pytest.mark.parametrize("status", BEFORE_DEVELOPMENT)
def test_every_case_before_development_can_be_cancelled(status: str) -> None:
    assert _case(status).require("cancel").target == "cancelled"


def test_every_move_is_made_by_an_act_here_or_by_a_message() -> None:
    acts = set(MOVES.values())
    told = {kind.move for kind in every_message().values() if "proposal" in kind.to and kind.move}
    beside = {"retest", "retire"}  # the first is the install of a suspended case, the second the Head's decision in S10

    assert acts | told | beside | RELEASES >= set(EVERY_MOVE)


def test_every_move_of_a_message_is_in_the_procedure() -> None:
    for kind in every_message().values():
        if "proposal" in kind.to and kind.move:
            assert kind.move in EVERY_MOVE, kind.__name__


def test_every_message_to_the_case_says_its_step_and_words() -> None:
    for kind in every_message().values():
        if "proposal" in kind.to and issubclass(kind, CaseMessage):
            assert kind.step in SOP.steps, kind.__name__
            assert kind.says, kind.__name__


@pytest.mark.parametrize("act", sorted(MOVES))
def test_the_roles_of_an_act_hold_those_of_its_moves_here(act: str) -> None:
    moves = [move for move in SOP.moves if move.name == MOVES[act]]

    for move in moves:
        assert (move.roles & HERE) <= ACTS.rows[act].roles


def test_every_status_stands_at_a_station() -> None:
    assert set(STATION) == set(SOP.statuses)


def test_a_move_changes_the_status() -> None:
    case = _case("submitted")

    made = case.move("accept", by_id=None, by_name="Budi", reason="")

    assert (made.target, case.status) == ("under_analysis", "under_analysis")
