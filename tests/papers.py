"""Reads printed papers: their text page by page, the code on them, and which of a store the check would not know."""

import re
from io import BytesIO
from pathlib import Path

from pypdf import PdfReader
from sqlalchemy.orm import Session

from shared import issued
from shared.store import Store

_CODE = re.compile(rb"<pdf:Keywords>[^<]*\b([0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4})\b")


def pages_of(pdf: bytes) -> list[str]:
    """Return what a reader can copy out of each page, its white space evened out."""
    return [re.sub(r"\s+", " ", page.extract_text()) for page in PdfReader(BytesIO(pdf)).pages]


def text_of(store: Store, digest: str) -> str:
    """Return the whole text of a printed paper of a store."""
    return " ".join(pages_of(store.path(digest).read_bytes()))


def code_on(pdf: bytes) -> str:
    """Return the code that a paper carries, empty when it carries none."""
    found = _CODE.search(pdf)
    return found[1].decode() if found else ""


def printed(store: Store) -> dict[str, bytes]:
    """Return every paper that was printed into a store, by digest."""
    files: list[Path] = [path for path in store.folder.rglob("*") if path.is_file()]
    return {path.name: content for path in files if b"<pdf:Keywords>" in (content := path.read_bytes())}


def known(session: Session, store: Store) -> dict[str, issued.GenuinePaper | None]:
    """Return for every printed paper what the check says of the code on it, by the digest of the file."""
    return {digest: issued.find(session, code_on(pdf)) for digest, pdf in printed(store).items()}
