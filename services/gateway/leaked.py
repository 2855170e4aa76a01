"""Passwords that everybody guesses first: a packaged list of leaked ones, asked without any network.

The list holds the first five bytes of the sha256 of each entry, sorted: 8 bits more than are needed to tell 100,000
entries apart, and nobody who reads the file is handed a word list. An entry is a leaked password in its plain form
(`plain`), so that one entry stands for the many spellings that people make of it. How the file was made and from
which lists is told in docs/licences.md; `python -m services.gateway.leaked FILE ... > services/gateway/leaked.bin`
makes it anew from files with one password a line, the commonest first.
"""

import hashlib
import re
import sys
from bisect import bisect_left
from collections.abc import Iterable
from functools import cache
from pathlib import Path

WIDTH = 5
MOST = 95_000
"""Entries: with these the file stays below 500 KB."""
SHORTEST_ENTRY = 4
PACKED = Path(__file__).with_name("leaked.bin")
INDONESIAN = Path(__file__).with_name("leaked_indonesian.txt")
LOOKALIKES = str.maketrans("@4310$57", "aaeiosst")
_AROUND = re.compile(r"^[\W\d_]+|[\W\d_]+$")
_REPEATED = re.compile(r"(.{1,12}?)\1+")


def is_leaked(password: str) -> bool:
    """Tell whether a password, its word without the digits and signs around it, or what it repeats is on the list."""
    whole = password.casefold()
    forms = {whole, *plain(whole), *plain(whole.translate(LOOKALIKES))}
    forms |= {word for form in tuple(forms) for word in (re.sub(r"[\W_]+", "", form), _unit(form))}
    # One or two letters over and over are no word of any list.
    return len(_unit(whole)) < SHORTEST_ENTRY or any(_is_listed(form) for form in forms if len(form) >= SHORTEST_ENTRY)


def plain(password: str) -> set[str]:
    """Return what is left of a password without the digits and signs around it: "Rahasia2026!" is "rahasia"."""
    core = _AROUND.sub("", _AROUND.sub("", password.casefold()))
    return {core} if core else set()


def _unit(form: str) -> str:
    """Return what a text repeats from its beginning to its end, or the text itself."""
    found = _REPEATED.fullmatch(form)
    return found[1] if found else form


def _is_listed(form: str) -> bool:
    entries = _entries()
    wanted = _short(form)
    at = bisect_left(range(len(entries) // WIDTH), wanted, key=lambda n: entries[n * WIDTH : (n + 1) * WIDTH])
    return entries[at * WIDTH : (at + 1) * WIDTH] == wanted


@cache
def _entries() -> bytes:
    return PACKED.read_bytes()


def _short(form: str) -> bytes:
    return hashlib.sha256(form.encode()).digest()[:WIDTH]


def pack(words: Iterable[str]) -> bytes:
    """Return the packed list of the first words, each once; words too short to tell anything are left out."""
    kept: dict[bytes, None] = {}
    for word in words:
        for form in {word.casefold()} | plain(word):
            if len(form) >= SHORTEST_ENTRY and len(kept) < MOST:
                kept.setdefault(_short(form))
    return b"".join(sorted(kept))


def _main(names: list[str]) -> None:
    files = [INDONESIAN, *map(Path, names)]
    words = (line.strip() for file in files for line in file.read_text(encoding="utf-8", errors="ignore").splitlines())
    sys.stdout.buffer.write(pack(words))


if __name__ == "__main__":
    _main(sys.argv[1:])
