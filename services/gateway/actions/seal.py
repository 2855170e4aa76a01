"""Words that may hold a secret, sealed with the gateway's own key while they wait to be sent."""

import hashlib
import hmac
from uuid import UUID

from pydantic import BaseModel, Field

from services.gateway.sealed import Seal
from shared.keys import GATEWAY, Keys

DELIVERY = "delivery"


class Words(BaseModel):
    """A message to one place outside."""

    address: str = Field(repr=False)
    subject: str
    lines: list[str] = Field(repr=False)


def shut(keys: Keys, delivery_id: UUID, words: Words) -> bytes:
    """Return the words sealed for one delivery."""
    return Seal(keys, DELIVERY).close(words.model_dump_json().encode(), of=str(delivery_id))


def opened(keys: Keys, delivery_id: UUID, sealed: bytes) -> Words:
    """Return what was sealed for this delivery; raise NotFound when the key is another."""
    return Words.model_validate_json(Seal(keys, DELIVERY).open(sealed, of=str(delivery_id)))


def digest(keys: Keys, text: str) -> str:
    """Return a digest that cannot be reversed by trying, for what has few possibilities."""
    key = hmac.digest(keys.secret(GATEWAY), b"codes of channels", hashlib.sha256)
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
