"""What the JSON routes share: the office of the request, and files sent from the store."""

from typing import Annotated

from fastapi import Depends, Request
from fastapi.responses import FileResponse

from services.budget.actions import Office
from shared.store import Store


def _office(request: Request) -> Office:
    return Office.of(request.app.state.settings)


Desk = Annotated[Office, Depends(_office)]
"""The office that prints papers and keeps files."""


def send_file(store: Store, digest: str, *, name: str, kind: str = "application/octet-stream") -> FileResponse:
    """Return a kept file as an attachment; what was uploaded is never shown in the page's own place."""
    with store.open(digest):
        path = store.path(digest)
    headers = {"x-content-type-options": "nosniff", "content-security-policy": "sandbox"}
    return FileResponse(path, media_type=kind, filename=name, headers=headers)
