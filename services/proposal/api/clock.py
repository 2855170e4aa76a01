"""The JSON door of time: one case planned against actual, and the report over all of them."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel

from services.proposal import queries
from services.proposal.queries import clock
from services.proposal.queries.clock import ActorRow, Asked, Report, StepRow
from shared.errors import NotFound
from shared.identity import Role
from shared.web import Asker, Door, Session

router = APIRouter(prefix="/api", route_class=Door, tags=["time"])


class ActorTime(BaseModel):
    """How long somebody had the ball."""

    actor: str
    days: int
    minutes: int
    is_outside: bool


class StepTime(BaseModel):
    """A step as it was planned and as it went."""

    step: str
    planned_days: int
    days: int
    """Working days within the centre."""
    outside_days: int
    minutes: int
    outside_minutes: int
    rounds: int
    over_days: int
    is_over: bool
    actors: list[ActorTime]


class CaseTimeView(BaseModel):
    """The time of one case."""

    steps: list[StepTime]
    days: int
    outside_days: int
    minutes: int
    outside_minutes: int
    began_at: datetime | None
    ended_at: datetime | None
    due_at: datetime | None
    planned_days: tuple[int, int]
    """The least and the most working days from the proposal until use, by the version of the case (Total waktu)."""
    until_use_days: int
    """Working days until use; until an end or now where it is not in use."""
    is_in_use: bool
    is_estimated: bool


class ReportView(BaseModel):
    """The time of all cases that somebody may see."""

    steps: list[StepRow]
    actors: list[ActorRow]
    finished: int
    total_days: float | None
    planned_days: tuple[int, int]
    total_late: int
    is_estimated: bool

    @classmethod
    def of(cls, report: Report) -> "ReportView":
        """Return a report as it leaves the door."""
        return cls(**{name: getattr(report, name) for name in cls.model_fields})


@router.get("/cases/{number}/time")
def time_of(session: Session, by: Asker, number: Annotated[str, Path(max_length=40)]) -> CaseTimeView:
    whose = queries.case(session, by, number)
    if by.has(Role.VENDOR):
        # As on the page of the case: how long the centre took for its own steps is no matter of a contract.
        raise NotFound("Waktu perkara ini tidak terbuka bagi penyedia.")
    found = clock.time_of(session, whose)
    total = found.total
    return CaseTimeView(
        steps=[
            StepTime(
                step=line.step,
                planned_days=line.planned_days,
                days=line.actual.days,
                outside_days=line.actual.outside_days,
                minutes=line.actual.minutes,
                outside_minutes=line.actual.outside_minutes,
                rounds=line.actual.rounds,
                over_days=line.over_days,
                is_over=line.is_over,
                actors=[
                    ActorTime(
                        actor=actor,
                        days=one.total_days,
                        minutes=one.total_minutes,
                        is_outside=not one.days and not one.minutes and bool(one.outside_minutes or one.outside_days),
                    )
                    for actor, one in line.actors.items()
                ],
            )
            for line in found.lines
        ],
        days=total.days,
        outside_days=total.outside_days,
        minutes=total.minutes,
        outside_minutes=total.outside_minutes,
        began_at=found.began_at,
        ended_at=found.ended_at,
        due_at=found.due_at,
        planned_days=found.planned_days,
        until_use_days=found.until_use.total_days,
        is_in_use=found.is_in_use,
        is_estimated=found.is_estimated,
    )


@router.get("/case-time")
def report(
    session: Session,
    by: Asker,
    year: Annotated[int | None, Query(ge=1900, le=9998)] = None,
    unit: Annotated[str, Query(max_length=20)] = "",
    division: Annotated[str, Query(max_length=20)] = "",
) -> ReportView:
    return ReportView.of(clock.report(session, by, Asked(year, unit, division)))
