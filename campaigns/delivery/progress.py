"""How far a send has come: what the Live page polls."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from django.db import connection
from django.db.models import Count, Max, Min
from django.db.models.expressions import RawSQL

from campaigns.models import Campaign, Message, MessageStatus

from .outbox import OPEN_STATES

#: Handed over: the mail server said yes, whatever it told us afterwards.
HANDED_OVER = (
    MessageStatus.ACCEPTED,
    MessageStatus.DELIVERED,
    MessageStatus.BOUNCED,
    MessageStatus.COMPLAINED,
)

#: The rate is that of the last minute: long enough to be calm, short enough to show a stop.
RATE_WINDOW_S = 60


@dataclass(frozen=True)
class Progress:
    """Messages of one campaign by status and skip reason. `per_second` is of the last minute, 0 when nothing went out.

    `opened` and `clicked` are people, told from machines; opened of those alone who agreed that it is seen. `waiting` are due
    later, by their own clock or because of their quiet hours, from `waits_from` to `waits_until`.
    """

    total: int
    by_status: Mapping[str, int]
    by_skip_reason: Mapping[str, int]
    per_second: float
    opened: int = 0
    clicked: int = 0
    waiting: int = 0
    waits_from: dt.datetime | None = None
    waits_until: dt.datetime | None = None

    @property
    def open(self) -> int:
        return sum(self.by_status.get(status, 0) for status in OPEN_STATES)

    @property
    def sent(self) -> int:
        """Accepted by the mail server, whatever became of them since."""
        return sum(self.by_status.get(status, 0) for status in HANDED_OVER)

    @property
    def done(self) -> int:
        return self.total - self.open

    @property
    def remaining(self) -> dt.timedelta | None:
        """Of what is due, at the present rate; None when nothing moves."""
        due = self.open - self.waiting
        return dt.timedelta(seconds=due / self.per_second) if self.per_second and due > 0 else None


def read_progress(campaign: Campaign) -> Progress:
    """Two grouped counts, what waits for its hour, and a rate, by the database's clock."""
    messages = Message.objects.filter(campaign=campaign).order_by()
    found = messages.values_list("status").annotate(Count("pk"), Count("opened_at"), Count("clicked_at"))
    rows = {status: counts for status, *counts in found}
    by_status = {status: counts[0] for status, counts in rows.items()}
    opened, clicked = (sum(counts[place] for counts in rows.values()) for place in (1, 2))
    skipped = messages.filter(status=MessageStatus.SKIPPED)
    by_skip_reason = dict(skipped.values_list("skip_reason").annotate(n=Count("pk")))
    rate = _measure_rate(campaign.pk)
    waiting = messages.filter(status=MessageStatus.QUEUED, not_before__gt=RawSQL("clock_timestamp()", []))
    hours = waiting.aggregate(n=Count("pk"), first=Min("not_before"), last=Max("not_before"))
    return Progress(
        sum(by_status.values()),
        by_status,
        by_skip_reason,
        rate,
        opened,
        clicked,
        hours["n"],
        hours["first"],
        hours["last"],
    )


def _measure_rate(campaign_id: int) -> float:
    """Over the time since the first message in the window, so that the first seconds do not look slow."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT count(*), extract(epoch FROM clock_timestamp() - min(settled_at))
            FROM campaigns_message
            WHERE campaign_id = %s AND status <> 'skipped' AND settled_at > clock_timestamp() - make_interval(secs => %s)
            """,
            [campaign_id, RATE_WINDOW_S],
        )
        sent, seconds = cursor.fetchone()
    return float(sent) / max(float(seconds), 1.0) if sent else 0.0
