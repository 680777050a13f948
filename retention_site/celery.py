"""The Celery application. Beat's sweeps find work as rows with a status; a lost broker message costs a minute."""

import os
from typing import Any

from celery import Celery
from celery.signals import worker_ready

from retention_site.broker_loss import remember_broker_addresses

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "retention_site.settings")

remember_broker_addresses()
app = Celery("rekindle")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@worker_ready.connect
def note_changed_settings(**_kwargs: Any) -> None:
    """Settings change with a restart and in no other way."""
    from retention_site.audit_settings import note_settings

    note_settings()
