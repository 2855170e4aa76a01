"""English beside Bahasa Indonesia: words that Python gives to a page, said in the language of who asks.

Alur is written in Indonesian; a catalogue says the same in English, and what is not in it is shown as it is written.
Papers, letters and the JSON door are always in Indonesian. `shared/interpreter.py` makes templates speak English.
"""

from contextvars import ContextVar
from datetime import date, datetime
from functools import cache, lru_cache
from pathlib import Path
from typing import Annotated, Any

from babel.dates import format_date
from babel.messages.pofile import read_po
from markupsafe import Markup
from pydantic import BeforeValidator

from shared import words
from shared.identity import Language
from shared.sentence import Sentence

CATALOGUE = Path(__file__).with_name("translations") / "en" / "LC_MESSAGES" / "alur.po"
SPOKEN: ContextVar[Language] = ContextVar("spoken", default="id")
"""The language of the request at hand, for what is drawn outside templates."""


IN_CONTEXT = "\x04"
"""Between a context and its message, as gettext has it."""
LIST = "list"
"""Context of an entry that leads to a list: one word in Indonesian, in English the plural."""
_DAY = "d MMMM y"


@cache
def catalogue() -> dict[str, str]:
    """Return the English words by the Indonesian ones; those not yet translated are left out."""
    with CATALOGUE.open("rb") as file:
        found = read_po(file, locale="en")
    return {keyed(str(m.id), m.context or ""): str(m.string) for m in found if m.id and m.string}


@cache
def labels() -> dict[str, str]:
    """Return the English words of what Python gives to pages, by the places that the catalogue names.

    The scraps of sentences in templates are not among them: "paket" between two values is a build, but the unit that
    somebody typed stays what they typed.
    """
    with CATALOGUE.open("rb") as file:
        found = read_po(file, locale="en")
    shown = [m for m in found if m.id and m.string and not all(place.endswith(".html") for place, _ in m.locations)]
    return {keyed(str(m.id), m.context or ""): str(m.string) for m in shown}


def keyed(message: str, context: str = "") -> str:
    """Return the key of a message; in a context it may have other words than elsewhere."""
    return f"{context}{IN_CONTEXT}{message}" if context else message


def said(text: Any, language: Language | None = None) -> Any:
    """Return words that Python gives to a page in a language, else in that of the request.

    What is no message of ours stays as it is.
    """
    return text if (language or SPOKEN.get()) == "id" else in_english(text)


def in_english(text: Any) -> Any:
    """Return words that Python gives to a page in English; what is no message of ours stays as it is."""
    # Markup is drawn already, and no member of an enumeration is a word.
    if type(text) is str:
        return labels().get(text, text)
    return _put_together(text) if type(text) is Sentence else text


def _put_together(sentence: Sentence) -> str:
    template = labels().get(sentence.template)
    if template is None and not sentence.is_bare:
        return sentence
    return (template or sentence.template).format(**{name: _place(value) for name, value in sentence.places.items()})


def _place(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return ", ".join(map(in_english, value))
    if isinstance(value, datetime):
        return f"{_day(value, _DAY)}, {words.clock_time(value)}"
    return _day(value, _DAY) if isinstance(value, date) else in_english(value)


Told = Annotated[str, BeforeValidator(said)]
"""A field whose words a division says in the language of the request, because the page that shows it is not its own."""


def listed(text: str) -> str:
    """Return the name of a list in the language of the request."""
    return text if SPOKEN.get() == "id" else labels().get(keyed(text, LIST), said(text))


def told(text: Any, language: Language | None = None) -> Any:
    """Return a sentence in a language, marked as Indonesian for a reader's voice where it is not translated."""
    shown = said(text, language)
    is_left = shown is text and isinstance(text, str) and not isinstance(text, Markup)
    if (language or SPOKEN.get()) == "id" or not is_left or not text:
        return shown
    return Markup('<span lang="id">{}</span>').format(text)


def long_date(moment: date | datetime) -> str:
    """Write the day in WIB in the language of the request: "22 August 2026", in Indonesian "22 Agustus 2026"."""
    return _day(moment, _DAY) if SPOKEN.get() == "en" else words.long_date(moment)


def long_date_with_day(moment: date | datetime) -> str:
    """Write the day in WIB with its name: "Sunday, 22 November 2026", in Indonesian "Minggu, 22 November 2026"."""
    return _day(moment, "EEEE, d MMMM y") if SPOKEN.get() == "en" else words.long_date_with_day(moment)


def long_moment(moment: datetime) -> str:
    """Write day and time: "22 November 2026, 15.05 WIB", in Indonesian "22 November 2026 pukul 15.05 WIB"."""
    return f"{long_date(moment)}, {words.clock_time(moment)}" if SPOKEN.get() == "en" else words.long_moment(moment)


def _day(moment: date | datetime, pattern: str) -> str:
    return _written(words.local_date(moment), pattern)


@lru_cache(2_000)
def _written(day: date, pattern: str) -> str:
    return format_date(day, pattern, locale="en_GB")
