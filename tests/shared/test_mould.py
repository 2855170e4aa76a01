"""Text that is drawn once: what differs is put in escaped, and nothing of one answer stays for the next."""

import pytest
from markupsafe import Markup
from pydantic import BaseModel, Field

from shared.authority import Act
from shared.identity import Role
from shared.mould import Mould, places
from shared.pages import SHEET, TEMPLATES, Offer, Sheet, inputs, new_environment

GREETING = Mould('<p title="{name}">{name}: {body}</p>'.format_map(places(("name", "body"))), ("name", "body"))


def test_what_is_put_in_is_escaped_and_what_is_drawn_already_is_not() -> None:
    shown = GREETING.fill({"name": 'A "<b>"', "body": Markup("<i>x</i>")})

    assert shown == '<p title="A &#34;&lt;b&gt;&#34;">A &#34;&lt;b&gt;&#34;: <i>x</i></p>'


def test_a_value_cannot_stand_for_another_place() -> None:
    assert GREETING.fill({"name": places(["body"])["body"], "body": "secret"}).count("secret") == 1


def test_words_that_look_like_a_place_are_words() -> None:
    drawn = Mould("<p>\x02body\x02 {body}</p>".format_map(places(("body",))), ("body",))

    assert drawn.fill({"body": "secret"}) == "<p>\x02body\x02 secret</p>"


def test_a_value_that_lacks_is_no_empty_place() -> None:
    with pytest.raises(KeyError):
        GREETING.fill({"name": "Ani"})


class Words(BaseModel):
    """One field."""

    words: str = Field(title="Isi", min_length=3)


ACT = Act("tell", "Kirim", frozenset({Role.HEAD}))
FORM = new_environment(TEMPLATES, language="id").from_string(
    '{% import "parts.html" as parts %}{{ parts.form(offer) }}'
)


def _drawn(offer: Offer, form_token: str) -> str:
    SHEET.set(Sheet(form_token))
    return FORM.render(offer=offer)


def test_two_people_with_the_same_form_have_their_own_tokens_keys_and_addresses() -> None:
    first = _drawn(Offer(ACT, "/surat/1?a=1&b=2", inputs(Words), key="k1"), "token-of-ani")
    second = _drawn(Offer(ACT, "/surat/2", inputs(Words), key="k2", edition="7"), "token-of-budi")

    assert 'action="/surat/1?a=1&amp;b=2"' in first and 'value="token-of-ani"' in first and 'id="k1-words"' in first
    assert 'action="/surat/2"' in second and 'value="token-of-budi"' in second and 'id="k2-words"' in second
    assert 'name="seen_edition" value="7"' in second and "seen_edition" not in first
    assert "\x02" not in first + second and "token-of-ani" not in second


def test_what_somebody_typed_is_drawn_for_them_alone() -> None:
    typed = Offer(ACT, "/surat", inputs(Words), key="k3", typed={"words": "rahasia"}, is_open=True)

    assert "rahasia" in _drawn(typed, "t")
    assert "rahasia" not in _drawn(Offer(ACT, "/surat", inputs(Words), key="k4"), "t")
