"""How a page of the gateway itself is drawn."""

from pathlib import Path
from typing import Any

from fastapi import Request, Response

from shared.identity import Caller
from shared.pages import Pages, drawn, fragment

pages = Pages(Path(__file__).parents[1] / "templates")


def show(request: Request, template: str, title: str, *, status: int = 200, **values: Any) -> Response:
    """Return a fragment from a template of the gateway, for somebody signed in or not."""
    caller: Caller | None = getattr(request.state, "caller", None)
    body = drawn(
        request.app.state.frame.environment,
        template,
        form_token=caller.form_token if caller else "",
        by=caller.person if caller else None,
        **values,
    )
    return fragment(title, body, status=status)
