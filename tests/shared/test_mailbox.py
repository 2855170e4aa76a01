"""Letters between two divisions take effect once and in order; letters are carried by hand, no broker."""

import random
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from shared import audit, mailbox
from shared.database import Database
from shared.errors import Incomplete, OutOfTurn
from shared.keys import Keys
from shared.mailbox import Handler, Letter, Outcome
from shared.messages import ContractTerminated, Message, PaymentMade, TicketClosed
from tests.people import CITRA, INDAH

CASE = UUID(int=7)


def payment(amount: int, *, case: UUID = CASE) -> PaymentMade:
    return PaymentMade(case_id=case, case_number="1/2026", term=1, amount=amount, paid_amount=amount)


@dataclass
class Office:
    """Budget tells, proposal hears: two databases and a messenger who may be told to misbehave."""

    budget: Database
    proposal: Database
    keys: Keys
    poison: set[int] = field(default_factory=set)
    too_early: set[int] = field(default_factory=set)
    killer: set[int] = field(default_factory=set)
    runs: list[int] = field(default_factory=list)
    letters: list[Letter] = field(default_factory=list)

    def tell(self, *messages: Message, **how: Any) -> None:
        with self.budget.transaction() as session:
            for message in messages:
                mailbox.post(session, message, **how)

    def note(self, session: Session, message: PaymentMade, letter: Letter) -> None:
        self.runs.append(message.amount)
        self.letters.append(letter)
        session.execute(
            text("INSERT INTO effect (aggregate, amount) VALUES (:aggregate, :amount)"),
            {"aggregate": letter.aggregate, "amount": message.amount},
        )
        if message.amount in self.poison:
            raise RuntimeError("poison")
        if message.amount in self.too_early:
            raise OutOfTurn("belum gilirannya")
        if message.amount in self.killer:
            raise KilledError

    @property
    def handlers(self) -> mailbox.Handlers:
        return {"PaymentMade": Handler(PaymentMade, self.note)}

    def take(self, *, room: int = 16) -> list[mailbox.Parcel]:
        with self.budget.transaction() as session:
            parcels = mailbox.take(session, source="budget", keys=self.keys, room={"proposal": room})
            mailbox.mark_sent(session, parcels)
        return parcels

    def deliver(self, wires: Any) -> list[Outcome]:
        return mailbox.receive(
            self.proposal, wires, service="proposal", keys=self.keys, handlers=self.handlers, interrupts=(TooSlowError,)
        )

    def answer(self, outcomes: list[Outcome]) -> None:
        wire = mailbox.seal_acks(outcomes, consumer="proposal", source="budget", keys=self.keys)
        with self.budget.transaction() as session:
            mailbox.acknowledge(session, wire, producer="budget", keys=self.keys)

    def carry(self) -> list[Outcome]:
        """Carry what may travel there and back, once."""
        outcomes = [outcome for parcel in self.take() for outcome in self.deliver(parcel.wires)]
        self.answer(outcomes)
        return outcomes

    def wait(self) -> None:
        """Let the time pass after which letters are sent again."""
        with self.budget.transaction() as session:
            mailbox.due_now(session)

    def carry_all(self, *, most: int = 60) -> None:
        for _ in range(most):
            self.wait()
            if not self.carry():
                return
        raise AssertionError("letters still travel")

    def effects(self) -> list[int]:
        with self.proposal.transaction() as session:
            return list(session.execute(text("SELECT amount FROM effect ORDER BY id")).scalars())

    def outbox(self, column: str = "version") -> list[Any]:
        with self.budget.transaction() as session:
            return list(session.execute(text(f"SELECT {column} FROM msg.outbox ORDER BY seq")).scalars())

    def alarms(self) -> dict[str, int]:
        with self.proposal.transaction() as session:
            rows = session.execute(text("SELECT kind, count AS times FROM msg.alarm"))
            return {row.kind: row.times for row in rows}

    def dead(self) -> list[mailbox.DeadLetter]:
        with self.budget.transaction() as session:
            return mailbox.dead_letters(session)


class KilledError(BaseException):
    """Ends a handler as kill -9 would: nothing after it runs."""


class TooSlowError(Exception):
    """What the worker raises in a handler that takes too long."""


@pytest.fixture
def office(database_of: Callable[[str], Database], keys: Keys) -> Iterator[Office]:
    made = Office(database_of("budget"), database_of("proposal"), keys)
    with made.proposal.transaction() as session:
        session.execute(text("CREATE TABLE effect (id bigserial, aggregate text, amount int)"))
    yield made


