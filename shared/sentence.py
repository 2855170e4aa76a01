"""A sentence with places, put together at run time, that remembers how: so that it can be said in English too."""

import re
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

_LETTERS = re.compile(r"[^\W\d_]")
_PLACE = re.compile(r"\{\w+\}")


class Sentence(str):
    """Indonesian words for people, and the template and places they were made of.

    It is a `str` in Indonesian wherever it goes: in papers, in the JSON door, in the database. A page looks its
    template up in the catalogue (`shared/language.py`). A place may be a sentence itself, or a list of words; a day or
    a moment is written in the reader's language.
    """

    __slots__ = ("places", "template")
    template: str
    places: dict[str, Any]

    def __new__(cls, template: str, /, **places: Any) -> "Sentence":
        """Return a template with its places filled, in Indonesian."""
        made = super().__new__(cls, template.format(**{name: _written(value) for name, value in places.items()}))
        made.template, made.places = template, places
        return made

    @property
    def is_bare(self) -> bool:
        """Tell a template that holds no words of its own: "{title}: {why}"."""
        return not _LETTERS.search(_PLACE.sub("", self.template))

    def __reduce__(self) -> tuple[Any, ...]:
        """Return what another process gets: the words."""
        return str, (str(self),)


def _written(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return ", ".join(value)
    if not isinstance(value, date):
        return value
    from shared import words  # here, because words stand on refusals, and refusals on this module

    return words.long_moment(value) if isinstance(value, datetime) else words.long_date(value)


def together(parts: Sequence[str]) -> Sentence:
    """Return several sentences as one, each of which can be said in English by itself."""
    places = {f"part_{number}": part for number, part in enumerate(parts)}
    return Sentence(" ".join(f"{{{name}}}" for name in places), **places)
