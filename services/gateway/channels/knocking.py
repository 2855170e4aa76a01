"""One POST to a gateway outside: no redirect followed, little time, little read of what it answers."""

import logging
import time
from typing import Any

import httpx
import orjson

from services.gateway.actions.delivery import Undelivered

TIMEOUT = 10.0
WITHIN = 30.0
MOST_READ = 64 * 1024
WORTH_ANOTHER_TRY = frozenset({401, 408, 425, 429})
"""401: the operator's token is wrong, which says nothing about the address."""

# It would write each address that it asks, and Telegram's holds the token of the bot.
logging.getLogger("httpx").setLevel(logging.WARNING)


def post(url: str, body: dict[str, Any], *, headers: dict[str, str]) -> tuple[str, Any]:
    """Send JSON and return the result code and what was answered (None when it is no JSON); raise Undelivered."""
    until = time.monotonic() + WITHIN
    try:
        with (
            # Proxies of the environment are for other programs.
            httpx.Client(timeout=TIMEOUT, follow_redirects=False, trust_env=False) as client,
            client.stream("POST", url, json=body, headers=headers) as answer,
        ):
            heard = bytearray()
            for piece in answer.iter_bytes():
                heard += piece
                if len(heard) > MOST_READ or time.monotonic() > until:
                    break
            status = answer.status_code
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as reason:
        # The reason's own words may hold the address with its token.
        raise Undelivered(f"http_{type(reason).__name__}", is_final=False) from None
    if not 200 <= status < 300:
        is_final = 300 <= status < 500 and status not in WORTH_ANOTHER_TRY
        raise Undelivered(f"http_{status}", is_final=is_final)
    try:
        return f"http_{status}", orjson.loads(bytes(heard))
    except orjson.JSONDecodeError:
        return f"http_{status}", None
