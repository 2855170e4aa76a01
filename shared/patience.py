"""How long a search may take, and the watch that ends one: a thread for the whole process, fed by who searches."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from queue import SimpleQueue
from threading import Lock, Thread
from time import monotonic, sleep

import psycopg
from sqlalchemy.orm import Session

PATIENCE_MS = 2000


@contextmanager
def patience(session: Session) -> Iterator[None]:
    """Cancel what the block asks of the database when it takes longer than a search may, wherever in a request.

    From outside, as `limit_time` cannot: it would have to come first, or ask twice more of every page.
    """
    driver = session.connection().connection.driver_connection
    assert driver is not None
    search = _WATCH.over(driver.cancel_safe)
    try:
        yield
    finally:
        search.end()


class _Watched:
    """One search that is watched: ended by itself, or cancelled before; what comes after it is never cancelled."""

    def __init__(self, cancel: Callable[[], None]) -> None:
        self.until = monotonic() + PATIENCE_MS / 1000
        self._cancel = cancel
        self._turn = Lock()
        self._has_ended = False

    def end(self) -> None:
        """Say that it has ended."""
        with self._turn:
            self._has_ended = True

    def cancel(self) -> None:
        """Cancel it if it still runs."""
        with self._turn:
            if not self._has_ended:
                self._cancel()


class _Watch:
    """One thread for all searches of the process: starting one for each would cost more than most searches."""

    def __init__(self) -> None:
        self._searches: SimpleQueue[_Watched] = SimpleQueue()
        self._begins = Lock()
        self._thread: Thread | None = None

    def over(self, cancel: Callable[[], None]) -> _Watched:
        """Watch over a search that begins now."""
        search = _Watched(cancel)
        self._searches.put(search)
        with self._begins:
            if self._thread is None:
                self._thread = Thread(target=self._go, name="search-watch", daemon=True)
                self._thread.start()
        return search

    def _go(self) -> None:
        while True:
            # All have the same patience: whoever began first is due first.
            search = self._searches.get()
            sleep(max(0.0, search.until - monotonic()))
            # The connection may be gone; the next search is watched all the same.
            with suppress(psycopg.Error, OSError):
                search.cancel()


_WATCH = _Watch()
