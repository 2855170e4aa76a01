"""The application register: described with a history, listed cheaply, exported with the columns that were chosen."""

import csv
import io
from typing import Any

import openpyxl
import pytest
from sqlalchemy import select, text

from services.proposal import actions, queries
from services.proposal.model import Description, RegisterChange, RegisteredApplication
from services.proposal.queries.register import BATCH
from shared.edition import tag_of
from shared.errors import Incomplete, NotAllowed, NotFound, Stale
from tests.counting import statements
from tests.people import ANI, BAYU, BUDI, CITRA, SARI, ZULKIFLI
from tests.proposal.test_doors import House, house
from tests.proposal.walk import Walk

__all__ = ["house"]
SAID = Description(language="PHP", framework="Laravel", technical_contact="Bayu", kind="khusus", inputs="=1+1")


def entry_of(walk: Walk) -> RegisteredApplication:
    return walk.session.scalars(select(RegisteredApplication)).one()


def many(session: Any, count: int) -> None:
    """Put applications into the register, each with its case, as fast as the database can."""
    session.execute(text("CREATE TEMP TABLE model_case ON COMMIT DROP AS SELECT * FROM application_case LIMIT 1"))
    session.execute(text("UPDATE model_case SET parent_case_id = NULL, merged_into_id = NULL"))
    names = list(
        session.scalars(
            text(
                "SELECT column_name FROM information_schema.columns WHERE table_name ="
                " 'application_case' AND table_schema = 'public' AND is_generated = 'NEVER' ORDER BY ordinal_position"
            )
        )
    )
    made = {"id": "gen_random_uuid()", "number": "'N-' || n", "code": "'kode-' || n", "name": "'Aplikasi ' || n"}
    picked = ", ".join(made.get(name, f'm."{name}"') for name in names)
    columns = ", ".join(f'"{name}"' for name in names)
    session.execute(
        text(f"INSERT INTO application_case ({columns}) SELECT {picked} FROM model_case m, generate_series(1, :c) n"),
        {"c": count},
    )
    session.execute(
        text(
            "INSERT INTO registered_application (id, created_at, case_id, code, name, unit, state, address, digest,"
            " live_since) SELECT gen_random_uuid(), now(), id, code, name, unit, 'live', '', '', now()"
            " FROM application_case WHERE number LIKE 'N-%'"
        )
    )
    session.execute(text("ANALYZE application_case"))
    session.execute(text("ANALYZE registered_application"))


def test_a_description_is_kept_with_who_changed_what(walk: Walk) -> None:
    case = walk.live(language="Go")
    entry = entry_of(walk)
    assert queries.application(walk.session, BUDI, case.code).described["language"] == "Go"

    actions.describe_application(walk.session, BAYU, entry.id, SAID, seen=tag_of(1))
    refusal = walk.refuses(
        Stale, actions.describe_application, BUDI, entry.id, Description(language="Rust"), seen=tag_of(1)
    )
    actions.describe_application(walk.session, BUDI, entry.id, SAID)

    change = walk.session.scalars(select(RegisterChange)).one()
    found = queries.application(walk.session, SARI, case.code)
    assert refusal.status == 412
    assert change.by_name == BAYU.name
    assert "Bahasa pemrograman: Go → PHP" in change.says
    assert (found.described["framework"], found.entry.edition) == ("Laravel", 2)
    walk.refuses(NotAllowed, actions.describe_application, CITRA, entry.id, SAID)
    walk.refuses(NotFound, queries.application, ZULKIFLI, case.code)


def test_an_application_names_its_cases_and_evaluations(walk: Walk) -> None:
    evaluation = walk.decided()
    child = actions.follow_up(walk.session, BUDI, evaluation.id, walk.office)

    found = queries.application(walk.session, BUDI, evaluation.case.code)

    assert [case.number for case in found.relatives] == [child.number]
    assert [one.number for one in found.evaluations] == [evaluation.number]
    assert queries.application(walk.session, ANI, evaluation.case.code).evaluations == ()


