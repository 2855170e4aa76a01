"""Pages of proposals: the list, the guided form in its sections, what was submitted before, and each decision."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import quote
from uuid import UUID, uuid4

from fastapi import Request, Response
from fastapi.responses import RedirectResponse
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import orm
from starlette.concurrency import run_in_threadpool

from services.proposal import actions, queries
from services.proposal.authority import ACTS
from services.proposal.model import (
    ATTACHMENT_LABELS,
    SECTIONS_OF_FORM,
    Case,
    Content,
    Section,
    as_read,
    category,
    required,
    section_named,
)
from services.proposal.pages.case import desk, on_case, pages, router, tone
from services.proposal.pages.draft import INNER, field_values, is_same, seen_in
from services.proposal.queries import Form
from services.proposal.schemas.draft import FIRST_FIELDS, Beginning, FileForm, code_from, inputs_of, parted
from services.proposal.schemas.proposal import Analysis, Approval, Duplicate, Letter, Note
from shared.errors import NotFound, Refused, Stale
from shared.identity import Person
from shared.language import SPOKEN, said
from shared.pages import AREA, DONE, DRAW, RESTORED, Nothing, Offer, Reason, parse, read_form
from shared.sentence import Sentence
from shared.web import Asker, Session, header_text, mark, place


class Submission(BaseModel):
    """Submitting from the page, where similar applications are shown."""

    model_config = ConfigDict(extra="forbid")

    similar_reason: str = Field(
        "",
        max_length=20_000,
        title="Mengapa tetap diajukan",
        description="Perbedaan dengan aplikasi serupa di atas; dibaca Koordinator Divisi Aplikasi.",
        json_schema_extra=AREA,
    )


def _proposals(request: Request, session: orm.Session, by: Person, _id: object = None) -> Response:
    asked = request.query_params
    found = queries.cases(session, by, mine=asked.get("milik") != "semua", after=place(asked.get("after")))
    offers = pages.offers(request, [ACTS.propose] if ACTS.propose.allows(by, None) else [])
    for offer in offers:
        # The rest is asked in the sections; what was refused is shown wherever it stands.
        offer.inputs[:] = [one for one in offer.inputs if one.name in FIRST_FIELDS or one.name in offer.errors]
    return pages.render(
        request,
        "proposals.html",
        "Usulan",
        cases=found,
        after=mark(found, 50),
        everybody=asked.get("milik") == "semua",
        tone=tone,
        offers=offers,
    )


@router.get("/usulan")
def proposals(request: Request, session: Session, by: Asker) -> Response:
    return _proposals(request, session, by)


def _begin(session: orm.Session, by: Person, _id: object, body: Beginning, _request: Request) -> str:
    given = body.model_dump(mode="json")
    given["code"] = given["code"] or queries.free_code(session, code_from(body.name))
    return _path(actions.propose(session, by, parse(Content, given)))


def _path(case: Case, rest: str = "") -> str:
    return f"/usulan/{quote(case.number)}{f'/{rest}' if rest else ''}"


# --- the guided form -----------------------------------------------------------------------------------------------


@router.get("/usulan/{number}")
def overview(request: Request, session: Session, by: Asker, number: str) -> Response:
    return _overview(request, session, by, number)


def _overview(request: Request, session: orm.Session, by: Person, which: UUID | str) -> Response:
    form = queries.form(session, by, which)
    offers = pages.offers(
        request,
        [act for act in queries.offered(by, form.case) if act.name in ("submit", "resubmit", "cancel")],
        id=form.case.id,
    )
    may_write = ACTS.save_draft.allows(by, form.case) and actions.is_open_to_change(form.case)
    near = (
        queries.similar(session, by, name=form.content.name, purpose=form.content.purpose, besides=form.case.id)
        if may_write
        else []
    )
    for offer in offers:
        if not near and offer.act.name != "cancel" and "similar_reason" not in offer.errors:
            offer.inputs.clear()
        elif offer.act.name != "cancel":
            # Where something similar was shown, the submission is refused without it.
            given = form.content.similar_reason
            offer.inputs[:] = [replace(one, default=given, is_required=True) for one in offer.inputs]
    return pages.render(
        request,
        "proposal.html",
        Sentence("Usulan {number}", number=form.case.number),
        form=form,
        case=form.case,
        path=_path(form.case),
        near=near,
        way=queries.way(form.case, queries.history(session, form.case), SPOKEN.get()),
        receipt=queries.receipt(session, by, form.case),
        may_write=may_write,
        is_ready=all(getattr(form.content, name) for name in required(form.case.kind)),
        goes_on=next((part.section for part in form.parts if not part.is_complete), None),
        said=_said(form),
        system=category(form.content),
        offers=offers,
        tone=tone,
    )


def _said(form: Form) -> list[tuple[Section, list[tuple[str, str]]]]:
    """Return what each section says, for whoever may only read."""
    return [
        (
            section,
            [
                (str(Content.model_fields[name].title), words)
                for name in section.fields
                if (words := as_read(name, getattr(form.content, name)))
            ],
        )
        for section in SECTIONS_OF_FORM
    ]


@router.get("/usulan/{number}/pengajuan")
def submissions(request: Request, session: Session, by: Asker, number: str) -> Response:
    case, found = queries.submissions(session, by, number)
    return pages.render(
        request,
        "proposal_submissions.html",
        Sentence("Pengajuan {number}", number=case.number),
        case=case,
        path=_path(case),
        submissions=found,
    )


@router.get("/usulan/{number}/{section}")
def section(request: Request, session: Session, by: Asker, number: str, section: str) -> Response:
    return _section(request, session, by, number, section)


def _section(
    request: Request,
    session: orm.Session,
    by: Person,
    number: str,
    key: str,
    *,
    typed: Mapping[str, Any] | None = None,
    refusal: Refused | None = None,
) -> Response:
    """Draw a section of the form; with `typed`, what was typed and is not saved, beside what is saved instead."""
    form, found = queries.form(session, by, number), section_named(key)
    if found is None:
        raise NotFound("Bagian formulir ini tidak ada. Buka kembali usulannya.")
    if not (ACTS.save_draft.allows(by, form.case) and actions.is_open_to_change(form.case)):
        # Whoever only reads finds everything on one page.
        return RedirectResponse(_path(form.case), status_code=303)
    n = SECTIONS_OF_FORM.index(found)
    offer = _offer(form, found, typed)
    if refusal:
        request.state.refusal, request.state.is_refusal_drawn = refusal, True
    kept = field_values(form.content, form.rough, offer.inputs)
    return pages.render(
        request,
        "proposal_section.html",
        Sentence("{title}: {number}", title=found.title, number=form.case.number),
        form=form,
        case=form.case,
        part=form.parts[n],
        path=_path(form.case),
        before=SECTIONS_OF_FORM[n - 1] if n else None,
        after=SECTIONS_OF_FORM[n + 1] if n + 1 < len(SECTIONS_OF_FORM) else None,
        offer=offer,
        otherwise=[
            (one.label, as_read(one.name, getattr(form.content, one.name)) or "(kosong)")
            for one in offer.inputs
            if refusal and typed is not None and not is_same(typed.get(one.name), kept[one.name])
        ],
        near=queries.similar(session, by, name=form.content.name, purpose=form.content.purpose, besides=form.case.id)
        if key in ("identitas", "masalah")
        else [],
        letter=pages.offers(request, [ACTS.attach_letter], id=form.case.id) if key == "lampiran" else [],
        file=pages.offers(request, [ACTS.attach_file], id=form.case.id) if key == "lampiran" else [],
        removals={one.id: pages.offers(request, [ACTS.remove_file], id=one.id) for one in form.attachments}
        if key == "lampiran"
        else {},
        file_labels=ATTACHMENT_LABELS,
    )


def _offer(form: Form, section: Section, typed: Mapping[str, Any] | None) -> Offer:
    fields = inputs_of(section, form.content.kind)
    errors = {
        place: words
        for name, kept in form.rough.items()
        if name in section.fields
        for place, words in kept["errors"].items()
    }
    values = field_values(form.content, form.rough, fields) if typed is None else dict(typed)
    return Offer(
        ACTS.save_draft,
        f"{_path(form.case)}/{section.key}",
        fields,
        key=uuid4().hex,
        typed=values,
        errors=errors if typed is None else {},
        is_open=True,
    )


async def save_draft(request: Request, session: Session, by: Asker) -> Response:
    number, key = request.path_params["number"], request.path_params["section"]
    typed = read_form(await request.form())
    given = {name: typed.pop(name, "") for name in INNER}

    def save() -> Response:
        form, found = queries.form(session, by, number), section_named(key)
        if found is None:
            raise NotFound("Bagian formulir ini tidak ada. Buka kembali usulannya.")
        names = [one.name for one in inputs_of(found, form.content.kind)]
        try:
            accepted, rough = parted(form.content, names, typed, is_whole=True)
            actions.save_draft(session, by, form.case.id, accepted=accepted, rough=rough, seen=seen_in(given))
        except Stale as refusal:
            session.rollback()
            response = _section(request, session, by, number, key, typed=typed, refusal=refusal)
            response.status_code = refusal.status
            return response
        n = SECTIONS_OF_FORM.index(found)
        follows = given["next"] and not rough and n + 1 < len(SECTIONS_OF_FORM)
        target = f"{_path(form.case)}/{SECTIONS_OF_FORM[n + 1].key if follows else key}"
        told = {
            DONE: header_text(f"{said(Sentence('Bagian {title}', title=found.title))}\n{ACTS.save_draft.consequence}")
        }
        return RedirectResponse(target, status_code=303, headers=told)

    return await run_in_threadpool(save)


async def draw_section(request: Request, session: Session, by: Asker) -> Response:
    typed = read_form(await request.form())
    for name in INNER:
        typed.pop(name, None)
    request.state.restored = RESTORED
    number, key = request.path_params["number"], request.path_params["section"]
    return await run_in_threadpool(_section, request, session, by, number, key, typed=typed)


# --- files ---------------------------------------------------------------------------------------------------------


def _files(request: Request, session: orm.Session, by: Person, case_id: Any) -> Response:
    return _section(request, session, by, queries.case(session, by, case_id).number, "lampiran")


def _files_of(request: Request, session: orm.Session, by: Person, attachment_id: Any) -> Response:
    return _files(request, session, by, queries.attachment(session, by, attachment_id).proposal_id)


def _attach(session: orm.Session, by: Person, case_id: UUID, body: FileForm, request: Request) -> str:
    name = body.file.filename or "lampiran"
    made = actions.attach_file(session, by, case_id, desk(request), kind=body.kind, file=body.file.file, file_name=name)
    return _path(session.get_one(Case, made.proposal_id), "lampiran")


pages.act(ACTS.attach_file, "/usulan/{id}/berkas", FileForm, _attach, back=_files)
pages.act(
    ACTS.remove_file,
    "/lampiran/{id}/penghapusan",
    Nothing,
    lambda s, by, id, _body, _request: _path(s.get_one(Case, actions.remove_file(s, by, id).proposal_id), "lampiran"),
    back=_files_of,
)
pages.act(
    ACTS.attach_letter,
    "/perkara/{id}/surat",
    Letter,
    lambda s, by, id, body, request: _path(
        actions.attach_letter(
            s, by, id, desk(request), file=body.letter.file, file_name=body.letter.filename or "surat"
        ),
        "lampiran",
    ),
    back=_files,
)
# After the fixed words below /usulan/…, so that no section is called like one of them.
router.add_api_route("/usulan/{number}/{section}", save_draft, methods=["POST"], name="save_draft")
router.add_api_route("/usulan/{number}/{section}", draw_section, methods=[DRAW], name="save_draft")


# --- the acts ------------------------------------------------------------------------------------------------------


def _submit(session: orm.Session, by: Person, case_id: UUID, body: Submission, request: Request) -> str:
    form = queries.form(session, by, case_id)
    if body.similar_reason.strip():
        actions.save_draft(session, by, case_id, accepted={"similar_reason": body.similar_reason.strip()}, rough={})
    near = queries.similar(session, by, name=form.content.name, purpose=form.content.purpose, besides=case_id)
    return _path(actions.submit(session, by, case_id, desk(request), is_warned=bool(near)))


pages.act(ACTS.propose, "/usulan", Beginning, _begin, back=_proposals)
on_case(ACTS.amend, "perbaikan", Content, lambda s, by, id, body, _d: actions.amend(s, by, id, body))
pages.act(ACTS.submit, "/perkara/{id}/pengajuan", Submission, _submit, back=_overview)
pages.act(ACTS.resubmit, "/perkara/{id}/pengajuan-ulang", Submission, _submit, back=_overview)
on_case(ACTS.accept, "penerimaan", Note, lambda s, by, id, body, d: actions.accept(s, by, id, d, words=body.words))
on_case(
    ACTS.accept_from_app_head,
    "penerimaan-koordinator",
    Note,
    lambda s, by, id, body, d: actions.accept(s, by, id, d, words=body.words),
)
on_case(
    ACTS.send_back,
    "pengembalian",
    Reason,
    lambda s, by, id, body, d: actions.send_back(s, by, id, d, reason=body.reason),
)
on_case(
    ACTS.merge_duplicate,
    "penggabungan",
    Duplicate,
    lambda s, by, id, body, d: actions.merge_duplicate(s, by, id, d, into=body.into, reason=body.reason),
)
on_case(
    ACTS.analyse, "analisis", Analysis, lambda s, by, id, body, d: actions.analyse(s, by, id, d, **body.model_dump())
)
on_case(
    ACTS.recommend,
    "rekomendasi",
    Note,
    lambda s, by, id, body, d: actions.recommend(s, by, id, d, words=body.words),
)
on_case(
    ACTS.approve,
    "persetujuan",
    Approval,
    lambda s, by, id, body, d: actions.approve(s, by, id, d, words=body.words, override_cut_off=body.override_cut_off),
)
on_case(ACTS.reject, "penolakan", Reason, lambda s, by, id, body, d: actions.reject(s, by, id, d, reason=body.reason))
on_case(ACTS.cancel, "pembatalan", Reason, lambda s, by, id, body, d: actions.cancel(s, by, id, d, reason=body.reason))
