"""The living page of the face: only where Alur is developed, every piece once, by the macros of the pages."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx

from services.gateway.app import make
from services.gateway.door import colours
from services.gateway.pages.style_guide import Sample, pairs
from services.gateway.settings import Settings
from shared.pages import inputs
from tests.gateway.conftest import PASSWORD, serving


@contextmanager
def page_of(settings: Settings, username: str) -> Iterator[httpx.Response]:
    gateway = make(settings, {})
    try:
        with serving(gateway) as url, httpx.Client(base_url=url, headers={"accept": "text/html"}) as client:
            client.post("/api/session", json={"username": username, "password": PASSWORD})
            yield client.get("/gaya")
    finally:
        gateway.database.close()


def test_the_style_guide_is_there_only_in_development(
    settings_for: Callable[..., Settings], somebody: Callable[..., str]
) -> None:
    with page_of(settings_for(), somebody()) as hidden:
        assert hidden.status_code == 404
    with page_of(settings_for(development=True), somebody()) as shown:
        assert shown.status_code == 200


def test_every_piece_stands_on_it(settings_for: Callable[..., Settings], somebody: Callable[..., str]) -> None:
    with page_of(settings_for(development=True), somebody()) as answer:
        page = answer.text

    for piece in (
        "button--danger", "button--quiet", "field--wrong", "field--tick", "chip--good", "chip--you", "line-figure",
        "stop--loop", "timeline", "class=\"drop\"", "<dialog", "class=\"empty\"", "class=\"toast\"", "notice--silent",
        "class=\"log\"", "class=\"finding\"", "class=\"choices", "class=\"figure\"", "table class=\"cards\"", "papers",
    ):  # fmt: skip
        assert piece in page, piece
    assert not re.search(r"\sstyle=|<script(?! src=)|<style", page)
    assert page.count('class="line-figure"') == 4
    ids = re.findall(r'\sid="([^"]+)"', page)
    assert len(ids) == len(set(ids)), {one for one in ids if ids.count(one) > 1}


def test_a_field_of_every_kind_is_shown_empty_filled_and_refused(
    settings_for: Callable[..., Settings], somebody: Callable[..., str]
) -> None:
    with page_of(settings_for(development=True), somebody()) as answer:
        page = answer.text

    kinds = {"text", "area", "number", "money", "date", "choice", "many", "tick", "file", "rows"}
    assert {one.kind for one in inputs(Sample)} == kinds
    # What was typed wrongly comes back, also in a field that only knows days, numbers or given choices.
    for typed in ('value="banyak"', 'value="besok"', '<option value="sedang" selected>'):
        assert page.count(typed) == 1, typed


def test_each_contrast_that_is_shown_is_measured_and_enough() -> None:
    shown = pairs("#12603f")

    assert len(shown) == len(colours.READABLE)
    assert min(found for pair in shown for *_, found in (pair.light, pair.dark)) >= colours.ENOUGH
