"""Background work of customers: imports that wait, and the nightly scores."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from customers.ingest import runs


@shared_task
def import_sweep() -> None:
    """Start every import that waits or whose worker died."""
    for run_id in runs.waiting_runs():
        import_file.delay(run_id)


@shared_task
def import_file(run_id: int) -> None:
    """Do one import; a second worker with the same run does nothing."""
    runs.run_import(run_id, now=timezone.now())
