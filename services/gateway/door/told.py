"""What a person is told on the next page: that what they sent is kept, and what happens now.

It travels in a cookie of a few seconds that only the gateway reads, bound to the session, so that neither an address
that is passed on nor another site can put words into our mouth.
"""

import base64
import binascii
import hashlib
import hmac

LONGEST = 600
KEPT_FOR = 30
"""Seconds: a page comes at once or not at all."""


def sealed(words: str, secret: str) -> str:
    """Return the cookie's value for these words in the session with this secret."""
    text = base64.urlsafe_b64encode(words[:LONGEST].encode()).decode()
    return f"{text}.{_seal(text, secret)}"


def opened(value: str, secret: str) -> str:
    """Return the words of a cookie's value; empty for one that is not ours or of another session."""
    text, _, seal = value.partition(".")
    if not secret or not hmac.compare_digest(seal.encode(), _seal(text, secret).encode()):
        return ""
    try:
        return base64.urlsafe_b64decode(text).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""


def _seal(text: str, secret: str) -> str:
    return hmac.new(secret.encode(), f"told {text}".encode(), hashlib.sha256).hexdigest()[:32]
