"""A ticket from its opening to its closing, and what the helpdesk does about each message."""

from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy.orm import Session

from alur.embedded import Postgres
from services.helpdesk import actions, queries
from services.helpdesk.authority import ACTS
from services.helpdesk.model import MOVES, LiveApplication, Table, Ticket, TicketStatus
from services.helpdesk.settings import Settings
from services.helpdesk.tasks import make_worker
from shared import audit
from shared.authority import Act
from shared.database import utc_now
from shared.errors import Incomplete, NotAllowed, NotFound, OutOfTurn
from shared.identity import Person, Role
from shared.keys import Keys
from shared.mailbox import Actor, outbox
from shared.messages import ApplicationRetired, CaseSuspended, EvaluationOpened, RolledBack
from shared.migrate import differences
from shared.words import local_date
from tests.helpdesk.conftest import CASE, CASE_NUMBER, WORDS, letter, told, went_live
from tests.people import ANI, BAYU, DEWI, DINA, EDI, FAJAR, LINA, SARI, TONO, ZULKIFLI

# --- the life of a ticket ---------------------------------------------------------------------------------


def test_a_report_becomes_a_ticket_on_the_release_that_runs(session: Session) -> None:
    actions.note_live(session, went_live(release=3, digest="b" * 64))

    ticket = actions.open_ticket(session, LINA, **WORDS)

    year = local_date(utc_now()).year
    assert (ticket.number, ticket.status, ticket.release_number) == (f"TKT-{year}-0001", "new", 3)
    assert (ticket.reporter_id, ticket.reporter_name) == (LINA.id, LINA.name)
    [body] = told(session, "TicketOpened")
    assert (body["case_id"], body["case_number"], body["ticket_number"]) == (str(CASE), CASE_NUMBER, ticket.number)
    assert (body["release_number"], body["digest"], body["path"]) == (3, "b" * 64, f"/tiket/{ticket.id}")


def test_the_whole_life_of_a_ticket(session: Session, ticket: Ticket) -> None:
    actions.answer(session, DINA, ticket.id, body="Peramban apa yang dipakai?")
    assert (ticket.status, ticket.assignee_id) == ("waiting_user", DINA.id)
    first = ticket.first_response_at
    assert first is not None

    actions.add(session, LINA, ticket.id, body="Firefox.")
    actions.escalate(session, DINA, ticket.id, reason="Perlu pengembang.")
    actions.resolve(session, BAYU, ticket.id, body="Sudah diperbaiki di rilis 2.")
    assert (ticket.status, ticket.assignee_id, ticket.first_response_at) == ("resolved", BAYU.id, first)
    assert told(session, "TicketClosed") == []

    actions.close(session, LINA, ticket.id)

    assert (ticket.status, ticket.closed_at is None) == ("closed", False)
    assert [reply.author_id for reply in ticket.replies] == [DINA.id, LINA.id, DINA.id, BAYU.id]
    [body] = told(session, "TicketClosed")
    assert (body["ticket_number"], body["title"], body["case_id"]) == (ticket.number, ticket.title, str(CASE))
    acts = [row.act for row in session.execute(audit.entry.select().order_by(audit.entry.c.seq))]
    assert acts == ["open_ticket", "answer", "add", "escalate", "resolve", "close"]


def test_letters_of_a_ticket_name_the_person_and_the_line_of_the_audit_chain(session: Session, ticket: Ticket) -> None:
    row = session.execute(outbox.select().where(outbox.c.kind == "TicketOpened")).one()
    actor = Actor.model_validate_json(row.actor)

    assert (row.dest, row.aggregate) == ("proposal", f"ticket:{ticket.number}")
    assert (actor.id, actor.as_what) == (LINA.id, LINA.title)
    assert actor.audit_seq is not None and actor.audit_hash is not None
    assert audit.holds(session, actor.audit_seq, actor.audit_hash)


def test_a_ticket_that_is_not_solved_is_worked_on_again(session: Session, ticket: Ticket) -> None:
    actions.resolve(session, DINA, ticket.id, body="Sudah.")

    actions.add(session, LINA, ticket.id, body="Masih kosong.")

    assert (ticket.status, ticket.resolved_at) == ("in_progress", None)


def test_numbers_follow_each_other_without_a_hole(session: Session) -> None:
    numbers = [actions.open_ticket(session, LINA, **WORDS).number[-4:] for _ in range(3)]

    assert numbers == ["0001", "0002", "0003"]


