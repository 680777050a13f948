"""What workers do for the door. The rows are the queue, beat only looks."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from llm.client import batches
from llm.records import settle_lost_calls as settle_lost


@shared_task
def batch_sweep() -> None:
    """Bring batches home that have ended, and hand over what waits. Running it twice at once changes nothing."""
    batches.look_after_batches(timezone.now())
    batches.hand_over_waiting(timezone.now())


@shared_task
def settle_lost_calls() -> None:
    """Say of calls whose worker died that no answer came."""
    settle_lost()
