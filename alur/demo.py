"""The demo campus: a fictional university with its people, vendors and cases, and the practice server's place."""

import json
import os
import secrets
from collections.abc import Callable
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from alur.practice import free_port
from alur.settings import MachineSettings
from shared.database import Database
from shared.identity import Role

DATA = Path(__file__).with_name("demo_campus.yaml")
ACCOUNTS = "demo-accounts.json"
LOADED = "demo-loaded.json"

Say = Callable[[str], None]


@cache
def campus() -> dict[str, Any]:
    """Return the fictional campus as data."""
    result: dict[str, Any] = yaml.safe_load(DATA.read_text(encoding="utf-8"))
    return result


def practice_arguments(settings: MachineSettings) -> list[str]:
    """Return how the practice server is started: its folder, and two ports that stay the same for ever."""
    home = settings.folder / "practice"
    home.mkdir(exist_ok=True)
    noted = home / "ports.json"
    if not noted.exists():
        _write(noted, json.dumps({"ssh": free_port(), "http": free_port()}))
    ports = practice_ports(settings)
    return [
        *("--home", str(home), "--ssh-port", str(ports["ssh"]), "--http-port", str(ports["http"])),
        *("--client-key", str(settings.keys_folder / "ssh.key.pub")),
        *("--permit-key", str(settings.keys_folder / "permit.pub")),
    ]


def practice_ports(settings: MachineSettings) -> dict[str, int]:
    """Return the practice server's two loopback ports: `ssh` and `http`."""
    result: dict[str, int] = json.loads((settings.folder / "practice" / "ports.json").read_text())
    return result


def accounts(settings: MachineSettings) -> dict[str, str]:
    """Return the password of each demo account; made once for this installation, never the same on two."""
    path = settings.folder / ACCOUNTS
    if not path.exists():
        word = "-".join(secrets.choice(WORDS) for _ in range(4)) + f"-{secrets.randbelow(90) + 10}"
        _write(path, json.dumps({user["username"]: word for user in campus()["users"]}), mode=0o600)
    result: dict[str, str] = json.loads(path.read_text())
    return result


def accounts_told(settings: MachineSettings) -> list[str]:
    """Return the lines that tell a newcomer how to sign in."""
    known = accounts(settings)
    password = next(iter(known.values()))
    lines = ["", f"Kampus contoh: {campus()['institution']['name']}. Semua akun contoh memakai kata sandi: {password}"]
    lines += [f"  {user['username']:<16} {user['display_name']}" for user in campus()["users"]]
    return [*lines, ""]


def load_campus(settings: MachineSettings, urls: dict[str, str], *, say: Say) -> None:
    """Take in the demo campus once: people, vendors and the cases that already run; loading twice changes nothing."""
    done = settings.folder / LOADED
    if done.exists():
        return
    say("Memuat kampus contoh ...")
    _load_people(settings, urls["gateway"])
    _load_cases(urls["proposal"])
    _load_money(urls["budget"])
    _write(done, json.dumps({"as_of": campus()["meta"]["as_of"]}))


def _load_people(settings: MachineSettings, url: str) -> None:
    from services.gateway.actions import NewPerson, NewUnit, load_directory

    known = accounts(settings)
    units = [NewUnit(**unit) for unit in campus()["units"]]
    people = [
        NewPerson(
            username=user["username"],
            display_name=user["display_name"],
            roles=frozenset({Role(user["role"])}),
            title=user["display_name"],
            unit=user["unit"],
            vendor="CKD" if user["role"] == "vendor" else None,
            password=known[user["username"]],
        )
        for user in campus()["users"]
    ]
    database = Database(url, application_name="alur-demo")
    try:
        with database.transaction() as session:
            load_directory(session, units, people)
    finally:
        database.close()


def _load_cases(url: str) -> None:
    raise NotImplementedError


def _load_money(url: str) -> None:
    raise NotImplementedError


def _date(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def _write(path: Path, words: str, *, mode: int = 0o644) -> None:
    part = path.with_name(path.name + ".part")
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "w") as file:
        file.write(words)
    part.rename(path)


WORDS = (
    "angin", "bambu", "cahaya", "danau", "embun", "fajar", "garam", "hujan", "intan", "jambu", "kenari", "langit",
    "melati", "nuri", "ombak", "padi", "rimba", "sawah", "telaga", "ubi", "waru", "zaitun", "kapas", "merpati",
    "pelita", "randu", "selasih", "tembaga", "cempaka", "gaharu", "kemuning", "lontar",
)  # fmt: skip
