"""Search in all divisions at once: their answers merged, grouped by what was found, with the words marked."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher, get_close_matches
from urllib.parse import urlencode

from markupsafe import Markup, escape
from pydantic import TypeAdapter, ValidationError
from starlette.concurrency import run_in_threadpool

from services.gateway.door.doors import Answered, Doors
from services.gateway.queries import search as own
from services.gateway.schemas.search import FoundHit
from shared.database import Database
from shared.identity import Caller
from shared.log import logger
from shared.search import Hit, read

KINDS = {
    "case": "Perkara",
    "contract": "Kontrak",
    "plan": "RAB",
    "ticket": "Tiket",
    "hosting": "Hosting dan alamat",
    "server": "Server",
    "test": "Uji keamanan",
    "finding": "Temuan",
    "handover": "Serah terima",
    "claim": "Tagihan",
    "meeting": "Rapat",
    "evaluation": "Evaluasi",
    "paper": "Dokumen",
    "vendor": "Penyedia",
    "person": "Orang",
    "unit": "Unit",
}
"""Words for each kind, in the order in which equals stand."""
HITS = TypeAdapter(list[Hit])
TOKEN = re.compile(r"[^\W_]+")
ALIKE = 0.6
"""How alike two words must be to be offered in place of each other."""


@dataclass
class Found:
    """What was found, the best first, and which divisions did not answer."""

    hits: list[FoundHit] = field(default_factory=list)
    silent: list[str] = field(default_factory=list)

    @property
    def is_near(self) -> bool:
        """Tell whether nothing fits and all that was found only looks like it."""
        return bool(self.hits) and self.hits[0].match == "near"

    @property
    def groups(self) -> dict[str, list[FoundHit]]:
        """Return the hits by kind, the kind with the best hit first."""
        by_kind: dict[str, list[FoundHit]] = {}
        for hit in self.hits:
            by_kind.setdefault(hit.kind, []).append(hit)
        return by_kind


async def search(doors: Doors, database: Database, caller: Caller, question: str) -> Found:
    """Return what a person may see in all divisions; what only looks alike stands in when nothing else was found."""
    found = Found()
    asked = read(question)
    if asked is None:
        return found
    target = f"/api/search?{urlencode({'q': asked.typed})}"
    mine = await run_in_threadpool(_own, database, caller, question)
    hits = [FoundHit(**hit.model_dump(), part="gateway") for hit in mine]
    for name, answered in (await doors.ask_all(target, caller=caller)).items():
        told = _read(name, answered)
        if told is None:
            found.silent.append(name)
        else:
            hits += [FoundHit(**hit.model_dump(), part=name) for hit in told]
    if any(hit.match != "near" for hit in hits):
        hits = [hit for hit in hits if hit.match != "near"]
    hits.sort(key=_place)
    found.hits = hits
    return found


def _place(hit: FoundHit) -> tuple[int, float, int, float]:
    """Return where a hit stands: whatever bears the number first, the case before its papers; then what fits best."""
    order = list(KINDS).index(hit.kind) if hit.kind in KINDS else len(KINDS)
    return (0, order, 0, -hit.rank) if hit.match == "number" else (1, -hit.rank, order, 0)


def _own(database: Database, caller: Caller, question: str) -> list[Hit]:
    with database.session() as session:
        return own.found(session, caller.person, question)


def _read(name: str, answered: Answered | None) -> list[Hit] | None:
    if answered is None or answered.status != 200:
        return None
    try:
        return HITS.validate_json(answered.body)
    except ValidationError as reason:
        logger().error("hits_not_understood", part=name, reason=str(reason))
        return None


def suggestion(question: str, hits: Sequence[Hit]) -> str:
    """Return the question with each word as the nearest hit writes it; empty when that changes nothing."""
    asked = read(question)
    if asked is None:
        return ""
    known = list(dict.fromkeys(token.lower() for hit in hits for token in TOKEN.findall(f"{hit.title} {hit.about}")))
    words = [(get_close_matches(word, known, 1, ALIKE) or [word])[0] for word in asked.words]
    return "" if words == list(asked.words) else " ".join(words)


def marked(text: str, question: str) -> Markup:
    """Return a text, escaped, with the words that were asked for in <mark>."""
    asked = read(question)
    words = asked.words if asked else ()
    pieces, end = [], 0
    for token in TOKEN.finditer(text):
        if any(_fits(token[0].lower(), word) for word in words):
            pieces += [escape(text[end : token.start()]), Markup("<mark>") + token[0] + Markup("</mark>")]
            end = token.end()
    return Markup("").join([*pieces, escape(text[end:])])


def _fits(token: str, word: str) -> bool:
    if token == word or (len(word) > 1 and token.startswith(word)):
        return True
    # Stems: "pegawai" stands in "kepegawaian"; and slips of the pen.
    if len(word) < 4 or any(sign.isdigit() for sign in token):
        return False
    return word in token or (len(token) >= 4 and SequenceMatcher(None, token, word).ratio() >= 0.8)
