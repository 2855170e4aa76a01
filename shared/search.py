"""Search in one division's tables: PostgreSQL's full text with its Indonesian stems, and trigrams for slips of the pen.

A table that may be searched keeps its words in a generated column of its own, so nobody has to remember to
write them. What a person may see is the division's affair: it declares its kinds of things, each with its condition.
"""

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel
from sqlalchemy import (
    ColumnElement,
    Computed,
    Float,
    Index,
    Row,
    Select,
    and_,
    case,
    cast,
    func,
    literal,
    literal_column,
    or_,
    select,
    union,
)
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlalchemy.orm import Session
from sqlalchemy.schema import Column

from shared.identity import Person
from shared.patience import PATIENCE_MS

LONGEST = 100
"""Characters of a question; a longer one is refused at the JSON door and cut on the page."""
MOST_WORDS = 8
MOST_HITS = 20
"""Hits of one kind."""
CANDIDATES = 500
"""Of each kind so many that hold the words are weighed; whoever asks for what more of them hold adds a word."""
LIKENESS = 0.5
"""How alike a word and its misspelling must be (pg_trgm.word_similarity_threshold)."""
LONG_TEXT = 8000
"""Characters of a long text that are searched."""

PUNCTUATION = "./-_:,;@#&+"
ACCENTED, PLAIN = "áàâäãåéèêëíìîïóòôöõúùûüñç", "aaaaaaeeeeiiiiooooouuuunc"
SIMPLE, INDONESIAN = "'simple'::regconfig", "'indonesian'::regconfig"
WORD = re.compile(r"[^\W_]+")
OPERATOR = re.compile(r'"|\s-\w|\sor\s')

Match = Literal["number", "words", "near"]


class Hit(BaseModel):
    """One thing that was found."""

    kind: str
    """Key of what it is, e.g. "contract"."""
    title: str
    number: str = ""
    about: str = ""
    """What it belongs to: unit, application, firm."""
    path: str = ""
    """Its page; empty when it has none."""
    label: str = ""
    """Its state in Indonesian."""
    at: str = ""
    """When it came about, RFC 3339."""
    rank: float = 0.0
    match: Match = "words"
    """By its number, by its words, or only by words that look alike."""


@dataclass(frozen=True)
class Asked:
    """A question, read."""

    typed: str
    """As it was typed, in small letters."""
    text: str
    """Without accents and punctuation."""
    words: tuple[str, ...]
    has_operators: bool
    """Quotation marks, a minus or an "or" were typed: it is taken literally."""

    @property
    def has_digits(self) -> bool:
        """Tell whether it may be a number of something."""
        return any(sign.isdigit() for sign in self.text)


def read(question: str) -> Asked | None:
    """Return a question as it is searched, or None when it holds no word."""
    typed = "".join(sign if sign.isprintable() else " " for sign in question).strip()[:LONGEST].lower()
    plain = "".join(sign for sign in unicodedata.normalize("NFKD", typed) if not unicodedata.combining(sign))
    words = tuple(dict.fromkeys(WORD.findall(plain)))[:MOST_WORDS]
    if not words:
        return None
    has_operators = bool(OPERATOR.search(plain))
    text = re.sub(r"(?<=\w)[^\w\s\"]+(?=\w)|_", " ", plain) if has_operators else " ".join(words)
    return Asked(typed, text, words, has_operators)


def _folded(column: str) -> str:
    table = PUNCTUATION + ACCENTED, " " * len(PUNCTUATION) + PLAIN
    return f"translate(lower({column}), '{table[0]}', '{table[1]}')"


def _joined(columns: Sequence[Column[Any]]) -> str:
    return " || ' ' || ".join(f"coalesce({c.name}, '')" if c.nullable else f'"{c.name}"' for c in columns)


