"""What the JSON routes share: the office of the request, and the key that proves a permit."""

from typing import Annotated

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from fastapi import Depends, Request

from services.deploy import actions
from shared import permit
from shared.store import Store


def _public_key(request: Request) -> Ed25519PublicKey:
    return permit.public_key(request.app.state.settings.keys_folder)


def _office(request: Request) -> actions.Office:
    settings = request.app.state.settings
    return actions.Office(Store(settings.files_folder), settings.public_url)


PaperOffice = Annotated[actions.Office, Depends(_office)]
"""The office that prints papers and keeps files."""
PermitKey = Annotated[Ed25519PublicKey, Depends(_public_key)]
"""The key with which the security division's permits are verified."""
