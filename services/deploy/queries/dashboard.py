"""The infrastructure division's figures for the dashboards: sites, installations, servers."""

from datetime import datetime, timedelta

from sqlalchemy import func, select, true
from sqlalchemy.orm import Session

from services.deploy.authority import READERS, SERVER_READERS
from services.deploy.model import (
    Application,
    ApplicationStatus,
    Hosting,
    HostingStatus,
    Installation,
    InstallationStatus,
    Measurement,
    Release,
    ReleaseStatus,
    Server,
)
from shared.database import utc_now
from shared.errors import NotAllowed
from shared.figures import Big, Column, Figures, Panel, Plot, Row, Series, Table
from shared.identity import Person
from shared.sentence import Sentence
from shared.words import long_moment

MONTH = timedelta(days=30)
YEAR = timedelta(days=365)
STALE = timedelta(minutes=10)
"""Addresses are asked every minute; an answer older than this says nothing of now."""
MOST_SITES = 200
WORDS = {"up": "Menjawab", "down": "Tidak menjawab", "unknown": "Tidak diketahui"}


def figures(session: Session, by: Person, *, now: datetime | None = None) -> Figures:
    """Return how the sites, installations and servers are, in at most five statements.

    Raises NotAllowed for whoever does not see every application here; servers only for whoever reads their register.
    """
    if not by.has(*READERS):
        raise NotAllowed("Angka instalasi dan situs hanya untuk staf dan pimpinan pusat.")
    now = now or utc_now()
    panels = [_sites(session, now), _installations(session, now)]
    if by.has(*SERVER_READERS):
        panels.append(_servers(session, now))
    return Figures(panels=panels)


def _sites(session: Session, now: datetime) -> Panel:
    newest = (
        select(Measurement.at, Measurement.is_up, Measurement.status, Measurement.milliseconds)
        .where(Measurement.case_id == Application.case_id)
        .order_by(Measurement.at.desc())
        .limit(1)
        .lateral("newest")
    )
    month = (
        select(func.count().label("asked"), func.count().filter(Measurement.is_up).label("answered"))
        .where(Measurement.case_id == Application.case_id, Measurement.at >= now - MONTH, Measurement.at <= now)
        .lateral("month")
    )
    release = (
        select(Release.id)
        .where(Release.case_id == Application.case_id, Release.status == ReleaseStatus.LIVE)
        .order_by(Release.number.desc())
        .limit(1)
        .lateral("open_release")
    )
    found = session.execute(
        select(
            Application.name,
            Application.case_number,
            release.c.id,
            newest.c.at,
            newest.c.is_up,
            newest.c.milliseconds,
            month.c.asked,
            month.c.answered,
        )
        .select_from(Application)
        .outerjoin(newest, true())
        .outerjoin(month, true())
        .outerjoin(release, true())
        .where(Application.status == ApplicationStatus.LIVE)
        .order_by(Application.name, Application.case_number)
        .limit(MOST_SITES)
    ).all()
    counted = dict.fromkeys(WORDS, 0)
    rows = []
    for name, number, release_id, at, is_up, milliseconds, asked, answered in found:
        state = "unknown" if at is None or now - at > STALE else "up" if is_up else "down"
        counted[state] += 1
        rows.append(
            (
                state,
                Row(
                    cells={
                        "site": f"{name} ({number})",
                        "state": WORDS[state],
                        "at": long_moment(at) if at else None,
                        "milliseconds": milliseconds,
                        "uptime": round(100 * answered / asked, 2) if asked else None,
                        "asked": asked,
                    },
                    path=f"/rilis/{release_id}" if release_id else "/rilis",
                ),
            )
        )
    order = ("down", "unknown", "up")
    rows.sort(key=lambda row: order.index(row[0]))
    return Panel(
        key="sites",
        title="Situs yang digunakan",
        source="Pengukuran Alur: setiap alamat umum ditanya tiap menit dari jaringan pusat, terhitung menjawab bila "
        "200–399. Tidak diketahui: belum ada pengukuran dalam sepuluh menit terakhir. Ketersediaan dihitung dari "
        "pengukuran 30 hari terakhir.",
        counted_at=now,
        numbers=[
            Big(
                label=WORDS["up"],
                value=counted["up"],
                unit="situs",
                comparison=Sentence("dari {rows} yang diukur", rows=len(rows)) if rows else "",
                path="/rilis",
            ),
            Big(
                label=WORDS["down"],
                value=counted["down"],
                unit="situs",
                tone="bad" if counted["down"] else "good",
                path="/rilis",
            ),
            Big(label=WORDS["unknown"], value=counted["unknown"], unit="situs", path="/rilis"),
        ],
        tables=[
            Table(
                key="sites",
                caption="Situs, yang tidak menjawab di atas",
                columns=[
                    Column(key="site", label="Situs", kind="text"),
                    Column(key="state", label="Keadaan", kind="text"),
                    Column(key="at", label="Pengukuran terakhir", kind="text"),
                    Column(key="milliseconds", label="Waktu jawab (milidetik)"),
                    Column(key="uptime", label="Ketersediaan 30 hari", kind="percent"),
                    Column(key="asked", label="Banyak pengukuran"),
                ],
                rows=[row for _, row in rows],
                empty="Situs akan tampil di sini setelah aplikasi pertama dibuka untuk pengguna.",
                is_first_list=True,
            )
        ],
    )


