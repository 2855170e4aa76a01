"""Long work told at a terminal while it runs: a bar of its steps, or one line of JSON for each thing that happened."""

import json
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from alur.errand import Event
from shared.errors import Incomplete

WIDTH = 200
"""Of a terminal that is none: lines are not broken."""


class Teller:
    """Tells what happens: to a person in words, or to a program as lines of JSON without colours."""

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json
        self.console = Console(width=None if sys.stdout.isatty() else WIDTH, highlight=False)

    def tell(self, event: str, words: str, **facts: Any) -> None:
        """Say one thing."""
        if self.as_json:
            typer.echo(json.dumps({"event": event, "words": words, **facts}, ensure_ascii=False, default=str))
        else:
            self.console.print(words, markup=False)

    def confirm(self, question: str, *, yes: bool) -> bool:
        """Ask before something is done; raise Incomplete when nobody is there to answer."""
        if yes:
            return True
        if self.as_json or not sys.stdin.isatty():
            raise Incomplete("Langkah ini mengubah keadaan dan perlu dipastikan: tambahkan --yes.")
        return typer.confirm(question, default=False)

    @contextmanager
    def leaving(self, still_running: str) -> Iterator[None]:
        """Within it an interrupt stops the telling alone: say that the work goes on, and end the command with 0."""
        try:
            yield
        except KeyboardInterrupt:
            self.tell("left", still_running)
            raise typer.Exit(0) from None

    def follow(self, events: Iterable[Event], *, steps: int = 0) -> None:
        """Tell the lines of a log until it ends."""
        if self.as_json:
            for event in events:
                self.tell("line", event.data["text"], **{k: v for k, v in event.data.items() if k != "text"})
            return
        with self._progress() as progress:
            self._draw(progress, events, steps)

    def _progress(self) -> Progress:
        return Progress(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=self.console,
            disable=not self.console.is_terminal,
        )

    def _draw(self, progress: Progress, events: Iterable[Event], steps: int) -> None:
        task = progress.add_task("Menunggu …", total=max(steps, 1))
        done: set[str] = set()
        for event in events:
            told = event.data
            if told["state"] == "running":
                progress.update(task, description=told["step"] or told["text"])
            if told["state"] == "done" and told["step"]:
                done.add(told["step"])
                progress.update(task, completed=len(done), total=max(steps, len(done)))
            mark = {"done": "✓", "failed": "✕", "running": "…"}.get(told["state"], " ")
            progress.console.print(f"{mark} {told['text']}", markup=False)


def once(look: Callable[[], Any], fits: Callable[[Any], bool], *, within: float, pause: float) -> Any:
    """Return what `look` gives as soon as it fits; the last look when it does not within the time."""
    deadline = time.monotonic() + within
    seen = look()
    while not fits(seen) and time.monotonic() < deadline:
        time.sleep(pause)
        seen = look()
    return seen
