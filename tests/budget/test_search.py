"""Plans, contracts, handovers, claims and vendors are found only by those whose own pages show them."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from services.budget import queries
from services.budget.actions import Office
from services.budget.model import Contract
from shared.errors import NotFound
from shared.identity import Person
from tests.budget import walk
from tests.counting import statements
from tests.people import ANI, BAYU, BUDI, CITRA, EDI, GITA, HADI, INDAH, JOKO, KIKI, LINA, SARI, TONO, ZULKIFLI

EVERYBODY = (ANI, BAYU, BUDI, CITRA, EDI, GITA, HADI, INDAH, JOKO, KIKI, LINA, SARI, TONO, ZULKIFLI)


@pytest.fixture
def contract(session: Session, office: Office) -> Contract:
    """Return a contract that was handed over and is claimed."""
    made = walk.signed(session, office)
    walk.delivered(session, office, made)
    walk.handed_over(session, office, made)
    walk.verified(session, made, 1)
    walk.vendor(session, "MSK")
    return made


def found(session: Session, by: Person, question: str, kind: str) -> list[str]:
    return [hit.path for hit in queries.found(session, by, question) if hit.kind == kind]


@pytest.mark.parametrize("question", ["CKD", "cv ckd", "presensi", "presnsi", "BPEG"])
def test_a_contract_is_found_by_firm_application_and_unit(session: Session, contract: Contract, question: str) -> None:
    assert found(session, HADI, question, "contract") == [f"/kontrak/{contract.id}"]


def test_a_contract_is_found_by_its_number_first(session: Session, contract: Contract) -> None:
    for question in (contract.number, contract.number.replace("/", " ").replace(".", "-").lower()):
        hit = queries.found(session, HADI, question)[0]

        assert (hit.kind, hit.number, hit.match) == ("contract", contract.number, "number")


def test_nobody_finds_what_its_own_page_refuses(session: Session, contract: Contract) -> None:
    plan, claim, handover = contract.plan, contract.claims[0], contract.handover
    assert handover
    things: list[tuple[str, UUID, Callable[..., Any], str]] = [
        ("plan", plan.id, queries.plan, f"/rab/{plan.id}"),
        ("contract", contract.id, queries.contract, f"/kontrak/{contract.id}"),
        ("claim", claim.id, queries.claim, f"/tagihan/{claim.id}"),
        ("handover", contract.id, queries.contract, f"/kontrak/{contract.id}"),
    ]
    for by in EVERYBODY:
        for kind, key, page, path in things:
            for question in ("presensi", contract.plan.case_number):
                try:
                    page(session, by, key)
                except NotFound:
                    assert found(session, by, question, kind) == [], (by.username, kind)
                else:
                    assert found(session, by, question, kind) == [path], (by.username, kind)


def test_a_firm_finds_itself_only(session: Session, contract: Contract) -> None:
    def names(by: Person) -> list[str]:
        return sorted(hit.number for hit in queries.found(session, by, "CV") if hit.kind == "vendor")

    assert contract and names(HADI) == ["CKD", "MSK"]
    assert (names(JOKO), names(KIKI), names(ANI), names(LINA)) == (["CKD"], ["MSK"], [], [])


def test_one_statement_for_each_kind(session: Session, contract: Contract) -> None:
    engine = session.get_bind().engine
    assert contract and isinstance(engine, Engine)
    with statements(engine) as sent:
        queries.found(session, HADI, "presensi")

    assert len(sent) == 1 + 5
