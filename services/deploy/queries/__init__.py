"""What people ask of the infrastructure division; nothing here changes anything."""

from services.deploy.queries.log import Line, lines_after
from services.deploy.queries.measurement import availability, figures
from services.deploy.queries.server import probe, probes, server, servers, usable_servers
from services.deploy.queries.thing import (
    build,
    builds,
    hosting,
    hostings,
    installation,
    installations,
    offered,
    operation_of,
    ready_to_plan,
    release,
    releases,
)
from services.deploy.queries.waiting import Todo, waiting_on

__all__ = [
    "Line",
    "Todo",
    "availability",
    "build",
    "builds",
    "figures",
    "hosting",
    "hostings",
    "installation",
    "installations",
    "lines_after",
    "offered",
    "operation_of",
    "probe",
    "probes",
    "ready_to_plan",
    "release",
    "releases",
    "server",
    "servers",
    "usable_servers",
    "waiting_on",
]
