"""Settings of one machine: where the state is, where people reach it; and what each service is told."""

import os
import socket
from contextlib import suppress
from itertools import count
from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.keys import SERVICES


class MachineSettings(BaseSettings):
    """What `alur up` is told by the environment; every value has a default that works."""

    model_config = SettingsConfigDict(env_prefix="ALUR_", extra="ignore", frozen=True)

    home: Path = Field(default=Path("var"))
    """All state of this installation."""
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=1, le=65535)
    demo: bool = True
    """Load the demo campus on the first start, and run the practice server."""
    workers: int = Field(default=3, ge=2, le=64)
    """Processes that handle messages and jobs; two at least, or a long job holds up every message."""

    @property
    def folder(self) -> Path:
        """Return the state folder as an absolute path."""
        return self.home.expanduser().absolute()

    @property
    def url(self) -> str:
        """Return the address that people open."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"

    @property
    def keys_folder(self) -> Path:
        """Return the folder of the keys by which the parts trust each other."""
        return self.folder / "keys"

    @property
    def files_folder(self) -> Path:
        """Return the folder of the content store."""
        return self.folder / "files"

    def environment(self, *, database_urls: dict[str, str], broker_url: str) -> dict[str, str]:
        """Return the environment by which every service finds its own settings."""
        result = {
            "ALUR_ANCHORS_FOLDER": str(self.folder / "anchors"),
            # The style guide belongs to the machine on which one tries things out.
            "ALUR_GATEWAY_DEVELOPMENT": str(self.demo).lower(),
        }
        for service in SERVICES:
            prefix = f"ALUR_{service.upper()}_"
            result |= {
                f"{prefix}DATABASE_URL": database_urls[service],
                f"{prefix}BROKER_URL": broker_url,
                f"{prefix}KEYS_FOLDER": str(self.keys_folder),
                f"{prefix}FILES_FOLDER": str(self.files_folder),
                f"{prefix}PUBLIC_URL": self.url,
            }
        return result


_PORTS = range(20_000, 30_000)
"""Below those that the system gives to whoever asks for any, or to the near end of a connection."""
_next = count(os.getpid() * 64)
"""Never the same twice, and processes that start together look in places of their own."""


def free_port() -> int:
    """Return a loopback port that nobody uses now; each call returns another."""
    while True:
        port = _PORTS[next(_next) % len(_PORTS)]
        with suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            return port
