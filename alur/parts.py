"""The services by name: their web doors, their workers; only here does one place know them all."""

import importlib
import os
from typing import Any

from fastapi import FastAPI
from shared.worker import Worker, run_worker

from shared import log
from shared.keys import DIVISIONS, GATEWAY
from shared.settings import ServiceSettings


def settings_of(service: str) -> ServiceSettings:
    """Return a service's settings from the environment; raise pydantic's ValidationError for what lacks."""
    found: ServiceSettings = importlib.import_module(f"services.{service}.settings").Settings()
    return found


def web_of(service: str) -> FastAPI:
    """Return a service's web application."""
    made: FastAPI = importlib.import_module(f"services.{service}.app").make(settings_of(service))
    return made


def worker_of(service: str) -> Worker:
    """Return a division's worker."""
    made: Worker = importlib.import_module(f"services.{service}.tasks").make_worker(settings_of(service))
    return made


def one_web() -> Any:
    """Return the gateway with the five web doors in its own process."""
    log.set_up(service="web")
    doors = {service: web_of(service) for service in DIVISIONS}
    gateway = importlib.import_module("services.gateway.app")
    return gateway.make(settings_of(GATEWAY), doors)


def split_web() -> Any:
    """Return the web application of the service that ALUR_SERVICE names, for a container of its own."""
    service = os.environ["ALUR_SERVICE"]
    log.set_up(service=service)
    return web_of(service)


def work(services: tuple[str, ...], *, concurrency: int) -> None:
    """Handle the messages and jobs of these divisions until told to stop."""
    log.set_up(service="worker" if len(services) > 1 else f"{services[0]}-worker")
    workers = [worker_of(service) for service in services]
    broker_url = settings_of(services[0]).broker_url
    run_worker(workers, broker_url, concurrency=concurrency)