def test_an_application_that_nobody_uses_gets_no_ticket(session: Session) -> None:
    with pytest.raises(Incomplete) as refused:
        actions.open_ticket(session, LINA, **{**WORDS, "application": "simak"})

    assert [e.pointer for e in refused.value.errors] == ["/application"]
    assert told(session, "TicketOpened") == []


@pytest.mark.parametrize("move", sorted(MOVES))
@pytest.mark.parametrize("status", list(TicketStatus))
def test_a_move_is_made_only_from_its_own_statuses(status: TicketStatus, move: str) -> None:
    ticket = Ticket(number="TKT-1", status=status)
    sources, target = MOVES[move]

    if status in sources:
        ticket.move(move)
        assert ticket.status == target
    else:
        with pytest.raises(OutOfTurn, match="Muat ulang halaman tiket"):
            ticket.move(move)
        assert ticket.status == status


def test_a_closed_ticket_stays_closed(session: Session, ticket: Ticket) -> None:
    actions.resolve(session, DINA, ticket.id, body="Sudah.")
    actions.close(session, LINA, ticket.id)

    with pytest.raises(OutOfTurn):
        actions.answer(session, DINA, ticket.id, body="Halo")
    with pytest.raises(OutOfTurn):
        actions.add(session, LINA, ticket.id, body="Halo")
    with pytest.raises(OutOfTurn):
        actions.resolve(session, DINA, ticket.id, body="Halo")
    with pytest.raises(OutOfTurn):
        actions.close(session, LINA, ticket.id)
    assert len(told(session, "TicketClosed")) == 1


# --- who may ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("act", list(ACTS), ids=lambda act: act.name)
@pytest.mark.parametrize("role", list(Role))
def test_the_table_alone_decides_which_role_may(role: Role, act: Act) -> None:
    by = Person(id=uuid4(), username="x", name="X", roles=frozenset({role}))
    own = Ticket(reporter_id=by.id)
    reporters = set(Role) - {Role.AUDITOR, Role.ADMIN}
    agents = {Role.SERVICE_STAFF, Role.SERVICE_HEAD}
    expected = {
        "open_ticket": reporters,
        "answer": agents | {Role.APP_STAFF, Role.INFRA_STAFF, Role.SECURITY_STAFF},
        "add": reporters,
        "escalate": agents,
        "resolve": agents | {Role.APP_STAFF, Role.INFRA_STAFF, Role.SECURITY_STAFF},
        "close": reporters,
    }

    assert act.allows(by, own) is (role in expected[act.name])


@pytest.mark.parametrize("role", list(Role))
def test_only_reporters_add_and_only_reporters_and_agents_close(role: Role) -> None:
    by = Person(id=uuid4(), username="x", name="X", roles=frozenset({role}))
    theirs = Ticket(reporter_id=LINA.id)

    assert not ACTS.add.allows(by, theirs)
    assert ACTS.close.allows(by, theirs) is (role in {Role.SERVICE_STAFF, Role.SERVICE_HEAD})


def test_another_reporter_neither_sees_nor_touches_a_ticket(session: Session, ticket: Ticket) -> None:
    actions.resolve(session, DINA, ticket.id, body="Sudah.")

    with pytest.raises(NotFound):
        queries.ticket(session, ZULKIFLI, ticket.id)
    with pytest.raises(NotFound):
        actions.close(session, ZULKIFLI, ticket.id)
    with pytest.raises(NotFound):
        actions.add(session, ZULKIFLI, ticket.id, body="Halo")
    assert queries.tickets(session, ZULKIFLI) == []
    assert ticket.status == "resolved"


def test_the_auditor_sees_all_and_may_nothing(session: Session, ticket: Ticket) -> None:
    assert queries.ticket(session, SARI, ticket.id) is ticket
    assert [row.id for row in queries.tickets(session, SARI)] == [ticket.id]
    assert queries.offered(SARI, ticket) == []
    with pytest.raises(NotAllowed):
        actions.answer(session, SARI, ticket.id, body="Halo")
    with pytest.raises(NotAllowed):
        actions.open_ticket(session, TONO, **WORDS)


