"""Asks a web server as fast as it answers, over several connections; a process of its own, of the standard library.

Reads JSON objects from standard input, one a line (`port`, `request`, `connections`, and `seconds` or `count`), and
writes one for each: how many answers, of which status, when, and how much of a core this process itself took.
"""

import asyncio
import json
import sys
import time

GIVES_UP_AFTER = 300


class _Asker(asyncio.Protocol):
    """One connection: asks, waits for the whole answer, asks again."""

    def __init__(self, run: "_Run") -> None:
        self._run = run
        self._seen = bytearray()
        self._need = -1
        self._status = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)
        self._transport = transport
        self._ask()

    def connection_lost(self, _reason: Exception | None) -> None:
        self._run.lost()

    def _ask(self) -> None:
        self._began = time.perf_counter()
        self._transport.write(self._run.request)

    def data_received(self, data: bytes) -> None:
        self._seen += data
        if self._need < 0:
            end = self._seen.find(b"\r\n\r\n")
            if end < 0:
                return
            head = bytes(self._seen[:end]).lower()
            length = head.partition(b"content-length:")[2].partition(b"\r\n")[0]
            # Where an answer of unknown length ends cannot be told: status 0 is never the one that is wanted.
            self._status = int(head[9:12]) if length else 0
            self._need = end + 4 + int(length or 0)
        if len(self._seen) < self._need:
            return
        self._run.note(time.perf_counter() - self._began, self._status, len(self._seen))
        self._seen.clear()
        self._need = -1
        if self._run.is_over:
            self._transport.close()
        else:
            self._ask()


class _Run:
    """What was asked and how it was answered."""

    def __init__(self, request: bytes, *, connections: int, seconds: float, count: int) -> None:
        self.request = request
        self.times: list[float] = []
        self.statuses: dict[str, int] = {}
        self.size = 0
        self._left = connections
        self._count = count
        self._until = time.perf_counter() + seconds
        self.ended = asyncio.get_running_loop().create_future()

    @property
    def is_over(self) -> bool:
        if self._count:
            return len(self.times) >= self._count
        return time.perf_counter() >= self._until

    def note(self, seconds: float, status: int, size: int) -> None:
        self.times.append(seconds)
        self.statuses[str(status)] = self.statuses.get(str(status), 0) + 1
        self.size = size

    def lost(self) -> None:
        self._left -= 1
        if self._left == 0 and not self.ended.done():
            self.ended.set_result(None)


async def _drive(told: dict[str, object]) -> dict[str, object]:
    connections = int(str(told["connections"]))
    loop = asyncio.get_running_loop()
    began, cpu = time.perf_counter(), time.process_time()
    run = _Run(
        str(told["request"]).encode("latin-1"),
        connections=connections,
        seconds=float(str(told.get("seconds", 0))),
        count=int(str(told.get("count", 0))),
    )
    for _ in range(connections):
        await loop.create_connection(lambda: _Asker(run), "127.0.0.1", int(str(told["port"])))
    await asyncio.wait_for(run.ended, GIVES_UP_AFTER)
    wall = time.perf_counter() - began
    return {
        "times": run.times,
        "statuses": run.statuses,
        "size": run.size,
        "wall": wall,
        "driver_share": (time.process_time() - cpu) / wall,
    }


if __name__ == "__main__":
    for line in sys.stdin:
        print(json.dumps(asyncio.run(_drive(json.loads(line)))), flush=True)
