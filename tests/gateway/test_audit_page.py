"""The auditor's page: every chain's lines, what is looked for, the file, and W19: what was altered is told."""

import csv
import io
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import select, text

from alur.embedded import Postgres
from services.gateway.actions import person as people_of
from services.gateway.app import make
from services.gateway.model import Person
from services.gateway.pages.audit import _cell
from services.gateway.settings import Settings
from shared import audit, oversight
from shared.database import Database, utc_now
from shared.errors import NotAllowed
from shared.identity import Role
from shared.jobs import Lease
from shared.keys import Keys
from shared.procedure import procedure
from shared.words import local_date
from shared.worker import Worker
from tests.gateway.conftest import PASSWORD, Visitor, serving, toy_division
from tests.people import ANI, BUDI, CITRA


@pytest.fixture
def visit(
    database_of: Callable[[str], Database], keys: Keys, settings_for: Callable[..., Settings]
) -> Iterator["Visit"]:
    """Return a gateway before one division, with databases of their own: what a test alters concerns no other."""
    own, budget = database_of("gateway"), database_of("budget")
    toys = toy_division(settings_for(database_url=budget.url))
    gateway = make(settings_for(database_url=own.url), {"budget": toys.app})
    with serving(gateway) as url, ExitStack() as clients:
        yield Visit(url, own, budget, keys, clients)
    toys.app.state.database.close()
    gateway.database.close()


class Visit:
    """A running gateway, and whoever comes to it."""

    def __init__(self, url: str, own: Database, budget: Database, keys: Keys, clients: ExitStack) -> None:
        self.url, self.own, self.budget, self.keys, self.clients = url, own, budget, keys, clients

    def enter(self, *roles: Role, name: str = "Orang Contoh") -> Visitor:
        """Sign a new person in."""
        username = f"orang.{uuid4().hex[:8]}"
        with self.own.transaction() as session:
            people_of.add_person(session, username=username, display_name=name, roles=roles, password=PASSWORD)
        client = self.clients.enter_context(
            httpx.Client(base_url=self.url, timeout=20, headers={"accept": "text/html,*/*"}, trust_env=False)
        )
        answer = client.post("/api/session", json={"username": username, "password": PASSWORD})
        return Visitor(username, client, answer.json()["form_token"])

    def write(self, count: int = 5, *, also_by: str = "") -> None:
        """Write lines into the division's chain: the even ones by somebody of the gateway, when one is named."""
        other = BUDI
        if also_by:
            with self.own.session() as session:
                other = session.scalars(select(Person).where(Person.username == also_by)).one().as_signed()
        for number in range(1, count + 1):
            with self.budget.transaction() as session:
                by = CITRA if number % 2 else other
                audit.record(session, by, "play", f"Toy:{number}", number=number, words="=1+1")

    def check(self, anchors: Path | None = None) -> None:
        """Run the checks that were asked for, as the workers do."""
        for service, database in (("gateway", self.own), ("budget", self.budget)):
            worker = Worker(service, database, self.keys)
            file = anchors / f"{service}.jsonl" if anchors else None

            @worker.runs(oversight.VERIFY)
            def verify(database: Database, lease: Lease, file: Path | None = file) -> None:
                oversight.verify_chain(database, lease, anchors=file)

            with database.session() as session:
                waiting = session.scalars(text("SELECT id FROM msg.job WHERE state = 'waiting'")).all()
            for job_id in waiting:
                assert worker.run(job_id) == "done"


def test_the_auditor_sees_the_lines_of_every_chain_newest_first(visit: Visit) -> None:
    visit.write()
    auditor = visit.enter(Role.AUDITOR)

    rows = auditor.client.get("/api/audit").json()
    page = auditor.client.get("/audit")

    assert {row["part"] for row in rows} == {"gateway", "budget"}
    assert [row["at"] for row in rows] == sorted((row["at"] for row in rows), reverse=True)
    assert page.status_code == 200
    assert "Main dengan mainan" in page.text and "Toy:5" in page.text and "sebagai" in page.text
    assert "Masuk" in page.text


def test_lists_go_on_by_place_without_a_hole_or_a_double(visit: Visit) -> None:
    visit.write(9)
    auditor = visit.enter(Role.AUDITOR)
    whole = [(r["part"], r["seq"]) for r in auditor.client.get("/api/audit").json()]

    found, path = [], "/api/audit?limit=3"
    while path:
        answer = auditor.client.get(path)
        found += [(row["part"], row["seq"]) for row in answer.json()]
        path = answer.links["next"]["url"] if "next" in answer.links else ""

    assert len(whole) > 9
    assert found == whole


@pytest.mark.parametrize(
    ("query", "things"),
    [
        ("part=budget", {1, 2, 3, 4, 5}),
        ("part=budget&act=play&thing=Toy:3", {3}),
        ("thing=Toy:", {1, 2, 3, 4, 5}),
        ("act=nothing", set()),
        ("part=budget&from={today}&until={today}", {1, 2, 3, 4, 5}),
        ("part=budget&until=2020-01-01", set()),
        ("part=budget&person=Fulan", {2, 4}),
        ("part=budget&person=alur", set()),
    ],
)
def test_each_filter_narrows_to_what_it_says(visit: Visit, query: str, things: set[int]) -> None:
    fulan = visit.enter(Role.PPK, name="Fulan bin Fulan")
    visit.write(also_by=fulan.username)
    auditor = visit.enter(Role.AUDITOR)

    rows = auditor.client.get(f"/api/audit?{query.format(today=local_date(utc_now()))}").json()

    assert {int(row["thing"].partition(":")[2]) for row in rows} == things


