"""The Celery application. Beat's sweeps find work as rows with a status; a lost broker message costs a minute."""

import os
from typing import Any

from celery import Celery
from celery.signals import celeryd_init, worker_ready

from retention_site.broker_loss import remember_broker_addresses

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "retention_site.settings")

remember_broker_addresses()
app = Celery("rekindle")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@celeryd_init.connect
def let_pages_go_first(**_kwargs: Any) -> None:
    """Background work takes what the pages leave of the processor: a send does not make people wait. Its children inherit it."""
    from django.conf import settings

    os.nice(settings.WORKER_NICENESS)


@worker_ready.connect
def note_changed_settings(**_kwargs: Any) -> None:
    """Settings change with a restart and in no other way."""
    from retention_site.audit_settings import note_settings

    note_settings()
