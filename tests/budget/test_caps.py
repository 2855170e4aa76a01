"""Payments <= contract <= ceiling, kept by the database: at once, behind the program's back, in any order of acts."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Barrier
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, insert, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from services.budget import actions, queries
from services.budget.actions import Office
from services.budget.ledger import CapExceeded
from services.budget.model import Ceiling, Claim, ClaimStatus, Contract, ContractStatus, Distribution, Payment, Term
from services.budget.settings import Settings
from shared.database import Database
from shared.errors import OutOfTurn, Refused
from tests.budget import walk
from tests.people import BUDI, HADI, INDAH, JOKO

BROKEN = text(
    "SELECT count(*) FROM ceiling WHERE NOT (0 <= paid_amount AND paid_amount <= committed_amount"
    " AND committed_amount <= amount AND distributed_amount <= amount)"
)
WAITS = text("SELECT count(*) FROM pg_stat_activity WHERE :pid = ANY (pg_blocking_pids(pid))")


@pytest.fixture
def database(database_of: Callable[[str], Database]) -> Database:
    """Return a database whose transactions really commit."""
    return database_of("budget")


def test_two_contracts_drafted_at_once_do_not_both_fit(database: Database, office: Office) -> None:
    with database.transaction() as session:
        plan_id = walk.budgeted(session, office).plan_id
        walk.vendor(session, is_pkp=False)

    outcomes = _at_once(
        database, 2, lambda s, n: actions.draft_contract(s, BUDI, plan_id, new=walk.draft(31_000_000), office=office)
    )

    assert sorted(outcomes) == ["CapExceeded", "done"]
    with database.transaction() as session:
        assert session.scalars(select(Ceiling.committed_amount)).one() == 31_000_000
        assert queries.imbalances(session) == []


def test_the_database_itself_lets_only_one_of_two_contracts_in(database: Database, office: Office) -> None:
    with database.transaction() as session:
        ceiling = walk.budgeted(session, office)
        walk.vendor(session, is_pkp=False)
        actions.draft_contract(session, BUDI, ceiling.plan_id, new=walk.draft(1_000_000), office=office)

    with _second_waits_for_first(database, lambda c: _insert_contract(c, value=31_000_000)) as outcome:
        pass

    assert "ck_ceiling_committed_within" in outcome[0]


def test_a_claim_is_paid_once_however_many_pay_it(database: Database, office: Office) -> None:
    with database.transaction() as session:
        claim_id = walk.verified(session, walk.signed(session, office), 1).id

    outcomes = _at_once(
        database,
        3,
        lambda s, n: actions.pay(s, INDAH, claim_id, spm_number=f"{n}", sp2d_number=f"{n}", office=office),
    )

    assert sorted(outcomes) == ["OutOfTurn", "OutOfTurn", "done"]
    with database.transaction() as session:
        assert session.scalars(select(Payment.amount)).all() == [27_750_000]
        assert session.scalars(select(Contract.paid_amount)).one() == 27_750_000


def test_the_database_itself_pays_a_term_once(database: Database, office: Office) -> None:
    with database.transaction() as session:
        walk.signed(session, office)

    with _second_waits_for_first(database, lambda c: _insert_payment(c, amount=27_750_000)) as outcome:
        pass

    assert "ck_term_paid_within" in outcome[0]


def test_the_ceiling_is_handed_out_once_however_many_hand_it_out(database: Database, office: Office) -> None:
    with database.transaction() as session:
        contract_id = walk.signed(session, office).id

    outcomes = _at_once(
        database,
        6,
        lambda s, n: actions.distribute(s, BUDI, contract_id, activity=f"Kegiatan {n}", amount=25_000_000),
    )

    assert sorted(outcomes) == ["CapExceeded"] * 4 + ["done"] * 2
    with database.transaction() as session:
        assert session.scalars(select(Ceiling.distributed_amount)).one() == 50_000_000


def test_payments_beyond_the_contract_are_refused_by_the_database(session: Session, office: Office) -> None:
    walk.signed(session, office)

    with pytest.raises(IntegrityError, match="ck_"):
        _insert_payment(session.connection(), amount=55_500_001)


def test_a_contract_that_grows_beyond_the_ceiling_is_refused_by_the_database(session: Session, office: Office) -> None:
    walk.signed(session, office)
    grow = "UPDATE contract SET tax_base_amount = tax_base_amount + {0}, value_amount = value_amount + {0}"
    session.execute(text(grow.format(4_500_000)))

    with pytest.raises(IntegrityError, match="ck_ceiling_committed_within"):
        session.execute(text(grow.format(1)))


def test_a_contract_does_not_shrink_below_what_was_paid(session: Session, office: Office) -> None:
    contract = walk.signed(session, office)
    walk.paid(session, office, contract, 1)
    shrink = text("UPDATE contract SET tax_base_amount = 20000000, vat_amount = 0, value_amount = 20000000")

    with pytest.raises(IntegrityError, match="paid_within"):
        session.execute(shrink)


def test_a_ceiling_is_not_lowered_below_what_is_bound(session: Session, office: Office) -> None:
    contract = walk.signed(session, office)
    decision = text(
        "INSERT INTO ceiling_decision (id, created_at, ceiling_id, amount, accounts, decided_on, decided_by_name, note)"
        " VALUES (gen_random_uuid(), now(), :ceiling, -5000000,"
        """ '[{"account_code": "525113", "amount": -5000000}]', current_date, 'x', '')"""
    )

    with pytest.raises(IntegrityError, match="committed_within"):
        session.execute(decision, {"ceiling": contract.ceiling_id})


def test_balances_move_by_postings_only(session: Session, office: Office) -> None:
    walk.signed(session, office)
    behind = [
        "UPDATE ceiling SET amount = amount + 1",
        "UPDATE ceiling SET committed_amount = 0",
        "UPDATE contract SET paid_amount = 1",
        "UPDATE term SET paid_amount = 1",
        "INSERT INTO entry (kind, ceiling_id, amount, source_id) SELECT 'ceiling', id, 1000, id FROM ceiling",
    ]

    for statement in behind:
        with pytest.raises(IntegrityError, match=r"posting|posted"), session.begin_nested():
            session.execute(text(statement))

    session.execute(text("UPDATE contract SET committed_amount = 0"))
    assert session.scalars(select(Contract.committed_amount)).one() == 55_500_000


def test_a_term_of_another_contract_takes_no_payment(session: Session, office: Office) -> None:
    contract = walk.signed(session, office)
    other = actions.draft_contract(session, BUDI, contract.plan_id, new=walk.draft(1_000_000), office=office)

    with pytest.raises(IntegrityError, match="another contract"):
        _insert_payment(session.connection(), amount=1, contract_id=contract.id, term_id=other.terms[0].id)


@dataclass(frozen=True)
class Step:
    """One act of the property below: what, and by how much."""

    name: str
    amount: int
    which: int


STEPS = st.lists(
    st.builds(
        Step,
        st.sampled_from(
            [
                "draft", "sign", "withdraw", "terminate", "claim", "verify", "pay", "refuse", "distribute",
                "hand over", "raw contract", "raw payment", "raw distribution", "raw correction",
            ]
        ),
        st.integers(1, 70_000_000),
        st.integers(0, 5),
    ),
    min_size=5,
    max_size=30,
)  # fmt: skip


@settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    # An example walks a whole case, so shrinking one would take longer than reading it.
    phases=[Phase.explicit, Phase.generate],
)
@given(steps=STEPS)
def test_any_order_of_acts_keeps_the_caps(
    steps: list[Step],
    shared_databases: Callable[[str], Database],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.getbasetemp()
    office = _office(folder)
    with _rolled_back(shared_databases("budget")) as session:
        plan_id = walk.budgeted(session, office).plan_id
        walk.vendor(session, is_pkp=False)
        new = walk.draft(25_000_000, percents=(30, 40, 30))
        first = actions.draft_contract(session, BUDI, plan_id, new=new, office=office)
        actions.sign_contract(session, HADI, first.id, office=office)
        for step in steps:
            with suppress(Refused, IntegrityError, StopIteration), session.begin_nested():
                _take(session, office, plan_id, step)
                session.flush()
            session.expire_all()

            assert session.scalar(BROKEN) == 0
            assert queries.imbalances(session) == []
            assert _payments(session) == _paid(session)


def _take(session: Session, office: Office, plan_id: UUID, step: Step) -> None:
    contracts = list(session.scalars(select(Contract).order_by(Contract.created_at)))
    claims = list(session.scalars(select(Claim).order_by(Claim.created_at)))
    match step.name:
        case "draft":
            new = walk.draft(step.amount, percents=(30, 40, 30))
            actions.draft_contract(session, BUDI, plan_id, new=replace(new, form=""), office=office)
        case "sign":
            wanted = next(c for c in contracts if c.status == ContractStatus.DRAFT)
            actions.sign_contract(session, HADI, wanted.id, office=office)
        case "withdraw":
            actions.withdraw_contract(session, BUDI, _pick(contracts, step).id, reason="ditarik")
        case "terminate":
            actions.terminate_contract(session, HADI, _pick(contracts, step).id, reason="dihentikan")
        case "claim":
            running = [c for c in contracts if c.status in (ContractStatus.SIGNED, ContractStatus.HANDED_OVER)]
            wanted = _pick(running, step)
            actions.claim_term(session, JOKO, wanted.id, term=step.which % 3 + 1, invoice_number="INV")
        case "verify":
            actions.verify_claim(session, BUDI, next(c for c in claims if c.status == ClaimStatus.SUBMITTED).id)
        case "pay":
            claim = next(c for c in claims if c.status == ClaimStatus.VERIFIED)
            actions.pay(session, INDAH, claim.id, spm_number="1", sp2d_number="1", office=office)
        case "refuse":
            actions.refuse_claim(session, INDAH, _pick(claims, step).id, reason="ditolak")
        case "distribute":
            actions.distribute(session, BUDI, _pick(contracts, step).id, activity="Kegiatan", amount=step.amount)
        case "hand over":
            running = [c for c in contracts if c.status == ContractStatus.SIGNED]
            walk.handed_over(session, office, walk.delivered(session, office, _pick(running, step)))
        case "raw contract":
            _insert_contract(session.connection(), value=step.amount)
        case "raw payment":
            _insert_payment(session.connection(), amount=step.amount // 3)
        case "raw distribution":
            row = {"id": uuid4(), "contract_id": None, "account_code": "525113", "activity": "x", "amount": step.amount}
            ceiling_id = session.scalars(select(Ceiling.id)).one()
            session.add(Distribution(**row, ceiling_id=ceiling_id, distributed_by_name="x"))
        case "raw correction":
            payment = next(iter(session.scalars(select(Payment).where(Payment.corrects_id.is_(None)))))
            _insert_payment(session.connection(), amount=-(step.amount % payment.amount + 1), corrects=payment)


def _pick(rows: list[Any], step: Step) -> Any:
    if not rows:
        raise StopIteration
    return rows[step.which % len(rows)]


def _payments(session: Session) -> int:
    return int(session.scalar(text("SELECT coalesce(sum(amount), 0) FROM payment")) or 0)


def _paid(session: Session) -> int:
    return int(session.scalar(text("SELECT coalesce(sum(paid_amount), 0) FROM term")) or 0)


def _insert_contract(connection: Connection, *, value: int) -> None:
    found = connection.execute(select(Contract.__table__).limit(1)).mappings().first()
    if found is None:
        raise StopIteration
    # What the database works out itself is not given.
    row = {name: value for name, value in found.items() if Contract.__table__.c[name].computed is None}
    row |= {"id": uuid4(), "number": uuid4().hex, "status": "draft", "vat_amount": 0}
    row |= {"tax_base_amount": value, "value_amount": value}
    connection.execute(insert(Contract).values(**row))
    term = {"id": uuid4(), "contract_id": row["id"], "no": 1, "percent": 100, "amount": value, "condition": ""}
    connection.execute(insert(Term).values(**term, created_at=row["created_at"]))


def _insert_payment(
    connection: Connection,
    *,
    amount: int,
    contract_id: UUID | None = None,
    term_id: UUID | None = None,
    corrects: Payment | None = None,
) -> None:
    term = connection.execute(select(Term.__table__).order_by(Term.no).limit(1)).mappings().first()
    if term is None:
        raise StopIteration
    row = {
        "contract_id": corrects.contract_id if corrects else contract_id or term["contract_id"],
        "term_id": corrects.term_id if corrects else term_id or term["id"],
        "corrects_id": corrects.id if corrects else None,
    }
    text_ = text(
        "INSERT INTO payment (id, created_at, contract_id, term_id, corrects_id, amount, account_code, paid_on,"
        " spm_number, sp2d_number, is_before_permit, paid_by_name, note) VALUES (gen_random_uuid(), now(),"
        " :contract_id, :term_id, :corrects_id, :amount, '525113', current_date, '1', '1', false, 'x', '')"
    )
    connection.execute(text_, {**row, "amount": amount})


def _at_once(database: Database, many: int, act: Callable[[Session, int], object]) -> list[str]:
    """Do the same in so many transactions at the same moment; return how each ended."""
    start = Barrier(many)

    def one(n: int) -> str:
        try:
            with database.transaction() as session:
                session.execute(text("SELECT 1"))
                start.wait(timeout=20)
                act(session, n)
        except (CapExceeded, OutOfTurn) as refusal:
            return type(refusal).__name__
        return "done"

    with ThreadPoolExecutor(many) as pool:
        return list(pool.map(one, range(many)))


@contextmanager
def _second_waits_for_first(database: Database, write: Callable[[Connection], None]) -> Iterator[list[str]]:
    """Write twice in two open transactions: the second waits until the first commits, and is then refused."""
    outcome: list[str] = []

    def second() -> None:
        try:
            with database.engine.begin() as connection:
                write(connection)
        except IntegrityError as refusal:
            outcome.append(str(refusal.orig))

    with ThreadPoolExecutor(1) as pool, database.engine.connect() as first:
        transaction = first.begin()
        pid = first.execute(text("SELECT pg_backend_pid()")).scalar_one()
        write(first)
        waiting = pool.submit(second)
        with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as watcher:
            while not watcher.execute(WAITS, {"pid": pid}).scalar_one():
                assert not waiting.done(), f"the second did not wait: {outcome}"
        transaction.commit()
        waiting.result(timeout=20)
    yield outcome


@contextmanager
def _rolled_back(database: Database) -> Iterator[Session]:
    with database.engine.connect() as connection:
        transaction = connection.begin()
        with Session(connection, join_transaction_mode="create_savepoint", expire_on_commit=False) as session:
            yield session
        transaction.rollback()


def _office(folder: Path) -> Office:
    return Office.of(Settings(database_url="postgresql://", keys_folder=folder, files_folder=folder / "budget-files"))
