"""The HTML door: fragments from templates, forms drawn from the shapes of the JSON door, what was typed is kept.

A page function returns a fragment; the gateway puts the page around it. A form is drawn from the same pydantic
model that the JSON door takes, so both doors know the same fields, words and limits.
"""

import re
import types
import typing
from collections.abc import Callable, Hashable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from datetime import date
from enum import Enum
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID, uuid4

import jinja2
from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from markupsafe import Markup
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.config import JsonDict
from pydantic.fields import FieldInfo
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile

from shared import words
from shared.authority import Act
from shared.edition import tag_of
from shared.errors import FieldError, Incomplete, Refused, StepUpNeeded
from shared.identity import Language, Person
from shared.interpreter import Templates, speaking
from shared.language import SPOKEN, long_date, long_moment, said
from shared.mould import Mould, places
from shared.sentence import Sentence
from shared.web import FORM_LIMIT, Asker, Door, Session, header_text, put_right

EDITION = "seen_edition"
"""Hidden field with the edition that the writer of a form saw."""
DONE = "x-alur-done"
"""Header by which a division tells the gateway what the next page shall say: what was done, and what happens now."""
REFUSAL = "x-alur-refusal"
"""Header by which the gateway knows a page that says no; it adds the ways on from there."""
TEMPLATES = Path(__file__).with_name("templates")
MOST_ROWS = 10_000
STEP_UP = "x-alur-step-up"
"""Header by which a division tells the gateway which act needs a fresh proof: its label, a line's end, its consequence.
"""
DRAW = "SEARCH"
"""Method by which the gateway asks for a form with what was typed in it, doing nothing.

A method of its own and no header: a door that does not know it answers 405, and never does what it only was to draw.
"""
RESTORED = "Isian Anda masih ada. Periksa, lalu kirim."

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
    headers = {"x-alur-title": header_text(said(title)), "cache-control": "no-store"}
    return HTMLResponse(body, status_code=status, headers=headers)


def new_environment(*folders: Path, language: Language) -> jinja2.Environment:
    """Return the templates of some folders in a language."""
    environment = jinja2.Environment(
        loader=Templates([str(f) for f in folders], language),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
        auto_reload=False,
    )
    environment.filters.update(FILTERS)
    environment.globals.update(drawn_chip=chip, kept_form=kept_form, sheet=SHEET.get)
    return speaking(environment, language)


@dataclass(frozen=True)
class Sheet:
    """What the parts of a page need of the request at hand."""

    form_token: str = ""
    refusal: Refused | None = None


SHEET: ContextVar[Sheet] = ContextVar("sheet", default=Sheet())  # noqa: B039 - it is frozen
"""The page at hand. Parts that were imported "with context" instead would be made anew for every page."""


def drawn(
    environment: jinja2.Environment, template: str, *, form_token: str, refusal: Refused | None = None, **values: Any
) -> str:
    """Return a template drawn with these values."""
    SHEET.set(Sheet(form_token, refusal))
    return environment.get_template(template).render(form_token=form_token, refusal=refusal, **values)


@cache
def _environment(*folders: Path, language: Language = "id") -> jinja2.Environment:
    environment = new_environment(*folders, language=language)
    if language != "id":
        # What a division gives its templates is there in every language.
        environment.globals = _environment(*folders, language="id").globals
    return environment


FILTERS: dict[str, Callable[[Any], str]] = {
    "rupiah": words.rupiah,
    "long_date": long_date,
    "moment": long_moment,
    "short": lambda digest: digest.removeprefix("sha256:")[:12],
}
"""How templates write money, days, moments and digests."""
SIGNS = {"good": "✓", "bad": "✕", "wait": "●"}


def chip(label: Any, tone: str = "quiet", icon: str | None = None) -> Markup:
    """Return a status as a list shows it; the tone is said by a sign too, and not by colour alone."""
    return _drawn_chip(said(label), tone, icon or SIGNS.get(tone, "○"))


@lru_cache(1_000, typed=True)
def _drawn_chip(label: Any, tone: str, icon: str) -> Markup:
    return Markup('<span class="chip chip--{}"><span aria-hidden="true">{}</span> {}</span>').format(tone, icon, label)


def refusal_fragment(refusal: Refused) -> HTMLResponse:
    """Return a page that says what was refused, why, and what to do."""
    template = _environment(TEMPLATES, language=SPOKEN.get()).get_template("refusal.html")
    page = fragment(refusal.title, template.render(refusal=refusal), status=refusal.status)
    page.headers[REFUSAL] = refusal.code
    if refusal.status in (429, 503):
        page.headers["retry-after"] = str(refusal.seconds)
    if isinstance(refusal, StepUpNeeded):
        # The gateway keeps the form, asks for the proof, and sends the form again.
        page.headers[STEP_UP] = header_text(f"{refusal.label}\n{refusal.consequence}")
    return page


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


