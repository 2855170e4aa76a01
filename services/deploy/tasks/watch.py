"""The watch over live addresses: each is asked once a minute as a visitor would ask."""

import time
from concurrent.futures import ThreadPoolExecutor

import httpx

from services.deploy import actions
from services.deploy.actions.measurement import Answer, Watched
from shared.addresses import resolved
from shared.database import Database

PATIENCE = 5.0
"""Seconds that an address may take to answer."""
AT_ONCE = 8


def measure(database: Database) -> None:
    """Ask every live public address and keep how it answered."""
    with database.transaction() as session:
        watched = actions.watched(session)
    if not watched:
        return
    with ThreadPoolExecutor(AT_ONCE) as threads:
        answers = list(threads.map(asked, watched))
    with database.transaction() as session:
        actions.note_answers(session, answers)


def asked(watched: Watched) -> Answer:
    """Ask one address for its front page and return how it answered; redirects are not followed."""
    began = time.monotonic()
    try:
        address = resolved(watched.connect_address, watched.connect_port)
        place = f"[{address}]" if ":" in address else address
        # Without the environment's proxies: the server itself is asked.
        with httpx.Client(timeout=PATIENCE, trust_env=False) as client:
            status = client.get(
                f"http://{place}:{watched.connect_port}/", headers={"host": watched.host, "user-agent": "Alur"}
            ).status_code
    except (httpx.HTTPError, httpx.InvalidURL, OSError, UnicodeError):
        status = 0
    return Answer(watched, status, round((time.monotonic() - began) * 1000))