def test_what_is_offered_is_what_is_not_refused(session: Session, ticket: Ticket) -> None:
    def names(by: Person) -> list[str]:
        return [act.name for act in queries.offered(by, ticket)]

    assert names(DINA) == ["answer", "escalate", "resolve"]
    assert names(LINA) == []
    actions.resolve(session, DINA, ticket.id, body="Sudah.")
    assert names(LINA) == ["add", "close"]
    assert names(DINA) == ["close"]


# --- what waits, lists, figures ---------------------------------------------------------------------------


def test_a_ticket_waits_for_whoever_is_to_move_it(session: Session, ticket: Ticket) -> None:
    def waits() -> set[str]:
        people = {"lina": LINA, "dina": DINA, "dewi": DEWI, "bayu": BAYU, "ani": ANI, "sari": SARI}
        return {name for name, by in people.items() if queries.waiting_on(session, by) == [ticket]}

    assert waits() == {"dina", "dewi"}
    actions.answer(session, DINA, ticket.id, body="Halo")
    assert waits() == {"lina"}
    actions.add(session, LINA, ticket.id, body="Halo")
    actions.escalate(session, DINA, ticket.id, reason="Perlu pengembang")
    assert waits() == {"bayu"}
    actions.resolve(session, BAYU, ticket.id, body="Sudah")
    assert waits() == {"lina"}
    actions.close(session, LINA, ticket.id)
    assert waits() == set()


def test_an_agents_own_report_waits_for_them_too(session: Session) -> None:
    ticket = actions.open_ticket(session, BAYU, **WORDS)
    actions.answer(session, DINA, ticket.id, body="Halo")

    assert queries.waiting_on(session, BAYU) == [ticket]


