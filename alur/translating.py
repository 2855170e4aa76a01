"""What there is to translate, and the catalogue kept in step with it: `python -m alur.translating`.

New messages are added without words, those that nothing shows any more are taken out. A test says what is missing.
"""

import ast
import re
import sys
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po, write_po

from shared import interpreter
from shared.language import CATALOGUE, IN_CONTEXT, LIST, keyed
from shared.procedure import procedure

ROOT = Path(__file__).parents[1]
SINCE = datetime(2026, 11, 22, tzinfo=UTC)
"""A day that stays, so that the catalogue changes only where its words do."""
NO_PAGES = frozenset({"notices_letter.html", "style_guide.html"})
"""A letter is always in Indonesian, and the style guide is seen in development only."""
PRINTING = frozenset({"migrations", "papers", "record.py", "scanners", "host_helper.py", "style_guide.py", "worker.py"})
"""What writes papers, records and journals, the style guide, and what nobody reads on a page."""
NAMING = frozenset({"label", "title", "caption", "source", "note", "empty", "unit", "comparison", "consequence",
                    "description", "heading", "button", "says"})  # fmt: skip
"""Keyword arguments that hold words to be shown."""
DRAWING = {
    "render": (2,), "show": (2,), "_show": (2,), "_sum": (0,), "fragment": (0,), "Act": (1,), "ExportColumn": (1,),
    "Section": (1, 2), "labelled": (0,),
}  # fmt: skip
"""Calls that are given words to be shown, and at which places."""
REFUSALS = frozenset({"Refused", "Incomplete", "NotSignedIn", "NotAllowed", "NotFound", "OutOfTurn", "Stale",
                      "TooLarge", "TooMany", "Unavailable"})  # fmt: skip


def messages() -> dict[str, list[str]]:
    """Return every message, and the files in which it was found."""
    found: dict[str, list[str]] = {}
    for file in sorted([*ROOT.glob("shared/templates/*.html"), *ROOT.glob("services/*/templates/*.html")]):
        if file.name not in NO_PAGES:
            _note(found, interpreter.messages(file.read_text(encoding="utf-8")), file)
    for file in sorted([*ROOT.glob("shared/*.py"), *ROOT.glob("services/**/*.py")]):
        if not PRINTING.intersection(file.parts) and not file.name.endswith("paper.py"):
            _note(found, _of_code(ast.parse(file.read_text(encoding="utf-8"))), file)
    way = procedure()
    _note(found, [way.title, *(s.title for s in way.steps.values())], ROOT / "shared/procedure.yaml")
    _note(found, [s.label for s in way.statuses.values()], ROOT / "shared/procedure.yaml")
    _note(found, way.titles.values(), ROOT / "shared/procedure.yaml")
    return found


def _note(found: dict[str, list[str]], words: Iterable[str], file: Path) -> None:
    for one in words:
        places = found.setdefault(one, [])
        place = file.relative_to(ROOT).as_posix()
        if place not in places:
            places.append(place)


TOLD = frozenset({"MONTHS", "RELATIONS", "SEVERITY_WORDS", "WAITS", "WORDS"})
"""Tables that hold single words, which look like keys elsewhere."""


def _of_code(tree: ast.Module) -> Iterator[str]:
    # A sentence with a name of its own, because several fields are explained by it.
    named = {
        word.value.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        for word in node.keywords
        if word.arg in NAMING and isinstance(word.value, ast.Name) and word.value.id.isupper()
    }
    silent = set(_silent(tree))
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield from _of_call(node)
        elif (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and node not in silent
            and is_told(node.value)
        ):
            # A whole sentence, wherever it stands, is told to somebody.
            yield node.value
        elif isinstance(node, ast.Dict) and node.keys and all(isinstance(key, ast.Attribute) for key in node.keys):
            # What the members of an enumeration are called.
            yield from _sentences(node)
        elif isinstance(node, ast.Dict):
            # What the choices of a field are called, beside its title.
            extra = zip(node.keys, node.values, strict=True)
            yield from (
                s for key, v in extra if isinstance(key, ast.Constant) and key.value == "labels" for s in _sentences(v)
            )
        elif isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            target = node.targets[0] if isinstance(node, ast.Assign) else node.target
            name = target.id if isinstance(target, ast.Name) else ""
            if name in TOLD:
                yield from _single(node.value)
            elif name in ("title", "says", *named) or (name.isupper() and isinstance(node.value, ast.Dict)):
                yield from _sentences(node.value)


