"""The HTML door: fragments from templates, forms drawn from the shapes of the JSON door, what was typed is kept.

A page function returns a fragment; the gateway puts the page around it. A form is drawn from the same pydantic
model that the JSON door takes, so both doors know the same fields, words and limits.
"""

import re
import types
import typing
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import Enum
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID, uuid4

import jinja2
from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import BaseModel, Field, ValidationError
from pydantic.config import JsonDict
from pydantic.fields import FieldInfo
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile

from shared import words
from shared.authority import Act
from shared.errors import Incomplete, Refused
from shared.identity import Person
from shared.web import Door, Waiting, _asker, _caller, header_text, put_right

TEMPLATES = Path(__file__).with_name("templates")
FORM_LIMIT = 2_000

Shape = TypeVar("Shape", bound=BaseModel)

AREA: JsonDict = {"kind": "area"}
MONEY: JsonDict = {"kind": "money"}
FILE: JsonDict = {"kind": "file"}
"""How a field is drawn, given to pydantic as `json_schema_extra`."""


def labelled(labels: dict[str, str]) -> JsonDict:
    """Return how the choices of a field are called, for `json_schema_extra`."""
    return {"labels": {**labels}}


def fragment(title: str, body: str, *, status: int = 200) -> HTMLResponse:
    """Return a fragment; the gateway reads its title from a header."""
    headers = {"x-alur-title": header_text(title), "cache-control": "no-store"}
    return HTMLResponse(body, status_code=status, headers=headers)


def _environment(folders: Sequence[Path]) -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader([str(f) for f in folders]),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
        auto_reload=False,
    )
    environment.filters.update(
        rupiah=words.rupiah,
        long_date=words.long_date,
        moment=words.long_moment,
        short=lambda digest: digest.removeprefix("sha256:")[:12],
    )
    return environment


def refusal_fragment(refusal: Refused) -> HTMLResponse:
    """Return a page that says what was refused, why, and what to do."""
    template = _environment([TEMPLATES]).get_template("refusal.html")
    return fragment(refusal.title, template.render(refusal=refusal), status=refusal.status)


@dataclass(frozen=True)
class Input:
    """One field of a form."""

    name: str
    label: str
    help: str
    kind: str
    """text, area, number, money, date, choice, many, tick, file, rows"""
    is_required: bool
    default: Any = ""
    choices: tuple[tuple[str, str], ...] = ()
    rows: tuple["Input", ...] = ()
    pattern: str = ""


def inputs(shape: type[BaseModel]) -> list[Input]:
    """Return the fields of a form for a model: label = `title`, help = `description`."""
    return [_input(name, info) for name, info in shape.model_fields.items()]


def _input(name: str, info: FieldInfo) -> Input:
    extra = info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}
    kind, choices, rows = _kind(info.annotation, extra)
    default = "" if info.is_required() or info.default is None else info.get_default(call_default_factory=True)
    return Input(
        name=name,
        label=info.title or name.replace("_", " ").capitalize(),
        help=info.description or "",
        kind=kind,
        is_required=info.is_required(),
        default=default.value if isinstance(default, Enum) else default,
        choices=choices,
        rows=rows,
    )


def _kind(annotation: Any, extra: Any) -> tuple[str, tuple[tuple[str, str], ...], tuple[Input, ...]]:
    origin = typing.get_origin(annotation)
    if origin in (typing.Union, types.UnionType):
        left = [a for a in typing.get_args(annotation) if a is not type(None)]
        return _kind(left[0], extra)
    if origin is typing.Annotated:
        return _kind(typing.get_args(annotation)[0], extra)
    labels = extra.get("labels", {})
    if origin is typing.Literal:
        values = typing.get_args(annotation)
        return "choice", tuple((str(v), str(labels.get(v, v))) for v in values), ()
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return "choice", tuple((str(v.value), str(labels.get(v.value, v.value))) for v in annotation), ()
    if origin in (list, tuple):
        inner = typing.get_args(annotation)[0]
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            return "rows", (), tuple(inputs(inner))
        return "many", (), ()
    if "kind" in extra:
        return str(extra["kind"]), tuple(extra.get("choices", ())), ()
    plain = {bool: "tick", int: "number", date: "date"}
    return plain.get(annotation, "text"), (), ()


def read_form(form: FormData) -> dict[str, Any]:
    """Return a form as nested values: `lines.0.price` becomes lines[0]["price"]; empty fields and rows are left out.

    Repeated names become lists; a text area of the kind "many" becomes a list of its lines (see `parse`).
    """
    nested: dict[str, Any] = {}
    for key in dict.fromkeys(form.keys()):
        values = [v for v in form.getlist(key) if not (isinstance(v, str) and not v.strip())]
        if not values or len(form) > FORM_LIMIT:
            continue
        parts = key.split(".")
        target = nested
        for part in parts[:-1]:
            target = target.setdefault(part, {})
        target[parts[-1]] = values[0] if len(values) == 1 else values
    return {key: _rows(value) for key, value in nested.items()}


def _rows(value: Any) -> Any:
    if isinstance(value, dict) and value and all(k.isdigit() for k in value):
        return [value[k] for k in sorted(value, key=int)]
    return value


