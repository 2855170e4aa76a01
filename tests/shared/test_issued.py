"""The register of papers: a code for each, genuine only once sealed, and what a checker may know."""

from collections.abc import Callable
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from shared import issued
from shared.database import utc_now
from shared.errors import NotFound, OutOfTurn

DIGEST, OTHER = "a" * 64, "b" * 64


@pytest.fixture
def session(sessions: Callable[[str], Session]) -> Session:
    return sessions("budget")


def taken(session: Session, *, series: str = "", division: str = "budget") -> str:
    signer = issued.Signer(name="Citra", as_what="Plt. Kepala PUSTIPD", signed_at=utc_now())
    return issued.issue(
        session,
        division,
        kind="rab",
        title="Rencana Anggaran Biaya",
        number="1/RAB",
        on=date(2026, 11, 22),
        signers=[signer],
        case_number="APL-2026-0001",
        series=series,
    )


def sealed(session: Session, digest: str = DIGEST, *, series: str = "") -> str:
    code = taken(session, series=series)
    issued.seal(session, code, digest)
    return code


def test_a_code_is_three_groups_of_four_and_tells_whom_to_ask(session: Session) -> None:
    codes = {division: taken(session, division=division) for division in issued.LETTERS}

    for division, code in codes.items():
        assert [len(group) for group in code.split("-")] == [4, 4, 4]
        assert not set("ILOU") & set(code)
        assert issued.division_of(issued.normalised(code)) == division


def test_a_sealed_paper_tells_who_signed_and_its_digest_but_not_its_case(session: Session) -> None:
    found = issued.find(session, sealed(session))

    assert found is not None
    assert (found.number, found.digest, found.withdrawn_at) == ("1/RAB", DIGEST, None)
    assert [signer.as_what for signer in found.signers] == ["Plt. Kepala PUSTIPD"]
    assert "APL-2026-0001" not in found.model_dump_json()


def test_a_code_without_a_printed_paper_is_not_genuine(session: Session) -> None:
    assert issued.find(session, taken(session)) is None


def test_a_paper_is_sealed_once(session: Session) -> None:
    code = sealed(session)

    with pytest.raises(OutOfTurn):
        issued.seal(session, code, OTHER)

    found = issued.find(session, code)
    assert found is not None and found.digest == DIGEST


def test_an_unknown_code_cannot_be_sealed_or_withdrawn(session: Session) -> None:
    with pytest.raises(NotFound):
        issued.seal(session, "B000-0000-0000", DIGEST)
    with pytest.raises(NotFound):
        issued.withdraw(session, "B000-0000-0000", reason="Salah ketik.")


def test_of_a_series_only_the_newest_paper_counts(session: Session) -> None:
    first, alone, other = sealed(session, series="rab:1"), sealed(session), sealed(session, series="rab:2")

    second = sealed(session, OTHER, series="rab:1")

    papers = [issued.find(session, code) for code in (first, second, alone, other)]
    assert [paper.withdrawn_reason if paper else "?" for paper in papers] == [issued.REPLACED, None, None, None]


def test_a_taken_code_that_was_never_printed_replaces_nothing(session: Session) -> None:
    first = sealed(session, series="rab:1")

    taken(session, series="rab:1")

    found = issued.find(session, first)
    assert found is not None and found.withdrawn_at is None


def test_a_withdrawn_paper_keeps_its_first_reason(session: Session) -> None:
    code = sealed(session)
    issued.withdraw(session, code, reason="Salah ketik.")
    issued.withdraw(session, code, reason="Lain.")

    found = issued.find(session, code)
    assert found is not None and found.withdrawn_reason == "Salah ketik."


@pytest.mark.parametrize("typed", ["b01q29xk-d04t", "BO1Q 29XK D04T", " bolq.29xk.d04t ", "B0IQ29XKD04T"])
def test_a_code_is_read_however_it_was_typed(typed: str) -> None:
    assert issued.normalised(typed) == "B01Q29XKD04T"


@pytest.mark.parametrize("typed", ["", "B01Q", "X01Q29XKD04T", "B01Q29XKD04TT", "B01Q29XKD0U4", "B01Q29XKD04é"])
def test_what_cannot_be_a_code_is_none(typed: str) -> None:
    assert issued.normalised(typed) == ""


@given(st.text(alphabet=issued.ALPHABET, min_size=11, max_size=11))
def test_a_printed_code_is_read_back(rest: str) -> None:
    assert issued.normalised(issued.grouped("S" + rest).lower()) == "S" + rest
