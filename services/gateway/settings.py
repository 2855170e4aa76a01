"""Settings of the gateway, from the environment with the prefix ALUR_GATEWAY_."""

from urllib.parse import urlsplit

from pydantic_settings import SettingsConfigDict

from shared.settings import ServiceSettings

LOOPBACK = ("127.0.0.1", "localhost", "::1")


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

    @property
    def is_secure(self) -> bool:
        """Tell whether people reach the gateway over https."""
        return urlsplit(self.public_url).scheme == "https"

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
