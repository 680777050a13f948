"""Background work of customers: imports that wait, and the nightly scores."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from customers.ingest import runs
from customers.scoring.refresh import needs_refresh, refresh_scores


@shared_task
def import_sweep() -> None:
    """Start every import that waits or whose worker died."""
    for run_id in runs.waiting_runs():
        import_file.delay(run_id)


@shared_task
def import_file(run_id: int) -> None:
    """Do one import; a second worker with the same run does nothing."""
    if runs.run_import(run_id, now=timezone.now()):
        train_and_score.delay()


@shared_task
def train_and_score() -> None:
    """Train on what is new and score everybody; on the same data nothing changes."""
    refresh_scores(now=timezone.now())


@shared_task
def score_daily() -> None:
    """Once an hour: make the day's scores where they are not there yet."""
    if needs_refresh(timezone.now()):
        train_and_score.delay()
