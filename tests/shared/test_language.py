"""English beside Indonesian: what of a template is words, and what of a value is said in the language asked for."""

import json
import pickle
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import jinja2
import pytest
from markupsafe import Markup, escape
from pydantic import BaseModel

from shared import interpreter, language
from shared.identity import Language
from shared.language import SPOKEN, Told, keyed, listed, long_date, long_date_with_day, long_moment, said, told
from shared.pages import Pages
from shared.sentence import Sentence, together

ENGLISH = {
    "Dokumen": "Document",
    "Ditolak": "Rejected",
    "Belum ada dokumen.": "No documents yet.",
    "Diterima {name} pada <strong>{on}</strong> juga.": "On <strong>{on}</strong> {name} received it too.",
    "dari": "of",
    "Cari perkara": "Search cases",
    "Kontrak": "Contract",
    "{what} {number} tidak ada sejak {on}.": "Since {on} there is no {what} {number}.",
    "Masih kurang: {lacking}.": "Still missing: {lacking}.",
    keyed("Kontrak", language.LIST): "Contracts",
}
AT = datetime(2026, 8, 22, 8, 5, tzinfo=UTC)


@pytest.fixture(autouse=True)
def few_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(language, "labels", lambda: ENGLISH)
    monkeypatch.setattr(interpreter, "catalogue", lambda: ENGLISH)


@pytest.fixture
def in_english() -> Iterator[None]:
    before = SPOKEN.set("en")
    yield
    SPOKEN.reset(before)


def drawn(source: str, spoken: Language = "en", **values: object) -> str:
    """Return a page from a template in one language."""
    environment = interpreter.speaking(jinja2.Environment(autoescape=True), spoken)
    return environment.from_string(interpreter.english(source) if spoken == "en" else source).render(**values)


def test_words_between_tags_are_messages_with_their_values() -> None:
    first = '<h1>Dokumen</h1><p class="x">Diterima {{ one.name|upper }} pada\n <strong>{{ on }}</strong> juga.</p>'
    source = first + "<p>dari {{ x }}.</p>"

    assert interpreter.messages(source) == ["Dokumen", "Diterima {name} pada <strong>{on}</strong> juga.", "dari"]


def test_a_sentence_may_be_turned_around() -> None:
    source = '<p>Diterima {{ name }} pada <strong class="now">{{ on }}</strong> juga.</p>'

    assert drawn(source, name="Ani", on="Senin") == '<p>On <strong class="now">Senin</strong> Ani received it too.</p>'
    assert (
        drawn(source, "id", name="Ani", on="Senin")
        == '<p>Diterima Ani pada <strong class="now">Senin</strong> juga.</p>'
    )


def test_a_sentence_that_a_branch_cuts_is_said_in_its_parts() -> None:
    source = "<p>3 {% if x %}dari <a href='/x'>{{ y }}{% else %}Dokumen <a>{% endif %}</a></p>"

    assert drawn(source, x=True, y="Ditolak") == "<p>3 of <a href='/x'>Rejected</a></p>"


def test_words_of_attributes_and_of_code_are_messages_keys_are_not() -> None:
    source = (
        '<input placeholder="Cari perkara" name="Dokumen" value="Dokumen">'
        '{{ x or "Belum ada dokumen." }}{% if x == "Ditolak" %}{{ {"Ditolak": "Dokumen"}["Ditolak"] }}{% endif %}'
    )

    assert drawn(source, x="") == '<input placeholder="Search cases" name="Dokumen" value="Dokumen">No documents yet.'
    assert drawn(source, x="Ditolak").endswith("RejectedDocument")


def test_a_single_word_is_said_where_it_is_shown_alone_not_where_it_is_a_key() -> None:
    source = '{{ chip("dari", "good") }}{{ "dari" if x else "page" }}{% set y = "dari" %}{{ f(y, "dari") }}'

    assert interpreter.messages(source) == ["dari", "dari", "page"]
    shown = drawn(source, x=True, chip="{}/{}".format, f="{}/{}".format)
    assert shown == "of/goodofdari/dari"


def test_what_somebody_typed_comes_back_as_it_was_typed() -> None:
    source = (
        '<p>{{ typed }}</p><input value="{{ typed }}"><textarea>{{ typed }} Dokumen</textarea><pre>{{ typed }}</pre>'
    )

    shown = drawn(source, typed="Ditolak")

    assert shown.endswith('<input value="Ditolak"><textarea>Ditolak Dokumen</textarea><pre>Ditolak</pre>')


def test_values_are_escaped_in_english_too() -> None:
    assert drawn("<p>{{ x }} {{ y }}</p>", x="<b>", y=Markup("<i>")) == "<p>&lt;b&gt; <i></p>"


