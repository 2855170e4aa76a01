"""Papers of the centre as PDF: one model for what stands on a paper, one function that prints it.

The same paper always gives the same bytes (nothing of the clock or the machine enters), so their sha256 may
stand for the paper in the trace. They are PDF/A-2b, which archives accept.
"""

import json
import os
import threading
import unicodedata
from datetime import date, datetime, time
from functools import cache, lru_cache
from io import BytesIO
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self

import segno
import typst
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from shared.words import WIB, long_date, long_moment, numeric_date

_TEMPLATES: Final = Path(__file__).parent / "paper_templates"
_BOX: Final = "□"
_TURNS: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Signs that turn the way in which text reads: a name could be made to read as another."""
_PICTURES: Final = frozenset({"crest_svg", "svg", "qr"})
"""What of a paper is a picture and not text."""

SEVERITIES: Final = {"critical": "Kritis", "high": "Tinggi", "medium": "Sedang", "low": "Rendah"}

# The typesetter is one object with a cache of its own; two threads must not be in it at once.
_ONE_AT_A_TIME: Final = threading.Lock()
# Its threads do not survive a fork: in a child it would wait for them for ever.
_used_in: Final[set[int]] = set()


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Letterhead(_Part):
    """Who sends: the head of the first page."""

    institution: str
    centre: str
    ministry: str = ""
    address: str = ""
    email: str = ""
    website: str = ""
    phone: str = ""
    crest_svg: str = ""
    """The institution's emblem as the text of an SVG file; stands at the left."""


class Paragraph(_Part):
    """Running text; a line break in it stays one."""

    block: Literal["paragraph"] = "paragraph"
    text: str
    indented: bool = True
    """Whether its first line is indented in a letter or memo; titled papers never indent."""


class Heading(_Part):
    """The heading of a part: "A. Latar Belakang"."""

    block: Literal["heading"] = "heading"
    text: str


class Fact(_Part):
    """One label and its value; `mono` for digests and addresses that are compared letter by letter."""

    label: str
    value: str
    mono: bool = False


class Facts(_Part):
    """Labels and values, with the colons beneath each other."""

    block: Literal["facts"] = "facts"
    rows: tuple[Fact, ...]
    label_width: float = Field(default=0, ge=0, le=9)
    """In cm; 0 takes what the labels need. Give it where two such blocks should stand alike."""
    indented: bool = False

    @classmethod
    def of(cls, *rows: tuple[str, str] | Fact) -> Self:
        """Return facts from pairs of label and value; those without a value are left out."""
        made = (row if isinstance(row, Fact) else Fact(label=row[0], value=row[1]) for row in rows)
        return cls(rows=tuple(row for row in made if row.value))


class Column(_Part):
    """A column of a table; `width` is its share of the room the others leave (0: as wide as it needs)."""

    title: str
    align: Literal["left", "right", "center"] = "left"
    width: float = Field(default=0, ge=0)


class Total(_Part):
    """A closing row: its values stand in the last columns, its label before them."""

    label: str
    values: tuple[str, ...] = Field(min_length=1)


class Table(_Part):
    """Rows under columns; a row of one cell is the heading of a group and spans all columns."""

    block: Literal["table"] = "table"
    columns: tuple[Column, ...] = Field(min_length=1)
    rows: tuple[tuple[str, ...], ...]
    totals: tuple[Total, ...] = ()

    @model_validator(mode="after")
    def _rows_fit(self) -> Self:
        wide = len(self.columns)
        if any(len(row) not in (1, wide) for row in self.rows):
            raise ValueError(f"each row has {wide} cells, or one as a heading")
        if any(len(total.values) >= wide for total in self.totals):
            raise ValueError("a total leaves at least one column for its label")
        return self


class Listing(_Part):
    """Entries with numbers, letters or bullets."""

    block: Literal["list"] = "list"
    entries: tuple[str, ...]
    marks: Literal["numbers", "letters", "bullets"] = "numbers"
    indented: bool = False


