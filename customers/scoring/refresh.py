"""Trains where the data have changed, then writes everybody's scores, and says how it went."""

from __future__ import annotations

import datetime as dt
from typing import Any

import structlog
from django.core.cache import cache
from django.db.models import Max

from customers.ingest.clock import choose_as_of
from customers.models import Order, Score

from .runner import train_and_score
from .snapshots import NotEnoughHistory

#: Where pages read how the last refresh went: {"state": "running" | "done" | "failed", "message": sentence, "at": ISO}.
STATE_KEY = "customers.scoring.refresh"
STATE_KEPT_S = 7 * 86400

logger = structlog.get_logger(__name__)


def refresh_scores(*, now: dt.datetime) -> int:
    """Train on new data (the same data make no second version) and score all customers; returns how many changed.

    A shop without enough history is a normal state: 0, and the page shows the sentence. Safe to run twice; a second
    call while one runs does nothing.
    """
    _note("running", "", now)
    try:
        changed = train_and_score(now)
    except NotEnoughHistory as problem:
        _note("failed", str(problem), now)
        logger.info("scores_not_refreshed", reason="not_enough_history")
        return 0
    except BaseException:
        _note("failed", "", now)
        raise
    if changed is not None:
        _note("done", "", now)
    return changed or 0


def needs_refresh(now: dt.datetime) -> bool:
    """Whether customers have no scores of the current day, though there are orders to learn from."""
    if not Order.objects.exists():
        return False
    newest = Score.objects.aggregate(newest=Max("as_of"))["newest"]
    return newest is None or newest < choose_as_of(now)


def read_refresh_state() -> dict[str, Any]:
    """How the last refresh went; {} where none is known."""
    found = cache.get(STATE_KEY)
    return found if isinstance(found, dict) else {}


def _note(state: str, message: str, now: dt.datetime) -> None:
    cache.set(STATE_KEY, {"state": state, "message": message, "at": now.isoformat()}, STATE_KEPT_S)
