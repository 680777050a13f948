"""When people shop: the year's season, the week and the hours of the day, in each customer's time zone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from .names import ZONES

HOUR_US = 3_600_000_000
DAY_US = 24 * HOUR_US
MINUTE_US = HOUR_US // 60

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_WEEKDAYS = np.array([1.08, 1.0, 0.98, 0.96, 0.94, 0.92, 1.12])
_HOURS = np.array([2, 1, 0.6, 0.4, 0.4, 0.7, 1.6, 3, 4, 5, 5.5, 5.5, 6, 5.5, 5, 5, 5.2, 5.6, 6.5, 8, 9, 9, 7, 4])
_HOURS = _HOURS / _HOURS.mean()


def _make_season() -> NDArray[np.float64]:
    """Relative demand by day of the year, mean 1: December peak, late-November offers, a mild summer, a quiet January."""
    day = np.arange(366)

    def bump(centre: float, width: float, height: float) -> NDArray[np.float64]:
        gap = (day - centre + 183) % 366 - 183
        return np.asarray(height * np.exp(-0.5 * (gap / width) ** 2))

    season = 1 + bump(343, 12, 0.75) + bump(331, 3, 0.5) + bump(168, 35, 0.18) - bump(22, 18, 0.22)
    return np.asarray(season / season.mean())


SEASON = _make_season()


@dataclass(frozen=True)
class Span:
    """A stretch of time [start, end) in microseconds since 1970 UTC.

    `exposure` is, per time zone, how many average days' worth of shopping it holds: a customer who orders at `rate`
    per day places Poisson(rate * exposure) orders in it. Exposures of adjoining spans add up.
    """

    start: int
    end: int
    exposure: NDArray[np.float64]
    _cumulated: NDArray[np.float64]
    _first_hour: int

    @property
    def days(self) -> float:
        return (self.end - self.start) / DAY_US

    def sample_times(self, zones: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
        """One moment for each time zone index given, more often where the shop is busier."""
        hours = self._cumulated.shape[1]
        flat = (self._cumulated + np.arange(len(self._cumulated))[:, None]).ravel()
        found = np.searchsorted(flat, rng.random(len(zones)) + zones, side="right")
        hour = np.clip(found - zones * hours, 0, hours - 1)
        begin = np.maximum(self._first_hour + hour * HOUR_US, self.start)
        end = np.minimum(self._first_hour + (hour + 1) * HOUR_US, self.end)
        return np.asarray(begin + (rng.random(len(zones)) * (end - begin)).astype(np.int64))


@lru_cache(maxsize=512)
def make_span(start: int, end: int) -> Span:
    """The span [start, end); raises ValueError where it is empty."""
    if end <= start:
        raise ValueError("a span must end after it starts")
    first_hour = start - start % HOUR_US
    hours = np.arange(first_hour, end, HOUR_US)
    covered = (np.minimum(hours + HOUR_US, end) - np.maximum(hours, start)) / DAY_US
    weights = np.stack([_weigh_hours(hours + _offset_us(zone, start)) for zone in ZONES]) * covered
    exposure = weights.sum(axis=1)
    return Span(start, end, exposure, np.cumsum(weights, axis=1) / exposure[:, None], first_hour)


def cut_spans(start: int, end: int, origin: int, step_us: int, cuts: tuple[int, ...] = ()) -> list[Span]:
    """[start, end) in steps of a grid that begins at `origin`, cut also at each of `cuts`."""
    first = origin + ((start - origin) // step_us + 1) * step_us
    inner = {*range(first, end, step_us), *(cut for cut in cuts if start < cut < end)}
    edges = [start, *sorted(inner), end]
    return [make_span(a, b) for a, b in pairwise(edges)]


def to_us(moment: datetime) -> int:
    """Microseconds since 1970 UTC; raises ValueError for a datetime without time zone."""
    if moment.tzinfo is None:
        raise ValueError("the simulator needs datetimes with a time zone")
    return (moment - _EPOCH) // timedelta(microseconds=1)


def from_us(moment: int) -> datetime:
    """The aware UTC datetime of a moment in microseconds."""
    return _EPOCH + timedelta(microseconds=moment)


def _offset_us(zone: str, moment: int) -> int:
    offset = from_us(moment).astimezone(ZoneInfo(zone)).utcoffset() or timedelta()
    return offset // timedelta(microseconds=1)


def _weigh_hours(local: NDArray[np.int64]) -> NDArray[np.float64]:
    days = local // DAY_US
    dates = days.astype("datetime64[D]")
    day_of_year = (dates - dates.astype("datetime64[Y]").astype("datetime64[D]")).astype(np.int64)
    # 1970-01-01 was a Thursday, weekday 3 with Monday as 0.
    return np.asarray(SEASON[day_of_year] * _WEEKDAYS[(days + 3) % 7] * _HOURS[(local % DAY_US) // HOUR_US])
