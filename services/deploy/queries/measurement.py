"""Availability from the measurements, with its method stated."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from services.deploy.model import Measurement
from shared.database import utc_now
from shared.messages import Figure
from shared.sentence import Sentence
from shared.words import WIB


@dataclass(frozen=True)
class Availability:
    """How often an address answered in a period."""

    asked: int
    answered: int
    median_milliseconds: int

    @property
    def percent(self) -> float:
        """Return the share that answered, in percent with two digits; 0 when nothing was asked."""
        return round(100 * self.answered / self.asked, 2) if self.asked else 0.0


def availability(session: Session, case_id: UUID, *, since: datetime, until: datetime) -> Availability:
    """Count an application's measurements in a period."""
    asked, answered, median = session.execute(
        select(
            func.count(),
            func.count().filter(Measurement.is_up),
            func.percentile_cont(0.5).within_group(Measurement.milliseconds),
        ).where(Measurement.case_id == case_id, Measurement.at.between(since, until))
    ).one()
    return Availability(asked, answered, round(median or 0))


def last_month(session: Session, case_id: UUID) -> Availability:
    """Count an application's measurements of the last 30 days."""
    now = utc_now()
    return availability(session, case_id, since=now - timedelta(days=30), until=now)


def figures(session: Session, case_id: UUID, *, from_on: date, until_on: date) -> tuple[Figure, ...]:
    """Return the availability of a period for an evaluation (S10); the last day counts whole."""
    since = datetime.combine(from_on, time.min, WIB)
    until = datetime.combine(until_on, time.max, WIB)
    found = availability(session, case_id, since=since, until=until)
    period = f"{from_on:%d/%m/%Y} s.d. {until_on:%d/%m/%Y}"
    method = Sentence(
        "Alamat umum ditanya Alur tiap menit dari jaringan pusat, {period}; terhitung tersedia bila "
        "menjawab 200-399; dari {asked} pengukuran. Jumlah kunjungan tidak tersedia: log akses server "
        "belum dibaca.",
        period=period,
        asked=found.asked,
    )
    counted = Figure(key="measurements", label="Pengukuran ketersediaan", value=found.asked, unit="kali", source=method)
    if not found.asked:
        # Not measured is not the same as never up: no number without a source.
        return (counted,)
    return (
        Figure(key="uptime_percent", label="Ketersediaan", value=found.percent, unit="%", source=method),
        counted,
        Figure(
            key="median_milliseconds",
            label="Median waktu jawab",
            value=found.median_milliseconds,
            unit="milidetik",
            source=method,
        ),
    )
