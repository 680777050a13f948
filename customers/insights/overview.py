"""The shop's figures on Home, kept for the day: reading a million customers' orders takes seconds, and nobody shall wait."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final

from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.db.models import Max

from customers.ingest.clock import read_shop_clock
from customers.models import Order

from .report import choose_insights_as_of
from .retention import Cohort, RetentionRate, build_cohorts, retention_over_time

KEPT_S: Final = 24 * 3600
#: How many cohorts Home shows: a year, and the month that still runs.
HOME_MONTHS: Final = 13
_VERSION: Final = 2


@dataclass(frozen=True)
class Overview:
    """Retention over time and cohorts, as of the last complete day."""

    as_of: dt.datetime
    rates: tuple[RetentionRate, ...]
    cohorts: tuple[Cohort, ...]


def read_overview(now: dt.datetime) -> Overview:
    """The figures as of the last complete day, or, while nobody had bought anything by then, of this moment."""
    as_of = choose_insights_as_of(now)
    newest = Order.objects.filter(ordered_at__lt=as_of).aggregate(newest=Max("pk"))["newest"]
    if newest is None:
        return _measure(read_shop_clock(now))
    key = f"customers.overview:{_VERSION}:{connection.settings_dict['NAME']}:{as_of.timestamp()}:{newest}:{HOME_MONTHS}"
    key = f"{key}:{settings.SHOP_TIME_ZONE}".replace(" ", "_")
    kept = cache.get(key)
    if isinstance(kept, Overview):
        return kept
    found = _measure(as_of)
    cache.set(key, found, KEPT_S)
    return found


def _measure(as_of: dt.datetime) -> Overview:
    return Overview(as_of, tuple(retention_over_time(as_of)), tuple(build_cohorts(as_of, months=HOME_MONTHS)))
