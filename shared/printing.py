"""Prints a paper with its code: registered first, then printed into the store, then sealed by its digest.

Here is also what the papers of all divisions have in common: the office, the sheet, the signature, the closing words.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final, Literal

from sqlalchemy.orm import Session

from shared import issued, line
from shared.database import utc_now
from shared.identity import Person
from shared.institution import institution
from shared.papers import Block, Drawing, Paper, Paragraph, Signature, render
from shared.store import Store
from shared.words import local_date

_LINE_STYLE: Final = (Path(__file__).parent / "paper_templates" / "line.css").read_text(encoding="utf-8")


@dataclass(frozen=True)
class Office:
    """What an act needs to print its paper; the doors make it from the settings and hand it down."""

    store: Store
    public_url: str
    """Where people reach Alur; papers are checked there."""


@dataclass(frozen=True)
class Printed:
    """A paper that was printed: its code, and the sha256 under which the file lies in the store."""

    code: str
    digest: str


def print_paper(
    session: Session,
    division: str,
    paper: Paper,
    *,
    store: Store,
    public_url: str,
    kind: str,
    title: str = "",
    case_number: str = "",
    series: str = "",
) -> Printed:
    """Print a paper with its code and check address, keep the file, and make it checkable; return both its names.

    `kind` is the paper's key in the procedure; `title` is what a checker reads, the paper's own title when empty;
    `series` as in `shared.issued.issue`. All of it stands or falls with the caller's transaction, but for the file
    itself, which nobody can find without it.
    """
    code = issued.issue(
        session,
        division,
        kind=kind,
        title=(title or paper.title).replace("\n", " "),
        number=paper.number,
        on=paper.on,
        signers=[signer for signature in paper.signatures if (signer := signer_of(signature))],
        case_number=case_number,
        series=series,
    )
    coded = paper.model_copy(update={"code": code, "check_url": f"{public_url.rstrip('/')}/periksa/{code}"})
    digest = store.put(render(coded))
    issued.seal(session, code, digest)
    return Printed(code, digest)


def titled(
    kind: str,
    title: str,
    blocks: Sequence[Block],
    signatures: Sequence[Signature],
    *,
    number: str = "",
    on: date | None = None,
) -> Paper:
    """Return a titled paper of the institution, of today (WIB) unless `on` says another day."""
    place = institution()
    return Paper(
        kind=kind,
        title=title,
        number=number,
        on=on or local_date(utc_now()),
        place=place.city,
        letterhead=place.letterhead,
        blocks=tuple(blocks),
        signatures=tuple(signatures),
    )


def signed(by: Person, *, heading: str = "") -> Signature:
    """Return the record that a person approved here and now, acting officials with their prefix."""
    post, prefix = by.as_what, _prefix(by.acting_for or "")
    post = post.removeprefix(prefix).strip()
    name = "" if by.name == post else by.name
    return Signature(heading=heading, post=post, name=name, prefix=prefix, signed_at=utc_now())


def _prefix(acting: str) -> Literal["", "Plt.", "Plh."]:
    return "Plt." if acting.startswith("Plt.") else "Plh." if acting.startswith("Plh.") else ""


def closing(paper: str) -> Paragraph:
    """Return the closing words of a record: "Demikian berita acara ini dibuat dengan sebenarnya …" (domain §5)."""
    return Paragraph(text=f"Demikian {paper} ini dibuat dengan sebenarnya untuk dipergunakan sebagaimana mestinya.")


def progress(stations: Sequence[line.Station], *, loops: Sequence[line.Loop] = ()) -> Drawing:
    """Return the line of eleven for a paper: the same drawing as on the pages, in ink."""
    drawn = str(line.line(stations, loops=loops))
    head, _, rest = drawn.partition(">")
    styled = head.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1) + f"><style>{_LINE_STYLE}</style>"
    return Drawing(svg=styled + rest, words=line.summary(stations, loops=loops))


def signer_of(signature: Signature) -> issued.Signer | None:
    """Return who approved in the system; None where there is only room for a pen."""
    if signature.signed_at is None:
        return None
    post = signature.post.replace("\n", " ")
    as_what = f"{signature.own_post} {signature.prefix} {post}" if signature.own_post else f"{signature.prefix} {post}"
    return issued.Signer(name=signature.name or post, as_what=as_what.strip(), signed_at=signature.signed_at)