class Searchable:
    """A table with a generated column of its words, an index on them, and one for words that look alike.

    `names` weigh most (numbers, names), then `about` (unit, firm), then `text`. The columns in `near` are those
    whose misspellings are found. Not mapped to the class: nobody reads the words but the search.
    """

    def __init__(
        self,
        noun: type[Any],
        *,
        names: Sequence[str],
        near: Sequence[str],
        about: Sequence[str] = (),
        text: Sequence[str] = (),
        number: str = "",
    ) -> None:
        self.noun = noun
        table = noun.__table__
        parts = []
        for weight, columns in (("A", names), ("B", about)):
            if columns:
                folded = _folded(_joined([table.c[name] for name in columns]))
                parts += [f"setweight(to_tsvector({c}, {folded}), '{weight}')" for c in (SIMPLE, INDONESIAN)]
        if text:
            long = _folded(f"left({_joined([table.c[name] for name in text])}, {LONG_TEXT})")
            parts.append(f"setweight(to_tsvector({INDONESIAN}, {long}), 'C')")
        self.words: Column[Any] = Column("search_words", TSVECTOR, Computed(" || ".join(parts), persisted=True))
        table.append_column(self.words)
        self.near = [table.c[name] for name in near]
        self.number = table.c[number] if number else None
        Index(f"ix_{table.name}_search_words", self.words, postgresql_using="gin")
        Index(
            f"ix_{table.name}_near",
            *self.near,
            postgresql_using="gin",
            postgresql_ops=dict.fromkeys(near, "gin_trgm_ops"),
        )

    def found(self, asked: Asked) -> ColumnElement[bool]:
        """Return the condition that a row holds what was asked, or something that looks like it."""
        exact = self._holds(_query(asked))
        if asked.has_operators or not any(_may_be_misspelt(word) for word in asked.words):
            return exact
        return or_(exact, and_(*(self._holds_nearly(word) for word in asked.words)))

    def is_exact(self, asked: Asked) -> ColumnElement[bool]:
        """Return the condition that a row holds the very words."""
        return self._holds(_query(asked))

    def is_numbered(self, asked: Asked) -> ColumnElement[bool]:
        """Return the condition that the thing's own number holds all that was asked, in any order and punctuation."""
        assert self.number is not None
        number: ColumnElement[str] = literal_column(_folded(f"{self.number.table.name}.{self.number.name}"))
        return func.to_tsvector(literal_column(SIMPLE), number).op("@@", is_comparison=True)(_all(asked.words))

    def weight(self, asked: Asked) -> ColumnElement[float]:
        """Return how well a row fits, below 1."""
        by_words = func.ts_rank(self.words, _query(asked), 32)
        alike = [func.word_similarity(" ".join(asked.words), column) for column in self.near]
        return func.greatest(by_words, *(one * 0.9 for one in alike))

    def _holds(self, query: ColumnElement[Any]) -> ColumnElement[bool]:
        return self.words.op("@@", is_comparison=True)(query)

    def _holds_nearly(self, word: str) -> ColumnElement[bool]:
        if not _may_be_misspelt(word):
            return self._holds(_either(word))
        # The column stands on the left: that operator is the one which the index answers.
        return or_(self._holds(_either(word)), *(c.op("%>", is_comparison=True)(literal(word)) for c in self.near))


@dataclass(frozen=True)
class Kind:
    """One kind of thing that a division lets people find."""

    words: Searchable
    shown: Select[*tuple[Any, ...]]
    """The columns that `hit` reads, with the joins that `seen` and `others` need."""
    hit: Callable[[Row[*tuple[Any, ...]]], Hit]
    """A row as it is shown; when it came about and how well it fits is filled in."""
    seen: Callable[[Person], ColumnElement[bool] | None]
    """The condition under which somebody may see one; None when they may see none of this kind."""
    others: Sequence[Searchable] = ()
    """Joined tables whose words count for half (the firm of a contract)."""
    also: Callable[[Asked], Sequence[ColumnElement[bool]]] = lambda _: ()
    """Further ways to be found, which count as a number."""


def _may_be_misspelt(word: str) -> bool:
    return len(word) >= 4 and not any(sign.isdigit() for sign in word)


def _all(words: Sequence[str], ending: str = "") -> ColumnElement[Any]:
    # Words are letters and digits only: nothing in them is an operator.
    return func.to_tsquery(literal_column(SIMPLE), literal(" & ".join(words) + ending))


def _either(word: str) -> ColumnElement[Any]:
    return _or(func.to_tsquery(literal_column(INDONESIAN), literal(word)), _all([word]))


