"""Makes the English template of an Indonesian one, so that no text of a page has to be marked.

The words between the tags of a template are its messages, and the sentences in its code and its seen attributes.
The English template is made when it is first used: a page in English costs a look-up for each value that it shows,
and one in Indonesian nothing.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import jinja2

from shared.identity import Language
from shared.language import catalogue, in_english, listed, told

INLINE = frozenset({"a", "abbr", "b", "code", "em", "i", "kbd", "small", "span", "strong", "time"})
"""Tags that may stand inside a sentence; every other tag ends it."""
SHOWN_ATTRIBUTES = frozenset({"alt", "aria-label", "data-confirm", "data-label", "placeholder", "title"})
VERBATIM = frozenset({"pre", "script", "style", "textarea"})
"""What stands in these is somebody's own words, or no words at all."""

TONES = frozenset({"bad", "good", "quiet", "wait"})
"""What a chip looks like; keys, though they stand where words do."""

_CODE = r"\{\{.*?\}\}|\{%.*?%\}|\{\#.*?\#\}"
_TOKEN = re.compile(
    rf"""(?P<note>\{{\#.*?\#\}}|<!.*?>)|(?P<block>\{{%.*?%\}})|(?P<shown>\{{\{{.*?\}}\}})
    |(?P<tag></?[a-zA-Z](?:{_CODE}|"(?:{_CODE}|[^"])*"|[^<>"])*>)
    |(?P<text>(?:(?!\{{[\{{%\#])(?!</?[a-zA-Z!]).)+)""",
    re.DOTALL | re.VERBOSE,
)
_ATTRIBUTE = re.compile(rf'(?P<name>[a-z-]+)="(?P<value>(?:{_CODE}|[^"])*)"', re.DOTALL)
_LITERAL = re.compile(r'(?P<before>[\w.\[(=!,|]*\s*)"(?P<text>[^"\\]*)"(?P<after>\s*[:\]]?)')
_NO_WORDS = re.compile(r"(==|!=|\bin|\[|\.get\(|attr\(|attribute=|equalto|import|include|from|extends)\s*$")
_LETTERS = re.compile(r"(?<![-\w#])[A-Za-zÀ-ÿ]{2}")
_ENDS = re.compile(r"^(\s*)(.*?)(\s*)$", re.DOTALL)
_NAMES = re.compile(r"[a-z_][a-z0-9_]*")
_SPACE = re.compile(r"\s+")

Say = Callable[[str], str]
"""Gives the words to show for a message."""


class Templates(jinja2.FileSystemLoader):
    """Finds templates and hands them out in one language."""

    def __init__(self, folders: list[str], language: Language) -> None:
        super().__init__(folders)
        self.language = language

    def get_source(self, environment: jinja2.Environment, template: str) -> tuple[str, str, Callable[[], bool]]:
        """Return the source of a template, in English where this loader speaks English."""
        source, name, is_fresh = super().get_source(environment, template)
        return (source if self.language == "id" else english(source)), name, is_fresh


def speaking(environment: jinja2.Environment, language: Language) -> jinja2.Environment:
    """Give an environment the words of a language: `said`, `told` and `listed`."""

    # The shortest way: it is gone for each value of a page.
    is_english = language == "en"
    environment.filters.update(said=in_english if is_english else _as_it_is, listed=listed)
    environment.filters.update(told=partial(told, language=language) if is_english else _as_it_is)
    return environment


def _as_it_is(text: Any) -> Any:
    return text


def english(source: str) -> str:
    """Return the source of a template with its messages in English and its values asked for in English."""
    return _rewritten(source, lambda text: catalogue().get(text, text), is_asking=True)


def messages(source: str) -> list[str]:
    """Return the messages of a template, in order."""
    found: list[str] = []

    def keep(text: str) -> str:
        found.append(text)
        return text

    _rewritten(source, keep, is_asking=False)
    return found


