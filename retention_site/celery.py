"""The Celery application. Beat's sweeps find work as rows with a status; a lost broker message costs a minute."""

import os

from celery import Celery

from retention_site.broker_loss import remember_broker_addresses

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "retention_site.settings")

remember_broker_addresses()
app = Celery("rekindle")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
