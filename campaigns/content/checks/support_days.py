"""The days that the free text of the facts names."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from .reading import read_support
from .sheet import FactSheet


def support_days(sheet: FactSheet) -> Iterator[dt.date]:
    """The days that the free text of the facts names; without a year, those of the year of sending."""
    text = read_support(sheet).passage.text.lower()
    if sheet.send_date:
        for name, (month, number) in _FEASTS.items():
            if name in text:
                feast = dt.date(sheet.send_date.year, month, number)
                yield feast if feast >= sheet.send_date else feast.replace(year=feast.year + 1)
    for known in read_support(sheet).dates:
        for day in known.days:
            year = day.year or (sheet.send_date.year if sheet.send_date else None)
            if year and day.month and day.day:
                try:
                    yield dt.date(year, day.month, day.day)
                except ValueError:
                    continue


#: Feasts whose day is the same each year.
_FEASTS = {"christmas day": (12, 25), "christmas eve": (12, 24), "valentine's day": (2, 14), "halloween": (10, 31)}
