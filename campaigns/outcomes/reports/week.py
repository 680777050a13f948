"""What happened in a week of the shop: which campaigns began in it, and whose counting ended."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from django.conf import settings

from .ledger import Ledger, Line


@dataclass(frozen=True)
class Week:
    """The oldest first. `over`: their last window closed in it; a live campaign is over once nobody can enter any more."""

    begun: Sequence[Line]
    over: Sequence[Line]


def read_week(ledger: Ledger, until: dt.date) -> Week:
    """The seven days before the day `until`, by the shop's calendar. No query."""
    days = {until - dt.timedelta(days=number) for number in range(1, 8)}
    lines = ledger.lines[::-1]
    return Week(
        [line for line in lines if _find_day(line, "window_start") in days],
        [line for line in lines if line.result.figures.get("is_complete") and _find_day(line, "window_end") in days],
    )


def _find_day(line: Line, name: str) -> dt.date | None:
    at = line.result.figures.get(name)
    return dt.datetime.fromisoformat(at).astimezone(ZoneInfo(settings.SHOP_TIME_ZONE)).date() if at else None
