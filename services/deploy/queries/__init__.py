"""What people ask of the infrastructure division; nothing here changes anything."""

from services.deploy.queries.log import Log, log_after
from services.deploy.queries.measurement import figures, last_month
from services.deploy.queries.search import found
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
    release_of,
    releases,
)
from services.deploy.queries.waiting import Todo, waiting_on

__all__ = [
    "Log",
    "Todo",
    "build",
    "builds",
    "figures",
    "found",
    "hosting",
    "hostings",
    "installation",
    "installations",
    "last_month",
    "log_after",
    "offered",
    "operation_of",
    "probe",
    "probes",
    "ready_to_plan",
    "release",
    "release_of",
    "releases",
    "server",
    "servers",
    "usable_servers",
    "waiting_on",
]
