"""Pages of the terms of reference (KAK): the draft by sections, the versions, and how two of them differ."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import quote
from uuid import UUID, uuid4

from fastapi import Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy import orm
from starlette.concurrency import run_in_threadpool

from services.proposal import actions, queries
from services.proposal.authority import ACTS
from services.proposal.model import (
    TERMS_SECTIONS,
    Case,
    Section,
    TermsContent,
    TermsOfReference,
    plan_total,
    readable,
)
from services.proposal.pages.case import desk, pages, router, tone
from services.proposal.pages.draft import INNER, field_values, is_same, seen_in
from services.proposal.queries import AS_DRAFT, TermsForm, TermsState
from services.proposal.schemas.draft import parted
from services.proposal.schemas.terms import Restoration, fields_of
from shared.errors import NotFound, Refused, Stale
from shared.identity import Person
from shared.language import said
from shared.pages import DONE, DRAW, RESTORED, Nothing, Offer, read_form, seen_edition
from shared.sentence import Sentence
from shared.web import Asker, Session, header_text


@router.get("/perkara/{number}/kak")
def terms(request: Request, session: Session, by: Asker, number: str) -> Response:
    return _overview(request, session, by, number)


def _overview(request: Request, session: orm.Session, by: Person, which: UUID | str) -> Response:
    case, versions = queries.terms(session, by, which)
    form = queries.form_beside(session, case, versions) if _may_write(by, case) else None
    newest = versions[0] if versions else None
    return pages.render(
        request,
        "terms.html",
        Sentence("KAK {number}", number=case.number),
        case=case,
        path=_path(case),
        form=form,
        versions=versions,
        newest=newest,
        said=_said(newest.content) if newest else [],
        total=newest.budget if newest else "",
        plan=plan_total(case.plan_version, case.plan_amount),
        offers=_keeping(request, form) if form else [],
        restorations=_restorations(request, form) if form else {},
        states=_choices(versions, form),
        tone=tone,
    )


def _may_write(by: Person, case: Case) -> bool:
    return ACTS.save_terms.allows(by, case) and actions.may_write_terms(case)


def _path(case: Case, rest: str = "") -> str:
    return f"/perkara/{quote(case.number)}/kak{f'/{rest}' if rest else ''}"


def _keeping(request: Request, form: TermsForm) -> list[Offer]:
    """Return the form that keeps the draft as a version, where there is something new to keep."""
    offers = pages.offers(request, [ACTS.write_terms], id=form.case.id)
    return [replace(offer, edition=str(form.edition)) for offer in offers if offer.is_open or _is_new(form)]


def _is_new(form: TermsForm) -> bool:
    newest = form.newest
    return newest is None or form.is_pending or (newest.plan_version, newest.plan_amount) != form.plan


def _restorations(request: Request, form: TermsForm) -> dict[UUID, Offer]:
    """Return the forms that make a version the draft again; the newest one is restored only over a draft."""
    found = {}
    for version in form.versions:
        offer = pages.offers(request, [ACTS.restore_terms], id=version.id)[0]
        if not form.is_pending:
            offer.inputs.clear()
        if offer.is_open or form.is_pending or version is not form.newest:
            found[version.id] = replace(offer, edition=str(form.edition))
    return found


def _choices(versions: Sequence[TermsOfReference], form: TermsForm | None) -> list[tuple[int, str]]:
    """Return what can be compared: the draft where it says something of its own, and every version, newest first."""
    draft = [(AS_DRAFT, "Draf")] if form and form.is_pending else []
    return [*draft, *((one.version, Sentence("Versi {version}", version=one.version)) for one in versions)]


def _said(content: TermsContent) -> list[tuple[Section, list[tuple[str, str]]]]:
    return [
        (
            section,
            [
                (str(TermsContent.model_fields[name].title), words)
                for name in section.fields
                if (words := readable(TermsContent, name, getattr(content, name)))
            ],
        )
        for section in TERMS_SECTIONS
    ]


@router.get("/perkara/{number}/kak/versi/{version}")
def terms_version(request: Request, session: Session, by: Asker, number: str, version: int) -> Response:
    case, versions = queries.terms(session, by, number)
    kept = queries.terms_version(versions, version)
    return pages.render(
        request,
        "terms_version.html",
        Sentence("KAK {number} versi {version}", number=case.number, version=version),
        case=case,
        path=_path(case),
        kept=kept,
        newest=versions[0],
        said=_said(kept.content),
        total=kept.budget,
    )


@router.get("/perkara/{number}/kak/perbedaan")
def terms_differences(request: Request, session: Session, by: Asker, number: str) -> Response:
    case, versions = queries.terms(session, by, number)
    form = queries.form_beside(session, case, versions) if _may_write(by, case) else None
    choices = _choices(versions, form)
    if len(choices) < 2:
        raise NotFound("Belum ada dua versi KAK untuk dibandingkan. Buka kembali halaman KAK.")
    after = _chosen(request.query_params.get("ke"), choices, choices[0][0])
    before = _chosen(request.query_params.get("dari"), choices, choices[1][0])
    return pages.render(
        request,
        "terms_differences.html",
        Sentence("Perbedaan KAK {number}", number=case.number),
        case=case,
        path=_path(case),
        choices=choices,
        before=before,
        after=after,
        names=dict(choices),
        found=queries.terms_differences(_state(versions, form, before), _state(versions, form, after)),
    )


def _chosen(asked: str | None, choices: Sequence[tuple[int, str]], otherwise: int) -> int:
    number = int(asked) if asked and asked.isdecimal() and len(asked) < 5 else otherwise
    return number if number in dict(choices) else otherwise


def _state(versions: Sequence[TermsOfReference], form: TermsForm | None, number: int) -> TermsState:
    if number == AS_DRAFT and form:
        return queries.draft_state(form)
    return queries.version_state(queries.terms_version(versions, number))


# --- the sections --------------------------------------------------------------------------------------------------


@router.get("/perkara/{number}/kak/{section}")
def terms_section(request: Request, session: Session, by: Asker, number: str, section: str) -> Response:
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
    """Draw a section of the draft; with `typed`, what was typed and is not saved, beside what is saved instead."""
    case, versions = queries.terms(session, by, number)
    if not _may_write(by, case):
        # Whoever only reads finds everything on one page.
        return RedirectResponse(_path(case), status_code=303)
    form = queries.form_beside(session, case, versions)
    part = form.part(key)
    n = TERMS_SECTIONS.index(part.section)
    fields = fields_of(part.section)
    kept = field_values(form.content, form.rough, fields)
    if refusal:
        request.state.refusal, request.state.is_refusal_drawn = refusal, True
    return pages.render(
        request,
        "terms_section.html",
        Sentence("{title}: KAK {number}", title=part.section.title, number=case.number),
        form=form,
        case=case,
        part=part,
        path=_path(case),
        before=TERMS_SECTIONS[n - 1] if n else None,
        after=TERMS_SECTIONS[n + 1] if n + 1 < len(TERMS_SECTIONS) else None,
        plan=plan_total(*form.plan),
        offer=Offer(
            ACTS.save_terms,
            f"{_path(case)}/{key}",
            fields,
            key=uuid4().hex,
            typed=kept if typed is None else dict(typed),
            errors=_errors(form, part.section) if typed is None else {},
            is_open=True,
        ),
        otherwise=[
            (one.label, readable(TermsContent, one.name, getattr(form.content, one.name)) or "(kosong)")
            for one in fields
            if refusal and typed is not None and not is_same(typed.get(one.name), kept[one.name])
        ],
    )


def _errors(form: TermsForm, section: Section) -> dict[str, str]:
    return {
        place: words
        for name, kept in form.rough.items()
        if name in section.fields
        for place, words in kept["errors"].items()
    }


async def save_terms(request: Request, session: Session, by: Asker) -> Response:
    number, key = request.path_params["number"], request.path_params["section"]
    typed = read_form(await request.form())
    given = {name: typed.pop(name, "") for name in INNER}

    def save() -> Response:
        form = queries.terms_form(session, by, number)
        section = form.part(key).section
        try:
            accepted, rough = parted(form.content, section.fields, typed, is_whole=True)
            actions.save_terms(session, by, form.case.id, section, accepted=accepted, rough=rough, seen=seen_in(given))
        except Stale as refusal:
            session.rollback()
            response = _section(request, session, by, number, key, typed=typed, refusal=refusal)
            response.status_code = refusal.status
            return response
        n = TERMS_SECTIONS.index(section) + 1
        follows = given["next"] and not rough
        rest = key if not follows else TERMS_SECTIONS[n].key if n < len(TERMS_SECTIONS) else ""
        told = {
            DONE: header_text(f"{said(Sentence('Bagian {title}', title=section.title))}\n{ACTS.save_terms.consequence}")
        }
        return RedirectResponse(_path(form.case, rest), status_code=303, headers=told)

    return await run_in_threadpool(save)


async def draw_terms(request: Request, session: Session, by: Asker) -> Response:
    typed = read_form(await request.form())
    for name in INNER:
        typed.pop(name, None)
    request.state.restored = RESTORED
    number, key = request.path_params["number"], request.path_params["section"]
    return await run_in_threadpool(_section, request, session, by, number, key, typed=typed)


# After the fixed words below /perkara/…/kak/…, so that no section is called like one of them.
router.add_api_route("/perkara/{number}/kak/{section}", save_terms, methods=["POST"], name="save_terms")
router.add_api_route("/perkara/{number}/kak/{section}", draw_terms, methods=[DRAW], name="save_terms")


# --- the acts ------------------------------------------------------------------------------------------------------


def _write(session: orm.Session, by: Person, case_id: UUID, _body: Nothing, request: Request) -> str:
    kept = actions.write_terms(session, by, case_id, desk(request), seen=seen_edition(request))
    return _path(session.get_one(Case, kept.case_id))


def _restore(session: orm.Session, by: Person, version_id: UUID, body: Restoration, request: Request) -> str:
    return _path(
        actions.restore_terms(session, by, version_id, replaces_draft=body.replaces_draft, seen=seen_edition(request))
    )


def _overview_of(request: Request, session: orm.Session, by: Person, version_id: Any) -> Response:
    return _overview(request, session, by, queries.terms_case(session, by, version_id).id)


pages.act(ACTS.write_terms, "/perkara/{id}/kak", Nothing, _write, back=_overview)
pages.act(ACTS.restore_terms, "/kak/{id}/pemulihan", Restoration, _restore, back=_overview_of)