def placeholders(message: str) -> Counter[str]:
    """Return what a message leaves open, `{name}` and `<tag>`; a translation leaves open the same."""
    return Counter(re.findall(r"\{[a-z0-9_]+\}|</?[a-z]+>", message))


def _rewritten(source: str, say: Say, *, is_asking: bool) -> str:
    ready: list[str] = []
    run: list[tuple[str, str]] = []
    verbatim = ""
    for token in _TOKEN.finditer(source):
        kind, text = str(token.lastgroup), token[0]
        name = _tag_name(text) if kind == "tag" else ""
        if verbatim:
            ready.append(_tag(text, say, is_asking) if kind == "tag" else _code(text, say) if kind != "text" else text)
            verbatim = "" if name == "/" + verbatim else verbatim
        elif kind in ("text", "shown") or name.lstrip("/") in INLINE:
            run.append((kind, text))
        else:
            ready += _sentence(run, say, is_asking)
            run = []
            if kind == "tag":
                ready.append(_tag(text, say, is_asking))
                verbatim = name if name in VERBATIM else ""
            else:
                ready.append(_code(text, say) if kind == "block" else text)
    return "".join([*ready, *_sentence(run, say, is_asking)])


def _tag_name(tag: str) -> str:
    return re.match(r"<(/?[a-zA-Z0-9]+)", tag)[1].lower()  # type: ignore[index]  # a tag has a name


def _sentence(run: list[tuple[str, str]], say: Say, is_asking: bool) -> Iterator[str]:
    """Yield a run of words, values and inline tags, said as one message where it holds words."""
    first, last = _core(run)
    yield from (_plain(part, say, is_asking) for part in run[:first])
    core = run[first:last]
    if core and _is_balanced(core):
        yield _message(core, say, is_asking)
    else:
        # A tag that another branch closes: what stands on each side of a tag is a message of its own.
        piece: list[tuple[str, str]] = []
        for part in core:
            if part[0] == "tag":
                yield from _sentence(piece, say, is_asking)
                yield _plain(part, say, is_asking)
                piece = []
            else:
                piece.append(part)
        if piece:
            yield from _sentence(piece, say, is_asking)
    yield from (_plain(part, say, is_asking) for part in run[last:])


def _core(run: list[tuple[str, str]]) -> tuple[int, int]:
    """Return from where to where a run holds words, with the tags that open or close within."""
    spoken = [n for n, (kind, text) in enumerate(run) if kind == "text" and _LETTERS.search(_bare(text))]
    if not spoken:
        return 0, 0
    first, last = spoken[0], spoken[-1] + 1
    while not _is_balanced(run[first:last]) and last < len(run):
        last += 1
    if not _is_balanced(run[first:last]):
        last = spoken[-1] + 1
        while not _is_balanced(run[first:last]) and first > 0:
            first -= 1
    if not _is_balanced(run[first:last]):
        first, last = spoken[0], spoken[-1] + 1
    return first, last


def _bare(text: str) -> str:
    """Return a text without entities and without attributes that a macro writes into a tag."""
    return re.sub(r'&[a-z]+;|[\w-]+="[^"]*"', " ", text)


def _is_balanced(run: list[tuple[str, str]]) -> bool:
    depth = 0
    for kind, text in run:
        if kind == "tag":
            depth += -1 if text.startswith("</") else 1
            if depth < 0:
                return False
    return depth == 0


def _message(run: list[tuple[str, str]], say: Say, is_asking: bool) -> str:
    """Return a run said in the language: values stand as {name} in its message, tags without attributes."""
    values: dict[str, str] = {}
    tags: dict[str, list[str]] = {}
    parts: list[str] = []
    for part in run:
        kind, text = part
        if kind == "text":
            parts.append(text)
        elif kind == "shown":
            name = _value_name(text, values)
            values[name] = _plain(part, say, is_asking)
            parts.append(name)
        else:
            name = f"<{_tag_name(text)}>"
            tags.setdefault(name, []).append(_plain(part, say, is_asking))
            parts.append(name)
    before, words_, after = _ENDS.match("".join(parts)).groups()  # type: ignore[union-attr]  # it fits every text
    message = say(_SPACE.sub(" ", words_))
    message = re.sub(r"</?[a-z]+>", lambda m: tags[m[0]].pop(0) if tags.get(m[0]) else m[0], message)
    return before + re.sub(r"\{[a-z0-9_]+\}", lambda m: values.get(m[0], m[0]), message) + after


