"""The infrastructure division's pages."""

from services.deploy.pages import build, hosting, installation, release, server
from services.deploy.pages.frame import NAVIGATION, pages

router = pages.router

__all__ = ["NAVIGATION", "build", "hosting", "installation", "release", "router", "server"]