def test_what_is_no_date_and_nobody_is_said_and_the_rest_stays_typed(visit: Visit) -> None:
    client = visit.enter(Role.HEAD).client

    wrong_day = client.get("/audit?dari=kemarin&perihal=PRK-9")
    nobody = client.get("/audit?orang=tidak+ada+orangnya")

    assert wrong_day.status_code == 422 and "kemarin" in wrong_day.text and 'value="PRK-9"' in wrong_day.text
    assert nobody.status_code == 422 and "Tidak ada orang bernama" in nobody.text


def test_who_is_neither_auditor_nor_head_nor_admin_is_refused_here_and_in_the_division(visit: Visit) -> None:
    stranger = visit.enter(Role.PROPOSER)
    paths = ("/audit", "/audit/unduhan", "/api/audit", "/api/audit/verification", "/operasi", "/api/operations")
    paths += ("/api/operations/messages",)

    assert {path: stranger.client.get(path).status_code for path in paths} == dict.fromkeys(paths, 403)
    assert stranger.client.post("/api/audit/verification", headers=stranger.token_header).status_code == 403
    with visit.budget.transaction() as session, pytest.raises(NotAllowed):
        oversight.audit_lines(session, ANI, oversight.AuditQuery())
    assert stranger.client.get("/inner/audit").status_code == 404


def test_the_file_holds_every_line_that_is_looked_for_and_no_formula(visit: Visit) -> None:
    visit.write(7)
    with visit.budget.transaction() as session:
        audit.record(session, CITRA.model_copy(update={"name": '=HYPERLINK("x")'}), "play", "Toy:8")
    client = visit.enter(Role.AUDITOR).client

    answer = client.get("/audit/unduhan?bagian=budget")
    rows = list(csv.reader(io.StringIO(answer.text.removeprefix("\ufeff"))))

    assert answer.headers["content-type"].startswith("text/csv")
    assert "attachment" in answer.headers["content-disposition"]
    assert [row[2] for row in rows[1:]] == ["8", "7", "6", "5", "4", "3", "2", "1"]
    assert rows[1][6] == '\'=HYPERLINK("x")' and rows[1][3] == "Main dengan mainan"


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_a_cell_is_never_taken_for_a_formula(start: str) -> None:
    assert _cell(f"{start}1") == f"'{start}1"
    assert _cell("1+1") == "1+1"


def test_a_check_runs_behind_the_page_and_says_who_asked_for_it(visit: Visit, tmp_path: Path) -> None:
    visit.write()
    auditor = visit.enter(Role.AUDITOR)

    before = auditor.client.get("/audit").text
    sent = auditor.client.post("/audit/pemeriksaan", data={"form_token": auditor.form_token})
    twice = auditor.client.post("/api/audit/verification", headers=auditor.token_header)
    during = auditor.client.get("/audit").text
    visit.check(tmp_path)
    after = auditor.client.get("/audit").text
    checks = {one["part"]: one for one in auditor.client.get("/api/audit/verification").json()}

    assert "Belum pernah diperiksa" in before and sent.status_code == 303 and twice.status_code == 202
    assert "Sedang diperiksa" in during and "Utuh" in after
    # Five lines, and that the check was asked for: once, for the second found it under way.
    assert (checks["budget"]["lines"], checks["budget"]["breaks"]) == (6, 0)
    assert checks["proposal"]["is_silent"]
    asked = auditor.client.get("/api/audit?act=verify_audit&part=budget").json()
    assert [row["as_what"] for row in asked] == [procedure().titles[Role.AUDITOR]]
    assert audit.read_anchors(tmp_path / "budget.jsonl").keys() == {6}


@pytest.mark.parametrize(
    ("how", "told"),
    [
        (
            "UPDATE audit.entry SET line = replace(line, 'Citra', 'Budi') WHERE seq = 3",
            "Baris 3: isi baris tidak cocok",
        ),
        ("DELETE FROM audit.entry WHERE seq = 2", "Baris 3: baris 2 hilang"),
        ("DELETE FROM audit.entry WHERE seq > 4", "Baris 6: baris yang dicatat di luar sudah tidak ada"),
        ("TRUNCATE audit.entry", "Baris 6: baris yang dicatat di luar sudah tidak ada"),
    ],
    ids=["altered", "deleted", "cut_short", "truncated"],
)
@pytest.mark.parametrize("is_noted_outside", [True, False])
def test_w19_what_a_superuser_did_to_the_chain_is_told_on_the_page(
    visit: Visit, postgres: Postgres, tmp_path: Path, how: str, told: str, is_noted_outside: bool
) -> None:
    visit.write()
    auditor = visit.enter(Role.AUDITOR)
    anchors = tmp_path if is_noted_outside else None
    auditor.client.post("/api/audit/verification", headers=auditor.token_header)
    visit.check(anchors)
    assert "Rusak" not in auditor.client.get("/audit").text

    with postgres.connect(str(visit.budget.engine.url.database)) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute(how)
        if is_noted_outside:
            # Who takes the chain in hand takes the earlier checks too: the note outside stays.
            connection.execute("DELETE FROM msg.job")
    auditor.client.post("/api/audit/verification", headers=auditor.token_header)
    visit.check(anchors)
    page = auditor.client.get("/audit").text
    check = next(one for one in auditor.client.get("/api/audit/verification").json() if one["part"] == "budget")

    assert "Rusak" in page and told in page
    assert check["breaks"] > 0 and check["state"] == "done"


def test_a_page_stands_though_a_division_is_silent(visit: Visit) -> None:
    auditor = visit.enter(Role.AUDITOR)

    page = auditor.client.get("/audit?bagian=helpdesk")

    assert page.status_code == 200 and "sedang tidak menjawab" in page.text