def inputs(shape: type[BaseModel]) -> list[Input]:
    """Return the fields of a form for a model: label = `title`, help = `description`."""
    return [
        _input(name, info) if info.default_factory else _kept_input(shape, name)
        for name, info in shape.model_fields.items()
    ]


@cache
def _kept_input(shape: type[BaseModel], name: str) -> Input:
    return _input(name, shape.model_fields[name])


def _input(name: str, info: FieldInfo) -> Input:
    extra = info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}
    kind, choices, rows = _kind(info.annotation, extra)
    given = None if info.is_required() else info.get_default(call_default_factory=True)
    default = "" if given is None else given.value if isinstance(given, Enum) else given
    if kind == "choice" and default == "":
        # Without this the browser would choose the first one, and nobody would notice.
        choices = (("", Sentence("Pilih …") if info.is_required() else "–"), *choices)
    return Input(
        name=name,
        label=info.title or name.replace("_", " ").capitalize(),
        help=info.description or "",
        kind=kind,
        is_required=info.is_required(),
        default=default,
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
        return "choice", tuple((str(v), str(labels.get(str(v), v))) for v in values), ()
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

    Repeated names become lists; a text area of the kind "many" becomes a list of its lines (see `parse`). Raises
    Incomplete for too many fields, a NUL character, and names that cannot all be true.
    """
    if len(form.multi_items()) > FORM_LIMIT:
        raise Incomplete(
            Sentence(
                "Formulir ini memuat lebih dari {form_limit} isian. Bagi menjadi beberapa kali kirim.",
                form_limit=FORM_LIMIT,
            )
        )
    nested: dict[str, Any] = {}
    for key in dict.fromkeys(form.keys()):
        values = [value for value in map(_plain, form.getlist(key)) if value is not None]
        if values:
            _put(nested, key.split("."), values[0] if len(values) == 1 else values)
    return {key: _rows(value) for key, value in nested.items()}


def _plain(value: str | UploadFile) -> str | UploadFile | None:
    """Return a value as it is kept; None for an empty field and for a file that was not chosen."""
    if "\x00" in (value if isinstance(value, str) else value.filename or ""):
        raise Incomplete("Isian memuat huruf nol (NUL) yang tidak diterima. Hapus lalu kirim ulang.", code="nul")
    if isinstance(value, str):
        # Browsers send lines with two signs at the end.
        return value.replace("\r\n", "\n") if value.strip() else None
    return value if value.filename else None


def _put(nested: dict[str, Any], parts: list[str], value: Any) -> None:
    for part in parts[:-1]:
        nested = nested.setdefault(part, {})
        if not isinstance(nested, dict):
            break
    if not isinstance(nested, dict) or parts[-1] in nested:
        raise Incomplete("Nama isian pada formulir ini saling bertentangan. Muat ulang halaman, lalu isi kembali.")
    nested[parts[-1]] = value


def _rows(value: Any) -> Any:
    if isinstance(value, dict) and value and all(k.isdecimal() and len(k) < len(str(MOST_ROWS)) for k in value):
        return [value[k] for k in sorted(value, key=int)]
    return value


def parse(shape: type[Shape], typed: dict[str, Any]) -> Shape:
    """Return the model that a form holds; raise Incomplete with a sentence for each field."""
    wrong: list[FieldError] = []
    fields, given = inputs(shape), dict(typed)
    _drop_empty_rows(fields, given)
    prepared = _prepared(fields, given, "", wrong)
    try:
        found = shape.model_validate(prepared)
    except ValidationError as reason:
        refusal = put_right(reason.errors())
        told = {error.pointer for error in wrong}
        wrong += [error for error in refusal.errors if error.pointer not in told]
        raise Incomplete(refusal.detail, errors=wrong) from reason
    if wrong:
        raise Incomplete(wrong[0].detail, errors=wrong)
    return found


def _prepared(fields: Sequence[Input], typed: dict[str, Any], place: str, wrong: list[FieldError]) -> dict[str, Any]:
    """Return what was typed as the JSON door would get it: numbers as numbers, lines as a list."""
    ready = dict(typed)
    for one in fields:
        value = typed.get(one.name)
        pointer = f"{place}/{one.name}"
        if one.kind == "tick":
            # A box that is not ticked is not sent at all.
            ready[one.name] = value == "true" if isinstance(value, str | None) else value
        elif one.kind == "file":
            if not isinstance(value, UploadFile):
                ready.pop(one.name, None)
        elif one.kind == "rows" and isinstance(value, list):
            ready[one.name] = [
                _prepared(one.rows, row, f"{pointer}/{n}", wrong) if isinstance(row, dict) else row
                for n, row in enumerate(value)
            ]
        elif isinstance(value, str):
            if one.kind == "many":
                ready[one.name] = [line.strip() for line in value.splitlines() if line.strip()]
            elif one.kind == "number" and re.fullmatch(r"-?[0-9]{1,18}", value.strip()):
                ready[one.name] = int(value)
            elif one.kind == "money":
                try:
                    ready[one.name] = words.read_rupiah(value, pointer=pointer)
                except Incomplete as refusal:
                    wrong += refusal.errors
    return ready


def _drop_empty_rows(fields: Sequence[Input], typed: dict[str, Any]) -> None:
    """Leave out rows into which nobody wrote; a choice is always sent and says nothing."""
    for one in fields:
        rows = typed.get(one.name)
        if one.kind == "rows" and isinstance(rows, list):
            columns = [c.name for c in one.rows if c.kind not in ("choice", "tick")] or [c.name for c in one.rows]
            typed[one.name] = [row for row in rows if not isinstance(row, dict) or not row.keys().isdisjoint(columns)]


class Nothing(BaseModel):
    """An act that needs no words."""


class Reason(BaseModel):
    """An act that needs a written reason."""

    model_config = ConfigDict(extra="forbid")

    reason: str = Field(
        min_length=5,
        max_length=4000,
        title="Alasan",
        description="Ditulis lengkap; dibaca oleh pihak yang menerima kembali berkas ini.",
        json_schema_extra=AREA,
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
    """By field: `title`, `lines.0.price`."""
    unplaced: tuple[str, ...] = ()
    """What is wrong with no field of this form."""
    is_open: bool = False
    edition: str = ""
    """Tag of what the form was drawn from, where two people may edit it; sent back unseen (`seen_edition`)."""

    def value(self, one: Input) -> Any:
        """Return what stands in a field: after a refusal exactly what was typed, also when that was nothing."""
        found = self.typed.get(one.name, "") if self.is_open else one.default
        if one.kind == "rows":
            return [row for row in found if isinstance(row, dict)] if isinstance(found, list) else []
        return found


MOST_FORMS = 500
FORM_PLACES = ("path", "key", "edition", "form_token")
_forms: dict[Hashable, Mould] = {}


def kept_form(offer: Offer, button: str | None, draw: Callable[..., str]) -> str:
    """Return the form of an offer: drawn by a template the first time, and as long as nobody has typed into it."""
    form_token = SHEET.get().form_token
    if offer.is_open or offer.errors or not all(isinstance(one.default, Hashable) for one in offer.inputs):
        return draw(offer, button, form_token)
    key = (SPOKEN.get(), offer.act, button, offer.upload, bool(offer.edition), *offer.inputs)
    form = _forms.get(key)
    if form is None:
        if len(_forms) >= MOST_FORMS:
            _forms.clear()
        place = places(FORM_PLACES)
        edition = place["edition"] if offer.edition else ""
        bare = replace(offer, path=place["path"], key=place["key"], edition=edition)
        form = _forms[key] = Mould(draw(bare, button, place["form_token"]), FORM_PLACES)
    return form.fill({"path": offer.path, "key": offer.key, "edition": offer.edition, "form_token": form_token})


Show = Callable[[Request, Any, Person, Any], Response]
"""Draws a page: `(request, session, by, id)`."""


def seen_edition(request: Request) -> str | None:
    """Return the edition that the sender of a form saw, as If-Match would say it; None for a form without one."""
    seen = getattr(request.state, "edition", None)
    return tag_of(seen.replace('"', "")) if isinstance(seen, str) and seen else None


class Pages:
    """A division's pages: `render` for reading, `act` for doing, `offers` for the forms in between."""

    def __init__(self, folder: Path) -> None:
        self.router = APIRouter(route_class=Door, include_in_schema=False, default_response_class=HTMLResponse)
        self._folders = (folder, TEMPLATES)
        self._acts: dict[str, tuple[str, type[BaseModel]]] = {}

    @property
    def environment(self) -> jinja2.Environment:
        """Return the templates in the language of the request."""
        return _environment(*self._folders, language=SPOKEN.get())

    def render(self, request: Request, template: str, title: str, **values: Any) -> HTMLResponse:
        """Return a fragment from a template; `by` and the refusal of a failed act are there for every template."""
        caller = request.state.caller
        refusal = getattr(request.state, "refusal", None)
        restored = getattr(request.state, "restored", None)
        body = drawn(
            self.environment,
            template,
            form_token=caller.form_token,
            refusal=refusal,
            by=caller.person,
            request_path=request.url.path,
            **values,
        )
        if refusal and not getattr(request.state, "is_refusal_drawn", False):
            # The act is no longer on this page, so no form of it can say why it was refused.
            body = self.environment.get_template("notice.html").render(refusal=refusal) + body
        if restored:
            body = self.environment.get_template("restored.html").render(words=restored) + body
        return fragment(title, body, status=refusal.status if refusal else 200)

    def offers(self, request: Request, acts: Sequence[Act], **place: Any) -> list[Offer]:
        """Return the forms of these acts for one thing; a refused form comes back open with what was typed."""
        return [self._offer(request, act, place) for act in acts if act.name in self._acts]

    def _offer(self, request: Request, act: Act, place: dict[str, Any]) -> Offer:
        template, shape = self._acts[act.name]
        path, fields = template.format(**place), inputs(shape)
        offer = Offer(act, path, fields, key=uuid4().hex, upload=any(f.kind == "file" for f in fields))
        # The same act may stand on the page once for each row of a table: only one of them was refused.
        if getattr(request.state, "refused_act", None) != act.name or request.url.path != path:
            return offer
        request.state.is_refusal_drawn = True
        refusal: Refused | None = getattr(request.state, "refusal", None)
        errors, unplaced = _by_field(refusal, fields) if refusal else ({}, ())
        return replace(offer, typed=request.state.typed, errors=errors, unplaced=unplaced, is_open=True)

    def act(
        self,
        act: Act,
        path: str,
        shape: type[BaseModel],
        do: Callable[..., str | Response],
        *,
        back: Show,
    ) -> None:
        """Offer an act as a form at a path.

        `do(session, by, id, body, request)` calls the action and returns the page to go to (or the answer itself,
        where something is shown that is shown once only); when it is refused, the transaction is undone and `back`
        draws the page again with the refusal and what was typed.
        A path without `{id}` gets None as id.
        """
        if act.name in self._acts:
            raise ValueError(f"act {act.name} has a form already")
        self._acts[act.name] = (path, shape)

        async def answer(request: Request, session: Session, by: Asker) -> Response:
            thing_id = _thing_of(request)
            typed: dict[str, Any] = {}
            try:
                typed = await _typed(request, shape)
                target = await run_in_threadpool(do, session, by, thing_id, parse(shape, typed), request)
            except StepUpNeeded:
                # Nothing is wrong with what was typed: the gateway keeps it, and sends it again after the proof.
                raise
            except Refused as refusal:
                await run_in_threadpool(session.rollback)
                request.state.refusal = refusal
                _keep(request, act, typed)
                response = await run_in_threadpool(back, request, session, by, thing_id)
                response.status_code = refusal.status
                return response
            if isinstance(target, Response):
                return target
            told = {DONE: header_text(f"{act.label}\n{act.consequence}")}
            return RedirectResponse(target, status_code=303, headers=told)

        async def draw(request: Request, session: Session, by: Asker) -> Response:
            _keep(request, act, await _typed(request, shape))
            request.state.restored = RESTORED
            return await run_in_threadpool(back, request, session, by, _thing_of(request))

        self.router.add_api_route(path, answer, methods=["POST"], name=act.name)
        self.router.add_api_route(path, draw, methods=[DRAW], name=act.name)


UUID_TEXT = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def _thing_of(request: Request) -> UUID | str | None:
    place: str | None = request.path_params.get("id")
    return UUID(place) if place and UUID_TEXT.fullmatch(place) else place


async def _typed(request: Request, shape: type[BaseModel]) -> dict[str, Any]:
    """Return what was typed into a form, without what the form itself sends; note the edition that its writer saw."""
    typed = read_form(await request.form())
    for inner in ("form_token", "idempotency_key"):
        typed.pop(inner, None)
    request.state.edition = typed.pop(EDITION, None)
    _drop_empty_rows(inputs(shape), typed)
    return typed


def _keep(request: Request, act: Act, typed: dict[str, Any]) -> None:
    """Keep what was typed for the form of this act, which `back` draws again; a file has to be chosen anew."""
    request.state.refused_act = act.name
    request.state.typed = {k: v for k, v in typed.items() if not isinstance(v, UploadFile)}


def _by_field(refusal: Refused, fields: Sequence[Input]) -> tuple[dict[str, str], tuple[str, ...]]:
    """Return what is wrong by the field that shows it, and what no field of the form shows."""
    kinds = {one.name: one.kind for one in fields}
    placed: dict[str, str] = {}
    unplaced: list[str] = []
    for error in refusal.errors:
        first, _, rest = error.pointer.strip("/").replace("/", ".").partition(".")
        if first not in kinds:
            unplaced.append(error.detail)
            continue
        if rest:
            placed[f"{first}.{rest}"] = error.detail
        if not rest or kinds[first] != "rows":
            placed.setdefault(first, error.detail)
    return placed, tuple(unplaced)
