"""Trains where the data have changed, then writes everybody's scores, and says how it went."""

from __future__ import annotations

import datetime as dt
from typing import Any

import structlog
from django.core.cache import cache
from django.db import connection
from django.db.models import Max, Min

from customers.ingest.clock import choose_as_of
from customers.models import ModelVersion, Order, Score, note_everybody

from .runner import train_model_version
from .sharing import score_shop
from .snapshots import NotEnoughHistory
from .totals import count_scores
from .working import find_working_version

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
        count_scores(now)
        _note("done", "", now)
    if changed:
        note_everybody()
    return changed or 0


def train_and_score(now: dt.datetime) -> int | None:
    """Train where there is something new to learn, then score everybody; returns how many rows changed.

    Where nothing can be learned any more, the version in use (or one that can stand in for it) scores, and then
    NotEnoughHistory is raised. A second call while one runs returns None and does nothing.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(hashtext('customers.scoring.train_and_score'))")
        if not cursor.fetchone()[0]:
            return None
        try:
            try:
                model = train_model_version(now=now)
            except NotEnoughHistory:
                if ModelVersion.objects.in_use().exists():
                    score_shop(find_working_version(), as_of=choose_as_of(now))
                raise
            return score_shop(model, as_of=choose_as_of(now))
        finally:
            cursor.execute("SELECT pg_advisory_unlock(hashtext('customers.scoring.train_and_score'))")


def needs_refresh(now: dt.datetime) -> bool:
    """Whether customers have no scores of the current day, though there are orders to learn from.

    A worker that was killed in mid-work leaves some customers with scores of an earlier day, or on the first night with
    none, and the state "running"; the next sweep begins again, and does what is missing.
    """
    if not Order.objects.exists():
        return False
    known = Score.objects.aggregate(newest=Max("as_of"), oldest=Min("as_of"))
    if known["newest"] is None or known["newest"] < choose_as_of(now):
        return True
    return known["oldest"] < known["newest"] or _broke_off(read_refresh_state())


def read_refresh_state() -> dict[str, Any]:
    """How the last refresh went; {} where none is known."""
    found = cache.get(STATE_KEY)
    return found if isinstance(found, dict) else {}


def _broke_off(state: dict[str, Any]) -> bool:
    """Whether the last refresh was killed or failed with nothing that staff could mend. One that still runs is not begun
    twice: `train_and_score` sees its lock."""
    return state.get("state") == "running" or (state.get("state") == "failed" and not state.get("message"))


def _note(state: str, message: str, now: dt.datetime) -> None:
    cache.set(STATE_KEY, {"state": state, "message": message, "at": now.isoformat()}, STATE_KEPT_S)
