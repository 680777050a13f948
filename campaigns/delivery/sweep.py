"""What the couriers of one sweep share, and what a sweep did."""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from django.db import connection

from campaigns.models import Campaign
from customers.models import Channel as Kind

from .breaker import Breaker
from .channels import Channel
from .copies import ApprovedTexts, load_approved_texts
from .desk import Desk
from .fence.gate import Leave
from .outbox import ClaimedMessage
from .pace.pacer import Pacer

#: How long texts that were compared with their approval count as compared. Every mark asks for the approval again.
TEXTS_KEPT_S = 2.0


@dataclass(frozen=True)
class SendRun:
    """What one sweep did: messages by new status; `has_more` when time ran out before the outbox was empty."""

    counts: Counter[str] = field(default_factory=Counter)
    has_more: bool = False


class Sweep:
    """One sweep's shared state for one channel: its end, its desk, its breaker and the approved texts."""

    def __init__(
        self,
        deadline: float,
        stop: threading.Event,
        breaker: Breaker,
        open_channel: Callable[[], Channel],
        leave: Leave,
        pacer: Pacer | None,
        kind: str = Kind.EMAIL,
    ) -> None:
        self.kind = kind
        self.deadline = deadline
        self.stop = stop
        self.breaker = breaker
        self.pacer = pacer
        self.leave = leave
        self.has_leave = True
        self.desk = Desk(leave, pacer)
        self.open_channel = open_channel
        self._texts: dict[int, tuple[float, ApprovedTexts]] = {}

    @property
    def is_over(self) -> bool:
        return not self.has_leave or self.stop.is_set() or time.monotonic() >= self.deadline

    @property
    def rest_s(self) -> float:
        return max(self.deadline - time.monotonic(), 0.0)

    def ask_again(self) -> None:
        """Nothing was marked: over, where that is because the leave holds no more. Else it would claim and bid all its time."""
        self.has_leave = self.leave.holds()

    def read_texts(self, campaign: Campaign, messages: Sequence[ClaimedMessage]) -> ApprovedTexts:
        """The approved texts, read anew every TEXTS_KEPT_S and where a message was queued with a newer one. Raises
        StaleApproval."""
        read_at, texts = self._texts.get(campaign.pk, (0.0, None))
        if texts is None or time.monotonic() > read_at + TEXTS_KEPT_S or not texts.know(messages):
            texts = load_approved_texts(campaign)
            self._texts[campaign.pk] = time.monotonic(), texts
        return texts

    def forget_texts(self, campaign_id: int) -> None:
        """They were replaced: whoever needs them reads them anew."""
        self._texts.pop(campaign_id, None)


def database_now() -> dt.datetime:
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        now: dt.datetime = cursor.fetchone()[0]
        return now
