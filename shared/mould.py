"""Text that is drawn once with named places in it, and filled for each answer.

A form or the page around a fragment is the same for everybody but for a few words: drawing it anew costs as much as
the question to the database.
"""

import re
import secrets
from collections.abc import Iterable, Mapping

from markupsafe import Markup, escape

PLACE = f"\x02{secrets.token_hex(8)}-{{}}\x02"
"""How a place stands in the drawn text; nobody can type it, for no two processes write it alike."""


def places(names: Iterable[str]) -> dict[str, Markup]:
    """Return what a template draws where something is filled in later, by its name."""
    return {name: Markup(PLACE.format(name)) for name in names}  # noqa: S704 - our own marks


class Mould:
    """A drawn text that waits for what stands at its places."""

    def __init__(self, drawn: str, names: Iterable[str]) -> None:
        self._pieces = re.split(PLACE.format(f"({'|'.join(names)})"), drawn)

    def fill(self, values: Mapping[str, str]) -> Markup:
        """Return the text with these values, escaped unless they are marked up; raise KeyError for one that lacks."""
        found = {name: escape(value) for name, value in values.items()}
        return Markup("".join([found[piece] if n % 2 else piece for n, piece in enumerate(self._pieces)]))  # noqa: S704 - drawn by a template
