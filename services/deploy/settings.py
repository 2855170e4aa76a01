"""Settings of the infrastructure division, from the environment with the prefix ALUR_DEPLOY_."""

from pathlib import Path

from pydantic_settings import SettingsConfigDict

from shared.settings import ServiceSettings


class Settings(ServiceSettings):
    """What the infrastructure division must know to stand."""

    model_config = SettingsConfigDict(env_prefix="ALUR_DEPLOY_", extra="ignore", frozen=True)

    ssh_key_file: Path | None = None
    """Alur's own SSH key (Ed25519, OpenSSH form); default `ssh.key` in the keys folder."""
    measures: bool = True
    """Whether the public addresses are asked every minute; a machine without a way out switches it off."""

    @property
    def ssh_key(self) -> Path:
        """Return where Alur's SSH key lies."""
        return self.ssh_key_file or self.keys_folder / "ssh.key"