def _or(one: ColumnElement[Any], other: ColumnElement[Any]) -> ColumnElement[Any]:
    return one.op("||")(other)


def _query(asked: Asked) -> ColumnElement[Any]:
    by_stem = func.websearch_to_tsquery(literal_column(INDONESIAN), literal(asked.text))
    if asked.has_operators:
        return _or(by_stem, func.websearch_to_tsquery(literal_column(SIMPLE), literal(asked.text)))
    # The last word may still be being typed.
    return _or(by_stem, _all(asked.words, ":*" if len(asked.words[-1]) > 1 else ""))


def limit_time(session: Session) -> None:
    """Let no statement of this transaction take longer than a search may, and say what counts as alike.

    Called before anything else is asked: reading has no transaction otherwise, and what is set would be forgotten.
    """
    if session.get_bind().get_execution_options().get("isolation_level") == "AUTOCOMMIT":
        session.connection(execution_options={"isolation_level": "READ COMMITTED"})
    session.execute(
        select(
            func.set_config("statement_timeout", str(PATIENCE_MS), True),
            func.set_config(*_LIKENESS, True),
        )
    )


_LIKENESS = "pg_trgm.word_similarity_threshold", str(LIKENESS)


def agree(session: Session) -> None:
    """Say what counts as alike, for whoever may not begin with `limit_time`; everybody who searches says the same."""
    session.execute(select(func.set_config(*_LIKENESS, False)))


def some(statement: Select[Any], most: int, *, name: str = "held") -> Select[Any]:
    """Return the same question for so many of its rows, planned as if all were wanted.

    With a bare LIMIT the planner, which cannot know how rare a misspelt word is, may look through the whole table.
    """
    held = statement.cte(name).prefix_with("MATERIALIZED")
    return select(select(*held.c).limit(most).subquery(f"{name}_some"))


def found(session: Session, by: Person, question: str, kinds: Sequence[Kind]) -> list[Hit]:
    """Return what a person may see and asked for, the best first; nothing for a question without words."""
    asked = read(question)
    if asked is None:
        return []
    limit_time(session)
    seen = [(kind, kind.seen(by)) for kind in kinds]
    return ranked([hit for kind, where in seen if where is not None for hit in hits(session, asked, kind, where)])


def hits(session: Session, asked: Asked, kind: Kind, seen: ColumnElement[bool]) -> list[Hit]:
    """Return the best hits of one kind, in one statement; ties fall to the newest."""
    statement = kind.shown.where(seen)
    thing, at = kind.words.noun.id, kind.words.noun.created_at
    places = (kind.words, *kind.others)
    also = kind.also(asked)
    # Each place answers from its own index; an OR across tables could not use any.
    ways = [
        some(statement.with_only_columns(thing, maintain_column_froms=True).where(way), CANDIDATES, name=f"held_{n}")
        for n, way in enumerate([*(p.found(asked) for p in places), *also])
    ]
    is_numbered = list(also)
    if asked.has_digits:
        is_numbered += [place.is_numbered(asked) for place in places if place.number is not None]
    levels = [(or_(*is_numbered), 3)] if is_numbered else []
    level = case(*levels, (or_(*(place.is_exact(asked) for place in places)), 2), else_=1)
    weight = func.greatest(kind.words.weight(asked), *(other.weight(asked) * 0.5 for other in kind.others))
    rank = cast(level + weight, Float)
    rows = session.execute(
        statement.add_columns(at.label("at"), level.label("level"), rank.label("rank"))
        .where(thing.in_(union(*ways)))
        .order_by(rank.desc(), at.desc(), thing)
        .limit(MOST_HITS)
    ).all()
    return [
        kind.hit(row).model_copy(
            update={"at": row.at.isoformat(), "rank": round(row.rank, 4), "match": MATCHES[row.level]}
        )
        for row in rows
    ]


MATCHES: dict[int, Match] = {3: "number", 2: "words", 1: "near"}


def ranked(found: Sequence[Hit]) -> list[Hit]:
    """Return hits with the best first; a number before words, words before what only looks alike."""
    return sorted(found, key=lambda hit: -hit.rank)
