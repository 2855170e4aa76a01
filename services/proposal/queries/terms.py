"""The terms of reference (KAK) of a case: its draft section by section, its versions, and how two of them differ."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from services.proposal.authority import ACTS
from services.proposal.model import (
    TERMS_SECTIONS,
    Case,
    Difference,
    Proposal,
    Section,
    TermsContent,
    TermsDraft,
    TermsOfReference,
    differences,
    drafted_terms,
    first_terms,
    lacking_terms,
    plan_total,
)
from services.proposal.queries.case import case
from services.proposal.queries.draft import Part
from shared.errors import NotFound
from shared.identity import Person, Role
from shared.sentence import Sentence

MOST_VERSIONS = 100
AS_DRAFT = 0
"""Stands for the draft where a version is asked for."""


@dataclass(frozen=True)
class TermsPart(Part):
    """One section of the draft, how far it is, and who saved it last."""

    draft: TermsDraft | None

    @property
    def edition(self) -> int:
        """Return the edition of the section; 0 while nobody wrote in it."""
        return self.draft.edition if self.draft else 0

    @property
    def is_pending(self) -> bool:
        """Tell whether the section holds what no version has."""
        return self.draft is not None and self.draft.is_pending


@dataclass(frozen=True)
class TermsForm:
    """The draft of the terms of reference as its pages show it."""

    case: Case
    versions: Sequence[TermsOfReference]
    """Newest first."""
    base: TermsContent
    """What the draft began with: the newest version, or what the unit wrote."""
    content: TermsContent
    parts: tuple[TermsPart, ...]

    def part(self, key: str) -> TermsPart:
        """Return a section by its key; raise NotFound."""
        found = next((part for part in self.parts if part.section.key == key), None)
        if found is None:
            raise NotFound("Bagian KAK ini tidak ada. Buka kembali halaman KAK.")
        return found

    @property
    def newest(self) -> TermsOfReference | None:
        """Return the newest version."""
        return self.versions[0] if self.versions else None

    @property
    def plan(self) -> tuple[int | None, int | None]:
        """Return version and amount of the budget plan as the budget division told them."""
        return self.case.plan_version, self.case.plan_amount

    @property
    def edition(self) -> int:
        """Return the edition of the whole draft: it grows with each of its sections."""
        return sum(part.edition for part in self.parts)

    @property
    def is_pending(self) -> bool:
        """Tell whether the draft holds what no version has."""
        return any(part.is_pending for part in self.parts)

    @property
    def newest_draft(self) -> TermsDraft | None:
        """Return the section that was saved last."""
        drafts = [part.draft for part in self.parts if part.draft]
        return max(drafts, key=lambda draft: draft.saved_at, default=None)

    @property
    def rough(self) -> Mapping[str, Any]:
        """Return what cannot be taken as it was typed, by field."""
        return {name: kept for part in self.parts if part.draft for name, kept in part.draft.rough.items()}

    @property
    def done(self) -> int:
        """Return how many sections are complete."""
        return sum(part.is_complete for part in self.parts)


def terms_form(session: Session, by: Person, which: UUID | str) -> TermsForm:
    """Return the draft for whoever writes it; raise NotFound for everybody else."""
    found = case(session, by, which)
    if not ACTS.save_terms.allows(by, found):
        raise NotFound("Draf KAK hanya dibuka oleh Divisi Aplikasi. Versi yang sudah disimpan ada di halaman KAK.")
    return form_beside(session, found, _versions(session, found))


def form_beside(session: Session, found: Case, versions: Sequence[TermsOfReference]) -> TermsForm:
    """Return the draft of a case whose versions were read already; who may see it was asked before."""
    drafts = {
        draft.section: draft
        for draft in session.scalars(
            select(TermsDraft).where(TermsDraft.case_id == found.id).execution_options(populate_existing=True)
        )
    }
    base = versions[0].content if versions else _first(session, found)
    content = drafted_terms(base, drafts.values())
    parts = []
    for section in TERMS_SECTIONS:
        draft = drafts.get(section.key)
        wrong = tuple(name for name in section.fields if draft and name in draft.rough)
        parts.append(TermsPart(section, tuple(lacking_terms(content, section)), wrong, draft))
    return TermsForm(found, versions, base, content, tuple(parts))


def _first(session: Session, found: Case) -> TermsContent:
    written = session.get(Proposal, found.id)
    return first_terms(found, written) if written else TermsContent()


def _versions(session: Session, found: Case) -> Sequence[TermsOfReference]:
    return session.scalars(
        select(TermsOfReference)
        .where(TermsOfReference.case_id == found.id)
        .order_by(TermsOfReference.version.desc())
        .limit(MOST_VERSIONS)
    ).all()


def terms(session: Session, by: Person, which: UUID | str) -> tuple[Case, Sequence[TermsOfReference]]:
    """Return a case and the versions of its terms, newest first; raise NotFound for vendors and strangers."""
    found = case(session, by, which)
    if by.has(Role.VENDOR):
        raise NotFound("KAK tidak ditemukan. Hubungi Koordinator Divisi Aplikasi bila Anda memerlukannya.")
    return found, _versions(session, found)


def terms_version(versions: Sequence[TermsOfReference], number: int) -> TermsOfReference:
    """Return one of the versions by its number; raise NotFound."""
    found = next((one for one in versions if one.version == number), None)
    if found is None:
        raise NotFound(
            Sentence("KAK versi {number} tidak ada. Pilih salah satu versi pada halaman KAK.", number=number)
        )
    return found


def terms_case(session: Session, by: Person, version_id: UUID) -> Case:
    """Return the case of a version by its id; raise NotFound for one that this person may not know of."""
    found = session.get(TermsOfReference, version_id)
    if found is None:
        raise NotFound("Versi KAK tidak ditemukan. Muat ulang halaman KAK.")
    return case(session, by, found.case_id)


@dataclass(frozen=True)
class TermsState:
    """The terms at one time: a version, or the draft."""

    version: int
    """`AS_DRAFT` for the draft."""
    content: TermsContent
    total: str
    """The total of the budget plan as it was known then."""

    @property
    def name(self) -> str:
        """Return what the state is called."""
        return f"Versi {self.version}" if self.version else "Draf"


def version_state(version: TermsOfReference) -> TermsState:
    """Return a version to be compared."""
    return TermsState(version.version, version.content, version.budget)


def draft_state(form: TermsForm) -> TermsState:
    """Return the draft to be compared."""
    return TermsState(AS_DRAFT, form.content, plan_total(*form.plan))


def terms_differences(before: TermsState, after: TermsState) -> list[tuple[Section, list[Difference]]]:
    """Return what differs between two states, section by section; sections without a difference are left out."""
    told = differences(TermsContent, before.content.model_dump(mode="json"), after.content.model_dump(mode="json"))
    by_label = {one.label: one for one in told}
    found = []
    for section in TERMS_SECTIONS:
        labels = [str(TermsContent.model_fields[name].title) for name in section.fields]
        here = [by_label[label] for label in labels if label in by_label]
        if section.key == "anggaran" and before.total != after.total:
            here.append(Difference("Jumlah anggaran", before.total, after.total))
        if here:
            found.append((section, here))
    return found
