"""The operators' page: how each part stands, a dead letter made on purpose, sent again or given up by name."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import text

from services.gateway.actions import person as people_of
from services.gateway.app import make
from services.gateway.settings import Settings
from shared import jobs, mailbox, oversight
from shared.database import Database
from shared.errors import NotAllowed
from shared.identity import Role
from shared.keys import Keys
from shared.mailbox import RELAY_LOCK
from shared.messages import PaymentMade
from shared.worker import Worker
from tests.gateway.conftest import PASSWORD, Visitor, serving, toy_division
from tests.people import CITRA, SARI


class Visit:
    """A running gateway before one division that tells facts, and whoever comes to it."""

    def __init__(self, url: str, own: Database, budget: Database, clients: ExitStack) -> None:
        self.url, self.own, self.budget, self.clients = url, own, budget, clients

    def enter(self, *roles: Role) -> Visitor:
        """Sign a new person in."""
        username = f"orang.{uuid4().hex[:8]}"
        with self.own.transaction() as session:
            people_of.add_person(session, username=username, display_name="Tono Contoh", roles=roles, password=PASSWORD)
        client = self.clients.enter_context(
            httpx.Client(base_url=self.url, timeout=20, headers={"accept": "text/html,*/*"}, trust_env=False)
        )
        answer = client.post("/api/session", json={"username": username, "password": PASSWORD})
        return Visitor(username, client, answer.json()["form_token"])

    def tell(self, number: str = "PRK-2026-0007", count: int = 2) -> list[UUID]:
        """Let the division tell facts about one case; the first is refused by its receiver. Return their ids."""
        case_id, ids = uuid4(), []
        with self.budget.transaction() as session:
            for term in range(1, count + 1):
                fact = PaymentMade(
                    case_id=case_id,
                    case_number=number,
                    term=term,
                    amount=1_000_000,
                    paid_amount=1_000_000,
                )
                ids += mailbox.post(session, fact, by=CITRA)
            session.execute(
                text(
                    "UPDATE msg.outbox SET sent_at = clock_timestamp(), tries = 5, dead_at = clock_timestamp(),"
                    " dead_reason = 'OutOfTurn: kontrak belum dikenal' WHERE id = :id"
                ),
                {"id": ids[0]},
            )
        return ids

    def letter(self, letter_id: UUID) -> dict[str, object]:
        """Return a letter as it stands in the outbox."""
        with self.budget.session() as session:
            row = session.execute(text("SELECT * FROM msg.outbox WHERE id = :id"), {"id": letter_id}).one()
        return dict(row._mapping)


@pytest.fixture
def visit(database_of: Callable[[str], Database], settings_for: Callable[..., Settings], keys: Keys) -> Iterator[Visit]:
    own, budget = database_of("gateway"), database_of("budget")
    toys = toy_division(settings_for(database_url=budget.url))
    gateway = make(settings_for(database_url=own.url), {"budget": toys.app})
    with serving(gateway) as url, ExitStack() as clients:
        yield Visit(url, own, budget, clients)
    toys.app.state.database.close()
    gateway.database.close()


def budget_of(visitor: Visitor) -> dict[str, object]:
    """Return how the division stands, as the API tells it."""
    rows = visitor.client.get("/api/operations").json()
    found: dict[str, object] = next(row for row in rows if row["part"] == "budget")["standing"]
    return found


def test_a_dead_letter_is_shown_with_its_reason_case_and_what_it_holds(visit: Visit) -> None:
    ids = visit.tell()
    admin = visit.enter(Role.ADMIN)

    rows = admin.client.get("/api/operations/messages").json()
    page = admin.client.get("/operasi").text

    assert [(r["part"], r["dest"], r["kind"], r["case_number"], r["held"]) for r in rows] == [
        ("budget", "proposal", "PaymentMade", "PRK-2026-0007", 1)
    ]
    assert rows[0]["id"] == str(ids[0])
    assert "kontrak belum dikenal" in page and "/perkara/PRK-2026-0007" in page
    assert "Kirim ulang" in page and "Lewati" in page and "tidak dapat ditarik kembali" in page
    pairs = budget_of(admin)["pairs"]
    assert [(p["waiting"], p["dead"], p["held"]) for p in pairs] == [(1, 1, 1)]  # type: ignore[attr-defined]


def test_a_letter_sent_again_is_fresh_and_the_chain_says_who_did_it(visit: Visit) -> None:
    dead = visit.tell()[0]
    admin = visit.enter(Role.ADMIN)
    form = {"form_token": admin.form_token}

    done = admin.client.post(f"/operasi/pesan/budget/{dead}/kirim-ulang", data=form)
    again = admin.client.post(f"/operasi/pesan/budget/{dead}/kirim-ulang", data=form)
    lines = admin.client.get("/api/audit?part=budget&act=retry_message").json()

    assert (done.status_code, done.headers["location"]) == (303, "/operasi")
    assert visit.letter(dead)["dead_at"] is None and visit.letter(dead)["tries"] == 0
    assert again.status_code == 409 and "Pesan itu tidak berhenti" in again.text
    assert [(line["name"], line["thing"]) for line in lines] == [("Tono Contoh", f"outbox:{dead}")]


def test_giving_a_letter_up_wants_a_written_reason_which_stands_in_the_chain(visit: Visit) -> None:
    dead = visit.tell()[0]
    admin = visit.enter(Role.ADMIN)
    path = f"/operasi/pesan/budget/{dead}/lewati"

    lacking = admin.client.post(path, data={"form_token": admin.form_token, "reason": "ya"})
    still_dead = visit.letter(dead)["dead_at"]
    done = admin.client.post(path, data={"form_token": admin.form_token, "reason": "Dicatat dua kali."})
    line = admin.client.get("/api/audit?part=budget&act=skip_message").json()[0]

    assert lacking.status_code == 422 and still_dead is not None and ">ya</textarea>" in lacking.text
    assert done.status_code == 303
    assert visit.letter(dead)["kind"] == mailbox.SKIPPED
    assert line["facts"] == {"kind": "PaymentMade", "reason": "Dicatat dua kali."}
    assert line["name"] == "Tono Contoh"


def test_the_same_by_json(visit: Visit) -> None:
    first, second = visit.tell()[0], visit.tell("PRK-2026-0008")[0]
    admin = visit.enter(Role.ADMIN)
    place = "/api/operations/messages"

    sent = admin.client.post(f"{place}/budget/{first}/retry", headers=admin.token_header)
    skipped = admin.client.post(
        f"{place}/budget/{second}/skip", json={"reason": "Dicatat dua kali."}, headers=admin.token_header
    )
    unknown = admin.client.post(f"{place}/budget/{uuid4()}/retry", headers=admin.token_header)
    silent = admin.client.post(f"{place}/deploy/{first}/retry", headers=admin.token_header)

    assert (sent.status_code, skipped.status_code) == (200, 200)
    assert (unknown.status_code, unknown.json()["code"]) == (404, "not_found")
    assert silent.status_code == 404
    assert admin.client.get(place).json() == []


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.HEAD])
def test_head_and_auditor_look_and_do_not_touch(visit: Visit, role: Role) -> None:
    dead = visit.tell()[0]
    watcher = visit.enter(role)

    page = watcher.client.get("/operasi")
    tried = watcher.client.post(
        f"/api/operations/messages/budget/{dead}/retry", headers={**watcher.token_header, "accept": "application/json"}
    )

    assert page.status_code == 200 and '<form method="post" action="/operasi' not in page.text
    assert tried.status_code == 403 and visit.letter(dead)["dead_at"] is not None
    with visit.budget.transaction() as session, pytest.raises(NotAllowed):
        oversight.skip_message(session, SARI, dead, reason="Tidak berwenang.")


def test_a_worker_that_is_there_is_seen_by_its_lock_and_its_mark(visit: Visit, keys: Keys) -> None:
    admin = visit.enter(Role.ADMIN)
    before, page_before = budget_of(admin), admin.client.get("/operasi").text

    with visit.budget.engine.connect() as connection:
        connection.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": RELAY_LOCK})
        Worker("budget", visit.budget, keys).tick("heartbeat")
        during, page_during = budget_of(admin), admin.client.get("/operasi").text
        connection.execute(text("SELECT pg_advisory_unlock(:lock)"), {"lock": RELAY_LOCK})
    after = budget_of(admin)

    assert (before["relay_is_active"], before["worker_at"]) == (False, None)
    assert during["relay_is_active"] and during["worker_at"]
    assert not after["relay_is_active"]
    assert "Pekerja mati" in page_before and "Baik" not in page_before
    assert "Baik" in page_during


def test_jobs_that_run_or_failed_stand_with_their_step_and_last_line(visit: Visit) -> None:
    with visit.budget.transaction() as session:
        waiting = jobs.start(session, "scan", "thing-1")
        failed = jobs.start(session, "install", "thing-2", most_attempts=1)
        done = jobs.start(session, "probe", "thing-3")
    lease = jobs.claim(visit.budget, failed.id, "somebody")
    assert lease is not None
    with lease.step("Menyalin berkas"):
        lease.write_line("12 dari 40 berkas")
    with lease.recording() as session:
        lease.fail(session, "server tidak menjawab", again=False)
    ended = jobs.claim(visit.budget, done.id, "somebody")
    assert ended is not None
    with ended.recording() as session:
        ended.finish(session)
    admin = visit.enter(Role.ADMIN)

    found = {row["id"]: row for row in budget_of(admin)["jobs"]}  # type: ignore[attr-defined]
    page = admin.client.get("/operasi").text

    assert set(found) == {str(waiting.id), str(failed.id)}
    assert found[str(failed.id)]["step"] == "Menyalin berkas"
    assert found[str(failed.id)]["reason"] == "server tidak menjawab"
    assert "/instalasi/thing-2" in page and "server tidak menjawab" in page


def test_the_page_stands_though_divisions_are_silent(visit: Visit) -> None:
    page = visit.enter(Role.ADMIN).client.get("/operasi")

    assert page.status_code == 200 and "sedang tidak menjawab" in page.text and "Tidak menjawab" in page.text
