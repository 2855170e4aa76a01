"""Says what is well with this installation and what is not, and what to do about it."""

import os
import shutil
import sys
from dataclasses import dataclass

import httpx
import redis

from alur.embedded import Postgres, Valkey
from alur.settings import MachineSettings
from shared import mailbox
from shared.database import Database
from shared.keys import SERVICES

LEAST_FREE = 1_000_000_000


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    what: str
    is_well: bool
    words: str
    """What was found, and what to do, in Indonesian."""


def examine(settings: MachineSettings) -> list[Finding]:
    """Return what was found, the ground first; nothing is changed."""
    home = settings.folder
    version = ".".join(map(str, sys.version_info[:3]))
    findings = [Finding("Python", sys.version_info >= (3, 11), f"{version} (perlu 3.11 atau lebih baru)")]
    if not home.exists():
        return [*findings, Finding("Folder data", False, f"{home} belum ada; jalankan `make up` sekali.")]
    can_write = os.access(home, os.W_OK)
    findings.append(
        Finding(
            "Folder data",
            can_write,
            str(home) if can_write else f"{home} tidak dapat ditulisi; beri hak tulis.",
        )
    )
    free = shutil.disk_usage(home).free
    findings.append(Finding("Ruang disk", free > LEAST_FREE, f"{free // 1_000_000:,} MB bebas".replace(",", ".")))
    if os.geteuid() == 0:
        findings.append(_account())
    postgres = Postgres(home / "postgres")
    if postgres.pid is None:
        return [*findings, Finding("PostgreSQL", False, "tidak berjalan; jalankan `make up`.")]
    findings.append(Finding("PostgreSQL", True, f"berjalan (proses {postgres.pid})"))
    findings.append(_broker(Valkey(home / "valkey")))
    findings += _messages(postgres)
    findings.append(_web(settings))
    return findings


def _account() -> Finding:
    if shutil.which("useradd"):
        return Finding("Pengguna sistem", True, "PostgreSQL berjalan sebagai pengguna alur, bukan root")
    return Finding(
        "Pengguna sistem",
        False,
        "perintah useradd tidak ada; buat pengguna alur, atau jalankan bukan sebagai root.",
    )


def _broker(valkey: Valkey) -> Finding:
    try:
        with redis.Redis(unix_socket_path=str(valkey.socket), socket_timeout=2) as client:
            policy = client.config_get("maxmemory-policy")["maxmemory-policy"]
    except redis.RedisError:
        return Finding("Valkey", False, "tidak menjawab; pesan menunggu di basis data dan tidak hilang.")
    well = policy == "noeviction"
    return Finding("Valkey", well, "menjawab" if well else f"maxmemory-policy {policy}; harus noeviction.")


def _messages(postgres: Postgres) -> list[Finding]:
    findings = []
    for service in SERVICES:
        database = Database(postgres.url(service), application_name="alur-doctor")
        try:
            with database.session() as session:
                standing = mailbox.standing(session)
        finally:
            database.close()
        words = f"{standing.waiting} di jalan, tidak ada yang mati"
        if standing.dead:
            words = f"{standing.dead} mati; lihat `alur msg list`, lalu `alur msg retry` atau `alur msg skip`."
        findings.append(Finding(f"Pesan {service}", not standing.dead, words))
    return findings


def _web(settings: MachineSettings) -> Finding:
    try:
        answer = httpx.get(f"{settings.url}/api/health", timeout=10, trust_env=False)
    except httpx.HTTPError as reason:
        return Finding("Web", False, f"{settings.url} tidak menjawab ({type(reason).__name__}); jalankan `make up`.")
    if answer.status_code == 200:
        return Finding("Web", True, settings.url)
    return Finding("Web", False, f"{settings.url} menjawab {answer.status_code}: {answer.text[:200]}")