def test_a_list_goes_on_where_it_stopped_though_tickets_are_added(session: Session) -> None:
    moment = utc_now()
    for n in range(5):
        # All at one moment: then the id decides, and none is lost or comes twice.
        actions.open_ticket(session, LINA, **WORDS).created_at = moment - timedelta(hours=n // 3)
    session.flush()

    first = queries.tickets(session, LINA, limit=2)
    actions.open_ticket(session, LINA, **WORDS)
    second = queries.tickets(session, LINA, limit=2, after=(first[-1].created_at, first[-1].id))
    third = queries.tickets(session, LINA, limit=2, after=(second[-1].created_at, second[-1].id))

    assert len({t.id for t in (*first, *second, *third)}) == 5
    assert [len(first), len(second), len(third)] == [2, 2, 1]


def test_figures_count_the_tickets_of_a_period_of_one_application(session: Session) -> None:
    actions.note_live(session, went_live(case_id=uuid4(), code="simak", case_number="APL-2026-0002"))
    opened = [actions.open_ticket(session, LINA, **WORDS) for _ in range(4)]
    actions.open_ticket(session, LINA, **{**WORDS, "application": "simak"})
    for ticket in opened[:2]:
        actions.resolve(session, DINA, ticket.id, body="Sudah.")
    actions.close(session, LINA, opened[0].id)
    for hours, ticket in zip((2, 4), opened[:2], strict=True):
        assert ticket.resolved_at
        ticket.created_at = ticket.resolved_at - timedelta(hours=hours)
    opened[3].created_at -= timedelta(days=400)
    session.flush()
    today = local_date(utc_now())

    found = queries.figures(session, CASE, from_on=today - timedelta(days=30), until_on=today)

    assert {f.key: f.value for f in found} == {"tickets_total": 3, "tickets_closed": 1, "tickets_median_hours": 3.0}
    assert all("Tiket Divisi Layanan" in f.source for f in found)


def test_nothing_resolved_has_no_median(session: Session, ticket: Ticket) -> None:
    today = local_date(utc_now())

    found = queries.figures(session, CASE, from_on=today, until_on=today)

    assert {f.key: f.value for f in found} == {"tickets_total": 1, "tickets_closed": 0}


# --- messages ---------------------------------------------------------------------------------------------


def test_a_newer_release_replaces_what_was_known(session: Session) -> None:
    actions.note_suspension(session, CaseSuspended(case_id=CASE, case_number=CASE_NUMBER))

    actions.note_live(session, went_live(release=2, digest="b" * 64, name="e-Presensi Baru"))

    live = session.get_one(LiveApplication, CASE)
    assert (live.release_number, live.digest, live.name, live.is_suspended) == (2, "b" * 64, "e-Presensi Baru", False)
    assert queries.applications(session) == {live.code: "e-Presensi Baru"}


def test_a_roll_back_is_known_and_new_tickets_name_the_earlier_release(session: Session) -> None:
    actions.note_live(session, went_live(release=2, digest="b" * 64))

    actions.note_roll_back(
        session,
        RolledBack(case_id=CASE, case_number=CASE_NUMBER, digest="a" * 64, release_id=uuid4(), release_number=1),
    )

    assert actions.open_ticket(session, LINA, **WORDS).release_number == 1
    assert told(session, "TicketOpened")[0]["digest"] == "a" * 64


def test_a_suspension_is_known(session: Session) -> None:
    actions.note_suspension(session, CaseSuspended(case_id=CASE, case_number=CASE_NUMBER))

    assert session.get_one(LiveApplication, CASE).is_suspended


def test_a_retired_application_takes_no_new_tickets_and_old_ones_go_on(session: Session, ticket: Ticket) -> None:
    for _ in range(2):
        actions.note_retirement(session, ApplicationRetired(case_id=CASE, case_number=CASE_NUMBER))
    actions.note_retirement(session, ApplicationRetired(case_id=uuid4(), case_number="APL-2020-0001"))

    assert queries.applications(session) == {}
    with pytest.raises(Incomplete, match="dinonaktifkan"):
        actions.open_ticket(session, LINA, **WORDS)
    assert actions.resolve(session, DINA, ticket.id, body="Data sudah diserahkan.").status == "resolved"


def test_a_message_that_comes_too_early_is_out_of_turn(session: Session) -> None:
    unknown = uuid4()

    with pytest.raises(OutOfTurn):
        actions.note_suspension(session, CaseSuspended(case_id=unknown, case_number="APL-2026-0009"))
    with pytest.raises(OutOfTurn):
        actions.note_roll_back(
            session,
            RolledBack(case_id=unknown, case_number="APL-2026-0009", release_id=uuid4(), release_number=1),
        )


def test_an_evaluation_is_answered_with_figures_in_the_name_of_who_asked(session: Session, ticket: Ticket) -> None:
    today = local_date(utc_now())
    asked = EvaluationOpened(
        case_id=CASE, case_number=CASE_NUMBER, evaluation_id=uuid4(), from_on=today, until_on=today
    )
    envelope = letter(asked, source="proposal")

    actions.gather_figures(session, asked, envelope)

    [body] = told(session, "FiguresGathered")
    assert (body["division"], body["evaluation_id"]) == ("helpdesk", str(asked.evaluation_id))
    assert [f["key"] for f in body["figures"]] == ["tickets_total", "tickets_closed"]
    row = session.execute(outbox.select().where(outbox.c.kind == "FiguresGathered")).one()
    assert Actor.model_validate_json(row.actor).id == envelope.actor.id


def test_each_message_reaches_its_action(session: Session, postgres: Postgres, keys: Keys) -> None:
    worker = make_worker(
        Settings(database_url=postgres.url("helpdesk"), keys_folder=keys.folder, files_folder=keys.folder)
    )
    today = local_date(utc_now())
    for message in (
        went_live(release=5),
        RolledBack(case_id=CASE, case_number=CASE_NUMBER, digest="c" * 64, release_id=uuid4(), release_number=4),
        CaseSuspended(case_id=CASE, case_number=CASE_NUMBER),
        EvaluationOpened(case_id=CASE, case_number=CASE_NUMBER, evaluation_id=uuid4(), from_on=today, until_on=today),
    ):
        worker.handlers[type(message).__name__].call(session, message, letter(message))

    live = session.get_one(LiveApplication, CASE)
    assert (live.release_number, live.is_suspended) == (4, True)
    assert len(told(session, "FiguresGathered")) == 1
    worker.database.close()


# --- tables -----------------------------------------------------------------------------------------------


def test_the_tables_match_the_model(postgres: Postgres, migrated: Callable[[str], str]) -> None:
    assert differences(postgres.url(migrated("helpdesk")), Table.metadata) == []


def test_people_of_other_divisions_help_when_asked(session: Session, ticket: Ticket) -> None:
    actions.escalate(session, DINA, ticket.id, reason="Perlu infrastruktur")

    assert queries.waiting_on(session, EDI) == queries.waiting_on(session, FAJAR) == [ticket]
    assert actions.answer(session, EDI, ticket.id, body="Sedang diperiksa.").assignee_id == EDI.id
