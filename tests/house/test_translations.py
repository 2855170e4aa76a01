"""The catalogue says every word of every page in English, and nothing that no page shows any more."""

import ast
import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import jinja2
import pytest
from babel.messages.pofile import read_po

from alur import translating
from shared import interpreter
from shared.language import CATALOGUE, IN_CONTEXT, catalogue, keyed

ROOT = Path(__file__).parents[2]
TEMPLATES = sorted([*ROOT.glob("shared/templates/*.html"), *ROOT.glob("services/*/templates/*.html")])
NOT_YET: tuple[str, ...] = ()
"""Beginnings of paths whose newest words are not in the catalogue yet: they show in Indonesian.

Whoever adds words to a page runs `python -m alur.translating`, fills in what it lists, and leaves this empty.
"""
INDONESIAN = re.compile(
    r"\b(adalah|agar|akan|anda|atau|bila|belum|dan|dari|dapat|dengan|hanya|harus|itu|kepada|maka|oleh|pada|sampai"
    r"|sebelum|sedang|sudah|tidak|untuk|yang)\b",
    re.IGNORECASE,
)
"""Words without which hardly any Indonesian sentence can be said; no English word looks like them."""


@cache
def shown() -> dict[str, list[str]]:
    return translating.messages()


def test_every_message_of_the_pages_is_in_the_catalogue() -> None:
    missing = {one: places for one, places in shown().items() if one not in catalogue()}

    assert {one: places for one, places in missing.items() if not all(p.startswith(NOT_YET) for p in places)} == {}


def test_what_is_named_as_not_yet_translated_is_there() -> None:
    everywhere = {place for places in shown().values() for place in places}

    assert [start for start in NOT_YET if not any(place.startswith(start) for place in everywhere)] == []


def test_the_catalogue_holds_nothing_that_no_page_shows() -> None:
    stale = catalogue().keys() - shown().keys()
    with CATALOGUE.open("rb") as file:
        named = {keyed(str(m.id), m.context or ""): [str(place) for place, _ in m.locations] for m in read_po(file)}

    assert {one for one in stale if not all(place.startswith(NOT_YET) for place in named[one])} == set()


def _calls() -> Iterator[tuple[str, ast.Call]]:
    for file in sorted([*ROOT.glob("shared/*.py"), *ROOT.glob("services/**/*.py")]):
        if translating.PRINTING.intersection(file.parts):
            continue
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                yield f"{file.relative_to(ROOT)}:{node.lineno}", node


def test_a_refusal_with_places_is_a_sentence_that_can_be_said_in_english() -> None:
    """An f-string forgets its places; `Sentence` (shared/sentence.py) remembers them."""
    places = dict.fromkeys(translating.REFUSALS, 0) | {"FieldError": 1}
    forgetful = [
        place
        for place, call in _calls()
        if (at := places.get(getattr(call.func, "id", getattr(call.func, "attr", "")))) is not None
        and len(call.args) > at
        and isinstance(call.args[at], ast.JoinedStr | ast.BinOp)
    ]

    assert forgetful == []


def test_a_sentence_is_given_what_its_places_are_called() -> None:
    wrong = []
    for place, call in _calls():
        if getattr(call.func, "id", "") == "Sentence" and isinstance(call.args[0], ast.Constant):
            given = {word.arg for word in call.keywords}
            if None not in given and given != set(re.findall(r"{(\w+)}", str(call.args[0].value))):
                wrong.append(place)

    assert wrong == []


def test_a_translation_leaves_open_what_its_message_leaves_open() -> None:
    def left(words: str) -> Counter[str]:
        return interpreter.placeholders(words) + Counter(re.findall(r"%[ds]", words))

    assert {one: english for one, english in catalogue().items() if left(one) != left(english)} == {}


def test_english_words_fit_into_quotes_and_say_nothing_in_indonesian() -> None:
    wrong = {one: english for one, english in catalogue().items() if '"' in english or INDONESIAN.search(english)}

    assert wrong == {}


def test_a_translation_begins_and_ends_as_its_message() -> None:
    """A sentence that goes on after a value keeps its comma, and the space before it."""
    edges = re.compile(r"^[\s,;:(·]*|[\s:;“]*$")

    def ends(words: str) -> list[str]:
        return [found for found in edges.findall(words.rpartition(IN_CONTEXT)[2]) if found]

    assert {one: english for one, english in catalogue().items() if ends(one) != ends(english)} == {}


@pytest.mark.parametrize("file", TEMPLATES, ids=lambda file: file.name)
def test_every_template_can_be_read_in_english(file: Path) -> None:
    source = file.read_text(encoding="utf-8")
    environment = jinja2.Environment(autoescape=True)
    environment.filters.update(dict.fromkeys(("rupiah", "long_date", "moment", "short", "said", "told", "ago"), str))
    environment.filters.update(listed=str)

    # Nothing but the words changes: the same tags stand in the same order, but for what a sentence turns around.
    tags = re.compile(r"</?(?:table|tr|td|form|input|select|textarea|button|section|dl|dt|dd|ul|li|h[1-6])\b")
    assert tags.findall(interpreter.english(source)) == tags.findall(source)
    assert environment.parse(interpreter.english(source)) is not None
