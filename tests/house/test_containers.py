"""The split shape as containers: valid for Compose itself, and complete."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from services.gateway.settings import Settings
from shared.keys import DIVISIONS, SERVICES

ROOT = Path(__file__).parents[2]
COMPOSE = Path(sys.executable).parent / "docker-compose"


@pytest.fixture(scope="module")
def composed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Return docker-compose.yml as Compose itself reads it, with every secret of .env.example filled in."""
    example = (ROOT / ".env.example").read_text()
    filled = tmp_path_factory.mktemp("compose") / "env"
    filled.write_text("\n".join(f"{line}x" if line.endswith("=") else line for line in example.splitlines()))
    command = [str(COMPOSE), "--env-file", str(filled), "-f", str(ROOT / "docker-compose.yml"), "config"]
    done = subprocess.run(
        [*command, "--format", "json"],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": os.environ["PATH"], "HOME": str(filled.parent)},
    )
    assert done.returncode == 0, done.stderr
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def test_every_service_has_a_web_and_a_worker(composed: dict[str, Any]) -> None:
    wanted = set(SERVICES) | {f"{s}-worker" for s in SERVICES} | {"clock", "postgres", "redis", "migrate", "keys"}

    assert set(composed["services"]) == wanted


def test_only_the_gateway_is_published(composed: dict[str, Any]) -> None:
    published = {name for name, service in composed["services"].items() if service.get("ports")}

    assert published == {"gateway"}


def test_every_secret_must_be_given(tmp_path: Path) -> None:
    command = [
        str(COMPOSE),
        "--env-file",
        "/dev/null",
        "-f",
        str(ROOT / "docker-compose.yml"),
        "config",
        "-q",
    ]

    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)},
    )

    assert done.returncode != 0
    assert "fill in .env" in done.stderr


def test_no_service_knows_anothers_database(composed: dict[str, Any]) -> None:
    for division in DIVISIONS:
        for name in (division, f"{division}-worker"):
            environment = composed["services"][name]["environment"]
            assert {k for k in environment if k.endswith("DATABASE_URL")} == {f"ALUR_{division.upper()}_DATABASE_URL"}


def test_every_worker_notes_its_audit_chain_outside_the_database(composed: dict[str, Any]) -> None:
    for name, service in composed["services"].items():
        mounted = {volume["source"]: volume["target"] for volume in service.get("volumes") or []}
        noted = (service.get("environment") or {}).get("ALUR_ANCHORS_FOLDER")

        assert (noted == "/anchors") is (name.endswith("-worker") or name == "clock"), name
        assert ("anchors" in mounted) is name.endswith("-worker"), name


def test_what_a_campus_may_set_at_the_gateway_is_read_there() -> None:
    told = set(re.findall(r"^#ALUR_GATEWAY_([A-Z_]+)=", (ROOT / "gateway.env.example").read_text(), re.MULTILINE))

    assert len(told) > 15
    assert {name.lower() for name in told} - Settings.model_fields.keys() == set()