def test_a_letter_leaves_only_with_the_commit(office: Office) -> None:
    with pytest.raises(ZeroDivisionError), office.budget.transaction() as session:
        mailbox.post(session, payment(1))
        raise ZeroDivisionError

    assert office.take() == []


def test_an_answer_keeps_its_asker_and_points_to_the_line_of_whoever_answers(
    sessions: Callable[[str], Session],
) -> None:
    session = sessions("helpdesk")
    asked = mailbox.Actor(id=CITRA.id, name=CITRA.name, as_what=CITRA.as_what, audit_seq=7, audit_hash="a" * 64)
    message = TicketClosed(case_id=uuid4(), case_number="APL-2026-0001", ticket_number="TKT-2026-0001", title="Contoh")

    own = audit.record(session, None, "answer", "ticket:1")
    mailbox.post(session, message, actor=asked)

    told = orjson.loads(session.scalar(text("SELECT actor FROM msg.outbox ORDER BY seq DESC LIMIT 1")) or "")
    assert (told["id"], told["audit_seq"], told["audit_hash"]) == (str(CITRA.id), own.seq, own.hash)


def test_a_letter_takes_effect_and_is_not_sent_again(office: Office) -> None:
    office.tell(payment(1))

    assert [outcome.result for outcome in office.carry()] == ["done"]

    office.wait()
    assert office.take() == []
    assert office.effects() == [1]


def test_every_receiver_has_a_letter_of_its_own(office: Office) -> None:
    office.tell(ContractTerminated(case_id=CASE, case_number="1/2026", contract_number="K-1"))

    assert office.outbox("dest") == ["deploy", "proposal"]
    assert office.outbox("version") == [1, 1]


def test_versions_have_no_holes_whoever_writes_and_fails_at_once(office: Office) -> None:
    def write(seed: int) -> None:
        chance = random.Random(seed)
        for number in range(20):
            try:
                office.tell(payment(number), *([payment(number)] if chance.random() < 0.5 else []))
                with office.budget.transaction() as session:
                    mailbox.post(session, payment(number))
                    if chance.random() < 0.3:
                        raise ZeroDivisionError
            except ZeroDivisionError:
                pass

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(4)))

    versions = office.outbox()
    assert versions == list(range(1, len(versions) + 1))


