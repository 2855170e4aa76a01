"""/waktu: the report on time and its sheets for the centre and the units, narrowed by what the address asks for."""

import csv
import io

import pytest

from shared.database import utc_now
from shared.words import local_date
from tests.people import ANI, BUDI, GITA, JOKO, SARI, ZULKIFLI
from tests.proposal.test_doors import House, house

__all__ = ["house"]


def rows(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text.lstrip("﻿")), delimiter=";"))


def test_the_centre_reads_planned_against_actual_by_step_and_actor(house: House) -> None:
    house.walked("recommended")
    year = local_date(utc_now()).year

    page = house.ask(BUDI, "GET", "/waktu")
    told = house.ask(SARI, "GET", f"/api/case-time?year={year}").json()
    by_step = rows(house.ask(SARI, "GET", "/waktu/langkah.csv").text)
    by_actor = rows(house.ask(SARI, "GET", "/waktu/giliran.csv").text)

    assert page.status_code == 200
    assert "Standar" in page.text
    assert {step["step"] for step in told["steps"]} >= {"S01", "S02"}
    assert by_step[0][:4] == ["Langkah", "Nama langkah", "Divisi", "Standar (hari kerja)"]
    assert {row[0] for row in by_step[1:]} >= {"S01", "S02"}
    assert len(by_actor) > 1


def test_a_year_a_division_and_a_unit_narrow_it(house: House) -> None:
    house.walked("recommended")

    def counted(query: str) -> int:
        told = rows(house.ask(BUDI, "GET", f"/waktu/langkah.csv?{query}").text)
        place = told[0].index("Selesai")
        return sum(int(row[place]) for row in told[1:])

    assert counted("") > 0
    assert counted("unit=BPEG") == counted("")
    assert counted("unit=LPPM") == 0
    assert counted("tahun=1999") == 0
    assert counted("divisi=budget") == 0
    assert counted("tahun=") == counted("")
    # What cannot be is left out rather than refused.
    assert counted("divisi=dapur&tahun=") == counted("")


def test_a_unit_sees_its_own_cases_only(house: House) -> None:
    house.walked("recommended")

    own, foreign = (house.ask(by, "GET", "/waktu/langkah.csv").text for by in (ANI, ZULKIFLI))

    def done(text: str) -> int:
        told = rows(text)
        return sum(int(row[told[0].index("Selesai")]) for row in told[1:])

    assert done(own) > 0
    assert done(foreign) == 0
    assert house.ask(GITA, "GET", "/waktu").status_code == 200


@pytest.mark.parametrize("path", ["/waktu", "/waktu/langkah.csv", "/api/case-time"])
def test_a_firm_is_sent_to_its_contracts(house: House, path: str) -> None:
    answer = house.ask(JOKO, "GET", path)

    assert answer.status_code == 403
    assert "Kontrak" in answer.text
    assert house.ask(None, "GET", path).status_code == 401


def test_an_unknown_sheet_is_not_found(house: House) -> None:
    assert house.ask(BUDI, "GET", "/waktu/gaji.csv").status_code == 404