def _installations(session: Session, now: datetime) -> Panel:
    rows = session.execute(
        select(Installation.status, func.count())
        .where(Installation.created_at >= now - YEAR)
        .group_by(Installation.status)
    ).all()
    found = {row[0]: row[1] for row in rows}
    ended = found.get(InstallationStatus.INSTALLED, 0) + found.get(InstallationStatus.FAILED, 0)
    return Panel(
        key="installations",
        title="Instalasi",
        source="Daftar instalasi, yang dibuat dalam 12 bulan terakhir. Gagal termasuk yang dibatalkan.",
        counted_at=now,
        numbers=[
            Big(
                label="Terpasang",
                value=found.get(InstallationStatus.INSTALLED, 0),
                unit="instalasi",
                comparison=Sentence("dari {ended} yang selesai dikerjakan", ended=ended),
                path="/instalasi",
            )
        ],
        tables=[
            Table(
                key="results",
                caption="Instalasi menurut hasil, 12 bulan terakhir",
                columns=[
                    Column(key="status", label="Keadaan", kind="text"),
                    Column(key="count", label="Instalasi", unit="instalasi"),
                ],
                rows=[
                    Row(cells={"status": Installation.labels[status], "count": found.get(status, 0)}, path="/instalasi")
                    for status in InstallationStatus
                ]
                if found
                else [],
                plot=Plot(kind="bars", label="status", series=[Series(key="count")]),
                empty="Hasil instalasi akan tampil di sini setelah rencana pertama disusun.",
            )
        ],
    )


def _servers(session: Session, now: datetime) -> Panel:
    found = session.execute(
        select(
            Server.id,
            Server.name,
            Server.status,
            func.count(Hosting.id),
            func.coalesce(func.sum(Hosting.disk_mb), 0),
        )
        .outerjoin(Hosting, (Hosting.server_id == Server.id) & (Hosting.status == HostingStatus.READY))
        .group_by(Server.id, Server.name, Server.status)
        .order_by(Server.name)
        .limit(200)
    ).all()
    return Panel(
        key="servers",
        title="Server",
        source="Daftar server dan kuota hosting yang sudah disetujui. Ruang yang benar-benar terpakai belum diukur.",
        counted_at=now,
        tables=[
            Table(
                key="servers",
                caption="Server dan kuota yang sudah diberikan",
                columns=[
                    Column(key="server", label="Server", kind="text"),
                    Column(key="status", label="Keadaan", kind="text"),
                    Column(key="hostings", label="Hosting", unit="hosting"),
                    Column(key="disk", label="Kuota diberikan (MB)"),
                ],
                rows=[
                    Row(
                        cells={
                            "server": name,
                            "status": Server.labels[status],
                            "hostings": hostings,
                            "disk": int(disk),
                        },
                        path=f"/server/{server_id}",
                    )
                    for server_id, name, status, hostings, disk in found
                ],
                empty="Server akan tampil di sini setelah didaftarkan.",
                is_first_list=True,
            )
        ],
    )