def _value_name(shown: str, taken: dict[str, str]) -> str:
    """Name a value after the last word of what it shows: `{{ token.ends_at|moment }}` is {ends_at}."""
    head = re.split(r" (?:if|or|else) |\|", re.sub(r'"[^"]*"', "", shown.strip("{}- ")))[0]
    found = _NAMES.findall(head)
    name = f"{{{found[-1] if found else 'value'}}}"
    number = 2
    while name in taken:
        name, number = f"{{{found[-1] if found else 'value'}_{number}}}", number + 1
    return name


def _plain(part: tuple[str, str], say: Say, is_asking: bool) -> str:
    kind, text = part
    if kind == "shown":
        code = _code(text, say)
        if not is_asking:
            return code
        inner = code[2:-2]
        left, right = ("-" if inner.startswith("-") else ""), ("-" if inner.endswith("-") else "")
        return f"{{{{{left} ({inner.strip('- ')})|said {right}}}}}"
    return _tag(text, say, is_asking) if kind == "tag" else text


def _tag(tag: str, say: Say, is_asking: bool) -> str:
    def attribute(found: re.Match[str]) -> str:
        value = found["value"]
        if found["name"] not in SHOWN_ATTRIBUTES:
            return found[0]
        pieces: list[str] = []
        run: list[tuple[str, str]] = []
        for token in _TOKEN.finditer(value):
            kind = str(token.lastgroup)
            if kind in ("text", "shown"):
                run.append((kind, token[0]))
            else:
                pieces += _sentence(run, say, is_asking)
                pieces.append(_code(token[0], say))
                run = []
        return f'{found["name"]}="{"".join([*pieces, *_sentence(run, say, is_asking)])}"'

    return _ATTRIBUTE.sub(attribute, tag)


def _code(code: str, say: Say) -> str:
    """Return Jinja code with the sentences in its quotes said in the language; keys and addresses stay."""

    def literal(found: re.Match[str]) -> str:
        before, words_, after = _ENDS.match(found["text"]).groups()  # type: ignore[union-attr]
        is_shown = is_sentence(words_) or (
            words_.isalpha() and words_ not in TONES and _is_alone(code, found.span("text"))
        )
        if not is_shown or after_key(found) or _NO_WORDS.search(code[: found.start("text") - 1]):
            return found[0]
        return f'{found["before"]}"{before}{say(words_)}{after}"{found["after"]}'

    def after_key(found: re.Match[str]) -> bool:
        return found["after"].strip() in (":", "]")

    return code if code.startswith("{#") else _LITERAL.sub(literal, code)


def _is_alone(code: str, place: tuple[int, int]) -> bool:
    """Tell a single word that is shown as it is (`{{ "tetap" if x else "berubah" }}`, a chip) from a key."""
    left, right = code[: place[0] - 1], code[place[1] + 1 :]
    is_first = left.strip("{- ") == "" and right.startswith(" if ")
    return left.endswith("chip(") or (code.startswith("{{") and (is_first or _is_last(left, right)))


def _is_last(left: str, right: str) -> bool:
    return left.endswith(" else ") and right.strip("}- ") == ""


def is_sentence(text: str) -> bool:
    """Tell words to be read from a key, an address or a pattern."""
    if (
        "=" in text
        or not _LETTERS.search(text)
        or "/" in text.split(" ")[0]
        or re.fullmatch(r"[\w.-]+\.[a-z0-9]+|#\S+|yes", text)
    ):
        return False
    return " " in text or text[0].isupper()
