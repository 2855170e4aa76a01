"""The doors of meetings: JSON with editions, and pages on which a meeting is prepared, held, closed and corrected."""

import re
from datetime import timedelta

from shared.database import utc_now
from shared.words import local_date
from tests.people import ANI, BAYU, BUDI, CITRA, SARI
from tests.proposal.test_doors import House, house  # noqa: F401 - the fixture
from tests.proposal.walk import TODAY, Walk

NEXT = (TODAY + timedelta(days=7)).isoformat()
MEETING = {"kind": "weekly", "on": NEXT, "place": "Ruang Rapat", "chair": "Kepala", "attendees": ["Kepala", "Bayu"]}
SERIES = {
    "kind": "weekly", "name": "Rapat Rabu", "weekday": 2, "starts": "09:00", "place": "Ruang", "note_taker": "Staf",
    "invited_roles": ["Kepala PUSTIPD"],
}  # fmt: skip


def test_the_json_door_prepares_a_meeting(house: House) -> None:  # noqa: F811
    root = "/api/meetings/" + house.ask(BAYU, "POST", "/api/meetings", json=MEETING).json()["id"]
    added = house.ask(BAYU, "POST", f"{root}/agenda", json={"subject": "Piket"}).json()
    item = f"/api/meeting-items/{added['items'][0]['id']}"
    tag = house.ask(BAYU, "GET", item).headers["etag"]

    first = house.ask(BAYU, "PATCH", item, json={"discussion": "Satu."}, headers={"if-match": tag})
    later = house.ask(BUDI, "PATCH", item, json={"discussion": "Dua."}, headers={"if-match": tag})
    odd = house.ask(BUDI, "PATCH", item, json={"discussion": "Dua."}, headers={"if-match": "x"})
    placed = house.ask(BAYU, "POST", f"{item}/place", json={"ordinal": 1})
    rows = [{"name": "Kepala", "presence": "invited"}, {"name": "Bayu", "presence": "excused", "note": "Cuti"}]
    came = house.ask(BAYU, "PUT", f"{root}/attendance", json={"rows": rows, "quorum": 1})
    invited = house.ask(BUDI, "POST", f"{root}/invitation").json()
    sheet = house.ask(BAYU, "POST", f"{root}/attendance-sheet").json()
    filled = house.ask(BAYU, "POST", f"{root}/agenda/refresh")
    moved = house.ask(BAYU, "POST", f"{root}/time", json={"on": NEXT, "starts": "10:00", "reason": "Ruangan dipakai."})
    removed = house.ask(BAYU, "DELETE", item)
    ended = house.ask(CITRA, "POST", f"{root}/cancellation", json={"reason": "Tidak ada bahan."})

    assert (first.status_code, first.headers["etag"]) == (200, '"2"')
    assert (later.status_code, later.json()["code"]) == (412, "stale")
    assert later.json()["errors"] == [
        {"pointer": "/discussion/saved", "detail": "Satu."},
        {"pointer": "/discussion/yours", "detail": "Dua."},
    ]
    assert (odd.status_code, placed.status_code, filled.status_code) == (422, 200, 200)
    assert [(a["name"], a["presence"]) for a in came.json()["attendance"]] == [
        ("Kepala", "invited"),
        ("Bayu", "excused"),
    ]
    for digest in (invited["invitation_digest"], sheet["attendance_digest"]):
        assert house.ask(SARI, "GET", f"{root}/papers/{digest}").status_code == 404  # the meeting was moved since
    assert (moved.json()["starts"], moved.json()["invitation_digest"]) == ("10:00:00", "")
    assert (removed.json()["items"], ended.json()["is_cancelled"], ended.json()["moves"]) == ([], True, [])


def test_papers_of_a_meeting_are_read_by_the_centre_alone(house: House) -> None:  # noqa: F811
    root = "/api/meetings/" + house.ask(BAYU, "POST", "/api/meetings", json=MEETING).json()["id"]
    digest = house.ask(BUDI, "POST", f"{root}/invitation").json()["invitation_digest"]

    file = house.ask(SARI, "GET", f"{root}/papers/{digest}")

    assert file.content.startswith(b"%PDF-")
    assert file.headers["content-disposition"].startswith('attachment; filename="undangan-')
    assert house.ask(ANI, "GET", f"{root}/papers/{digest}").status_code == 404
    assert house.ask(SARI, "GET", f"{root}/papers/{'0' * 64}").status_code == 404


