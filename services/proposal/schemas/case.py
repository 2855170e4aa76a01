"""Shapes of a case and its trace as they leave the JSON door."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from services.proposal import queries
from services.proposal.model import Case, Paper, TraceEntry
from services.proposal.queries import Similar, Whole
from services.proposal.schemas.similar import SimilarView
from shared.authority import Act
from shared.identity import Person, Role

NOUNS = {
    "submit": "submission",
    "resubmit": "resubmission",
    "accept": "acceptance",
    "accept_from_app_head": "acceptance",
    "send_back": "return",
    "merge_duplicate": "merger",
    "analyse": "analysis",
    "recommend": "recommendation",
    "approve": "approval",
    "reject": "rejection",
    "enter_work_programme": "work-programme-entry",
    "write_terms": "terms-of-reference",
    "conclude": "conclusion",
    "defer": "deferral",
    "cancel": "cancellation",
}
"""The noun that is posted beneath a proposal for each act."""
MONEY = ("plan", "ceiling", "contract", "paid")
INNER_STEPS = frozenset({"S04", "S05", "S06", "S08"})
"""Steps whose amounts and findings are not for the proposing unit (domain §4)."""


class CaseRow(BaseModel):
    """A case in a list."""

    model_config = ConfigDict(from_attributes=True)
    id: UUID
    number: str
    name: str
    code: str
    kind: str
    unit: str
    status: str
    label: str
    entered_at: datetime
    fiscal_year: int | None
    proposer_name: str
    criticality: str
    created_at: datetime


class PaperView(BaseModel):
    """A paper; `link` downloads its file, empty when only its number is known."""

    kind: str
    title: str
    number: str
    digest: str
    step: str
    source: str
    link: str

    @classmethod
    def of(cls, paper: Paper) -> "PaperView":
        """Return a paper as it is shown."""
        return cls(
            kind=paper.kind,
            title=paper.title,
            number=paper.number,
            digest=paper.digest,
            step=paper.step,
            source=paper.source,
            link=f"/api/papers/{paper.digest}" if paper.digest else "",
        )


class TraceView(BaseModel):
    """One entry of the trace."""

    at: datetime
    step: str
    kind: str
    says: str
    detail: str
    note: str
    move: str
    status: str
    person: str
    person_id: UUID | None
    as_what: str
    acting_for: str
    papers: list[PaperView]
    digest: str
    """Digest of the build that the fact is about."""
    link: str
    source: str
    message_id: UUID | None
    audit_service: str
    audit_seq: int | None
    audit_hash: str | None

    @classmethod
    def of(cls, entry: TraceEntry, papers: list[Paper], *, for_outsider: bool = False) -> "TraceView":
        """Return an entry with the papers that this person may read; amounts and findings are not for outsiders."""
        return cls(
            at=entry.at,
            step=entry.step,
            kind=entry.kind,
            says=entry.says,
            detail="" if for_outsider and entry.step in INNER_STEPS else entry.detail,
            note="" if for_outsider and entry.step == "S08" else entry.note,
            move=entry.move,
            status=entry.status,
            person=entry.person_name,
            person_id=entry.person_id,
            as_what=entry.as_what,
            acting_for=entry.acting_for,
            papers=[PaperView.of(paper) for paper in papers],
            digest=entry.digest,
            link=entry.path,
            source=entry.source,
            message_id=entry.message_id,
            audit_service=entry.audit_service,
            audit_seq=entry.audit_seq,
            audit_hash=entry.audit_hash,
        )


class StationView(BaseModel):
    """One of the eleven stations."""

    model_config = ConfigDict(from_attributes=True)
    id: str
    name: str
    title: str
    state: str
    note: str


class MoveView(BaseModel):
    """What this person may do now."""

    name: str
    label: str
    consequence: str
    step: str
    path: str
    """Where to POST it."""

    @classmethod
    def of(cls, act: Act, case: Case) -> "MoveView":
        """Return an act as it is offered on a case."""
        noun = NOUNS.get(act.name)
        path = f"/api/proposals/{case.id}" + (f"/{noun}" if noun else "")
        if act.name == "open_evaluation":
            path = "/api/evaluations"
        return cls(name=act.name, label=act.label, consequence=act.consequence, step=act.step, path=path)


class MoneyView(BaseModel):
    """One amount as the budget division told it: whole rupiah."""

    key: str
    label: str
    amount: int
    about: str


class PersonView(BaseModel):
    """Somebody who did something on the case."""

    name: str
    as_what: str
    steps: list[str]


class RelativeView(BaseModel):
    """A related case."""

    model_config = ConfigDict(from_attributes=True)
    id: UUID
    number: str
    name: str
    is_parent: bool


class EvaluationRow(BaseModel):
    """An evaluation of the case."""

    model_config = ConfigDict(from_attributes=True)
    id: UUID
    number: str
    status: str
    decision: str


class StatusView(BaseModel):
    """One status in the history."""

    model_config = ConfigDict(from_attributes=True)
    source: str
    move: str
    status: str
    at: datetime
    by_name: str
    reason: str


class CaseView(CaseRow):
    """A case whole."""

    purpose: str
    personal_data: str
    expected_users: int
    tech: dict[str, str]
    sop_version: int
    status_reason: str
    step: str
    days_in_step: int
    standard_days: int
    is_late: bool
    digest: str
    live_digest: str
    address: str
    vendor: str | None
    vendor_name: str
    is_taken_over: bool
    lacking: list[str]
    """What the meetings still lack, while the case is discussed."""
    stations: list[StationView]
    moves: list[MoveView]
    papers: list[PaperView]
    money: list[MoneyView]
    people: list[PersonView]
    relatives: list[RelativeView]
    similar: list[SimilarView]
    """What it resembles, told to the centre while it decides."""
    evaluations: list[EvaluationRow]
    history: list[StatusView]
    trace: list[TraceView]

    @classmethod
    def of(cls, whole: Whole, by: Person, near: Sequence[Similar] = ()) -> "CaseView":
        """Return a case as this person may see it, and what it resembles (`queries.near`)."""
        case = whole.case
        pace = queries.pace(case)
        is_outsider = queries.is_outsider(by)
        shown = ("contract", "paid") if by.has(Role.VENDOR) else ("plan",) if is_outsider else MONEY
        return cls(
            **CaseRow.model_validate(case).model_dump(),
            purpose=case.purpose,
            personal_data=case.personal_data,
            expected_users=case.expected_users,
            tech={key: value for key, value in case.tech.items() if value},
            sop_version=case.sop_version,
            status_reason="" if is_outsider and case.status == "remediation" else case.status_reason,
            step=queries.station_of(case).id,
            days_in_step=pace.days,
            standard_days=pace.standard,
            is_late=pace.is_late,
            digest=case.digest,
            live_digest=case.live_digest,
            address=case.address,
            vendor=case.vendor,
            vendor_name=case.vendor_name,
            is_taken_over=case.is_taken_over,
            lacking=list(whole.ready.lacking) if whole.ready else [],
            stations=[
                StationView.model_validate(station)
                for station in queries.stations(case, whole.history, whole.evaluations)
            ],
            moves=[MoveView.of(act, case) for act in whole.offered],
            papers=[PaperView.of(paper) for paper in whole.distinct_papers],
            money=money(case, shown),
            people=people(whole.trace),
            relatives=[RelativeView.model_validate(relative) for relative in whole.relatives],
            similar=[SimilarView.model_validate(one) for one in near],
            evaluations=[EvaluationRow.model_validate(one) for one in whole.evaluations],
            history=[] if by.has(Role.VENDOR) else [StatusView.model_validate(row) for row in whole.history],
            trace=[TraceView.of(entry, whole.papers_of(entry), for_outsider=is_outsider) for entry in whole.trace],
        )


def money(case: Case, shown: Sequence[str]) -> list[MoneyView]:
    """Return the amounts of these keys as the budget division told them, in the order in which they bind."""
    rows = [
        ("plan", "RAB", case.plan_amount, f"Versi {case.plan_version}" + (", dikunci" if case.is_plan_locked else "")),
        ("ceiling", "Pagu", case.ceiling_amount, f"Tahun Anggaran {case.fiscal_year}"),
        ("contract", "Kontrak", case.contract_amount, f"{case.contract_number} · {case.vendor_name}"),
        ("paid", "Dibayar", case.paid_amount, f"Kontrak {case.contract_number}" if case.contract_number else ""),
    ]
    return [
        MoneyView(key=key, label=label, amount=amount, about=about)
        for key, label, amount, about in rows
        if amount is not None and key in shown
    ]


def people(trace: Sequence[TraceEntry]) -> list[PersonView]:
    """Return who did something on the case, in which steps, in the order of their first act."""
    found: dict[tuple[str, str], list[str]] = {}
    for entry in trace:
        if entry.person_id is None:
            continue
        steps = found.setdefault((entry.person_name, entry.as_what), [])
        if entry.step not in steps:
            steps.append(entry.step)
    return [PersonView(name=name, as_what=as_what, steps=steps) for (name, as_what), steps in found.items()]
