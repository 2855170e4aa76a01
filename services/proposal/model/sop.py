"""Versions of the SOP: what of it people write, what must stand in it before it counts, and the run-time reading.

What is written here are words, actors and times. Statuses, moves and guards are code (docs/decisions/0013).
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from functools import cache
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationInfo, field_validator
from pydantic.config import JsonDict
from sqlalchemy import Index, String, Text, select, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, Session, mapped_column

from services.proposal.model.table import Table
from shared.database import Kept, utc_now
from shared.identity import Role
from shared.procedure import SHIPPED, Procedure, Step, data, procedure, restated, span
from shared.sentence import Sentence

_AREA: JsonDict = {"kind": "area"}
_Entry = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=300)]
_Entries = list[_Entry]


class Part(StrEnum):
    """What an actor does in a step."""

    DO = "do"
    REQUEST = "request"
    REPORT = "report"
    ROUTE = "route"
    CHECK = "check"
    WITH = "with"
    ATTEND = "attend"
    RECORD = "record"
    APPROVE = "approve"
    AUTHORISE = "authorise"
    SIGN = "sign"
    PAY = "pay"
    ESCALATE = "escalate"
    ADDRESSEE = "addressee"


PART_LABELS = {
    Part.DO: "melaksanakan",
    Part.REQUEST: "mengajukan permohonan",
    Part.REPORT: "melapor",
    Part.ROUTE: "memeriksa dan meneruskan",
    Part.CHECK: "memeriksa",
    Part.WITH: "mendampingi",
    Part.ATTEND: "hadir dan membahas",
    Part.RECORD: "mencatat",
    Part.APPROVE: "menyetujui",
    Part.AUTHORISE: "mengizinkan",
    Part.SIGN: "menandatangani",
    Part.PAY: "membayar",
    Part.ESCALATE: "menangani tindak lanjut",
    Part.ADDRESSEE: "menerima",
}
ROLE_TITLES: JsonDict = {role.value: title for role, title in procedure().titles.items()}


class TimeUnit(StrEnum):
    """In what a standard time is counted."""

    HOUR = "hour"
    WORKING_DAY = "wd"
    MEETING = "meeting"
    MONTH = "month"


UNIT_LABELS = {
    TimeUnit.HOUR: "jam kerja",
    TimeUnit.WORKING_DAY: "hari kerja",
    TimeUnit.MEETING: "kali rapat",
    TimeUnit.MONTH: "bulan",
}


class StepActor(BaseModel):
    """One actor (pelaksana) of a step."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    role: Role = Field(title="Jabatan", json_schema_extra={"labels": ROLE_TITLES})
    part: Part = Field(
        title="Perannya", json_schema_extra={"labels": {part.value: label for part, label in PART_LABELS.items()}}
    )


