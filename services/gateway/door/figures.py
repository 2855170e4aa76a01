"""The figures of all divisions, gathered for one person: what a dashboard is drawn from."""

from dataclasses import dataclass, field
from urllib.parse import urlencode

from pydantic import ValidationError

from services.gateway.door.doors import Doors
from shared.errors import NotAllowed
from shared.figures import Choice, Figures, Panel, Table
from shared.identity import Caller, Person, Role
from shared.log import logger

PATH = "/api/figures"
NEAREST = {
    "budget": frozenset({Role.PLANNING, Role.PPK, Role.TREASURER}),
    "deploy": frozenset({Role.INFRA_HEAD, Role.INFRA_STAFF}),
    "security": frozenset({Role.SECURITY_HEAD, Role.SECURITY_STAFF}),
    "helpdesk": frozenset({Role.SERVICE_HEAD, Role.SERVICE_STAFF}),
}
"""Whose own division stands first; for everybody else the order is that of the procedure."""


@dataclass
class Dashboard:
    """What the divisions told, own division first, and which of them did not answer."""

    parts: dict[str, Figures] = field(default_factory=dict)
    silent: list[str] = field(default_factory=list)

    @property
    def choices(self) -> list[Choice]:
        """Return each filter once, with the values of all divisions that know it."""
        found: dict[str, Choice] = {}
        for figures in self.parts.values():
            for choice in figures.choices:
                kept = found.setdefault(choice.key, choice.model_copy())
                kept.values = sorted({*kept.values, *choice.values})
        return list(found.values())

    def table(self, part: str, panel: str, table: str) -> Table | None:
        """Return one table by the names of its division, panel and itself; None when there is none."""
        panels: list[Panel] = self.parts[part].panels if part in self.parts else []
        tables = [one for shown in panels if shown.key == panel for one in shown.tables]
        return next((one for one in tables if one.key == table), None)


def sees_figures(person: Person) -> bool:
    """Tell whether there is a dashboard for somebody: for all but vendors' people."""
    return bool(person.roles - {Role.VENDOR})


def must_see_figures(person: Person) -> None:
    """Refuse (NotAllowed) whoever has no dashboard."""
    if not sees_figures(person):
        raise NotAllowed("Dasbor hanya untuk pusat dan unit kerja. Kontrak dan tagihan Anda ada di halaman Kontrak.")


async def gather(doors: Doors, caller: Caller, asked: dict[str, str]) -> Dashboard:
    """Ask every division for what it tells this person; one that refuses has nothing for them."""
    target = f"{PATH}?{urlencode(asked)}" if asked else PATH
    answers = await doors.ask_all(target, caller=caller)
    found = Dashboard()
    for name in sorted(answers, key=lambda name: not caller.person.has(*NEAREST.get(name, ()))):
        answered = answers[name]
        if answered is not None and answered.status in (403, 404):
            continue
        if answered is None or answered.status != 200:
            found.silent.append(name)
            continue
        try:
            found.parts[name] = Figures.model_validate_json(answered.body)
        except ValidationError as reason:
            logger().error("figures_not_understood", part=name, reason=str(reason))
            found.silent.append(name)
    return found