@pytest.mark.parametrize("given", [None, 3, "Sesuatu yang lain", Markup("Ditolak")])
def test_what_is_no_message_stays(given: object, in_english: None) -> None:
    assert said(given) is given


def test_a_label_is_said_in_the_language_of_the_request(in_english: None) -> None:
    assert said("Ditolak") == "Rejected"
    assert said("Ditolak", "id") == "Ditolak"
    assert listed("Kontrak") == "Contracts"
    assert listed("Dokumen") == "Document"


def test_nothing_is_said_in_english_unless_asked() -> None:
    assert (said("Ditolak"), listed("Kontrak"), told("Ditolak")) == ("Ditolak", "Kontrak", "Ditolak")


def test_a_sentence_left_in_indonesian_says_so_to_a_reader(in_english: None) -> None:
    assert told("Ditolak") == "Rejected"
    assert told("Nilai <3 tidak lulus") == '<span lang="id">Nilai &lt;3 tidak lulus</span>'


def test_a_sentence_with_places_is_indonesian_wherever_it_goes() -> None:
    made = Sentence("{what} {number} tidak ada sejak {on}.", what="Kontrak", number=7, on=AT.date())

    assert made == "Kontrak 7 tidak ada sejak 22 Agustus 2026."
    assert (said(made), told(made)) == (made, made)
    assert json.loads(json.dumps(made)) == pickle.loads(pickle.dumps(made)) == made


def test_a_sentence_with_places_is_said_in_english_with_its_words_and_days(in_english: None) -> None:
    made = Sentence("{what} {number} tidak ada sejak {on}.", what="Kontrak", number="<7>", on=AT)

    assert said(made) == "Since 22 August 2026, 15.05 WIB there is no Contract <7>."
    assert drawn("<p>{{ x }}</p>", x=made) == "<p>Since 22 August 2026, 15.05 WIB there is no Contract &lt;7&gt;.</p>"
    assert drawn('<input value="{{ x }}">', x=made) == f'<input value="{escape(str(made))}">'


def test_lists_and_sentences_within_a_sentence_are_said_too(in_english: None) -> None:
    lacking = Sentence("Masih kurang: {lacking}.", lacking=["Dokumen", "Denah"])
    both = together([lacking, "Belum ada dokumen."])

    assert both == "Masih kurang: Dokumen, Denah. Belum ada dokumen."
    assert said(both) == "Still missing: Document, Denah. No documents yet."
    assert said(Sentence("{name}: {why}", name="Dokumen", why=lacking)) == "Document: Still missing: Document, Denah."


def test_a_sentence_with_places_that_nobody_translated_says_so(in_english: None) -> None:
    left = Sentence("Rapat {number} sudah <usai>.", number="Ditolak")

    assert said(left) is left
    assert told(left) == '<span lang="id">Rapat Ditolak sudah &lt;usai&gt;.</span>'


def test_what_a_division_tells_another_page_is_said_when_it_is_told(in_english: None) -> None:
    class Row(BaseModel):
        cells: list[int | Told | None]

    told_rows = [3, "Ditolak", None, Sentence("Masih kurang: {lacking}.", lacking="x")]
    assert Row.model_validate({"cells": told_rows}).cells == [3, "Rejected", None, "Still missing: x."]


def test_days_follow_the_language(in_english: None) -> None:
    assert long_date(AT) == "22 August 2026"
    assert long_date_with_day(AT) == "Saturday, 22 August 2026"
    assert long_moment(AT) == "22 August 2026, 15.05 WIB"


def test_days_are_indonesian_unless_asked() -> None:
    assert (long_date(AT), long_date_with_day(AT)) == ("22 Agustus 2026", "Sabtu, 22 Agustus 2026")
    assert long_moment(AT) == "22 Agustus 2026 pukul 15.05 WIB"


def test_a_folder_of_templates_speaks_each_language(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text("<h1>Dokumen</h1>", encoding="utf-8")

    def title(spoken: Language) -> str:
        loader = interpreter.Templates([str(tmp_path)], spoken)
        return jinja2.Environment(loader=loader, autoescape=True).get_template("a.html").render()

    assert (title("en"), title("id")) == ("<h1>Document</h1>", "<h1>Dokumen</h1>")


def test_what_a_division_gives_its_templates_is_there_in_each_language(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text("<p>{{ titles }}</p>", encoding="utf-8")
    pages = Pages(tmp_path)
    pages.environment.globals["titles"] = "Ditolak"
    indonesian = pages.environment.get_template("a.html").render()
    before = SPOKEN.set("en")

    assert (indonesian, pages.environment.get_template("a.html").render()) == ("<p>Ditolak</p>", "<p>Rejected</p>")
    SPOKEN.reset(before)