class StepWording(BaseModel):
    """One step as a version of the SOP words it: actors, needs, time, output."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    activity: str = Field(min_length=5, max_length=600, title="Kegiatan", json_schema_extra=_AREA)
    actors: list[StepActor] = Field(
        min_length=1,
        max_length=12,
        title="Pelaksana",
        description="Menurut urutan bertindak. Yang berurutan dengan peran yang sama bertindak bersama.",
    )
    needs: _Entries = Field([], max_length=20, title="Kelengkapan", description="Satu butir pada setiap baris.")
    time_value: int = Field(ge=1, le=999, title="Waktu baku")
    time_unit: TimeUnit = Field(
        title="Satuan waktu",
        json_schema_extra={"labels": {unit.value: label for unit, label in UNIT_LABELS.items()}},
    )
    time_most: int | None = Field(
        None, ge=1, le=999, title="Paling lama", description="Isi hanya bila waktunya berupa rentang."
    )
    time_note: str = Field("", max_length=200, title="Penjelasan waktu")
    output: str = Field(min_length=3, max_length=400, title="Output", json_schema_extra=_AREA)
    papers: _Entries = Field(
        [], max_length=20, title="Dokumen yang dihasilkan", description="Satu dokumen pada setiap baris."
    )
    remark: str = Field("", max_length=600, title="Keterangan", json_schema_extra=_AREA)

    @field_validator("actors")
    @classmethod
    def _somebody_acts(cls, actors: list[StepActor]) -> list[StepActor]:
        roles = [actor.role for actor in actors]
        twice = sorted({procedure().titles[role] for role in roles if roles.count(role) > 1})
        if twice:
            raise ValueError(Sentence("{twice} tertulis lebih dari sekali. Sisakan satu baris.", twice=twice))
        if all(actor.part is not Part.DO for actor in actors):
            raise ValueError("Tambahkan paling sedikit satu pelaksana dengan peran “melaksanakan”.")
        return actors

    @field_validator("time_most")
    @classmethod
    def _a_range_goes_up(cls, most: int | None, found: ValidationInfo) -> int | None:
        least = found.data.get("time_value")
        if most is not None and least is not None and most <= least:
            raise ValueError(
                Sentence("Isi angka yang lebih besar daripada waktu baku ({least}), atau kosongkan.", least=least)
            )
        return most

    @property
    def time(self) -> str:
        """Return the standard time in words: "66–132 hari kerja"."""
        return f"{span(self.time_value, self.time_most or 0)} {UNIT_LABELS[self.time_unit]}"

    @property
    def working_days(self) -> int:
        """Return the standard time in working days; 0 where it is counted otherwise."""
        return self.time_value if self.time_unit is TimeUnit.WORKING_DAY else 0

    @property
    def most_days(self) -> int:
        """Return the most working days that the standard allows; 0 where it is counted otherwise."""
        return self.working_days and (self.time_most or self.working_days)

    @property
    def groups(self) -> list[tuple[Part, list[Role]]]:
        """Return who acts, in turn; those who act together stand together."""
        found: list[tuple[Part, list[Role]]] = []
        for actor in self.actors:
            if found and found[-1][0] is actor.part:
                found[-1][1].append(actor.role)
            else:
                found.append((actor.part, [actor.role]))
        return found


class Identity(BaseModel):
    """The first sheet of the SOP: its number and name, and what the regulation asks for beside the activities."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    number: str = Field("", max_length=80, title="Nomor SOP", description="Menurut tata naskah dinas kampus.")
    title: str = Field(min_length=5, max_length=200, title="Nama SOP")
    purpose: _Entries = Field([], max_length=20, title="Tujuan", description="Satu butir pada setiap baris.")
    coverage: _Entries = Field([], max_length=20, title="Ruang lingkup", description="Satu butir pada setiap baris.")
    legal_bases: _Entries = Field([], max_length=20, title="Dasar hukum", description="Satu butir pada setiap baris.")
    related: _Entries = Field([], max_length=20, title="Keterkaitan", description="SOP lain, satu pada setiap baris.")
    warnings: _Entries = Field([], max_length=20, title="Peringatan", description="Satu butir pada setiap baris.")
    qualifications: _Entries = Field(
        [], max_length=20, title="Kualifikasi pelaksana", description="Satu butir pada setiap baris."
    )
    equipment: _Entries = Field(
        [], max_length=20, title="Peralatan dan perlengkapan", description="Satu butir pada setiap baris."
    )
    records: _Entries = Field(
        [], max_length=20, title="Pencatatan dan pendataan", description="Satu butir pada setiap baris."
    )


