"""Who acts: roles and persons, and the short-lived signed header by which the gateway names them."""

import time
from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Literal
from uuid import UUID

import jwt
from pydantic import BaseModel, ConfigDict, ValidationError

from shared.errors import NotSignedIn

HEADER = "x-alur-person"
LIFETIME = timedelta(seconds=60)
Theme = Literal["auto", "light", "dark"]
Language = Literal["id", "en"]
"""What a person chose for the pages they see."""


class Role(StrEnum):
    """The posts of the procedure (keys of `procedure.yaml`)."""

    PROPOSER = "proposer"
    UNIT_HEAD = "unit_head"
    APP_HEAD = "app_head"
    APP_STAFF = "app_staff"
    HEAD = "head"
    SERVICE_HEAD = "service_head"
    SERVICE_STAFF = "service_staff"
    INFRA_HEAD = "infra_head"
    INFRA_STAFF = "infra_staff"
    SECURITY_HEAD = "security_head"
    SECURITY_STAFF = "security_staff"
    PLANNING = "planning"
    PPK = "ppk"
    TREASURER = "treasurer"
    VENDOR = "vendor"
    AUDITOR = "auditor"
    APP_USER = "app_user"
    ADMIN = "admin"
    QUALITY_OFFICER = "quality_officer"


class Person(BaseModel):
    """A signed-in person as the gateway vouches for them."""

    model_config = ConfigDict(frozen=True)

    id: UUID
    username: str
    name: str
    """What is shown and printed, e.g. "Kepala PUSTIPD"."""
    roles: frozenset[Role]
    title: str = ""
    """The post as printed under a signature."""
    unit: str | None = None
    """Code of the person's unit."""
    vendor: str | None = None
    """Code of the firm, for a vendor's account: bounds what may be seen."""
    acting_for: str | None = None
    """Post held for somebody else (Plt./Plh.) in which the person acts now, as printed; empty for the holder."""
    acting: dict[Role, str] = {}
    """Those of `roles` that are held for somebody else today, and the post as printed, e.g. "Plh. Kepala PUSTIPD"."""
    titles: dict[Role, str] = {}
    """The own posts as printed, for somebody who holds several of different titles; else `title` says it."""
    proved_until: datetime | None = None
    """Until when the last proof (password or code) carries acts that need a fresh one; empty: it does not.

    The gateway reckons it, so that how long a proof is fresh is said in one place.
    """

    def is_proved(self) -> bool:
        """Tell whether the person has lately proved that it is them."""
        return self.proved_until is not None and datetime.now(UTC) < self.proved_until

    def has(self, *roles: Role) -> bool:
        """Tell whether the person holds one of the roles."""
        return not self.roles.isdisjoint(roles)

    def carried_by(self, roles: Collection[Role]) -> "Person":
        """Return the person in the capacity in which they use one of these roles: an own post before an acting one."""
        held = self.roles & frozenset(roles)
        if not (self.acting or self.titles) or not held:
            return self
        own = held - self.acting.keys()
        if own:
            return self.model_copy(update={"acting_for": None, "title": self.titles.get(min(own), self.title)})
        return self.model_copy(update={"acting_for": self.acting[min(held)]})

    @property
    def as_what(self) -> str:
        """Name the capacity in which the person acts, as the trace shows it."""
        return self.acting_for or self.title or self.name


class Caller(BaseModel):
    """What one signed header holds: the person, and the form token of their session."""

    model_config = ConfigDict(frozen=True)

    person: Person
    form_token: str = ""
    theme: Theme = "auto"
    language: Language = "id"


def sign(caller: Caller, *, key: bytes, audience: str, now: datetime | None = None) -> str:
    """Return the header value (a JWT, HS256) that vouches for a person before one service for a minute."""
    issued = now or datetime.now(UTC)
    claims = {
        "aud": audience,
        "iss": "gateway",
        "sub": str(caller.person.id),
        "iat": issued,
        "exp": issued + LIFETIME,
        "caller": caller.model_dump(mode="json"),
    }
    return jwt.encode(claims, key, algorithm="HS256")


def read(header: str | None, *, key: bytes, audience: str) -> Caller:
    """Return who the gateway vouches for; raise NotSignedIn for a missing, forged or old header."""
    if not header:
        raise NotSignedIn("Sesi Anda tidak dikenal. Silakan masuk kembali.")
    caller, ends_at = _opened(header, key, audience)
    if time.time() >= ends_at:
        raise NotSignedIn(FORGED)
    return caller


FORGED = "Tanda pengenal permintaan tidak sah. Silakan masuk kembali."


@lru_cache(maxsize=1_000)
def _opened(header: str, key: bytes, audience: str) -> tuple[Caller, float]:
    """Return whom a header names and until when; the gateway sends the same one again for some seconds."""
    try:
        claims = jwt.decode(
            header,
            key,
            algorithms=["HS256"],
            audience=audience,
            issuer="gateway",
            options={"require": ["exp", "aud", "iss", "sub"]},
        )
        return Caller.model_validate(claims["caller"]), float(claims["exp"])
    except (jwt.InvalidTokenError, KeyError, ValidationError) as reason:
        raise NotSignedIn(FORGED) from reason
