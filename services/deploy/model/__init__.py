"""The nouns of the infrastructure division and their tables."""

from services.deploy.model.application import Application, ApplicationStatus
from services.deploy.model.build import Build
from services.deploy.model.hosting import CLOSED_SUFFIX, RESERVED, Hosting, HostingStatus
from services.deploy.model.installation import Installation, InstallationStatus
from services.deploy.model.measurement import Measurement
from services.deploy.model.operation import Operation, OperationKind, OperationStatus
from services.deploy.model.release import KeptPermit, Release, ReleaseStatus, RevokedPermit
from services.deploy.model.search import APPLICATIONS, HOSTINGS, SERVERS
from services.deploy.model.server import Probe, Server, ServerKind, ServerStatus
from services.deploy.model.table import Table

__all__ = [
    "APPLICATIONS",
    "CLOSED_SUFFIX",
    "HOSTINGS",
    "RESERVED",
    "SERVERS",
    "Application",
    "ApplicationStatus",
    "Build",
    "Hosting",
    "HostingStatus",
    "Installation",
    "InstallationStatus",
    "KeptPermit",
    "Measurement",
    "Operation",
    "OperationKind",
    "OperationStatus",
    "Probe",
    "Release",
    "ReleaseStatus",
    "RevokedPermit",
    "Server",
    "ServerKind",
    "ServerStatus",
    "Table",
]
