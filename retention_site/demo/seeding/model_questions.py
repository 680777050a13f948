"""What the demo shop's analyst asks of the model: which groups matter, and how a day of the past would have gone."""

from __future__ import annotations

import datetime as dt

from django.contrib.auth.models import User

from customers.scoring.groups import mark_sensitive
from customers.scoring.replays import BadDay, read_horizon, request_replay

SENSITIVE = ("country", "language")
#: Before today, on top of the horizon: far enough back that what followed is known.
REPLAYED_DAYS_AGO = 30


def ask_about_model(analyst: User, now: dt.datetime) -> None:
    """Leave the questions as rows; the workers answer them after the start, so that nobody waits for them."""
    mark_sensitive(analyst, SENSITIVE, now=now)
    horizon = read_horizon()
    day = now.date() - dt.timedelta(days=horizon + REPLAYED_DAYS_AGO)
    try:
        request_replay(analyst, day, now=now, horizon_days=horizon)
    except BadDay:
        return  # a demo shop too small to look that far back