def test_the_list_is_narrowed_and_goes_on_after_a_place(walk: Walk) -> None:
    walk.live()
    many(walk.session, 30)

    first = queries.registered(walk.session, BUDI, limit=10)
    rest = queries.registered(walk.session, BUDI, limit=100, after=(first[-1].name, first[-1].id))

    names = [entry.name for entry in [*first, *rest]]
    assert len(set(names)) == 31
    assert [entry.code for entry in queries.registered(walk.session, BUDI, q="kode-30")] == ["kode-30"]
    assert queries.registered(walk.session, BUDI, state="retired") == []
    assert queries.registered(walk.session, ZULKIFLI) == []


def test_the_list_stays_cheap_with_twenty_thousand(walk: Walk) -> None:
    walk.live()
    many(walk.session, 20_000)

    with statements(walk.session.get_bind().engine) as sent:
        found = queries.registered(walk.session, SARI, limit=50)
    plan = "\n".join(
        walk.session.scalars(
            text(
                "EXPLAIN SELECT r.* FROM registered_application r JOIN application_case c ON c.id = r.case_id"
                " WHERE c.status <> 'draft' AND (r.name, r.id) > ('Aplikasi 5', gen_random_uuid())"
                " ORDER BY r.name, r.id LIMIT 50"
            )
        )
    )

    assert (len(found), len(sent)) == (50, 1)
    assert "ix_registered_application_name" in plan
    assert "Sort" not in plan


def test_the_columns_are_chosen_and_stay(walk: Walk) -> None:
    first = [column.title for column in queries.layout(walk.session)]
    assert first[:3] == ["Nama aplikasi", "Uraian", "Fungsi"]
    assert first[-1] == "Kode referensi level 2"

    actions.choose_register_columns(walk.session, BUDI, {"name": 2, "code": 1, "language": 2})

    assert [column.key for column in queries.layout(walk.session)] == ["code", "name", "language"]
    walk.refuses(Incomplete, actions.choose_register_columns, BUDI, {})
    walk.refuses(Incomplete, actions.choose_register_columns, BUDI, {"nope": 1})
    walk.refuses(NotAllowed, actions.choose_register_columns, BAYU, {"name": 1})


def test_the_export_reads_in_batches(walk: Walk) -> None:
    walk.live()
    many(walk.session, 2 * BATCH)
    columns = queries.layout(walk.session)

    with statements(walk.session.get_bind().engine) as sent:
        rows = list(queries.export_rows(walk.session, SARI, columns))

    assert (len(rows), len(sent)) == (2 * BATCH + 1, 3)


@pytest.mark.parametrize("form", ["xlsx", "csv"])
def test_the_register_is_described_arranged_and_exported_by_its_doors(house: House, form: str) -> None:
    case = house.walked("live")
    page = f"/aplikasi-terdaftar/{case.code}"
    view = house.ask(BUDI, "GET", f"/api/applications/{case.code}")
    root = f"/api/applications/{view.json()['id']}/description"

    put = house.ask(BAYU, "PUT", root, json=SAID.model_dump(), headers={"if-match": view.headers["etag"]})
    late = house.ask(BUDI, "PUT", root, json=SAID.model_dump(), headers={"if-match": view.headers["etag"]})
    data = {"form_token": "t", "idempotency_key": "k", "order.inputs": "2", "order.name": "1", "order.live_since": "3"}
    chosen = house.ask(BUDI, "POST", "/aplikasi-kolom", data=data)
    wrong = house.ask(BUDI, "POST", "/aplikasi-kolom", data={"form_token": "t", "order.name": "satu"})
    out = house.ask(SARI, "GET", f"/api/application-register/export?form={form}")

    assert (put.status_code, late.status_code, chosen.status_code, wrong.status_code) == (200, 412, 303, 422)
    assert 'value="satu"' in wrong.text
    assert house.ask(BUDI, "GET", "/aplikasi-kolom").text.count("<input") > 30
    if form == "xlsx":
        sheet = openpyxl.load_workbook(io.BytesIO(out.content))["Data"]
        rows = [[cell.value for cell in row] for row in sheet.iter_rows()]
        assert sheet["B2"].data_type == "s"
        assert rows[1][:2] == [case.name, "=1+1"]
    else:
        rows = list(csv.reader(io.StringIO(out.content.decode("utf-8-sig")), delimiter=";"))
        assert rows[1][:2] == [case.name, "'=1+1"]
    assert rows[0] == ["Nama aplikasi", "Masukan dan sumbernya", "Digunakan sejak"]
    shown = house.ask(BUDI, "GET", page)
    assert "Bahasa pemrograman" in shown.text
    assert "Riwayat perubahan uraian" in shown.text
    assert case.code in house.ask(SARI, "GET", "/aplikasi-terdaftar?keadaan=live").text
    assert house.ask(ZULKIFLI, "GET", page).status_code == 404
    assert house.ask(ANI, "GET", f"/api/application-register/export?form={form}").status_code == 403
    assert house.ask(BUDI, "GET", "/aplikasi-terdaftar?after=x").status_code == 422


