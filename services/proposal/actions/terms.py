"""The terms of reference (KAK) of a case: a draft section by section, kept version by version (F02)."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from pydantic import ValidationError
from sqlalchemy.orm import Session

from services.proposal import queries
from services.proposal.actions import paper
from services.proposal.actions.case import find, write
from services.proposal.authority import ACTS
from services.proposal.model import (
    SECTIONS,
    Case,
    Office,
    Section,
    Terms,
    TermsContent,
    TermsDraft,
    TermsOfReference,
    section_values,
)
from services.proposal.queries.terms import TermsForm
from shared.authority import authorize
from shared.database import utc_now
from shared.edition import must_be_present
from shared.errors import FieldError, Incomplete, NotFound, OutOfTurn
from shared.identity import Person
from shared.sentence import Sentence, together


def save_terms(
    session: Session,
    by: Person,
    case_id: UUID,
    section: Section,
    *,
    accepted: Mapping[str, Any],
    rough: Mapping[str, Any],
    seen: str | None = None,
) -> Case:
    """Keep a section of the draft however incomplete it is (F02).

    `accepted` are values that the section takes; `rough` those that it does not, as typed, with what is wrong.
    Raises OutOfTurn while no terms may be written, Stale when `seen` (If-Match) is not the section's present edition.
    """
    case = find(session, case_id)
    by = authorize(session, by, ACTS.save_terms, case)
    must_take_terms(case)
    form = queries.terms_form(session, by, case.id)
    part = form.part(section.key)
    must_be_present(
        seen,
        part.edition,
        words=Sentence(
            "Bagian “{title}” sudah disimpan {draft}, di jendela atau perangkat lain, sejak Anda "
            "membukanya. Isian Anda belum tersimpan dan masih ada di halaman ini: bandingkan, lalu simpan "
            "kembali bila isian Anda yang benar.",
            title=section.title,
            draft=_who_when(part.draft),
        ),
    )
    draft = part.draft or _new_draft(session, by, case, section)
    after = TermsContent.model_validate({**form.content.model_dump(mode="json"), **accepted})
    left = {name: kept for name, kept in draft.rough.items() if name not in accepted} | dict(rough)
    _put(draft, by, section_values(after, section), base=form.base, section=section, rough=left)
    session.flush()
    return case


def write_terms(
    session: Session, by: Person, case_id: UUID, office: Office, terms: Terms | None = None, *, seen: str | None = None
) -> TermsOfReference:
    """Keep a new version of the terms of reference (F02), from the draft unless given; earlier versions stay.

    Raises OutOfTurn before the work programme, once the plan lies with the planning section, and when the draft says
    what the newest version says; Incomplete with everything that the draft lacks; Stale when `seen` is not the
    draft's present edition.
    """
    case = find(session, case_id)
    by = authorize(session, by, ACTS.write_terms, case)
    must_take_terms(case)
    form = queries.terms_form(session, by, case.id)
    must_be_present(
        seen,
        form.edition,
        words=Sentence(
            "Draf KAK ini sudah disimpan {newest_draft} sejak Anda membuka halaman ini. Belum ada versi "
            "yang dibuat. Baca dahulu perubahannya, lalu simpan lagi sebagai versi.",
            newest_draft=_who_when(form.newest_draft),
        ),
    )
    if terms is None:
        must_be_new(form)
        terms = _complete(form)
    case.terms_version += 1
    printed = paper.terms_of_reference(session, office, case, by, version=case.terms_version, terms=terms)
    kept = TermsOfReference(
        case_id=case.id,
        version=case.terms_version,
        sections=terms.model_dump(mode="json"),
        plan_version=case.plan_version,
        plan_amount=case.plan_amount,
        paper_digest=printed.digest,
        by_id=by.id,
        by_name=by.name,
    )
    session.add(kept)
    _settle(session, by, case, form, kept.content)
    write(
        session,
        by,
        case,
        ACTS.write_terms.name,
        step="F02",
        says="KAK disusun",
        detail=f"Versi {kept.version}",
        papers=[printed],
        path=f"/perkara/{case.number}/kak",
    )
    return kept


def restore_terms(
    session: Session, by: Person, version_id: UUID, *, replaces_draft: bool = False, seen: str | None = None
) -> Case:
    """Make an earlier version the draft again (F02); no version changes.

    Raises NotFound; OutOfTurn while no terms may be written, and when the draft holds what no version has and
    `replaces_draft` does not say that it may go; Stale when `seen` is not the draft's present edition.
    """
    version = session.get(TermsOfReference, version_id)
    if version is None:
        raise NotFound("Versi KAK tidak ditemukan. Muat ulang halaman KAK.")
    case = find(session, version.case_id)
    by = authorize(session, by, ACTS.restore_terms, case, version=version.version, replaces_draft=replaces_draft)
    must_take_terms(case)
    form = queries.terms_form(session, by, case.id)
    must_be_present(
        seen,
        form.edition,
        words=Sentence(
            "Draf KAK ini sudah disimpan {newest_draft} sejak Anda membuka halaman ini. Draf itu tetap "
            "utuh; baca dahulu perubahannya sebelum memulihkan versi lama.",
            newest_draft=_who_when(form.newest_draft),
        ),
    )
    if form.is_pending and not replaces_draft:
        raise OutOfTurn(
            Sentence(
                "Draf memuat isian yang belum menjadi versi, disimpan {newest_draft}. Simpan dahulu sebagai "
                "versi agar tidak hilang, atau nyatakan bahwa isian itu boleh diganti.",
                newest_draft=_who_when(form.newest_draft),
            ),
            code="draft_pending",
        )
    for part in form.parts:
        before, after = section_values(form.content, part.section), section_values(version.content, part.section)
        if before != after or part.wrong:
            draft = part.draft or _new_draft(session, by, case, part.section)
            _put(draft, by, after, base=form.base, section=part.section, rough={})
    session.flush()
    return case


def may_write_terms(case: Case) -> bool:
    """Tell whether the terms of reference may still change."""
    return any(case.next(name) for name in ("conclude_meetings", "send_to_planning"))


def must_take_terms(case: Case) -> None:
    """Raise OutOfTurn before the work programme and once the plan lies with the planning section."""
    if not may_write_terms(case):
        raise OutOfTurn(
            Sentence(
                "Perkara {number} berstatus “{label}”. KAK disusun setelah aplikasi masuk program kerja dan "
                "sebelum rencana disampaikan kepada Bagian Perencanaan.",
                number=case.number,
                label=case.label,
            )
        )


def must_be_new(form: TermsForm) -> None:
    """Raise OutOfTurn when a version of the draft would say what the newest one says."""
    newest = form.newest
    if (
        newest
        and not form.is_pending
        and (newest.plan_version, newest.plan_amount) == form.plan
        and newest.paper_digest
    ):
        raise OutOfTurn(
            Sentence(
                "Draf sama dengan versi {version}, sehingga tidak ada yang perlu disimpan sebagai versi baru.",
                version=newest.version,
            ),
            code="nothing_new",
        )


def _complete(form: TermsForm) -> Terms:
    wrong = [
        FieldError(
            f"/{name}",
            Sentence("{section}: {wrong}", section=SECTIONS[name], wrong=together(list(kept["errors"].values()))),
        )
        for name, kept in form.rough.items()
    ]
    try:
        terms = Terms.model_validate(form.content.model_dump(mode="json"))
    except ValidationError as reason:
        short = [str(error["loc"][0]) for error in reason.errors()]
        wrong += [
            FieldError(
                f"/{name}", Sentence("{name}: tuliskan lebih dahulu, paling sedikit satu kalimat.", name=SECTIONS[name])
            )
            for name in short
        ]
    if wrong:
        raise Incomplete("KAK belum dapat disimpan sebagai versi.", errors=wrong)
    return terms


def _settle(session: Session, by: Person, case: Case, form: TermsForm, content: TermsContent) -> None:
    """Let what the new version says be pending no more; what was written besides it stays pending."""
    for part in form.parts:
        before, after = section_values(form.content, part.section), section_values(content, part.section)
        if part.draft and part.draft.is_pending:
            if before == after and not part.draft.rough:
                part.draft.content = None
            elif part.draft.content is None and before != after:
                # Only what cannot be taken stands here: beside it the section now says what the version says.
                part.draft.edition += 1
        elif before != after:
            # Whoever has the section open saw something else.
            (part.draft or _new_draft(session, by, case, part.section)).edition += 1
    session.flush()


def _new_draft(session: Session, by: Person, case: Case, section: Section) -> TermsDraft:
    draft = TermsDraft(
        case_id=case.id,
        section=section.key,
        content=None,
        rough={},
        edition=0,
        saved_by_id=by.id,
        saved_by_name=by.name,
    )
    session.add(draft)
    return draft


def _put(
    draft: TermsDraft,
    doer: Person,
    values: dict[str, Any],
    *,
    base: TermsContent,
    section: Section,
    rough: dict[str, Any],
) -> None:
    draft.content = None if values == section_values(base, section) else values
    draft.rough = rough
    draft.edition += 1
    draft.saved_at, draft.saved_by_id, draft.saved_by_name = utc_now(), doer.id, doer.name


def _who_when(draft: TermsDraft | None) -> str:
    return (
        Sentence("oleh {name} pada {at}", name=draft.saved_by_name, at=draft.saved_at)
        if draft
        else Sentence("orang lain")
    )