def test_series_tasks_and_calendar_have_a_json_door(house: House) -> None:  # noqa: F811
    with house.database.transaction() as session:
        walk = Walk(session, house.office)
        walk.knows(BAYU)
        walk.item(walk.meeting("weekly"), walk.programmed(), follow_up="Siapkan KAK", pic="bayu")
    meeting = house.ask(SARI, "GET", "/api/meetings").json()[0]
    house.ask(CITRA, "POST", f"/api/meetings/{meeting['id']}/closing")

    made = house.ask(BUDI, "POST", "/api/meeting-series", json=SERIES)
    bad = house.ask(BUDI, "POST", "/api/meeting-series", json=SERIES | {"invited_roles": ["Raja"]})
    changed = house.ask(BUDI, "PUT", f"/api/meeting-series/{made.json()['id']}", json=SERIES | {"place": "Aula"})
    ended = house.ask(BUDI, "POST", f"/api/meeting-series/{made.json()['id']}/end", json={"reason": "Diganti."})
    task = house.ask(BAYU, "GET", "/api/action-items").json()[0]
    done = house.ask(BAYU, "POST", f"/api/action-items/{task['id']}/finish", json={"note": "Selesai."})
    again = house.ask(BUDI, "POST", f"/api/action-items/{task['id']}/drop", json={"reason": "Tidak perlu."})
    address = house.ask(BAYU, "POST", "/api/meeting-calendar").json()["address"]
    path = re.sub(r"^https?://[^/]+", "", address)
    feed = house.ask(None, "GET", path)
    house.ask(BAYU, "DELETE", "/api/meeting-calendar")
    reopened = house.ask(CITRA, "POST", f"/api/meetings/{meeting['id']}/reopening", json={"reason": "Salah ketik."})

    assert (made.status_code, made.json()["invited_roles"]) == (201, ["head"])
    assert (bad.status_code, bad.json()["errors"][0]["pointer"]) == (422, "/invited_roles")
    assert (changed.status_code, changed.json()["place"]) == (200, "Aula")
    assert ended.json()["ended_reason"] == "Diganti."
    assert [row["id"] for row in house.ask(SARI, "GET", "/api/meeting-series").json()] == [made.json()["id"]]
    assert (done.json()["state"], again.status_code) == ("done", 409)
    assert (feed.status_code, feed.headers["content-type"]) == (200, "text/calendar; charset=utf-8")
    assert feed.content.count(b"BEGIN:VEVENT") >= 4
    assert house.ask(None, "GET", path).status_code == 404
    assert (reopened.json()["version"], reopened.json()["is_closed"]) == (2, False)


def test_a_meeting_is_prepared_held_and_corrected_on_pages(house: House) -> None:  # noqa: F811
    case = house.walked("programmed")
    today = local_date(utc_now()).isoformat()
    form = MEETING | {"on": today, "attendees": "Kepala\nBayu"}
    path = house.ask(BAYU, "POST", "/rapat", data=form).headers["location"]
    page = house.ask(BAYU, "GET", path).text
    item = re.search(r"/rapat/butir/[0-9a-f-]{36}", page)
    assert item
    stale = {"discussion": "Catatan kedua.", "edition": "1"}

    written = house.ask(
        BAYU, "POST", f"{item[0]}/catatan",
        data={"discussion": "Catatan pertama.", "decision": "continue", "follow_up": "Siapkan KAK", "edition": "1"},
    )  # fmt: skip
    refused = house.ask(BUDI, "POST", f"{item[0]}/catatan", data=stale)
    rows = {"rows.0.name": "Kepala", "rows.0.presence": "present", "rows.0.is_late": "true", "rows.1.name": "Bayu",
            "rows.1.presence": "absent"}  # fmt: skip
    came = house.ask(BAYU, "POST", f"{path}/kehadiran", data=rows)
    closed = house.ask(CITRA, "POST", f"{path}/penutupan", data={"form_token": "token"})
    opened = house.ask(CITRA, "POST", f"{path}/pembukaan", data={"reason": "Salah ketik nama."})
    house.ask(CITRA, "POST", f"{path}/penutupan", data={"form_token": "token"})
    shown = house.ask(SARI, "GET", path).text
    tasks = house.ask(BAYU, "GET", "/tindak-lanjut?semua=1").text

    assert case.number in page
    assert written.status_code == came.status_code == closed.status_code == opened.status_code == 303
    assert refused.status_code == 412
    assert "Catatan pertama." in refused.text
    assert "Catatan kedua." in refused.text
    assert "Hadir, terlambat" in shown
    assert "Versi notulen" in shown
    assert "Salah ketik nama." in shown
    assert "Siapkan KAK" in tasks


def test_pages_of_series_and_calendar(house: House) -> None:  # noqa: F811
    form = {k: v for k, v in SERIES.items() if k != "invited_roles"} | {
        "invited_roles": "Kepala PUSTIPD",
        "weekday": "2",
    }

    made = house.ask(BUDI, "POST", "/rapat/seri", data=form)
    wrong = house.ask(BUDI, "POST", "/rapat/seri", data=form | {"invited_roles": "Raja"})
    shown = house.ask(BAYU, "GET", "/rapat/seri").text
    form_of_it = house.ask(BUDI, "GET", "/rapat/seri").text
    change = re.search(r"/rapat/seri/[0-9a-f-]{36}/perubahan", form_of_it)
    assert change
    moved = house.ask(BUDI, "POST", change[0], data=form | {"place": "Aula Barat"})
    address = house.ask(BAYU, "POST", "/rapat/kalender", data={"form_token": "token"})
    coming = house.ask(BAYU, "GET", "/rapat").text
    first = re.search(r"/rapat/[0-9a-f-]{36}", coming)
    assert first
    file = house.ask(BAYU, "GET", f"{first[0]}/rapat.ics")
    revoked = house.ask(BAYU, "POST", "/rapat/kalender/pencabutan", data={"form_token": "token"})

    assert made.status_code == 303
    assert "Ubah seri" not in shown
    assert form_of_it.count('value="09:00"') == 1
    assert '<option value="2" selected>Rabu</option>' in form_of_it
    assert '<option value="12">Desember</option>' in form_of_it
    assert moved.status_code == 303
    assert "Aula Barat" in house.ask(BAYU, "GET", "/rapat/seri").text
    assert (wrong.status_code, "Jabatan tidak dikenal: Raja" in wrong.text) == (422, True)
    assert "setiap Rabu" in shown
    assert "/rapat/kalender.ics?kunci=" in address.text
    assert file.content.startswith(b"BEGIN:VCALENDAR")
    assert revoked.status_code == 303
