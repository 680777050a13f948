"""Would each person's own hour have caught more of what they opened later than the one of their time zone? No framework."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .estimate import Counts

REPLICATES = 400


@dataclass(frozen=True)
class HourBacktest:
    """Of `opens` later opens of `people` with an hour of their own: the share within their hour or the one after (`own`), and
    within the hour of all in their time zone (`usual`). `gain` is the difference, with its 95 % interval over people."""

    people: int
    opens: int
    own: float
    usual: float
    gain: float
    low: float
    high: float

    @property
    def is_better(self) -> bool:
        return self.low > 0


def backtest_hours(
    hours: NDArray[np.int64], usual: NDArray[np.int64], later: Counts, *, seed: int = 0
) -> HourBacktest | None:
    """`hours` are those that were estimated before (-1 unknown), `usual` those of all in the person's zone, `later` what the same
    people opened afterwards. None where nobody with an hour of their own opened anything."""
    known = (hours >= 0) & (later.sum(axis=1) > 0)
    if not known.any():
        return None
    own, zone = _caught(later[known], hours[known]), _caught(later[known], usual[known])
    opens = later[known].sum(axis=1)
    low, high = _bound(own - zone, opens, seed)
    whole = float(opens.sum())
    own_share, usual_share = float(own.sum()) / whole, float(zone.sum()) / whole
    return HourBacktest(len(opens), int(whole), own_share, usual_share, own_share - usual_share, low, high)


def _caught(later: Counts, hours: NDArray[np.int64]) -> Counts:
    rows = np.arange(len(hours))
    return np.asarray(later[rows, hours] + later[rows, (hours + 1) % 24])


def _bound(gains: Counts, opens: Counts, seed: int) -> tuple[float, float]:
    """A percentile bootstrap over people, because the opens of one person go together."""
    rng = np.random.default_rng(seed)
    draws = rng.integers(0, len(gains), (REPLICATES, len(gains)))
    shares = gains[draws].sum(axis=1) / opens[draws].sum(axis=1)
    low, high = np.percentile(shares, [2.5, 97.5])
    return float(low), float(high)
