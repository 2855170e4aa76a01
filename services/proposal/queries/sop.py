"""The versions of the SOP: which one counts, what it says, what differs, and how long its steps took in fact."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import and_, func, literal, select
from sqlalchemy.orm import Session, defer

from services.proposal.authority import ACTS, SOP_READERS
from services.proposal.model.clock import STEP
from services.proposal.model.sop import (
    PART_LABELS,
    Lack,
    Part,
    ProcedureVersion,
    Rewording,
    StepWording,
    VersionState,
    Wording,
    lacks,
    number_of,
    procedure_of,
    procedures,
    rewordings,
    shipped,
)
from services.proposal.model.tally import FINISHED, STAY
from services.proposal.queries import tally
from services.proposal.queries.tally import Stay
from services.proposal.queries.task import Task
from shared.authority import Act
from shared.calendar import mark, recall
from shared.database import utc_now
from shared.errors import NotFound
from shared.flowchart import Activity, Answer, Chart, chart, way_in_words
from shared.identity import Person, Role
from shared.procedure import SHIPPED, Procedure, Step, procedure
from shared.sentence import Sentence
from shared.words import local_date

MOST_VERSIONS = 200
NO_VERSION = "Versi SOP ini tidak ada. Pilih versi dari halaman SOP."


@dataclass(frozen=True)
class Version:
    """One version as people see it; the shipped one has no row."""

    number: int
    row: ProcedureVersion | None
    is_current: bool

    @property
    def wording(self) -> Wording:
        """Return what it says."""
        return self.row.wording if self.row else shipped()

    @property
    def is_draft(self) -> bool:
        """Tell whether it may still change."""
        return self.row is not None and self.row.state == VersionState.DRAFT and self.row.withdrawn_at is None

    @property
    def is_withdrawn(self) -> bool:
        """Tell whether no new case takes it."""
        return self.row is not None and self.row.withdrawn_at is not None

    @property
    def label(self) -> str:
        """Return its state in a word or two."""
        if self.is_withdrawn:
            return "Ditarik"
        if self.is_draft:
            return "Rancangan"
        if self.is_current:
            return "Berlaku"
        if self.row and self.row.valid_from and self.row.valid_from > local_date(utc_now()):
            return "Akan berlaku"
        return "Digantikan" if self.row else "Bawaan"

    @property
    def lacks(self) -> list[Lack]:
        """Return what a draft still lacks."""
        return lacks(self.wording) if self.is_draft else []


def current_version(session: Session, on: date | None = None) -> int:
    """Return the version that new cases take on a day (WIB): the newest that is published, in force, not withdrawn."""
    row = ProcedureVersion
    found = session.scalar(
        select(row.version)
        .where(row.state == VersionState.PUBLISHED, row.withdrawn_at.is_(None))
        .where(row.valid_from <= (on or local_date(utc_now())))
        .order_by(row.valid_from.desc(), row.version.desc())
        .limit(1)
    )
    return found or SHIPPED


def current_procedure(session: Session) -> Procedure:
    """Return the version that new cases take, as cases read it."""
    return procedure_of(session, current_version(session))


def published(session: Session) -> dict[int, Procedure]:
    """Return every version under which a case may run: the shipped one and what was published, withdrawn or not."""
    found = session.scalars(select(ProcedureVersion.version).where(ProcedureVersion.published_at.is_not(None)))
    return procedures(session, [SHIPPED, *found])


def may_see(by: Person, row: ProcedureVersion) -> bool:
    """Tell whether this person may read a version: published ones everybody, drafts those who write and decide."""
    return row.state == VersionState.PUBLISHED or by.has(*SOP_READERS)


def versions(session: Session, by: Person) -> list[Version]:
    """Return every version that this person may read, the newest first, the shipped one last."""
    row = ProcedureVersion
    rows = session.scalars(select(row).options(defer(row.body)).order_by(row.version.desc()).limit(MOST_VERSIONS)).all()
    today = local_date(utc_now())
    in_force = [
        (one.valid_from, one.version)
        for one in rows
        if one.state == VersionState.PUBLISHED and not one.withdrawn_at and one.valid_from and one.valid_from <= today
    ]
    current = max(in_force)[1] if in_force else SHIPPED
    found = [Version(one.version, one, one.version == current) for one in rows if may_see(by, one)]
    return [*found, Version(SHIPPED, None, current == SHIPPED)]


def version(session: Session, by: Person, number: int | None = None, *, current: int | None = None) -> Version:
    """Return one version, without a number the present one; raise NotFound.

    `current` spares the question which one that is.
    """
    present = current or current_version(session)
    wanted = present if number is None else number
    if wanted == SHIPPED:
        return Version(SHIPPED, None, present == SHIPPED)
    row = session.scalar(select(ProcedureVersion).where(ProcedureVersion.version == wanted))
    if row is None or not may_see(by, row):
        raise NotFound(NO_VERSION)
    return Version(wanted, row, wanted == present)


@dataclass(frozen=True)
class Dates:
    """The dates on the first sheet, as far as they are known."""

    created_on: date | None
    """When the first version of this SOP that was published was drawn up."""
    revised_on: date | None
    """When this one was written last; None for the first."""
    effective_on: date | None


def dates(session: Session, found: Version) -> Dates:
    """Return the dates of a version; nobody knows those of the shipped one."""
    row = ProcedureVersion
    if found.row is None:
        return Dates(None, None, None)
    first = session.scalar(
        select(func.min(row.created_at)).where(row.published_at.is_not(None), row.version < found.number)
    )
    made = local_date(first or found.row.created_at)
    return Dates(made, local_date(found.row.changed_at) if first else None, found.row.valid_from)


def changes(session: Session, found: Version) -> list[Rewording]:
    """Return what differs from the version that this one was made from; nothing for the shipped one."""
    if found.row is None:
        return []
    former = session.scalar(select(ProcedureVersion).where(ProcedureVersion.version == found.row.based_on))
    return rewordings(former.wording if former else shipped(), found.wording)


def sop_acts(by: Person, found: Version, all_of_them: Sequence[Version]) -> list[Act]:
    """Return what this person may do with a version now."""
    in_turn: list[str] = []
    if found.is_draft:
        in_turn = ["publish_procedure", "discard_procedure"]
    else:
        if found.row is not None and not found.is_withdrawn:
            in_turn = ["withdraw_procedure"]
        if found.is_current and not any(one.is_draft for one in all_of_them):
            in_turn.insert(0, "draft_procedure")
    return [act for name in in_turn if (act := ACTS.rows[name]).allows(by, found.row)]


def may_write(by: Person, found: Version) -> bool:
    """Tell whether this person may write in a version now."""
    return found.is_draft and ACTS.write_procedure_step.allows(by, found.row)


def way_back(step: Step, target: str | None) -> str:
    """Return the step at which a case goes on after a refusal; empty where it ends."""
    if target is None:
        return step.id
    return STEP.get(target, "")


def to_publish(session: Session, by: Person) -> list[Task]:
    """Return the draft that waits for this person's approval: one that lacks nothing any more.

    The calendar comes with the same question: whoever tells what else waits asks for it next.
    """
    if not by.has(*ACTS.publish_procedure.roles):
        return []
    row, always = ProcedureVersion, select(literal(1)).subquery()
    is_open = and_(row.state == VersionState.DRAFT, row.withdrawn_at.is_(None))
    marked, found = session.execute(select(mark(), row).select_from(always).outerjoin(row, is_open)).one()
    recall(session, marked)
    if found is None or not ACTS.publish_procedure.allows(by, found) or lacks(found.wording):
        return []
    return [
        Task(
            title="Periksa dan sahkan SOP",
            about=found.wording.identity.title,
            case_number="",
            step="",
            since=found.changed_at,
            path=f"/sop/{found.version}",
        )
    ]


@dataclass(frozen=True)
class Measured:
    """How long the steps took in fact, over a time."""

    since: date
    until: date
    stays: Mapping[str, Stay]
    """By step; a step at which nothing stands has none."""
    total: Stay | None = None
    """From the proposal until use (Total waktu), of the applications that came into use."""


def measured(session: Session, on: date | None = None) -> Measured:
    """Return the measured medians of the last twelve whole months and this one, over the cases of every version."""
    until = on or local_date(utc_now())
    since = until.replace(year=until.year - 1, day=1)
    end = until + timedelta(days=1)
    found = tally.read(session, *(tally.sums(tally.Scope(), kind, since=since, until=end) for kind in (STAY, FINISHED)))
    closed = {one.key: Stay.of(one.values) for one in found[STAY]}
    total = Stay.of([value for one in found[FINISHED] for value in one.values])
    return Measured(since, until, {step: stay for step, stay in closed.items() if stay}, total)


# --- as it is printed and drawn ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class PrintedRow:
    """One row of the table of activities, each cell as it is read."""

    step: str
    number: str
    activity: str
    says: str
    """Who does what."""
    needs: tuple[str, ...]
    time: str
    time_note: str
    output: str
    papers: tuple[str, ...]
    measured: str
    is_over: bool
    """The measured median passes the standard."""
    remarks: tuple[str, ...]
    """Ways back as the status machine knows them, then what was written."""


def printed_rows(wording: Wording, found: Measured) -> list[PrintedRow]:
    """Return the table of activities of a version, with the measured medians beside the standard."""
    rows = []
    for step, number, one in wording.ordered:
        stay = found.stays.get(step.id)
        most = (one.time_most or one.time_value) if one.working_days else 0
        rows.append(
            PrintedRow(
                step=step.id,
                number=number,
                activity=one.activity,
                says=_says(one),
                needs=tuple(one.needs),
                time=one.time,
                time_note=one.time_note,
                output=one.output,
                papers=tuple(one.papers),
                measured=measured_words(stay, unknown="belum ada" if step.id in STEP.values() else "–"),
                is_over=bool(stay and most and stay.median_days > most),
                remarks=(
                    *(way_in_words(answer, number) for answer in _answers(step)),
                    *(
                        [Sentence("Berjalan bersama langkah {step}.", step=_numbers(step))]
                        if step.parallel_with
                        else []
                    ),
                    *([one.remark] if one.remark else []),
                ),
            )
        )
    return rows


def _says(one: StepWording) -> str:
    titles = procedure().titles
    told = [f"{_together([titles[role] for role in roles])} {PART_LABELS[part]}" for part, roles in one.groups]
    return "; ".join(told)


def _together(names: Sequence[str]) -> str:
    return " dan ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def measured_words(stay: Stay | None, *, unknown: str = "belum ada") -> str:
    """Write a measured median with its count: "4,5 hari kerja (n = 12)"."""
    if stay is None or not stay.count:
        return unknown
    return (
        f"{stay.median_days:.1f}".rstrip("0").rstrip(".").replace(".", ",")
        + f" hari kerja (n\u00a0=\u00a0{stay.count})"
    )


def _numbers(step: Step) -> str:
    return ", ".join(number_of(other) for other in step.parallel_with)


def _answers(step: Step, role: Role | None = None) -> list[Answer]:
    """Return the ways back out of a step, of one role or of all."""
    found = []
    for one in step.refusals:
        target = way_back(step, one.target)
        if role in (None, one.role):
            found.append(Answer(one.words, number_of(target) if target else ""))
    return found


def chart_of(wording: Wording) -> Chart:
    """Return the flowchart of a version: whoever may refuse and does not do the step himself decides."""
    titles = procedure().titles
    rows = []
    for step, number, one in wording.ordered:
        deciders = {a.role for a in one.actors if a.part is not Part.DO} & {r.role for r in step.refusals}
        rows.append(
            Activity(
                number=number,
                title=one.activity,
                turns=[[role.value for role in roles] for _, roles in one.groups],
                answers={role.value: _answers(step, role) for role in deciders},
                says=_says(one),
            )
        )
    return chart({role.value: title for role, title in titles.items()}, rows)
