"""The page and the JSON door of the office's calendar: everybody reads it, the administrator alone changes it."""

from collections.abc import Callable
from datetime import date
from itertools import count

from services.gateway.actions.calendar import COLUMNS
from shared.identity import Role
from tests.gateway.conftest import Visitor

PAGE = "/hari-kerja"
years = count(2040)
"""Both shapes of the house share a database: each test has a year of its own."""


def send(who: Visitor, path: str, **typed: object) -> tuple[int, str]:
    answer = who.client.post(path, data={"form_token": who.form_token, **typed})
    return answer.status_code, answer.headers.get("location", answer.text)


def test_the_administrator_enters_a_day_and_sees_it_in_its_month(visitor: Callable[..., Visitor]) -> None:
    year = next(years)
    admin = visitor(Role.ADMIN)

    before = admin.client.get(f"{PAGE}/{year}").text
    told = send(admin, f"{PAGE}/{year}/hari", on=f"{year}-02-05", name="Hari Uji Kampus", kind="national")
    after = admin.client.get(f"{PAGE}/{year}").text

    assert "belum disimpan" in before and "Hari Uji Kampus" not in before
    assert told == (303, f"{PAGE}/{year}")
    assert "Hari Uji Kampus" in after and "belum disimpan" not in after
    sheet = admin.client.get(f"{PAGE}/{year}/berkas")
    assert sheet.headers["content-type"].startswith("text/csv")
    assert f"{year}-02-05,Hari Uji Kampus,libur nasional,tidak," in sheet.text.replace("\r", "")


def test_a_wrong_day_keeps_what_was_typed_and_says_which_year(visitor: Callable[..., Visitor]) -> None:
    admin = visitor(Role.ADMIN)

    status, page = send(admin, f"{PAGE}/2042/hari", on="2043-02-05", name="Hari Uji Tahun Lain", kind="national")

    assert status == 422
    assert "Buka tahun 2043" in page and "Hari Uji Tahun Lain" in page


def test_a_sheet_with_mistakes_changes_nothing(visitor: Callable[..., Visitor]) -> None:
    year = next(years)
    admin = visitor(Role.ADMIN)
    head = ",".join(COLUMNS)
    wrong = f"{head}\n{year}-02-30,Hari Uji,libur nasional,tidak,\n{year}-03-01,Hari Uji,libur,tidak,\n"

    answer = admin.client.post(
        f"{PAGE}/{year}/impor",
        data={"form_token": admin.form_token},
        files={"file": ("libur.csv", wrong.encode(), "text/csv")},
    )

    assert answer.status_code == 422
    assert "Baris 2, kolom tanggal" in answer.text and "Baris 3, kolom jenis" in answer.text
    assert admin.client.get(f"/api/working-calendar/{year}").json()["version"] == 0


def test_others_read_it_and_change_nothing(visitor: Callable[..., Visitor]) -> None:
    year = next(years)
    head = visitor(Role.HEAD)

    page = head.client.get(f"{PAGE}/{year}")
    day = {"on": f"{year}-02-06", "name": "Hari Uji"}

    assert page.status_code == 200 and "Simpan hari libur" not in page.text
    assert send(head, f"{PAGE}/{year}/hari", **day)[0] == 403
    assert (
        head.client.post(f"/api/working-calendar/{year}/days", json=day, headers=head.token_header).status_code == 403
    )


def test_the_json_door_does_the_same(visitor: Callable[..., Visitor]) -> None:
    year = next(years)
    admin = visitor(Role.ADMIN)
    root = f"/api/working-calendar/{year}"

    def post(path: str, body: dict[str, object] | None = None) -> dict[str, object]:
        answer = admin.client.post(f"{root}/{path}", json=body, headers=admin.token_header)
        assert answer.status_code in (200, 201), answer.text
        found: dict[str, object] = answer.json()
        return found

    seeded = post("seed")
    hours = post(
        "hours",
        {
            "first_on": f"{year}-02-01",
            "last_on": f"{year}-03-01",
            "name": "Ramadan",
            "usual": "08.00-14.00",
            "friday": "8-11",
        },
    )
    opened = post("opened-days", {"on": date(year, 8, 17).isoformat()})
    confirmed = post("confirmation", {"decree": "SKB 1/2045"})
    again = post("usual-hours", {"first_on": f"{year}-02-01"})

    assert seeded["version"] == 1 and seeded["estimates"]
    assert hours["working_hours"] < seeded["working_hours"]  # type: ignore[operator]
    assert hours["working_days"] == seeded["working_days"]
    assert opened["working_days"] - seeded["working_days"] == (date(year, 8, 17).weekday() < 5)  # type: ignore[operator]
    assert (confirmed["estimates"], again["hours"], again["version"]) == (0, [], 5)


def test_what_is_no_year_is_refused_in_words(visitor: Callable[..., Visitor]) -> None:
    admin = visitor(Role.ADMIN)

    assert "empat angka" in admin.client.get(f"{PAGE}/abcd").text
    assert "tersedia untuk tahun" in admin.client.get(f"{PAGE}/1066").text
    assert admin.client.get(PAGE).status_code == 303