# --- What is coming ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("to", "shown"),
    [
        ("approved", None),
        ("programmed", "planned"),
        ("discussed", "planned"),
        ("handed_over", "development"),
        ("installed", "testing"),
        ("live", "live"),
    ],
)
def test_the_register_follows_the_case_from_the_work_programme_on(walk: Walk, to: str, shown: str | None) -> None:
    case = getattr(walk, to)()

    rows = walk.session.scalars(select(RegisteredApplication)).all()

    assert [(row.case_id, row.state) for row in rows] == ([(case.id, shown)] if shown else [])
    assert all((row.live_since is None) is (shown != "live") for row in rows)


def test_what_came_to_nothing_leaves_its_name_to_another(walk: Walk) -> None:
    first = walk.programmed(code="arsip")
    actions.cancel(walk.session, CITRA, first.id, walk.office, reason="Digabung dengan sistem pusat.")
    assert queries.registered(walk.session, BUDI) == []
    assert [one.label for one in queries.registered(walk.session, BUDI, state="cancelled")] == ["Dibatalkan"]

    second = walk.programmed(code="arsip")

    assert queries.application(walk.session, BUDI, "arsip").case.id == second.id


def test_ending_an_application_is_not_a_coming_one(walk: Walk) -> None:
    walk.programmed(kind="shut_down", earlier_application="e-Presensi", data_after="Dipindahkan ke unit.")

    assert queries.registered(walk.session, BUDI) == []


def test_the_export_holds_what_users_have_seen_and_the_page_what_is_coming(house: House) -> None:
    case = house.walked("programmed")

    out = house.ask(SARI, "GET", "/api/application-register/export?form=csv")
    listed = house.ask(BUDI, "GET", "/aplikasi-terdaftar?keadaan=planned").text
    one = house.ask(BUDI, "GET", f"/aplikasi-terdaftar/{case.code}").text

    assert len(list(csv.reader(io.StringIO(out.content.decode("utf-8-sig")), delimiter=";"))) == 1
    assert case.code in listed
    assert "Direncanakan" in listed
    assert "Belum dibuka untuk pengguna" in one


def test_the_unit_does_not_read_the_contract_of_its_application(house: House) -> None:
    case = house.walked("live")
    number = "007/PPK/02/2026"
    assert number in house.ask(BUDI, "GET", f"/aplikasi-terdaftar/{case.code}").text
    assert house.ask(SARI, "GET", f"/api/applications/{case.code}").json()["contract_number"] == number

    page = house.ask(ANI, "GET", f"/aplikasi-terdaftar/{case.code}")
    view = house.ask(ANI, "GET", f"/api/applications/{case.code}")

    assert (page.status_code, view.status_code) == (200, 200)
    assert number not in page.text + view.text
    assert view.json()["contract_number"] == ""