def test_every_letter_five_times_and_shuffled_acts_once_and_in_order(office: Office) -> None:
    cases = [UUID(int=number) for number in range(1, 6)]
    office.tell(*(payment(100 * index + n, case=case) for n in range(8) for index, case in enumerate(cases)))
    wires = [wire for parcel in office.take() for wire in parcel.wires] * 5
    seed = random.randrange(10**6)
    random.Random(seed).shuffle(wires)

    for start in range(0, len(wires), 7):
        office.answer(office.deliver(wires[start : start + 7]))
    office.carry_all()

    effects = office.effects()
    assert len(effects) == len(set(effects)) == 40, f"seed {seed}"
    for index in range(5):
        mine = [amount for amount in effects if amount // 100 == index]
        assert mine == sorted(mine), f"seed {seed}"


def test_a_letter_waits_while_an_earlier_one_of_its_stream_is_under_way(office: Office) -> None:
    office.tell(payment(1))
    first = office.take()
    office.tell(payment(2), payment(3, case=UUID(int=8)))

    second = office.take()

    assert [len(parcel.wires) for parcel in second] == [1]
    assert [outcome.result for outcome in office.deliver(second[0].wires)] == ["done"]
    office.answer(office.deliver(first[0].wires))
    assert [outcome.result for outcome in office.carry()] == ["done"]
    assert office.effects() == [3, 1, 2]


def test_a_stream_is_never_in_two_parcels(office: Office) -> None:
    office.tell(*(payment(n) for n in range(120)))

    assert [len(parcel.wires) for parcel in office.take()] == [50]

    office.carry_all()
    assert office.effects() == list(range(120))


def test_a_full_receiver_is_sent_nothing(office: Office) -> None:
    office.tell(payment(1))

    assert office.take(room=0) == []


def test_a_letter_that_was_sent_before_travels_alone(office: Office) -> None:
    office.tell(*(payment(n, case=uuid4()) for n in range(5)))
    assert [len(parcel.wires) for parcel in office.take()] == [5]
    assert office.take() == []

    office.wait()

    assert [len(parcel.wires) for parcel in office.take()] == [1] * 5


def test_poison_is_dead_after_five_and_its_stream_waits(office: Office) -> None:
    office.poison = {2}
    other = UUID(int=9)
    office.tell(payment(1), payment(2), payment(3), payment(4, case=other))

    office.carry_all()

    assert sorted(office.effects()) == [1, 4]
    assert office.runs.count(2) == 5
    (dead,) = office.dead()
    assert (dead.version, dead.held, dead.reason) == (2, 1, "RuntimeError: poison")


def test_a_dead_letter_that_is_tried_again_restores_the_order(office: Office) -> None:
    office.poison = {2}
    office.tell(payment(1), payment(2), payment(3))
    office.carry_all()
    office.poison = set()

    with office.budget.transaction() as session:
        mailbox.retry(session, office.dead()[0].id, by=CITRA)
    office.carry_all()

    assert office.effects() == [1, 2, 3]
    assert office.dead() == []


def test_a_skipped_letter_has_no_effect_and_frees_its_stream(office: Office) -> None:
    office.poison = {2}
    office.tell(payment(1), payment(2), payment(3))
    office.carry_all()

    with office.budget.transaction() as session:
        mailbox.skip(session, office.dead()[0].id, reason="dicatat dengan tangan", by=CITRA)
    office.carry_all()

    assert office.effects() == [1, 3]
    assert office.outbox("kind") == ["PaymentMade", "Skipped", "PaymentMade"]
    with office.budget.transaction() as session:
        assert audit.verify(session) == (1, [])


def test_a_letter_is_not_skipped_without_a_reason(office: Office) -> None:
    office.tell(payment(1))

    with office.budget.transaction() as session, pytest.raises(Incomplete):
        mailbox.skip(session, uuid4(), reason=" ")


def test_only_a_dead_letter_can_be_tried_again(office: Office) -> None:
    office.tell(payment(1))
    (letter,) = office.outbox("id")

    with office.budget.transaction() as session, pytest.raises(OutOfTurn):
        mailbox.retry(session, letter)


def test_a_fact_before_its_turn_waits_and_acts_when_it_may(office: Office) -> None:
    office.too_early = {1}
    office.tell(payment(1))
    for _ in range(10):
        office.wait()
        assert [outcome.result for outcome in office.carry()] == ["refused"]
    office.too_early = set()

    office.carry_all()

    assert office.effects() == [1]


def test_a_fact_whose_turn_never_comes_is_dead_at_last(office: Office) -> None:
    office.too_early = {1}
    office.tell(payment(1))

    office.carry_all()

    assert len(office.runs) == mailbox.MOST_EARLY
    assert len(office.dead()) == 1


def test_a_letter_that_kills_its_worker_is_dead_though_nobody_could_tell(office: Office) -> None:
    office.killer = {1}
    office.tell(payment(1), payment(2, case=UUID(int=9)))

    for _ in range(10):
        office.wait()
        for parcel in office.take():
            try:
                office.answer(office.deliver(parcel.wires))
            except KilledError:
                continue

    assert office.effects() == [2]
    assert office.runs.count(1) == 1 + mailbox.MOST_FAILED
    assert len(office.dead()) == 1


def test_a_failing_letter_leaves_nothing_behind_and_its_neighbours_stay(office: Office) -> None:
    office.poison = {2}
    office.tell(payment(1, case=UUID(int=1)), payment(2, case=UUID(int=2)), payment(3, case=UUID(int=3)))

    outcomes = office.carry()

    assert sorted(outcome.result for outcome in outcomes) == ["done", "done", "refused"]
    assert office.effects() == [1, 3]


def test_a_handler_that_is_too_slow_fails_alone_and_the_rest_comes_again(office: Office) -> None:
    office.tell(*(payment(n, case=UUID(int=n)) for n in (1, 2, 3)))
    (parcel,) = office.take()

    def slow(session: Session, message: PaymentMade, letter: Letter) -> None:
        if message.amount == 2:
            raise TooSlowError
        office.note(session, message, letter)

    outcomes = mailbox.receive(
        office.proposal,
        parcel.wires,
        service="proposal",
        keys=office.keys,
        handlers={"PaymentMade": Handler(PaymentMade, slow)},
        interrupts=(TooSlowError,),
    )

    assert [outcome.result for outcome in outcomes] == ["done", "refused"]
    office.carry_all()
    assert office.effects() == [1, 2, 3] or office.effects() == [1, 3, 2]


def test_a_lock_that_somebody_holds_is_not_the_fault_of_the_letter(office: Office) -> None:
    office.tell(payment(1))
    (parcel,) = office.take()

    def blocked(session: Session, message: PaymentMade, letter: Letter) -> None:
        session.execute(text("SET LOCAL lock_timeout = '20ms'"))
        office.note(session, message, letter)

    with office.proposal.transaction() as other:
        other.execute(text("LOCK TABLE effect IN EXCLUSIVE MODE"))
        handlers = {"PaymentMade": Handler(PaymentMade, blocked)}
        outcomes = mailbox.receive(
            office.proposal, parcel.wires, service="proposal", keys=office.keys, handlers=handlers
        )

    assert [outcome.result for outcome in outcomes] == ["refused"]
    with office.proposal.transaction() as session:
        assert session.execute(text("SELECT failed, early FROM msg.attempt")).one() == (0, 1)


def altered(wire: dict[str, Any], **changes: Any) -> dict[str, Any]:
    told = orjson.loads(wire["letter"]) | changes
    return {**wire, "letter": orjson.dumps(told, option=orjson.OPT_SORT_KEYS).decode()}


def test_a_letter_that_its_source_did_not_sign_is_counted_and_dropped(office: Office) -> None:
    office.tell(payment(1))
    (parcel,) = office.take()
    (wire,) = parcel.wires
    body = {**orjson.loads(wire["letter"])["body"], "amount": 10**9}
    forged = [
        altered(wire, body=body),
        altered(wire, version=2),
        altered(wire, source="security"),
        altered(wire, source="../../etc"),
        altered(wire, dest="deploy"),
        {**wire, "sig": "0" * 64},
        {**wire, "sig": None},
        {"letter": "{", "sig": ""},
        {"letter": "[]", "sig": ""},
        {"letter": "x" * 200_000, "sig": ""},
        {},
    ]

    assert office.deliver(forged) == []

    assert office.effects() == []
    assert sum(office.alarms().values()) >= 1
    with office.proposal.transaction() as session:
        assert session.execute(text("SELECT sum(count) FROM msg.alarm")).scalar_one() == len(forged)
    assert [outcome.result for outcome in office.deliver([wire])] == ["done"]


def test_what_is_signed_for_one_receiver_is_not_taken_by_another(office: Office) -> None:
    office.tell(payment(1))
    (parcel,) = office.take()

    outcomes = mailbox.receive(
        office.proposal, parcel.wires, service="deploy", keys=office.keys, handlers=office.handlers
    )

    assert outcomes == []


def test_an_unknown_kind_waits_at_the_producer_and_is_not_dead(office: Office) -> None:
    office.tell(ContractTerminated(case_id=CASE, case_number="1/2026", contract_number="K-1"))

    for _ in range(7):
        office.wait()
        assert [outcome.result for outcome in office.carry()] == ["refused"]

    assert office.dead() == []
    assert office.alarms() == {"unknown": 7}


def test_a_newer_schema_waits_at_the_producer(office: Office) -> None:
    office.tell(payment(1))
    with office.budget.transaction() as session:
        session.execute(text("UPDATE msg.outbox SET schema_v = 2"))

    assert [outcome.result for outcome in office.carry()] == ["refused"]


def test_an_older_letter_without_a_newer_field_is_accepted(office: Office) -> None:
    office.tell(payment(1))
    with office.budget.transaction() as session:
        body = orjson.loads(session.execute(text("SELECT body FROM msg.outbox")).scalar_one())
        for name in ("note", "papers", "digest", "path"):
            body.pop(name)
        session.execute(text("UPDATE msg.outbox SET body = :body"), {"body": orjson.dumps(body).decode()})

    assert [outcome.result for outcome in office.carry()] == ["done"]


def test_another_fact_in_the_same_place_is_a_fork(office: Office) -> None:
    office.tell(payment(1))
    office.carry()
    with office.budget.transaction() as session:
        session.execute(text("DELETE FROM msg.outbox; DELETE FROM msg.stream"))

    office.tell(payment(2))
    (outcome,) = office.carry()

    assert outcome.result == "dead"
    assert office.effects() == [1]
    assert office.alarms() == {"fork": 1}


def test_the_same_fact_under_another_id_is_done_already(office: Office) -> None:
    office.tell(payment(1))
    office.carry()
    with office.budget.transaction() as session:
        session.execute(text("UPDATE msg.outbox SET id = gen_random_uuid(), acked_at = NULL"))

    office.wait()
    (outcome,) = office.carry()

    assert outcome.result == "done"
    assert office.effects() == [1]


def test_an_old_letter_after_the_inbox_was_pruned_does_not_act_again(office: Office) -> None:
    office.tell(payment(1), payment(2))
    (parcel,) = office.take()
    office.deliver(parcel.wires)
    with office.proposal.transaction() as session:
        session.execute(text("UPDATE msg.inbox SET at = at - interval '31 days'"))
        assert mailbox.prune(session)["inbox"] == 2

    assert [outcome.result for outcome in office.deliver(parcel.wires)] == ["done", "done"]

    assert office.effects() == [1, 2]


def test_acknowledged_letters_are_pruned_and_versions_go_on(office: Office) -> None:
    office.tell(payment(1))
    office.carry()
    with office.budget.transaction() as session:
        session.execute(text("UPDATE msg.outbox SET acked_at = acked_at - interval '91 days'"))
        assert mailbox.prune(session)["outbox"] == 1

    office.tell(payment(2))

    assert office.outbox() == [2]
    assert [outcome.result for outcome in office.carry()] == ["done"]


def test_an_acknowledgement_that_the_consumer_did_not_sign_changes_nothing(office: Office) -> None:
    office.tell(payment(1))
    office.take()
    (letter,) = office.outbox("id")
    forged = [
        mailbox.seal_acks([Outcome("budget", letter, "done")], consumer="deploy", source="budget", keys=office.keys),
        {"acks": orjson.dumps({"v": 1, "consumer": "proposal", "producer": "budget", "acks": []}).decode(), "sig": ""},
        {"acks": "nonsense"},
        {},
    ]

    with office.budget.transaction() as session:
        for wire in forged:
            mailbox.acknowledge(session, wire, producer="budget", keys=office.keys)

    assert office.outbox("acked_at") == [None]
    with office.budget.transaction() as session:
        assert session.execute(text("SELECT sum(count) FROM msg.alarm")).scalar_one() == 3


def test_a_letter_says_who_acted_and_points_to_the_audit_line(office: Office) -> None:
    with office.budget.transaction() as session:
        link = audit.record(session, INDAH, "pay", "contract:1")
        mailbox.post(session, payment(1), by=INDAH)

    office.carry()

    actor = office.letters[0].actor
    assert (actor.id, actor.name, actor.as_what) == (INDAH.id, INDAH.name, INDAH.as_what)
    assert (actor.audit_seq, actor.audit_hash) == (link.seq, link.hash)


def test_a_later_letter_of_the_session_does_not_point_to_an_older_line(office: Office) -> None:
    with office.budget.session() as session:
        with session.begin():
            audit.record(session, INDAH, "pay", "contract:1")
        with session.begin():
            mailbox.post(session, payment(1))

    office.carry()

    assert office.letters[0].actor == mailbox.Actor()


def test_what_a_handler_tells_carries_the_trace_and_the_actor_on(office: Office) -> None:
    office.tell(payment(1), by=INDAH)
    (parcel,) = office.take()
    (wire,) = parcel.wires

    def pass_on(session: Session, message: PaymentMade, letter: Letter) -> None:
        told = ContractTerminated(case_id=CASE, case_number="1/2026", contract_number="K-1")
        mailbox.post(session, told, actor=letter.actor)

    handlers = {"PaymentMade": Handler(PaymentMade, pass_on)}
    mailbox.receive(office.proposal, [wire], service="proposal", keys=office.keys, handlers=handlers)

    with office.proposal.transaction() as session:
        rows = session.execute(text("SELECT trace, actor FROM msg.outbox")).all()
    assert {row.trace for row in rows} == {orjson.loads(wire["letter"])["trace"]}
    assert {orjson.loads(row.actor)["name"] for row in rows} == {INDAH.name}


@pytest.mark.parametrize("note", ["a\x00b", "x" * 70_000])
def test_what_no_receiver_could_keep_is_not_posted(office: Office, note: str) -> None:
    message = payment(1).model_copy(update={"note": note})

    with office.budget.transaction() as session, pytest.raises(ValueError, match="does not fit"):
        mailbox.post(session, message)


def test_a_receiver_with_a_long_backlog_does_not_keep_the_others_waiting(office: Office) -> None:
    told = ContractTerminated(case_id=uuid4(), case_number="1/2026", contract_number="K-1")
    office.tell(*(payment(n, case=uuid4()) for n in range(200)), told)

    with office.budget.transaction() as session:
        room = {"proposal": 1, "deploy": 1}
        parcels = mailbox.take(session, source="budget", keys=office.keys, room=room)

    assert sorted((parcel.dest, len(parcel.wires)) for parcel in parcels) == [("deploy", 1), ("proposal", 50)]


def test_the_standing_tells_what_waits_and_what_is_dead(office: Office) -> None:
    office.poison = {1}
    office.tell(payment(1))
    office.carry_all()
    office.tell(payment(2), payment(3, case=uuid4()))

    with office.budget.transaction() as session:
        standing = mailbox.standing(session)

    assert (standing.waiting, standing.dead) == (2, 1)
