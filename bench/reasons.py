"""Why a goal may be missed: told in the paper beside a goal that was missed, and only there."""

from collections.abc import Mapping

TWO_DOORS = (
    "The goal comes from a sketch in which one statement stood behind one web application. Here a request passes two: "
    "the gateway, which looks up who asks, signs that and passes the request on, and the division, which reads that "
    "and looks what they may. The statement itself is the smaller part; what costs is Python on the way."
)
A_NEW_TICKET = (
    "A new ticket is written with its line of the audit chain and its letter to the register, in one commit that is "
    "synced to the disc: several statements, against one in the sketch from which the goal comes. And each line of "
    "the chain carries the hash of the one before, so two commits of a division cannot share one sync: whoever comes "
    "next waits. The way of the letter, from the relay through the worker into the register, takes more of the same "
    "cores than the ticket itself."
)
REASONS: Mapping[tuple[str, str], str] = {
    ("standing", "second start"): (
        "The floor only imports. A start of Alur also brings up PostgreSQL and Valkey, sees whether the tables of six "
        "services are the newest, and makes the gateway's web application before the first page."
    ),
    ("standing", "gateway and worker"): (
        "One web process holds the gateway and five divisions, and the worker is four processes. They share what was "
        "imported before they parted, but Python counts references inside its objects: what is touched is copied."
    ),
    ("standing", "everything"): (
        "Beside web and worker stand their supervisor, the practice server, and PostgreSQL with one process for each "
        "of the connections that web and worker hold to six databases."
    ),
    ("standing", "idle CPU"): (
        "The worker is nudged by the database when a letter lies there, but looks by itself every few seconds as well, "
        "in each of six databases, in case a nudge got lost; and the web process looks in turn what waits for each "
        "person, to tell them."
    ),
    ("pages", "a page"): (
        "The page shows what its twin leaves to whoever asks: the frame with the rail and what waits, the forms with "
        "their fields and choices, and each date and amount in words."
    ),
    ("peer", "create"): (
        f"{A_NEW_TICKET} The form of django-helpdesk asks nobody who they are, keeps no chain and tells no other "
        "division."
    ),
    ("web door", "list of 50"): TWO_DOORS,
    ("web door", "one"): TWO_DOORS,
    ("web door", "create"): f"{A_NEW_TICKET} The bare limit touches no disc; the tutorial way in the table below does.",
    ("web door", "p99"): (
        "Eight connections share one Python process, and two cores carry the driver, the database and the worker as "
        "well: an answer that is made while another takes its turn waits for it whole."
    ),
}
"""By the part, and by how the goal begins."""
UNKNOWN = "Nobody has looked into it yet."


def reason(part: str, wanted: str) -> str:
    """Return why a goal of this part may be missed."""
    for (of, begins), words in REASONS.items():
        if of == part and wanted.startswith(begins):
            return words
    return UNKNOWN
