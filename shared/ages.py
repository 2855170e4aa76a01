"""How old what is still open is: counted in one statement, and laid out as a table that is drawn stacked."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Date, case, cast, false, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from shared.figures import Column, Plot, Row, Series, Table, Tone
from shared.words import WIB, local_date

Ages = Mapping[int | None, str]
"""What is called so many calendar days old and no older, the youngest first; None: whatever is older still."""
TONES: tuple[Tone, ...] = ("plain", "wait", "quiet", "bad")
"""As the four ages are drawn."""


def by_age(
    session: Session,
    kinds: Iterable[str],
    *,
    kind: InstrumentedAttribute[Any],
    at: InstrumentedAttribute[datetime],
    where: ColumnElement[bool],
    ages: Ages,
    now: datetime,
    overdue: ColumnElement[bool] | None = None,
) -> dict[str, dict[str, int]]:
    """Count what is open of each kind: "age_0" and on for each age, their "total", and how many are "overdue"."""
    age = local_date(now) - cast(func.timezone(WIB.key, at), Date)
    bucket = case(*((age <= most, n) for n, most in enumerate(ages) if most is not None), else_=len(ages) - 1)
    late = (false() if overdue is None else overdue).label("late")
    things = select(kind.label("kind"), bucket.label("bucket"), late).where(where).subquery().c
    counts = select(things.kind, things.bucket, func.count(), func.count().filter(things.late))
    found = {one: dict.fromkeys([*(f"age_{n}" for n in range(len(ages))), "total", "overdue"], 0) for one in kinds}
    for key, place, count, overdue_count in session.execute(counts.group_by(things.kind, things.bucket)):
        found[key][f"age_{place}"] += count
        found[key]["total"] += count
        found[key]["overdue"] += overdue_count
    return found


def age_table(
    counted: Mapping[str, Mapping[str, int]],
    words: Mapping[Any, str],
    ages: Ages,
    *,
    key: str,
    caption: str,
    first: Column,
    rest: Sequence[Column],
    path: str,
    empty: str,
) -> Table:
    """Return a row for each kind that was counted, drawn as a stack of its ages; no row when nothing is open."""
    shown = [*(Column(key=f"age_{n}", label=label, unit=rest[0].unit) for n, label in enumerate(ages.values())), *rest]
    series = [Series(key=one.key, tone=tone) for one, tone in zip(shown[: len(ages)], TONES, strict=True)]
    rows = [
        Row(cells={first.key: words[kind], **{one.key: cells[one.key] for one in shown}}, path=path)
        for kind, cells in counted.items()
    ]
    return Table(
        key=key,
        caption=caption,
        columns=[first, *shown],
        rows=rows if any(cells["total"] for cells in counted.values()) else [],
        plot=Plot(kind="stack", label=first.key, series=series),
        empty=empty,
    )
