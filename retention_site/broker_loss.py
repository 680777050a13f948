"""Keeps a worker alive when its broker goes away while it holds a task."""

from __future__ import annotations

import structlog
from celery.worker.consumer import Consumer

log = structlog.get_logger(__name__)


class PatientConsumer(Consumer):
    """Celery's own, but for one error of kombu's Redis transport (5.7.0) that would end the worker.

    With `task_acks_late` kombu wants to hand unfinished tasks back while it tidies up after the lost connection, over a
    connection whose address it has just forgotten: AttributeError, which Celery does not expect there. Nothing is lost
    by going on: work is a row with a status, and beat's next sweep finds it.
    """

    def on_connection_error_after_connected(self, exc: Exception) -> None:
        try:
            super().on_connection_error_after_connected(exc)
        except AttributeError as error:
            log.warning("broker_connection_left_open", error=str(error))
