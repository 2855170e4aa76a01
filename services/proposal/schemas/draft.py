"""Shapes of drafts: the beginning of a proposal, its sections as forms, its files; how loosely words are taken.

Here what was typed is parted into what the content takes and what it does not yet: a draft keeps both.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal
from uuid import UUID

from fastapi import UploadFile
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from services.proposal.model import ATTACHMENT_LABELS, KIND_REQUIRED, OF_KIND, REQUIRED, Content, Kind, Section
from services.proposal.queries import Form, Submission
from shared.errors import Incomplete
from shared.pages import FILE, Input, inputs, labelled, parse

FIRST_FIELDS = ("name", "kind", "code", "purpose")
"""What the first form of a new proposal asks for."""


class Beginning(Content):
    """The beginning of a proposal: a name is enough; everything else may follow in its sections."""

    code: str = Field(
        "",
        max_length=31,
        title="Nama singkat",
        description="2-31 huruf kecil, angka, atau tanda hubung; diawali huruf. Kosongkan agar dibuatkan dari namanya.",
    )


def code_from(name: str) -> str:
    """Return a short name made of an application's name: "e-Presensi Pegawai" becomes "e-presensi-pegawai"."""
    plain = "".join(sign if sign.isascii() and sign.isalnum() else "-" for sign in name.lower())
    words = [word for word in plain.split("-") if word]
    stem = "-".join(words)[:27].strip("-")
    return stem if len(stem) >= 2 and stem[0].isalpha() else f"aplikasi-{stem}"[:27].strip("-")


def parted(
    base: BaseModel, names: Sequence[str], typed: Mapping[str, Any], *, is_whole: bool
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what of the typed fields the shape of `base` takes, by field, and what it does not, with the reasons.

    `is_whole`: a field that was not sent was emptied. Raises Incomplete for a field that is not among `names`.
    """
    touched = [name for name in names if is_whole or name in typed]
    given = base.model_dump(mode="json")
    for name in touched:
        given.pop(name, None)
    given |= {name: value for name, value in typed.items() if value not in ("", None)}
    wrong: dict[str, dict[str, str]] = {}
    try:
        found = parse(type(base), given)
    except Incomplete as refusal:
        for error in refusal.errors:
            place = error.pointer.strip("/").replace("/", ".")
            wrong.setdefault(place.partition(".")[0], {})[place] = error.detail
        if not set(wrong) <= set(touched):
            raise
        for name in wrong:
            given[name] = base.model_dump(mode="json")[name]
        found = parse(type(base), given)
    rough = {name: {"typed": typed.get(name, ""), "errors": errors} for name, errors in wrong.items()}
    return {name: getattr(found, name) for name in touched if name not in wrong}, rough


def inputs_of(section: Section, kind: str) -> list[Input]:
    """Return the fields of a section as this kind of proposal has them; those that a submission needs are marked."""
    by_name = {one.name: one for one in inputs(Content)}
    wanted = {"name", "code", *REQUIRED, *KIND_REQUIRED.get(Kind(kind), {})}
    return [
        replace(by_name[name], is_required=name in wanted)
        for name in section.fields
        if name not in OF_KIND or Kind(kind) in OF_KIND[name]
    ]


class SectionView(BaseModel):
    """One section of the form and what it still wants."""

    key: str
    title: str
    is_complete: bool
    lacking: list[str]
    wrong: list[str]
    """Fields whose words cannot be taken yet."""


class DraftView(BaseModel):
    """How far a draft is."""

    id: UUID
    number: str
    edition: int
    saved_at: AwareDatetime | None
    saved_by: str
    done: int
    of: int
    sections: list[SectionView]
    errors: dict[str, str]
    """By place (`risks.0.risk`): why it cannot be taken as it was typed."""

    @classmethod
    def of_form(cls, form: Form) -> "DraftView":
        """Return the view of a form."""
        return cls(
            id=form.case.id,
            number=form.case.number,
            edition=form.case.edition,
            saved_at=form.saved_at,
            saved_by=form.saved_by,
            done=form.done,
            of=len(form.parts),
            sections=[
                SectionView(
                    key=part.section.key,
                    title=part.section.title,
                    is_complete=part.is_complete,
                    lacking=list(part.lacking),
                    wrong=list(part.wrong),
                )
                for part in form.parts
            ],
            errors={place: words for kept in form.rough.values() for place, words in kept["errors"].items()},
        )


class FileForm(BaseModel):
    """A supporting file."""

    kind: Literal["needs", "process", "other"] = Field(
        "other", title="Jenis lampiran", json_schema_extra=labelled(ATTACHMENT_LABELS)
    )
    file: UploadFile = Field(
        title="Berkas",
        description="PDF, gambar, dokumen kantor, CSV, atau ZIP; paling besar 20 MB.",
        json_schema_extra=FILE,
    )


class AttachmentView(BaseModel):
    """A file beside a proposal."""

    model_config = ConfigDict(from_attributes=True)
    id: UUID
    kind: str
    file_name: str
    digest: str
    size: int
    by_name: str
    created_at: AwareDatetime


class SubmissionView(BaseModel):
    """One submission, and what it says otherwise than the one before."""

    version: int
    submitted_at: AwareDatetime
    submitted_by: str
    paper: str
    """Where its PDF is."""
    content: dict[str, Any]
    attachments: list[dict[str, Any]]
    differences: list[dict[str, str]]

    @classmethod
    def of(cls, submission: Submission) -> "SubmissionView":
        """Return the view of a submission."""
        kept = submission.kept
        return cls(
            version=kept.version,
            submitted_at=kept.created_at,
            submitted_by=kept.submitted_by_name,
            paper=f"/api/papers/{kept.paper_digest}",
            content=kept.content,
            attachments=kept.attachments,
            differences=[
                {"label": one.label, "before": one.before, "after": one.after} for one in submission.differences
            ],
        )
