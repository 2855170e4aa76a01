"""When somebody is reminded of what waits for them, and when the post above them is told; pure, in working days."""

from collections.abc import Collection
from datetime import date, datetime, timedelta

from shared.identity import Role
from shared.procedure import procedure
from shared.words import local_date
from shared.workdays import Calendar

REMIND_EVERY = 2
"""Working days between two reminders of what is late."""
SUPERIOR = {
    Role.PROPOSER: Role.APP_HEAD,
    Role.UNIT_HEAD: Role.APP_HEAD,
    Role.VENDOR: Role.APP_HEAD,
    Role.APP_STAFF: Role.APP_HEAD,
    Role.SERVICE_STAFF: Role.SERVICE_HEAD,
    Role.INFRA_STAFF: Role.INFRA_HEAD,
    Role.SECURITY_STAFF: Role.SECURITY_HEAD,
    Role.APP_HEAD: Role.HEAD,
    Role.SERVICE_HEAD: Role.HEAD,
    Role.INFRA_HEAD: Role.HEAD,
    Role.SECURITY_HEAD: Role.HEAD,
    Role.PLANNING: Role.HEAD,
    Role.PPK: Role.HEAD,
    Role.TREASURER: Role.HEAD,
}
"""The post that is told when somebody is late. Above the Head there is nobody; the rest has nothing to decide."""


def due_on(step: str, since: datetime, calendar: Calendar) -> date | None:
    """Return the last day of the standard time of what waits since then; None for a step that has none in days."""
    found = procedure().steps.get(step)
    if found is None or not found.working_days:
        return None
    return calendar.add_working_days(local_date(since), found.working_days)


def reminder(due: date, since: datetime, today: date, calendar: Calendar) -> tuple[str, str] | None:
    """Return which reminder is in turn (a key) and what it says; None on a day on which nobody is reminded.

    One working day before the due day, on it, and on every second working day after it. A reminder whose day was
    missed comes with the next look, until the next one is in turn.
    """
    if not calendar.is_working_day(today) or today <= local_date(since):
        return None
    if today < due:
        return ("soon", "Batas waktu besok") if _day_before(due, calendar) <= today else None
    late = calendar.working_days_between(due, today)
    if late == 0:
        return "due", "Batas waktu hari ini"
    if late < REMIND_EVERY:
        return None
    late -= late % REMIND_EVERY
    return f"late-{late}", f"Terlambat {late} hari kerja"


def is_escalated(due: date, today: date, calendar: Calendar, *, after: int) -> bool:
    """Tell whether the superior post is to be told: so many working days after the due day have come."""
    return calendar.is_working_day(today) and today > due and calendar.working_days_between(due, today) >= after


def superior(roles: Collection[Role]) -> Role | None:
    """Return the post above somebody who holds these; None above the Head and for who is in no line."""
    for role, above in SUPERIOR.items():
        if role in roles and above not in roles:
            return above
    return None


def _day_before(due: date, calendar: Calendar) -> date:
    day = due - timedelta(days=1)
    while not calendar.is_working_day(day):
        day -= timedelta(days=1)
    return day
