"""Settings of the gateway, from the environment with the prefix ALUR_GATEWAY_."""

from pathlib import Path
from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator
from pydantic_settings import SettingsConfigDict

from services.gateway.passwords import PROFILES, Profile, ProfileName
from services.gateway.rate_limit import Kind
from shared.identity import Role
from shared.settings import ServiceSettings

LOOPBACK = ("127.0.0.1", "localhost", "::1")


class IdentityProvider(BaseModel):
    """One provider of campus accounts (OpenID Connect), e.g. a Keycloak realm or Google."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[a-z][a-z0-9-]{0,39}$")
    """Stands in the return address that is registered there: <public_url>/masuk/akun-kampus/<name>/kembali."""
    label: str = Field(min_length=1, max_length=60)
    """What its button says, e.g. "akun kampus"."""
    issuer: str
    """Compared sign by sign with what it says of itself."""
    client_id: str = Field(min_length=1)
    client_secret: SecretStr = SecretStr("")
    """Empty for a public client: PKCE alone."""
    scopes: str = "openid profile email"

    @model_validator(mode="after")
    def _is_reached_safely(self) -> Self:
        parts = urlsplit(self.issuer)
        if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOOPBACK):
            raise ValueError(f"identity provider {self.name}: the issuer has to be an https address")
        return self


class Settings(ServiceSettings):
    """What the gateway must know to stand, and where the divisions are."""

    model_config = SettingsConfigDict(env_prefix="ALUR_GATEWAY_", extra="ignore", frozen=True)

    division_urls: dict[str, str] = {}  # noqa: RUF012 - pydantic copies defaults
    """Web door of each division in the split shape, e.g. {"budget": "http://budget:8000"}; empty: in process."""
    trusted_proxy: str = ""
    """Address of the one proxy before the gateway, whose last X-Forwarded-For entry is believed. Empty: the socket
    alone tells; a header anybody can write must not choose whom the throttle counts."""
    site_name: str = "Alur"
    site_owner: str = "PUSTIPD"
    brand_colour: str = "#12603f"
    """The campus's own colour; its tones and the one of the dark look are made from it. Too light a colour is refused
    at start, for nobody could read it."""
    logo: Path | None = None
    """An SVG, PNG or WebP file that stands in place of our mark."""
    development: bool = False
    """Shows `/gaya`, where all pieces of the face stand beside each other."""

    smtp_host: str = ""
    """SMTP server by which mails leave; empty: no mail."""
    smtp_port: int = 587
    smtp_security: Literal["starttls", "tls", "none"] = "starttls"
    """How the way to it is guarded; "none" only for a server on this very machine."""
    smtp_username: str = ""
    smtp_password: SecretStr = SecretStr("")
    smtp_from: str = ""
    """What stands as sender, e.g. "Alur <alur@kampus.ac.id>"; without it no mail leaves."""
    smtp_ca_file: str = ""
    """Certificate authority of a server whose certificate is the campus's own."""
    whatsapp_url: str = ""
    """Where the WhatsApp gateway takes messages; empty: no WhatsApp."""
    whatsapp_token: SecretStr = SecretStr("")
    """What it wants in the header Authorization, as a whole (some want "Bearer …")."""
    whatsapp_fields: dict[str, str] = Field({"target": "{address}", "message": "{text}"})
    """The fields of its JSON; {address} and {text} stand for ours, everything else is sent as it is."""
    telegram_url: str = "https://api.telegram.org"
    telegram_token: SecretStr = SecretStr("")
    """Token of the bot; empty: no Telegram."""
    lookout_seconds: int = Field(60, ge=0)
    """How often the gateway looks whose turn it is while people work and a quarter of an hour after; at rest it looks
    in every eleventh round only. 0: never. A look asks every division for every person, some 40 ms of one core each."""
    escalate_after: int = Field(2, ge=0)
    """Working days after the standard time at which the superior post is told."""

    @property
    def open_channels(self) -> frozenset[str]:
        """Return the ways out that are configured: mail, whatsapp, telegram."""
        ways = {
            "mail": self.smtp_host and self.smtp_from,
            "whatsapp": self.whatsapp_url,
            "telegram": self.telegram_token.get_secret_value(),
        }
        return frozenset(name for name, is_open in ways.items() if is_open)

    password_profile: ProfileName = "asvs"  # noqa: S105 - a name of rules
    """asvs: length and a list of leaked passwords. bssn: composition and 90 days as well, where the auditor asks."""
    identity_providers: tuple[IdentityProvider, ...] = ()
    """Where campus accounts are proved, as a JSON list of objects with the fields of `IdentityProvider`."""

    @model_validator(mode="after")
    def _tells_providers_apart(self) -> Self:
        for what in ("name", "issuer"):
            found = [getattr(one, what) for one in self.identity_providers]
            if len(set(found)) < len(found):
                raise ValueError(f"two identity providers have the same {what}")
        return self

    @property
    def password_rules(self) -> Profile:
        """Return what is asked of passwords here."""
        return PROFILES[self.password_profile]

    proof_minutes: int = Field(10, ge=1, le=60)
    """For so long after a password or code somebody may approve, permit, deploy and pay without proving it again."""
    second_factor_for: tuple[Role, ...] = ()
    """Roles that must use two-step sign-in, e.g. ["head", "treasurer"]: they set it up before anything else."""

    rate_read: int = Field(1200, ge=1)
    """Requests that one session or token may read with in a minute. Far above what a person can click: it stops a
    script that runs away, and is met by nobody at work."""
    rate_write: int = Field(240, ge=1)
    """Changes that one session or token may send in a minute."""
    rate_upload: int = Field(60, ge=1)
    """Uploads that one session or token may send in a minute."""
    rate_anonymous: int = Field(600, ge=1)
    """Requests in a minute from one address that nobody signed in from: a whole campus may stand behind one address."""

    @property
    def rates(self) -> dict[Kind, int]:
        """Return how many requests of each kind are let through in a minute."""
        return {
            "read": self.rate_read,
            "write": self.rate_write,
            "upload": self.rate_upload,
            "anonymous": self.rate_anonymous,
        }

    @property
    def is_secure(self) -> bool:
        """Tell whether people reach the gateway over https."""
        return urlsplit(self.public_url).scheme == "https"

    @property
    def visit_cookie_name(self) -> str:
        """Return the name of the cookie while somebody is away at an identity provider."""
        return f"{self.cookie_name}-kampus"

    @property
    def invitation_cookie_name(self) -> str:
        """Return the name of the cookie that holds an invitation's token once it is out of the address bar."""
        return f"{self.cookie_name}-undangan"

    @property
    def visitor_cookie_name(self) -> str:
        """Return the name of the cookie by which a browser without an account answers a survey once."""
        return f"{self.cookie_name}-tamu"

    @property
    def pending_cookie_name(self) -> str:
        """Return the name of the cookie between the two steps of signing in."""
        return f"{self.cookie_name}-kode"

    @property
    def cookie_name(self) -> str:
        """Return the name of the session cookie; the prefix binds it to https and this very host."""
        return "__Host-alur" if self.is_secure else "alur"

    @property
    def own_origins(self) -> frozenset[str]:
        """Return the origins whose pages are ours; on loopback each of its names counts."""
        parts = urlsplit(self.public_url)
        origins = {f"{parts.scheme}://{parts.netloc}"}
        if parts.hostname in LOOPBACK:
            port = f":{parts.port}" if parts.port else ""
            origins |= {f"{parts.scheme}://{'[::1]' if name == '::1' else name}{port}" for name in LOOPBACK}
        return frozenset(origins)
