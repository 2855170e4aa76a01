"""One line of JSON for each thing that happened, in the past tense, with ids as fields."""

import logging
import sys

import structlog


def set_up(*, service: str) -> None:
    """Send every log line to standard error."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(service=service)


def logger() -> structlog.typing.FilteringBoundLogger:
    """Return the logger of the house."""
    result: structlog.typing.FilteringBoundLogger = structlog.get_logger()
    return result
