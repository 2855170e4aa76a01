"""What every operation of the API has in common, put into its description once: the refusals, as problem details."""

from typing import Any

from shared import errors
from shared.web import PROBLEM

WRITING = ("post", "put", "patch", "delete")
SHAPE: dict[str, Any] = {
    "title": "Problem",
    "description": "Penolakan menurut RFC 9457, dengan kalimat untuk orang dan kode untuk program.",
    "type": "object",
    "required": ["type", "title", "status", "detail", "code"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "Apa yang terjadi dan apa yang dapat dilakukan."},
        "code": {"type": "string"},
        "instance": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["pointer", "detail"],
                "properties": {"pointer": {"type": "string"}, "detail": {"type": "string"}},
            },
        },
    },
}
ALWAYS = (errors.NotSignedIn, errors.NotAllowed, errors.NotFound, errors.Incomplete, errors.TooMany, errors.Unavailable)
ON_WRITING = (errors.OutOfTurn, errors.TooLarge)
NOT_OURS = ("HTTPValidationError", "ValidationError")
"""Shapes that the framework describes and Alur never answers with."""


def finish(whole: dict[str, Any]) -> None:
    """Add to every operation how it refuses, and leave to OpenAPI 3.1 only what it knows."""
    shapes = whole["components"]["schemas"]
    for name in [name for name in shapes if name.rpartition(".")[2] in NOT_OURS]:
        del shapes[name]
    shapes["Problem"] = SHAPE
    for operations in whole["paths"].values():
        for method, operation in operations.items():
            if isinstance(operation, dict) and "responses" in operation:
                operation["responses"] |= _refusals(method, operation)
    _put_right(whole)


def _refusals(method: str, operation: dict[str, Any]) -> dict[str, Any]:
    kinds = [*ALWAYS, *(ON_WRITING if method in WRITING else ())]
    if any(one.get("name", "").lower() == "if-match" for one in operation.get("parameters", [])):
        kinds.append(errors.Stale)
    content = {PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {
        str(kind.status): {"description": kind.title, "content": content}
        | ({"headers": RETRY} if kind.status in (429, 503) else {})
        for kind in sorted(kinds, key=lambda one: one.status)
    }


RETRY = {"Retry-After": {"description": "Detik sampai boleh diulangi.", "schema": {"type": "integer"}}}


def _put_right(value: Any) -> None:
    if isinstance(value, list):
        for inner in value:
            _put_right(inner)
        return
    if not isinstance(value, dict):
        return
    if isinstance(pattern := value.get("pattern"), str):
        # Python's end of a text; the regular expressions of JSON Schema call it $.
        value["pattern"] = pattern.replace("\\z", "$").replace("\\Z", "$")
    if "itemSchema" in value:
        # The items of a stream are described since OpenAPI 3.2 only.
        del value["itemSchema"]
        value.setdefault("schema", {"type": "string"})
    for inner in value.values():
        _put_right(inner)