def is_told(words: str) -> bool:
    """Tell a whole sentence: it begins with a capital or a value, and ends with its mark."""
    return bool(re.fullmatch(r"[A-ZÀ-Þ“{]\S* .*[.?!]”?", words, re.DOTALL))


def _silent(tree: ast.Module) -> Iterator[ast.AST]:
    """Yield what is no sentence of its own: docstrings, and the pieces of a text put together at run time."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr):
            yield node.value
        elif isinstance(node, ast.JoinedStr):
            yield from node.values


def _single(node: ast.AST) -> Iterator[str]:
    """Yield the words of a table whose keys are none."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.Dict | ast.Tuple):
        for one in node.values if isinstance(node, ast.Dict) else node.elts:
            yield from _single(one)


def _of_call(node: ast.Call) -> Iterator[str]:
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    if name == "NavigationEntry":
        yield from (keyed(one, LIST) for word in node.keywords if word.arg == "label" for one in _sentences(word.value))
        return
    if name == "run_in_threadpool" and node.args:
        # What is called in a thread stands first, its own arguments after it.
        node = ast.Call(node.args[0], node.args[1:], node.keywords)
        name = getattr(node.func, "attr", getattr(node.func, "id", ""))
    places = (0,) if name in REFUSALS else DRAWING.get(name, ())
    if name in ("said", "Sentence") and node.args and isinstance(node.args[0], ast.Constant):
        told = str(node.args[0].value)
        # "{title}: {why}" says nothing of its own.
        if re.search(r"[^\W\d_]", re.sub(r"\{\w+\}", "", told)):
            yield told
    for place in places:
        if len(node.args) > place:
            yield from _sentences(node.args[place])
    for keyword in node.keywords:
        if keyword.arg == "unit" and isinstance(keyword.value, ast.Constant) and keyword.value.value:
            yield str(keyword.value.value)
        elif keyword.arg in NAMING:
            yield from _sentences(keyword.value)


def _sentences(node: ast.AST) -> Iterator[str]:
    """Yield the words that an expression may come to; what is put together at run time is not among them."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        if interpreter.is_sentence(node.value):
            yield node.value
    elif isinstance(node, ast.IfExp):
        yield from _sentences(node.body)
        yield from _sentences(node.orelse)
    elif isinstance(node, ast.Tuple | ast.List):
        for element in node.elts:
            yield from _sentences(element)
    elif isinstance(node, ast.Dict):
        for value in node.values:
            yield from _sentences(value)


def main() -> int:
    """Bring the catalogue in step with the code; return 1 when words are still missing."""
    with CATALOGUE.open("rb") as file:
        kept = read_po(file, locale="en")
    fresh = Catalog(
        locale="en", project="Alur", version="1", header_comment="# Alur in English.", fuzzy=False,
        creation_date=SINCE, revision_date=SINCE, last_translator="", language_team="", msgid_bugs_address="",
    )  # fmt: skip
    for one, places in sorted(messages().items(), key=lambda row: (row[1], row[0])):
        context, _, words = one.rpartition(IN_CONTEXT)
        old = kept.get(words, context or None)
        fresh.add(
            words,
            string=old.string if old else "",
            locations=[(place, 0) for place in places],
            context=context or None,
        )
    written = BytesIO()
    write_po(written, fresh, width=119, include_lineno=False)
    CATALOGUE.write_bytes(written.getvalue())
    missing = [str(m.id) for m in fresh if m.id and not m.string]
    print(f"{len(fresh)} pesan, {len(missing)} belum diterjemahkan.")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
