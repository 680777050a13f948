"""What things cost the demo shop, and how long its people say they worked: so that the reports have something to count with."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from django.contrib.auth.models import User

from campaigns.models import Campaign
from campaigns.outcomes.pricing import enter_minutes, save_rates
from retention_site.demo.people import APPROVER, MARKETER, Person

from .plans import WE_MISS_YOU

RATES: Final[Mapping[str, Any]] = {
    "margin_share": Decimal("0.46"),
    "staff_hour": Decimal("34.00"),
    "delivery": Decimal("4.90"),
    "model_exchange": Decimal("0.92"),
    "message_prices": {"email": "0.0006", "sms": "0.058"},
}
#: What one marketer noted down; of the other campaigns the audit trail has to tell.
MINUTES: Final = {WE_MISS_YOU.name: 145}


def set_prices(users: Mapping[Person, User], *, now: dt.datetime) -> None:
    """By the approver and the marketer. Safe to run twice."""
    save_rates(users[APPROVER], RATES, now=now)
    for campaign in Campaign.objects.filter(name__in=MINUTES):
        enter_minutes(users[MARKETER], campaign, MINUTES[campaign.name], now=now)
