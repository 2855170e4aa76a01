"""Prints a paper with its code: registered first, then printed into the store, then sealed by its digest."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from shared import issued
from shared.papers import Paper, Signature, render
from shared.store import Store


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
        signers=[signer for signature in paper.signatures if (signer := _signer(signature))],
        case_number=case_number,
        series=series,
    )
    coded = paper.model_copy(update={"code": code, "check_url": f"{public_url.rstrip('/')}/periksa/{code}"})
    digest = store.put(render(coded))
    issued.seal(session, code, digest)
    return Printed(code, digest)


def _signer(signature: Signature) -> issued.Signer | None:
    """Return who approved in the system; None where there is only room for a pen."""
    if signature.signed_at is None:
        return None
    post = signature.post.replace("\n", " ")
    as_what = f"{signature.own_post} {signature.prefix} {post}" if signature.own_post else f"{signature.prefix} {post}"
    return issued.Signer(name=signature.name or post, as_what=as_what.strip(), signed_at=signature.signed_at)
