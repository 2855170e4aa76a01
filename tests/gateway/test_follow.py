"""Whoever holds the receipt of a proposal follows it without an account; whoever is mentioned hears of it."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import select

from services.gateway.actions.mention import tell_mention
from services.gateway.app import make
from services.gateway.model import Notice, Person
from services.gateway.paper_check import Throttle
from services.gateway.settings import Settings
from services.proposal import app as proposal
from services.proposal.model import FollowCode
from services.proposal.settings import Settings as ProposalSettings
from shared.database import Database, utc_now
from shared.identity import Role
from shared.keys import Keys
from shared.messages import PersonMentioned
from tests.gateway.conftest import serving
from tests.people import ANI
from tests.proposal.walk import Walk


class Receipt:
    """A gateway before the application division, and the receipt of a proposal there."""

    def __init__(self, url: str, gateway: Any, number: str, code: str, name: str) -> None:
        self.url, self.gateway, self.number, self.code, self.name = url, gateway, number, code, name

    def ask(self, **query: str) -> httpx.Response:
        """Ask as nobody."""
        return httpx.get(f"{self.url}/ikuti", params=query, headers={"accept": "text/html"}, timeout=20)


@pytest.fixture
def receipt(
    people: Database,
    database_of: Callable[[str], Database],
    settings_for: Callable[..., Settings],
    keys: Keys,
    tmp_path: Path,
) -> Iterator[Receipt]:
    """Return a proposal that was submitted, behind a gateway."""
    database = database_of("proposal")
    door = proposal.make(
        ProposalSettings(database_url=database.url, keys_folder=keys.folder, files_folder=tmp_path / "files")
    )
    with database.transaction() as session:
        case = Walk(session, door.state.office).submitted()
        found = case.number, session.get_one(FollowCode, case.id).printed, case.name
    gateway = make(settings_for(), {"proposal": door})
    with serving(gateway) as url:
        yield Receipt(url, gateway, *found)
    gateway.database.close()
    door.state.database.close()


def test_the_receipt_opens_the_status_in_plain_words_without_names_and_content(receipt: Receipt) -> None:
    page = receipt.ask(nomor=receipt.number, kode=receipt.code)

    assert page.status_code == 200
    assert "Kini menunggu pemeriksaan kelengkapan oleh Koordinator Divisi Aplikasi" in page.text
    assert "Diajukan kepada Kepala PUSTIPD" in page.text
    assert receipt.name not in page.text
    assert ANI.name not in page.text


def test_without_anything_the_page_asks_for_both(receipt: Receipt) -> None:
    page = receipt.ask()

    assert page.status_code == 200
    assert 'name="nomor"' in page.text
    assert "<script>" not in page.text


def test_whatever_is_wrong_is_answered_alike_and_shown_as_text(receipt: Receipt) -> None:
    answers = [
        receipt.ask(nomor=receipt.number, kode="0000-0000-0000"),
        receipt.ask(nomor="APL-1999-0001", kode=receipt.code),
        receipt.ask(nomor=receipt.number),
        receipt.ask(nomor="../papers", kode="<script>alert(1)</script>"),
        receipt.ask(nomor="x" * 500, kode="x" * 500),
    ]

    assert {answer.status_code for answer in answers} == {404}
    assert all("kode pantau tidak dikenal" in answer.text for answer in answers)
    assert all("<script>alert" not in answer.text for answer in answers)


def test_codes_are_not_tried_one_after_the_other(receipt: Receipt) -> None:
    receipt.gateway.own.state.paper_checks = Throttle(per_minute=2)

    answers = [receipt.ask(nomor=receipt.number, kode="0000-0000-0000") for _ in range(3)]

    assert [answer.status_code for answer in answers] == [404, 404, 429]
    assert answers[2].headers["retry-after"].isdecimal()


def test_a_mention_becomes_one_notice_and_none_for_a_stranger(people: Database, somebody: Callable[..., str]) -> None:
    username = somebody(Role.HEAD)
    with people.transaction() as session:
        known = session.scalars(select(Person.id).where(Person.username == username)).one()

    def told(person_id: UUID, comment_id: UUID) -> PersonMentioned:
        return PersonMentioned(
            person_id=person_id, comment_id=comment_id, case_number="APL-2026-0042", about="e-Presensi",
            by_name="Budi", as_what="Koordinator Divisi Aplikasi", path="/perkara/APL-2026-0042/komentar",
        )  # fmt: skip

    comment = uuid4()
    with people.transaction() as session:
        for person_id in (known, known, uuid4()):
            tell_mention(session, told(person_id, comment), "proposal", at=utc_now())

    with people.transaction() as session:
        notice = session.scalars(select(Notice).where(Notice.person_id == known)).one()
        assert notice.title == "Budi (Koordinator Divisi Aplikasi) menyebut Anda dalam komentar perkara APL-2026-0042"
        assert notice.path == "/perkara/APL-2026-0042/komentar"
