"""The whole API as one valid description, and a run of generated requests in which nothing breaks (W15, small)."""

import re
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from openapi_spec_validator import OpenAPIV31SpecValidator

from shared.keys import DIVISIONS, GATEWAY
from tests.attacks.campus import OWN, Campus, Visitor

pytestmark = pytest.mark.timeout(400)
WRITING = ("post", "put", "patch", "delete")


@pytest.fixture(scope="module")
def described(campus: Campus) -> dict[str, Any]:
    """Return the description as anybody gets it."""
    found: dict[str, Any] = campus.visitor("").get("/api/openapi.json").json()
    return found


def test_the_description_is_valid_openapi_3_1_and_whole(described: dict[str, Any], campus: Campus) -> None:
    assert [str(error)[:300] for error in OpenAPIV31SpecValidator(described).iter_errors()] == []
    assert described["openapi"].startswith("3.1") and described["x-silent"] == []
    parts = {tag for path in described["paths"].values() for one in path.values() for tag in one.get("tags", [])}
    assert parts >= {*DIVISIONS, GATEWAY}
    told = set(described["paths"])
    there = {route.path for _, route in campus.routes() if route.path.startswith("/api/") and _is_told(route)}
    assert there - told == set()


def _is_told(route: Any) -> bool:
    return bool(getattr(route, "include_in_schema", True)) and route.path not in ("/api/docs",)


def test_every_operation_says_how_it_refuses(described: dict[str, Any]) -> None:
    lacking = []
    for path, operations in described["paths"].items():
        for method, operation in operations.items():
            wanted = {"401", "403", "404", "422", "429"} | ({"409"} if method in WRITING else set())
            for status in wanted:
                content = operation["responses"].get(status, {}).get("content", {})
                if list(content) != ["application/problem+json"]:
                    lacking.append((method, path, status))

    assert lacking == []
    assert "HTTPValidationError" not in str(described)


def test_asking_twice_tells_the_same(described: dict[str, Any], campus: Campus) -> None:
    assert campus.visitor("").get("/api/openapi.json").json() == described


AS = {
    "proposal": "koor.aplikasi",
    "budget": "koor.aplikasi",
    "deploy": "staf.infra1",
    "security": "staf.keamanan1",
    "helpdesk": "staf.layanan1",
    GATEWAY: "uji.admin",
}
"""Who may do most in each part, so that what is sent comes as far as it can."""
NOT_SENT = re.compile(r"/api/session|/log$|/closing$|/reset$|/api/password|second-factor|/api/openapi")
"""What would end the sender's own session or an account, and streams."""


@pytest.mark.parametrize("mode", ["positive", "negative"])
def test_w15_generated_requests_break_nothing(campus: Campus, described: dict[str, Any], mode: str) -> None:
    """Every operation with generated bodies and parameters, those of its shape and those that break it: never a 5xx."""
    schema = schemathesis.openapi.from_dict(described)
    chosen = schemathesis.GenerationMode.POSITIVE if mode == "positive" else schemathesis.GenerationMode.NEGATIVE
    broken: list[tuple[str, str, int, str]] = []
    asked: list[int] = []

    def run(operation: Any, visitor: Visitor) -> None:
        @seed(2026)
        @settings(
            max_examples=2,
            phases=[Phase.generate],
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy(generation_mode=chosen), own=st.booleans())
        def send(case: Any, own: bool) -> None:
            if own:
                # Half of them about things that are there, or nothing behind the 404 would be met.
                things = campus.things[OWN]
                case.path_parameters = {
                    name: things.get(name, value) for name, value in (case.path_parameters or {}).items()
                }
            answer = case.call(
                base_url=campus.url,
                headers={"x-form-token": visitor.form_token},
                cookies={"alur": visitor.client.cookies["alur"]},
                timeout=20,
            )
            asked.append(answer.status_code)
            if answer.status_code >= 500:
                broken.append((operation.method, operation.path, answer.status_code, answer.text[:200]))

        send()

    for found in schema.get_all_operations():
        operation = found.ok()
        if not NOT_SENT.search(operation.path):
            part = (operation.definition.raw.get("tags") or [GATEWAY])[0]
            run(operation, campus.visitor(AS.get(part, "uji.admin")))

    assert broken == []
    assert len(asked) > 150 and set(asked) >= {404, 422}
