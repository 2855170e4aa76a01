"""The web door (performance.md, 3): lists, things and acts through the gateway beside the bare and the tutorial way."""

import secrets
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass

import jwt

from bench import rows
from bench.ground import TOO_BUSY, Asked, Ground, Rounds, serving, written
from bench.report import Report

PART = "web door"


@dataclass(frozen=True)
class Size:
    """How much is measured."""

    rounds: int
    seconds: float
    tickets: int
    few: int = 1_000


@dataclass(frozen=True)
class Peers:
    """The peers that run beside the installation."""

    bare: Asked
    tutorial: Callable[[str, str], Asked]
    tutorial_create: Asked


def measure(ground: Ground, report: Report, size: Size) -> None:
    """Take all figures of the web door."""
    code, ticket_id = _prepare(ground, size)
    with ExitStack() as stack:
        peers = _peers(ground, stack, code)
        few = ground.measure(
            [ground.get("list of 50", "/api/tickets"), peers.bare], rounds=size.rounds, seconds=size.seconds
        )
        create = ground.post("create", "/api/tickets", {"application": code, "title": rows.TITLE, "body": rows.BODY})
        made = ground.measure([create, peers.bare, peers.tutorial_create], rounds=size.rounds, seconds=size.seconds)
        rows.fill(ground.postgres, upto=size.tickets, with_words=False)
        read = ground.measure(
            [
                ground.get("list of 50", "/api/tickets"),
                peers.bare,
                ground.get("one", f"/api/tickets/{ticket_id}"),
                peers.tutorial("tutorial list", "/tickets"),
                peers.tutorial("tutorial one", f"/tickets/{ticket_id}"),
            ],
            rounds=size.rounds,
            seconds=size.seconds,
        )
        deep = ground.measure(_near_and_far(ground, size), rounds=size.rounds, seconds=size.seconds / 2)
    _tell(report, size, few, made, read, deep)


def _prepare(ground: Ground, size: Size) -> tuple[str, str]:
    """Load the first tickets; return the code of an application in use, and the id of a ticket."""
    code = rows.prepare(ground.postgres, few=size.few)
    rows.make_tutorial_tables(ground.postgres)
    return code, rows.ticket_id(ground.postgres)


def _peers(ground: Ground, stack: ExitStack, code: str) -> Peers:
    bare_port, bare = stack.enter_context(serving("bench.peers.bare:app"))
    key = secrets.token_hex(32)
    port, process = stack.enter_context(
        serving(
            "bench.peers.tutorial:app",
            environment={"BENCH_DATABASE_URL": ground.postgres.url("helpdesk"), "BENCH_KEY": key},
        )
    )
    head = f"Authorization: Bearer {jwt.encode({'sub': '1'}, key, algorithm='HS256')}\r\n"

    def tutorial(name: str, path: str) -> Asked:
        return Asked(name, port, written(f"GET {path} HTTP/1.1\r\n{head}", port), process)

    body = f'{{"application": "{code}", "title": "{rows.TITLE}", "body": "{rows.BODY}"}}'.encode()
    create = written(f"POST /tickets HTTP/1.1\r\nContent-Type: application/json\r\n{head}", port, body)
    return Peers(
        Asked("bare", bare_port, written("GET / HTTP/1.1\r\n", bare_port), bare),
        tutorial,
        Asked("tutorial create", port, create, process, 201),
    )


def _near_and_far(ground: Ground, size: Size) -> list[Asked]:
    far = size.tickets * 9 // 10
    near_mark, far_mark = rows.mark_of(ground.postgres, 50), rows.mark_of(ground.postgres, far)
    return [
        ground.get("near", f"/api/tickets?after={near_mark}"),
        ground.get("far", f"/api/tickets?after={far_mark}"),
    ]


def _tell(
    report: Report,
    size: Size,
    few: dict[str, Rounds],
    made: dict[str, Rounds],
    read: dict[str, Rounds],
    deep: dict[str, Rounds],
) -> None:
    bare, listed, one = read["bare"], read["list of 50"], read["one"]
    _ratio(report, "list of 50 >= 0.11 x bare", listed, bare, 0.11)
    _ratio(report, "list of 50 >= 2.5 x the tutorial way", listed, read["tutorial list"], 2.5)
    _ratio(report, "one >= 0.18 x bare", one, bare, 0.18)
    _ratio(report, "create with outbox row >= 0.13 x bare", made["create"], made["bare"], 0.13)
    slowest = max((found.p99 / found.p50, name) for name, found in (read | made).items() if name in OWN)
    report.goal(PART, "p99 <= 4 x p50 at 8 connections", f"{slowest[0]:.1f} x ({slowest[1]})", holds=slowest[0] <= 4)
    depth = deep["far"].p50 / deep["near"].p50
    report.goal(
        PART,
        f"list at row {size.tickets * 9 // 10:,} <= 1.2 x of row 50",
        f"{depth:.2f} x",
        peer=f"{deep['far'].p50:.1f} beside {deep['near'].p50:.1f} ms",
        holds=depth <= 1.2,
    )
    growth = (few["list of 50"].rate / few["bare"].rate) / (listed.rate / bare.rate)
    report.goal(
        PART,
        f"list at {size.tickets:,} rows <= 1.3 x of {size.few:,}",
        f"{growth:.2f} x",
        peer="each beside the bare limit of its own minute",
        holds=growth <= 1.3,
    )
    taken = {"bare": bare, **{k: v for k, v in read.items() if k != "bare"}}
    taken |= {name: found for name, found in made.items() if name != "bare"}
    report.table(
        "Web door, 8 connections, one process each",
        ["", "answers/s", "p50 ms", "p99 ms", "CPU ms each"],
        [[name, f"{f.rate:,.0f}", f"{f.p50:.1f}", f"{f.p99:.1f}", f"{f.cpu_ms:.2f}"] for name, f in taken.items()],
    )
    report.note(
        "The tickets above the first thousand were loaded without their search words, which a list does not read; "
        "making one was measured before, with all its indexes."
    )
    busiest = max(f.busiest_driver for found in (few, made, read, deep) for f in found.values())
    report.note(
        f"The driver took at most {busiest:.0%} of a core" + ("." if busiest < TOO_BUSY else ": it was a limit.")
    )


OWN = ("list of 50", "one", "create")


def _ratio(report: Report, wanted: str, ours: Rounds, peer: Rounds, least: float) -> None:
    found = ours.rate / peer.rate
    by_cpu = peer.cpu_ms / ours.cpu_ms
    report.goal(
        PART, wanted, f"{found:.3f} x ({by_cpu:.3f} x by CPU): {ours.told()}", peer=peer.told(), holds=found >= least
    )