class Finding(_Part):
    """One finding of a security test, in words for the one who mends it."""

    no: int
    severity: Literal["critical", "high", "medium", "low"]
    title: str
    control: str = ""
    where: str = ""
    evidence: str = ""
    recommendation: str = ""
    status: str = ""
    due_on: date | None = None


class Findings(_Part):
    """The findings of a security test, in the order given."""

    block: Literal["findings"] = "findings"
    items: tuple[Finding, ...]


class Notice(_Part):
    """What the reader must not miss: a verdict, a decision, a total."""

    block: Literal["notice"] = "notice"
    label: str = ""
    words: str
    sentence: str = ""


class Drawing(_Part):
    """A drawing over the whole width, with the same in words for those who cannot see it."""

    block: Literal["drawing"] = "drawing"
    svg: str
    words: str


Block = Annotated[
    Paragraph | Heading | Facts | Table | Listing | Findings | Notice | Drawing, Field(discriminator="block")
]


class Signature(_Part):
    """The place where one person signs, or the record that they approved."""

    post: str
    """The post in whose name it is signed: "Kepala PUSTIPD"."""
    name: str = ""
    """Left empty, a dotted line is printed."""
    staff_number: str = ""
    prefix: Literal["", "a.n.", "Plt.", "Plh."] = ""
    own_post: str = ""
    """Who signs on behalf (a.n.) of `post`."""
    heading: str = ""
    """Above the post: "Disusun oleh", "PIHAK PERTAMA"."""
    stamp_duty: str = ""
    """What the box for the duty stamp says, where the law asks for one: "Meterai Rp10.000"."""
    signed_at: AwareDatetime | None = None
    """When it was approved in the system; without it there is room for a pen."""

    @model_validator(mode="after")
    def _on_behalf_of_someone(self) -> Self:
        if (self.prefix == "a.n.") != bool(self.own_post):
            raise ValueError("a.n. names both posts: in whose name (post) and who signs (own_post)")
        return self


class Paper(_Part):
    """All that stands on one paper."""

    kind: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    """The English name from the glossary: budget_plan, handover, security_test_record; kept in the PDF."""
    title: str = Field(min_length=1)
    """The heading of a titled paper; the subject (Hal) of a letter or memo."""
    on: date
    letterhead: Letterhead
    layout: Literal["titled", "letter", "memo"] = "titled"
    number: str = ""
    place: str = ""
    """Where it is signed; stands with the date above the signatures of a titled paper."""
    blocks: tuple[Block, ...] = ()
    signatures: tuple[Signature, ...] = ()
    copies: tuple[str, ...] = ()
    """Tembusan."""
    annex: tuple[Block, ...] = ()
    """What is for reference only: it begins on a page of its own after the signatures."""
    nature: str = ""
    attachment: str = ""
    addressees: tuple[str, ...] = ()
    addressee_place: str = ""
    via: str = ""
    sender: str = ""
    code: str = Field(default="", max_length=80)
    """What anyone may type to check the paper."""
    check_url: str = Field(default="", max_length=300, pattern=r"^(https?://\S+)?$")
    """Where anyone may check it; printed as text and as QR code."""
    landscape: bool = False
    is_draft: bool = False
    """Printed across the page, so that a draft is never taken for the paper itself."""


def render(paper: Paper) -> bytes:
    """Print the paper as PDF/A-2b on A4; the same paper gives the same bytes on every machine.

    A character that no embedded font has is printed as a box; nothing that people type can stop a paper.
    Worker processes must be forked before the first paper is printed; printing after a fork is an error.
    """
    return render_as("paper", _shown(paper), on=paper.on)


def render_as(template: str, shown: dict[str, Any], *, on: date) -> bytes:
    """Print data with a template of its own, under the same promises as `render`; the data is cleaned already."""
    if _used_in - {os.getpid()}:
        raise RuntimeError("this process was forked after a paper was printed; print only in the children")
    # The moment inside the file is the paper's own date, so that printing it again changes nothing.
    printed_at = int(datetime.combine(on, time(), WIB).timestamp())
    with _ONE_AT_A_TIME:
        try:
            return _compile(template, {"paper": json.dumps(shown)}, printed_at)
        except typst.TypstError as error:
            if "could not be displayed" not in str(error):
                raise
        return _compile(template, {"paper": json.dumps(_with_boxes(shown))}, printed_at)


