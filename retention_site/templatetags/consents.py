"""What the customer's page tells of consents beyond their records: the day on which one lapses."""

from __future__ import annotations

import datetime as dt

from django import template

from campaigns.audience.lapsing import find_lapse
from customers.models import Customer

register = template.Library()


@register.simple_tag
def lapse_day(customer: Customer, channel: str) -> dt.datetime | None:
    """When the consent on a channel lapses by the rule of the country, if nothing is sent until then."""
    return find_lapse(customer, channel)
