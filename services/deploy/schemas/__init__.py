"""Shapes that enter and leave the infrastructure division's JSON door; pages draw their forms from the same."""

from services.deploy.schemas.application import ApplicationView
from services.deploy.schemas.build import BuildView, NewBuild
from services.deploy.schemas.hosting import Acceptance, HostingView, NewHosting
from services.deploy.schemas.installation import Approval, InstallationRow, InstallationView, LogLine, NewInstallation
from services.deploy.schemas.release import OperationView, ReleaseRow, ReleaseView
from services.deploy.schemas.server import Fingerprint, NewServer, ProbeOrder, ProbeView, ServerView

__all__ = [
    "Acceptance",
    "ApplicationView",
    "Approval",
    "BuildView",
    "Fingerprint",
    "HostingView",
    "InstallationRow",
    "InstallationView",
    "LogLine",
    "NewBuild",
    "NewHosting",
    "NewInstallation",
    "NewServer",
    "OperationView",
    "ProbeOrder",
    "ProbeView",
    "ReleaseRow",
    "ReleaseView",
    "ServerView",
]
