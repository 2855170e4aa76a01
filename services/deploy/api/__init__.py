"""The infrastructure division's JSON door."""

from services.deploy.api import build, figures, hosting, installation, release, server, waiting

routers = [module.router for module in (server, hosting, build, installation, release, waiting, figures)]