class Wording(BaseModel):
    """All that a version of the SOP says."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    identity: Identity
    steps: dict[str, StepWording]
    """By step of the procedure; every version words the same steps."""

    @property
    def ordered(self) -> list[tuple[Step, str, StepWording]]:
        """Return the steps in the order of the procedure: step, its number on the paper, its wording."""
        # The database keeps no order of keys: the procedure's own counts.
        return [(step, number_of(key), self.steps[key]) for key, step in procedure().steps.items()]

    def as_procedure(self, version: int) -> Procedure:
        """Return what cases that run under this version read of it."""
        steps = {key: (one.activity, one.working_days, one.most_days) for key, one in self.steps.items()}
        return restated(version, self.identity.title, steps)


@cache
def shipped() -> Wording:
    """Return what the version in the file says."""
    told = data()
    words = told["words"]["papers"]
    steps = {}
    for row in told["steps"]:
        time = row["time"]
        steps[row["id"]] = StepWording(
            activity=row["title"]["id"],
            actors=[
                StepActor(role=Role(role), part=Part(part)) for part, roles in row["actors"].items() for role in roles
            ],
            needs=[words[key] for key in row["inputs"]],
            time_value=time["value"],
            time_unit=TimeUnit(time["unit"]),
            time_most=time.get("most"),
            time_note=time.get("id", ""),
            output=row["output"]["id"],
            papers=[words[key] for key in row["evidence"]],
        )
    return Wording(identity=Identity(title=told["sop"]["title"]["id"], **told["sop"]["identity"]), steps=steps)


@dataclass(frozen=True)
class Lack:
    """What a version still lacks before it may be published."""

    step: str
    """Empty: the first sheet."""
    words: str


def lacks(wording: Wording) -> list[Lack]:
    """Return everything that stands between a draft and its publication; what the forms refuse cannot be among it."""
    found = [
        Lack("", Sentence("Lembar identitas: {title} belum diisi.", title=title))
        for name, title in (
            ("number", Sentence("nomor SOP")),
            ("legal_bases", Sentence("dasar hukum")),
            ("qualifications", Sentence("kualifikasi pelaksana")),
            ("equipment", Sentence("peralatan dan perlengkapan")),
            ("records", Sentence("pencatatan dan pendataan")),
        )
        if not getattr(wording.identity, name)
    ]
    titles = procedure().titles
    for step, number, one in wording.ordered:
        acting = {actor.role for actor in one.actors}
        found += [
            Lack(
                step.id,
                Sentence(
                    "Langkah {number}: {role} dapat menolak pada langkah ini, jadi harus pelaksana.",
                    number=number,
                    role=titles[role],
                ),
            )
            for role in dict.fromkeys(refusal.role for refusal in step.refusals)
            if role not in acting
        ]
        if not one.needs:
            found.append(Lack(step.id, Sentence("Langkah {number}: kelengkapan belum diisi.", number=number)))
    return found


@cache
def _numbers() -> dict[str, str]:
    found, count, after = {}, 0, ""
    for key in procedure().steps:
        count, after = (count + 1, "") if key.startswith("S") else (count, chr(ord(after) + 1) if after else "a")
        found[key] = f"{count}{after}"
    return found


def number_of(step: str) -> str:
    """Return how a step is numbered on paper: S08 is 8, and F04 after it 8a."""
    return _numbers()[step]


class VersionState(StrEnum):
    """Whether a version may still change."""

    DRAFT = "draft"
    PUBLISHED = "published"


class ProcedureVersion(Kept, Table):
    """A version of the SOP after the shipped one; what was published never changes and is never deleted."""

    __tablename__ = "procedure_version"
    __table_args__ = (
        # One draft at a time: two would each leave out what the other changed.
        Index(
            "uq_procedure_version_draft",
            "state",
            unique=True,
            postgresql_where=text("state = 'draft' AND withdrawn_at IS NULL"),
        ),
    )

    version: Mapped[int] = mapped_column(unique=True)
    based_on: Mapped[int]
    state: Mapped[VersionState] = mapped_column(String(10), default=VersionState.DRAFT)
    body: Mapped[dict[str, Any]] = mapped_column(JSONB)
    """`Wording` as data."""
    edition: Mapped[int] = mapped_column(default=1)
    reason: Mapped[str] = mapped_column(Text)
    """Why it was drawn up."""
    drafted_by_id: Mapped[UUID]
    drafted_by_name: Mapped[str] = mapped_column(String(200))
    changed_at: Mapped[datetime] = mapped_column(default=utc_now)
    changed_by_name: Mapped[str] = mapped_column(String(200))
    published_at: Mapped[datetime | None]
    published_by_name: Mapped[str] = mapped_column(String(200), default="")
    valid_from: Mapped[date | None]
    """First day (WIB) on which new cases take it."""
    paper_digest: Mapped[str] = mapped_column(String(64), default="")
    withdrawn_at: Mapped[datetime | None]
    withdrawn_by_name: Mapped[str] = mapped_column(String(200), default="")
    withdrawn_reason: Mapped[str] = mapped_column(Text, default="")

    @property
    def wording(self) -> Wording:
        """Return what the version says."""
        return Wording.model_validate(self.body)

    def reword(self, wording: Wording, by_name: str) -> None:
        """Write what a draft says, and note by whom."""
        self.body = wording.model_dump(mode="json")
        self.edition += 1
        self.changed_at, self.changed_by_name = utc_now(), by_name


_READ = "procedures"
_SETTLED = timedelta(minutes=1)
_kept: dict[tuple[str, int], Procedure] = {}
"""Versions by database and number. They never change, so they are read once; only what has been published for a while
is kept, because what this very transaction publishes may yet be undone."""


def procedure_of(session: Session | None, version: int) -> Procedure:
    """Return the procedure under which a case of that version runs.

    A version of which nothing is left (an older backup, a hand in the database) runs with the words and times of the
    shipped one: statuses and moves are the same in all, and a case must not stop because a text is gone.
    """
    return procedure() if session is None else procedures(session, [version])[version]


def procedures(session: Session, versions: Collection[int]) -> dict[int, Procedure]:
    """Return the procedures of several versions as `procedure_of` does, in one question at most."""
    read: dict[int, Procedure] = session.info.setdefault(_READ, {SHIPPED: procedure()})
    unread = set(versions) - read.keys()
    if unread:
        place = str(session.get_bind().engine.url)
        read |= {one: _kept[place, one] for one in unread if (place, one) in _kept}
        unread -= read.keys()
    if unread:
        row = ProcedureVersion
        with session.no_autoflush:
            rows = session.execute(select(row.version, row.body, row.published_at).where(row.version.in_(unread))).all()
        for version, body, published_at in rows:
            read[version] = Wording.model_validate(body).as_procedure(version)
            if published_at and published_at < utc_now() - _SETTLED:
                _kept[place, version] = read[version]
        read |= {one: restated(one, procedure().title, {}) for one in unread - read.keys()}
    return {version: read[version] for version in versions}


@dataclass(frozen=True)
class Rewording:
    """What one field says in two versions."""

    place: str
    """Number of the step, or empty for the first sheet."""
    field: str
    before: str
    after: str


def rewordings(before: Wording, after: Wording) -> list[Rewording]:
    """Return what differs between two versions, in the order of the paper."""
    found = _differences("", before.identity, after.identity)
    for step, number, one in after.ordered:
        found += _differences(number, before.steps[step.id], one)
    return found


def _differences(place: str, before: BaseModel, after: BaseModel) -> list[Rewording]:
    return [
        Rewording(place, info.title or name, told(getattr(before, name)), told(getattr(after, name)))
        for name, info in type(after).model_fields.items()
        if getattr(before, name) != getattr(after, name)
    ]


def told(value: Any) -> str:
    """Return a value of a version in words, as a person compares it."""
    if isinstance(value, TimeUnit):
        return UNIT_LABELS[value]
    if isinstance(value, StepActor):
        return f"{procedure().titles[value.role]} ({PART_LABELS[value.part]})"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "; ".join(told(one) for one in value) or "–"
    return str(value) if value not in (None, "") else "–"
