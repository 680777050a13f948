"""Logs: ids, never addresses or text. One line for each thing, to the console, as words or as JSON (LOG_FORMAT)."""

from __future__ import annotations

from typing import Any

import structlog

from .env_values import read_choice


def make_logging() -> dict[str, Any]:
    """Django's LOGGING."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "console": {
                "()": structlog.stdlib.ProcessorFormatter,
                "processors": [
                    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                    # Plain: where rich is installed it would print the values of variables, which are people's.
                    structlog.dev.ConsoleRenderer(
                        colors=False, pad_event_to=0, exception_formatter=structlog.dev.plain_traceback
                    )
                    if read_choice("LOG_FORMAT", "console", ("console", "json")) == "console"
                    else structlog.processors.JSONRenderer(),
                ],
                "foreign_pre_chain": [structlog.stdlib.add_log_level, structlog.processors.TimeStamper(fmt="%H:%M:%S")],
            }
        },
        "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "console"}},
        "root": {
            "handlers": ["console"],
            "level": read_choice("LOG_LEVEL", "INFO", ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")),
        },
        "loggers": {
            "django.server": {"level": "WARNING"},
            # They write down whole addresses, and at DEBUG headers and bodies: keys, and what models are asked.
            **{
                name: {"level": "WARNING"}
                for name in ("httpx", "httpx2", "httpcore", "httpcore2", "openai", "twilio", "urllib3")
            },
        },
    }


def configure_structlog() -> None:
    """Ours go through the same handler as those of Django and the libraries."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.stdlib.add_log_level,
            structlog.processors.TimeStamper(fmt="%H:%M:%S"),
            structlog.processors.format_exc_info,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
