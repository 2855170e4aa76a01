"""Anybody who holds the link of a survey answers it once without an account, and not by the thousand."""

import re
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from services.gateway.app import make
from services.gateway.pages.survey import Throttles
from services.gateway.settings import Settings
from services.proposal import actions, queries
from services.proposal import app as proposal
from services.proposal.model import ELEMENTS
from services.proposal.settings import Settings as ProposalSettings
from shared.database import Database, utc_now
from shared.keys import Keys
from shared.words import local_date
from tests.gateway.conftest import serving
from tests.people import BUDI
from tests.proposal.walk import Walk

GOOD = dict.fromkeys(ELEMENTS, "3")


class Public:
    """A gateway before the application division, with a survey that is open to everybody."""

    def __init__(self, url: str, gateway: Any, database: Database, code: str) -> None:
        self.url, self.gateway, self.database, self.code = url, gateway, database, code
        self.browsers: list[httpx.Client] = []

    def browser(self) -> httpx.Client:
        """Return a browser that nobody has used before."""
        self.browsers.append(httpx.Client(base_url=self.url, headers={"accept": "text/html"}, timeout=20))
        return self.browsers[-1]

    def answers(self) -> int:
        with self.database.transaction() as session:
            return int(session.execute(text("SELECT count(*) FROM survey_answer WHERE is_public")).scalar_one())


@pytest.fixture
def public(
    people: Database,
    database_of: Callable[[str], Database],
    settings_for: Callable[..., Settings],
    keys: Keys,
    tmp_path: Path,
) -> Iterator[Public]:
    """Return a survey with a public link, behind a gateway."""
    database = database_of("proposal")
    door = proposal.make(
        ProposalSettings(database_url=database.url, keys_folder=keys.folder, files_folder=tmp_path / "files")
    )
    with database.transaction() as session:
        evaluation = Walk(session, door.state.office).opened()
        survey = queries.survey_of(session, evaluation.id)
        assert survey
        today: date = local_date(utc_now())
        code = actions.open_survey_link(session, BUDI, survey.id, until_on=today).code
    gateway = make(settings_for(), {"proposal": door})
    with serving(gateway) as url:
        made = Public(url, gateway, database, code)
        yield made
        for browser in made.browsers:
            browser.close()
    gateway.database.close()
    door.state.database.close()


def test_a_browser_answers_once_without_an_account(public: Public) -> None:
    browser, path = public.browser(), f"/pendapat/{public.code}"

    form = browser.get(path)
    thanked = browser.post(path, data=GOOD | {"comment": "Mudah dipakai."})
    again = browser.post(path, data=GOOD)
    back = browser.get(path)

    assert form.text.count("<select") == 9
    assert "Sembilan pertanyaan" in form.text
    assert not re.search(r'name="(nama|name|email|username)"', form.text)
    assert (thanked.status_code, again.status_code, back.status_code) == (200, 409, 200)
    assert "Terima kasih" in thanked.text
    assert "<select" not in back.text
    assert public.answers() == 1


def test_what_was_typed_stays_when_something_lacks(public: Public) -> None:
    browser, path = public.browser(), f"/pendapat/{public.code}"
    browser.get(path)

    lacking = browser.post(path, data={"requirements": "4", "comment": "Sudah <baik>"})

    assert lacking.status_code == 422
    assert "Sudah &lt;baik&gt;" in lacking.text
    assert re.search(r'<option value="4" selected', lacking.text)
    assert lacking.text.count("field--wrong") == 8
    assert public.answers() == 0


def test_a_browser_without_cookies_is_told_what_to_do(public: Public) -> None:
    answer = httpx.post(f"{public.url}/pendapat/{public.code}", data=GOOD, headers={"accept": "text/html"})

    assert answer.status_code == 409
    assert "cookie" in answer.text
    assert public.answers() == 0


def test_w2_an_answer_takes_no_field_that_the_form_does_not_show(public: Public) -> None:
    browser, path = public.browser(), f"/pendapat/{public.code}"
    browser.get(path)

    for more in ({"is_public": "false"}, {"visitor": "x" * 32}, {"survey_id": "1"}):
        answer = browser.post(path, data=GOOD | more)
        # The mark is the cookie's, whatever the form says.
        assert (answer.status_code == 422) is ("visitor" not in more), more

    assert public.answers() == 1


def test_w3_a_link_is_not_guessed_and_unknown_ones_are_answered_alike(public: Public) -> None:
    browser = public.browser()

    answers = [browser.get(f"/pendapat/{code}") for code in ("000000000000", "x", "x y <b>", "x" * 300)]
    posted = browser.post("/pendapat/000000000000", data=GOOD)
    for _ in range(30):
        last = browser.get("/pendapat/000000000000")

    assert {answer.status_code for answer in [*answers, posted]} == {404}
    assert all("tidak dikenal" in answer.text for answer in answers)
    assert last.status_code == 429
    assert last.headers["retry-after"].isdecimal()
    # Whoever holds the link is not kept out by those who try.
    assert public.browser().get(f"/pendapat/{public.code}").status_code == 200


def test_w11_another_site_answers_for_nobody(public: Public) -> None:
    browser, path = public.browser(), f"/pendapat/{public.code}"
    browser.get(path)

    answer = browser.post(path, data=GOOD, headers={"origin": "https://jahat.example"})

    assert answer.status_code == 403
    assert public.answers() == 0


@pytest.mark.parametrize("limits", [{"from_one_place": 2}, {"by_one_link": 2}])
def test_w13_answers_do_not_come_by_the_thousand(public: Public, limits: dict[str, int]) -> None:
    public.gateway.own.state.survey_answers = Throttles(**limits)
    path, answers = f"/pendapat/{public.code}", []
    for _ in range(3):
        browser = public.browser()
        browser.get(path)
        answers.append(browser.post(path, data=GOOD))

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[2].headers["retry-after"].isdecimal()
    assert '<option value="3" selected' in answers[2].text
    assert public.answers() == 2


def test_a_closed_survey_thanks_and_asks_nothing(public: Public) -> None:
    browser, path = public.browser(), f"/pendapat/{public.code}"
    browser.get(path)
    with public.database.transaction() as session:
        session.execute(text("UPDATE survey_link SET until_on = until_on - 1"))

    page, posted = browser.get(path), browser.post(path, data=GOOD)

    assert "sudah ditutup" in page.text
    assert "<select" not in page.text
    assert posted.status_code == 409
