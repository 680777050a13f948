"""By when a conversation is to be answered."""

from __future__ import annotations

import datetime as dt

from django.conf import settings

from support.models import Urgency

#: A share of SUPPORT_ANSWER_HOURS: what is urgent gets a part of it, what can wait twice of it.
SHARES = {Urgency.AT_ONCE: 0.05, Urgency.HIGH: 0.25, Urgency.USUAL: 1.0, Urgency.LOW: 2.0}


def due_at(asked_at: dt.datetime, urgency: int) -> dt.datetime:
    """When the answer to what was asked at `asked_at` is late."""
    hours = float(settings.SUPPORT_ANSWER_HOURS) * SHARES[Urgency(urgency)]
    return asked_at + dt.timedelta(hours=hours)
