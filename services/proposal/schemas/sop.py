"""Shapes of the SOP: what is written in a version, and a version as it leaves the door."""

from datetime import date, datetime

from pydantic import BaseModel, ConfigDict, Field

from services.proposal.model.sop import Identity, Rewording, StepWording
from services.proposal.queries.sop import Version
from shared.pages import AREA


class Drafting(BaseModel):
    """Why a new version is drawn up."""

    model_config = ConfigDict(extra="forbid")

    reason: str = Field(
        min_length=5,
        max_length=2000,
        title="Alasan penyusunan",
        description="Misalnya hasil rapat tinjauan atau perubahan peraturan; tampil pada daftar versi.",
        json_schema_extra=AREA,
    )


class Publication(BaseModel):
    """From which day a version counts."""

    model_config = ConfigDict(extra="forbid")

    valid_from: date | None = Field(None, title="Tanggal efektif", description="Kosongkan untuk hari ini.")


class VersionRow(BaseModel):
    """A version in the list."""

    version: int
    state: str
    """In words: Berlaku, Rancangan, Digantikan."""
    reason: str
    valid_from: date | None
    published_at: datetime | None
    published_by_name: str
    withdrawn_reason: str
    paper_digest: str

    @classmethod
    def of(cls, found: Version) -> "VersionRow":
        """Return a version without what it says."""
        row = found.row
        return cls(
            version=found.number,
            state=found.label,
            reason=row.reason if row else "",
            valid_from=row.valid_from if row else None,
            published_at=row.published_at if row else None,
            published_by_name=row.published_by_name if row else "",
            withdrawn_reason=row.withdrawn_reason if row else "",
            paper_digest=row.paper_digest if row else "",
        )


class RewordingView(BaseModel):
    """What one field says in the former version and in this one."""

    model_config = ConfigDict(from_attributes=True)

    place: str
    """Number of the step; empty for the first sheet."""
    field: str
    before: str
    after: str


class VersionView(VersionRow):
    """A version whole."""

    edition: int
    identity: Identity
    steps: dict[str, StepWording]
    lacks: list[str]
    """What a draft still lacks before it may be published."""
    changes: list[RewordingView]

    @classmethod
    def whole(cls, found: Version, changes: list[Rewording]) -> "VersionView":
        """Return a version with what it says and what differs from its forerunner."""
        wording = found.wording
        return cls(
            **VersionRow.of(found).model_dump(),
            edition=found.row.edition if found.row else 0,
            identity=wording.identity,
            steps={step.id: one for step, _, one in wording.ordered},
            lacks=[lack.words for lack in found.lacks],
            changes=[RewordingView.model_validate(one) for one in changes],
        )
