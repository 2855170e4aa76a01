"""What the infrastructure division's pages share: their templates and the rail."""

from pathlib import Path

from fastapi import Request

from services.deploy.authority import SERVER_READERS
from shared.authority import Act
from shared.identity import Person
from shared.pages import Pages
from shared.web import NavigationEntry

pages = Pages(Path(__file__).parents[1] / "templates")
NAVIGATION = [
    NavigationEntry(label="Server", path="/server", icon="server", order=50, roles=sorted(map(str, SERVER_READERS))),
    NavigationEntry(label="Hosting", path="/hosting", icon="world", order=51),
    NavigationEntry(label="Paket", path="/paket", icon="package", order=52),
    NavigationEntry(label="Instalasi", path="/instalasi", icon="download", order=53),
    NavigationEntry(label="Rilis", path="/rilis", icon="rocket", order=54),
]


def may(by: Person, *acts: Act) -> list[Act]:
    """Return the acts that make something new and that this person's roles allow."""
    return [act for act in acts if act.roles & by.roles]


def after(request: Request) -> str | None:
    """Return the place in a list after which it is to go on."""
    return request.query_params.get("after")
