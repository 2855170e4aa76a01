"""Sites, installations and servers in figures equal a count by hand over random rows."""

import random
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import select

from services.deploy.model import Application, ApplicationStatus, Hosting, Installation, Measurement, Release
from services.deploy.queries import dashboard
from shared.database import utc_now
from shared.errors import NotAllowed
from shared.identity import Person
from tests.counting import statements
from tests.deploy.test_actions import Campus, campus
from tests.people import ANI, BUDI, CITRA, EDI, JOKO, LINA

__all__ = ["campus"]


@pytest.fixture
def release(campus: Campus) -> Release:
    """Return the open release of the one site that went the whole way."""
    return campus.live(campus.handed_over().installed(campus.hosting()))


def test_sites_equal_a_count_by_hand(campus: Campus, release: Release) -> None:
    dice, now, session = random.Random(19), utc_now(), campus.session
    sites: dict[str, list[Measurement]] = {}
    for n in range(25):
        status = dice.choice([ApplicationStatus.LIVE, ApplicationStatus.LIVE, ApplicationStatus.SUSPENDED])
        site = Application(
            case_id=uuid4(), case_number=f"APL-{n}", code=f"s{n}", name=f"Situs {n:02}", unit="BPEG", status=status
        )  # fmt: skip
        session.add(site)
        session.flush()
        newest = dice.choice([1, 3, 15, 5000])
        put = [
            Measurement(
                case_id=site.case_id, release_id=release.id, at=now - timedelta(minutes=newest + m), status=200,
                milliseconds=dice.randint(1, 900), is_up=dice.random() < 0.6,
            )
            for m in dice.choice([[], [0], [0, *dice.sample(range(1, 60 * 24 * 40), 40)]])
        ]  # fmt: skip
        session.add_all(put)
        if status == ApplicationStatus.LIVE:
            sites[f"Situs {n:02} (APL-{n})"] = put
    session.flush()
    panel = dashboard.figures(session, CITRA, now=now).panels[0]
    shown = {str(row.cells["site"]): row.cells for row in panel.tables[0].rows}

    assert set(sites) < set(shown)
    states = []
    for site, measured in sites.items():
        month = [m for m in measured if m.at >= now - timedelta(days=30)]
        newest_one = max(measured, key=lambda m: m.at, default=None)
        state = "Tidak diketahui"
        if newest_one and now - newest_one.at <= timedelta(minutes=10):
            state = "Menjawab" if newest_one.is_up else "Tidak menjawab"
        states.append(state)
        assert shown[site]["state"] == state
        assert shown[site]["asked"] == len(month)
        assert shown[site]["uptime"] == (round(100 * sum(m.is_up for m in month) / len(month), 2) if month else None)
    own = str(shown[f"{release.application.name} ({release.application.case_number})"]["state"])
    assert {one.label: one.value for one in panel.numbers} == {
        s: [*states, own].count(s) for s in dashboard.WORDS.values()
    }
    assert len(set(states)) == 3


def test_a_site_leads_to_its_open_release(campus: Campus, release: Release) -> None:
    assert [row.path for row in dashboard.figures(campus.session, BUDI).panels[0].tables[0].rows] == [
        f"/rilis/{release.id}"
    ]


def test_installations_and_quotas_are_those_of_the_lists(campus: Campus, release: Release) -> None:
    _sites, installations, servers = dashboard.figures(campus.session, EDI).panels
    kept = campus.session.scalars(select(Installation)).all()
    hosting = campus.session.scalars(select(Hosting)).one()

    assert {row.cells["status"]: row.cells["count"] for row in installations.tables[0].rows} == {
        label: sum(one.status == status for one in kept) for status, label in Installation.labels.items()
    }
    assert [(row.cells["server"], row.cells["hostings"], row.cells["disk"]) for row in servers.tables[0].rows] == [
        ("web-1", 1, hosting.disk_mb)
    ]


def test_whoever_may_not_read_the_server_register_sees_no_servers(campus: Campus) -> None:
    assert [panel.key for panel in dashboard.figures(campus.session, BUDI).panels] == ["sites", "installations"]


@pytest.mark.parametrize("by", [ANI, JOKO, LINA])
def test_outsiders_read_no_figures(campus: Campus, by: Person) -> None:
    with pytest.raises(NotAllowed):
        dashboard.figures(campus.session, by)


def test_it_costs_three_statements(campus: Campus, release: Release) -> None:
    with statements(campus.session.get_bind().engine) as sent:
        dashboard.figures(campus.session, CITRA)

    assert len(sent) == 3
