"""The shop's own "now": a shop whose data end in the past is looked at as of its last day."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Max

from customers.models import Order

#: A shop without an order for so long has stopped delivering data (an imported history), rather than selling.
QUIET_DAYS = 21


def read_shop_clock(now: dt.datetime) -> dt.datetime:
    """The moment as of which customers are looked at: `now`, or just after the last order of historic data.

    An imported file that ends in 2011 would otherwise show every customer as gone for fifteen years. Orders dated in
    the future do not move the clock.
    """
    last: dt.datetime | None = Order.objects.filter(ordered_at__lte=now).aggregate(last=Max("ordered_at"))["last"]
    if last is None or now - last <= dt.timedelta(days=QUIET_DAYS):
        return now
    return last + dt.timedelta(seconds=1)


def choose_as_of(now: dt.datetime) -> dt.datetime:
    """The moment as of which customers are scored and described: today's midnight (UTC), so that a second run of the
    day finds nothing to change; in a shop whose data ended long ago, just after its last order."""
    clock = read_shop_clock(now)
    return clock if clock < now else midnight_of(now)


def midnight_of(moment: dt.datetime) -> dt.datetime:
    """The midnight (UTC) that a moment's day began with."""
    return moment.astimezone(dt.UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def shop_day(moment: dt.datetime) -> dt.date:
    """The day of a moment by the shop's own calendar."""
    return moment.astimezone(ZoneInfo(settings.SHOP_TIME_ZONE)).date()