def parse(shape: type[Shape], typed: dict[str, Any]) -> Shape:
    """Return the model that a form holds; raise Incomplete with a sentence for each field."""
    prepared = dict(typed)
    for field_ in inputs(shape):
        value = prepared.get(field_.name)
        if field_.kind == "many" and isinstance(value, str):
            prepared[field_.name] = [line.strip() for line in value.splitlines() if line.strip()]
        if field_.kind == "money" and isinstance(value, str):
            prepared[field_.name] = _money(field_.name, value)
        if field_.kind == "rows" and isinstance(value, list):
            money = [column.name for column in field_.rows if column.kind == "money"]
            prepared[field_.name] = [
                {k: _money(f"{field_.name}/{n}/{k}", v) if k in money else v for k, v in row.items()}
                for n, row in enumerate(value)
            ]
    try:
        return shape.model_validate(prepared)
    except ValidationError as reason:
        raise put_right(reason.errors()) from reason


def _money(pointer: str, value: str) -> int:
    try:
        return words.read_rupiah(value)
    except Incomplete as refusal:
        from shared.errors import FieldError

        raise Incomplete(refusal.detail, errors=[FieldError("/" + pointer, refusal.detail)]) from refusal


class Nothing(BaseModel):
    """An act that needs no words."""


class Reason(BaseModel):
    """An act that needs a written reason."""

    reason: str = Field(
        min_length=5,
        max_length=4000,
        title="Alasan",
        description="Ditulis lengkap; dibaca oleh pihak yang menerima kembali berkas ini.",
        json_schema_extra={"kind": "area"},
    )


@dataclass(frozen=True)
class Offer:
    """An act that is offered to this person on this page, with its form."""

    act: Act
    path: str
    inputs: list[Input]
    key: str
    """Idempotency key of this form."""
    upload: bool = False
    typed: dict[str, Any] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    is_open: bool = False


Show = Callable[[Request, Any, Person, Any], Response]


class Pages:
    """A division's pages: `show` for reading, `act` for doing, both drawn from its templates."""

    def __init__(self, folder: Path) -> None:
        self.router = APIRouter(route_class=Door, include_in_schema=False, default_response_class=HTMLResponse)
        self.environment = _environment([folder, TEMPLATES])
        self._acts: dict[str, tuple[str, type[BaseModel]]] = {}

    def render(self, request: Request, template: str, title: str, **values: Any) -> HTMLResponse:
        """Return a fragment from a template; `by` and the refusal of a failed act are there for every template."""
        caller = request.state.caller
        refusal = getattr(request.state, "refusal", None)
        body = self.environment.get_template(template).render(
            by=caller.person,
            form_token=caller.form_token,
            refusal=refusal,
            request_path=request.url.path,
            **values,
        )
        return fragment(title, body, status=refusal.status if refusal else 200)

    def offers(self, request: Request, acts: Sequence[Act], **place: Any) -> list[Offer]:
        """Return the forms of these acts for one thing; a refused form comes back open with what was typed."""
        result = []
        for act in acts:
            if act.name not in self._acts:
                continue
            path, shape = self._acts[act.name]
            refused = getattr(request.state, "refused_act", None) == act.name
            fields = inputs(shape)
            result.append(
                Offer(
                    act=act,
                    path=path.format(**place),
                    inputs=fields,
                    key=uuid4().hex,
                    upload=any(f.kind == "file" for f in fields),
                    typed=request.state.typed if refused else {},
                    errors=_by_name(request.state.refusal) if refused else {},
                    is_open=refused,
                )
            )
        return result

    def act(
        self,
        act: Act,
        path: str,
        shape: type[BaseModel],
        do: Callable[..., str],
        *,
        back: Show,
    ) -> None:
        """Offer an act as a form at a path.

        `do(session, by, id, body, request)` calls the action and returns the page to go to; when it is refused,
        the transaction is undone and `back` draws the page again with the refusal and what was typed.
        A path without `{id}` gets None as id.
        """
        self._acts[act.name] = (path, shape)
        pages = self

        async def answer(request: Request) -> Response:
            await _caller(request)
            by = await _asker(request)
            session = request.state.session
            place = request.path_params.get("id")
            thing_id = UUID(place) if place and UUID_TEXT.fullmatch(place) else place
            form = await request.form(max_part_size=4 * 1024 * 1024)
            typed = read_form(form)
            for inner in ("form_token", "idempotency_key"):
                typed.pop(inner, None)
            try:
                body = parse(shape, dict(typed.items()))
                target = await run_in_threadpool(do, session, by, thing_id, body, request)
            except Refused as refusal:
                await run_in_threadpool(session.rollback)
                request.state.refusal = refusal
                request.state.refused_act = act.name
                request.state.typed = {k: v for k, v in typed.items() if not isinstance(v, UploadFile)}
                response = await run_in_threadpool(back, request, session, by, thing_id)
                response.status_code = refusal.status
                return response
            return RedirectResponse(target, status_code=303)

        answer.__name__ = act.name
        pages.router.add_api_route(path, answer, methods=["POST"], name=act.name)


UUID_TEXT = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def _by_name(refusal: Refused) -> dict[str, str]:
    return {error.pointer.strip("/").replace("/", "."): error.detail for error in refusal.errors}


__all__ = [
    "Input",
    "Nothing",
    "Offer",
    "Pages",
    "Reason",
    "Waiting",
    "fragment",
    "inputs",
    "parse",
    "read_form",
]
