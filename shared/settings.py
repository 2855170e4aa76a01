"""Settings that every service has; each adds its own, prefixed with its name."""

from pathlib import Path

from pydantic_settings import BaseSettings, SettingsConfigDict


class ServiceSettings(BaseSettings):
    """What a service must know to stand: its database, the broker, keys and files.

    Read once in `app.py` and in the worker and handed down; actions never see it. No secret has a default.
    """

    model_config = SettingsConfigDict(extra="ignore", frozen=True)

    database_url: str
    """SQLAlchemy URL with the service's own login role."""
    broker_url: str = ""
    """Celery broker; the web doors never use it."""
    keys_folder: Path
    files_folder: Path
    """Content store shared by the services: files by digest."""
    pool_size: int = 10
    """At least the threads of the web process, or requests wait for each other."""
    public_url: str = "http://127.0.0.1:8000"
    """Address under which people reach the gateway; printed on papers as the check address."""
