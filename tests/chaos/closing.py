"""The application division's real web door, which is killed at a point of closing minutes.

Run: `python -m tests.chaos.closing '{"database": …, "keys": …, "files": …, "port": …, "fault": "before:1"}'`.
Fault points: before:n and after:n (an outcome), printed, commit, committed; none: serve.
"""

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import uvicorn
from sqlalchemy import event
from sqlalchemy.orm import Session

from services.proposal.actions import minutes
from services.proposal.app import make
from services.proposal.settings import Settings


def die() -> None:
    """End as a power cut would."""
    os.kill(os.getpid(), signal.SIGKILL)


def plant(fault: str) -> None:
    """Let the process be killed at a point of its first closing."""
    point, _, which = fault.partition(":")
    if point in ("before", "after"):
        _around("_perform", at=int(which), is_before=point == "before")
    elif point == "printed":
        _around("_keep", at=1, is_before=True)
    elif point in ("commit", "committed"):
        closing: dict[str, bool] = {}
        real = minutes.close_minutes

        def close(*args: Any, **more: Any) -> Any:
            closing["now"] = True
            return real(*args, **more)

        from services.proposal import actions

        actions.close_minutes = close
        event.listen(Session, "before_commit" if point == "commit" else "after_commit", lambda _: closing and die())


def _around(name: str, *, at: int, is_before: bool) -> None:
    real: Callable[..., Any] = getattr(minutes, name)
    passed = 0

    def call(*args: Any, **more: Any) -> Any:
        nonlocal passed
        passed += 1
        if passed == at and is_before:
            # What was done so far is with the database, as it would be at any moment.
            args[0].flush()
            die()
        made = real(*args, **more)
        if passed == at:
            args[0].flush()
            die()
        return made

    setattr(minutes, name, call)


def main() -> None:
    """Serve until killed."""
    told = orjson.loads(sys.argv[1])
    plant(told.get("fault", ""))
    folders = {"keys_folder": Path(told["keys"]), "files_folder": Path(told["files"])}
    app = make(Settings(database_url=told["database"], **folders))
    uvicorn.run(app, host="127.0.0.1", port=told["port"], log_level="warning", lifespan="off")


if __name__ == "__main__":
    main()