def _shown(paper: Paper) -> dict[str, Any]:
    """Give the paper as the template reads it: words made, nothing left to compute."""
    head = paper.letterhead
    contact = [
        head.address,
        " · ".join(filter(None, [head.phone, head.email, head.website])),
    ]
    shown: dict[str, Any] = cleaned(paper.model_dump(mode="json"))
    for block in [*shown["blocks"], *shown["annex"]]:
        for item in block.get("items", ()):
            item["severity_words"] = SEVERITIES[item["severity"]]
            item["due_words"] = numeric_date(date.fromisoformat(item["due_on"])) if item["due_on"] else ""
    for signature, printed in zip(paper.signatures, shown["signatures"], strict=True):
        at = signature.signed_at
        printed["signed_words"] = long_moment(at) if at else ""
    shown["on"] = {
        "year": paper.on.year,
        "month": paper.on.month,
        "day": paper.on.day,
        "words": long_date(paper.on),
    }
    shown["contact"] = cleaned("\n".join(filter(None, contact)))
    shown["running_title"] = shown["title"].replace("\n", " ")
    shown["keywords"] = [paper.kind, *filter(None, [shown["number"], shown["code"]])]
    shown["qr"] = qr_of(paper.check_url) if paper.check_url else ""
    shown["letterhead"]["crest_svg"] = head.crest_svg
    return shown


def cleaned(part: Any) -> Any:
    """Give the same data with each text composed (NFC), without control characters and signs that turn it."""
    if isinstance(part, str):
        return "".join(_clean(letter) for letter in unicodedata.normalize("NFC", part)).strip()
    if isinstance(part, dict):
        return {key: cleaned(value) for key, value in part.items()}
    return [cleaned(value) for value in part] if isinstance(part, list) else part


def _clean(letter: str) -> str:
    if letter in _TURNS:
        return ""
    return " " if letter != "\n" and unicodedata.category(letter) in ("Cc", "Zl", "Zp") else letter


def _with_boxes(part: Any) -> Any:
    """Give the same data with each character that cannot be printed replaced by a box."""
    if isinstance(part, str):
        return "".join(letter if letter == "\n" or _is_printable(letter) else _BOX for letter in part)
    if isinstance(part, dict):
        return {key: value if key in _PICTURES else _with_boxes(value) for key, value in part.items()}
    return [_with_boxes(value) for value in part] if isinstance(part, list) else part


@lru_cache(maxsize=8192)
def _is_printable(letter: str) -> bool:
    if " " <= letter <= "~":
        return True
    try:
        _compile("glyph", {"glyph": letter}, 0)
    except typst.TypstError:
        return False
    return True


def qr_of(url: str) -> str:
    """Return the QR code of an address as the text of an SVG file."""
    picture = BytesIO()
    segno.make(url, error="m", micro=False).save(picture, kind="svg", border=0, xmldecl=False, svgns=True)
    return picture.getvalue().decode()


@cache
def _compiler(template: str) -> typst.Compiler:
    _used_in.add(os.getpid())
    # Only the fonts inside the wheel: a bare machine has no others, and bytes must not depend on the machine.
    fonts = typst.Fonts(include_system_fonts=False)
    return typst.Compiler(_TEMPLATES / f"{template}.typ", root=_TEMPLATES, font_paths=fonts, ignore_system_fonts=True)


def _compile(template: str, inputs: dict[str, str], timestamp: int) -> bytes:
    printed = _compiler(template).compile(format="pdf", sys_inputs=inputs, pdf_standards=["a-2b"], timestamp=timestamp)
    if not isinstance(printed, bytes):
        raise TypeError("a PDF is one run of bytes")
    return printed
