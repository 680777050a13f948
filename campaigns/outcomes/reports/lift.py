"""The report Lift: every campaign with its interval, corrected for their number, and what they have in common."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from campaigns.outcomes.correction import correct_false_discovery, correct_holm, find_p_value
from campaigns.outcomes.pooling import Pooled, pool_effects
from campaigns.outcomes.ratio import Bounded

from .ledger import Ledger, Line, read_ledger

#: A corrected p-value below it is a finding.
ALPHA = 0.05


@dataclass(frozen=True)
class LiftLine:
    """One campaign; the p-values are None of one that is in no sum: `holm` bounds the chance of one false alarm among all,
    `discovery` the share of false ones among those that are called found. `shown` is None while too few have ordered for an
    interval that holds at every look."""

    line: Line
    shown: Bounded | None
    holm: float | None
    discovery: float | None

    @property
    def verdict(self) -> str:
        """more, fewer, or "" for no clear difference, after correction; open while it is counted, unsound where the arms are not
        as they were drawn."""
        if self.holm is None:
            return "unsound" if self.line.is_over else "open"
        if self.holm >= ALPHA:
            return ""
        return "more" if self.line.points.value > 0 else "fewer"


@dataclass(frozen=True)
class LiftReport:
    """Percentage points of people who ordered. `pooled` is None with fewer than two campaigns whose counting is over."""

    ledger: Ledger
    lines: Sequence[LiftLine]
    pooled: Pooled | None

    @property
    def settled(self) -> list[LiftLine]:
        return [line for line in self.lines if line.holm is not None]

    @property
    def better(self) -> int:
        return sum(line.verdict == "more" for line in self.lines)

    @property
    def worse(self) -> int:
        return sum(line.verdict == "fewer" for line in self.lines)

    @property
    def open(self) -> int:
        return sum(line.verdict == "open" for line in self.lines)

    @property
    def unsound(self) -> int:
        return sum(line.verdict == "unsound" for line in self.lines)


def read_lift_report(ledger: Ledger | None = None) -> LiftReport:
    """The same number of queries whatever the size of the shop.

    Standard errors are those of the two shares, with one more person in each arm who ordered and one who did not (Agresti and
    Caffo, American Statistician 54, 2000), so that none is nought. Intervals are those that the campaigns' own pages show.
    """
    ledger = read_ledger() if ledger is None else ledger
    settled = [(line, _find_error(line)) for line in ledger.settled]
    p_values = [find_p_value(line.points.value, error) for line, error in settled]
    corrected = {
        line.campaign.pk: (holm, discovery)
        for (line, _error), holm, discovery in zip(
            settled, correct_holm(p_values), correct_false_discovery(p_values), strict=True
        )
    }
    lines = [
        LiftLine(line, choose_interval(line), *corrected.get(line.campaign.pk, (None, None))) for line in ledger.lines
    ]
    pooled = pool_effects([line.points.value for line, _error in settled], [error for _line, error in settled])
    return LiftReport(ledger, lines, pooled)


def _find_error(line: Line) -> float:
    """Of the difference, in points."""
    squared = 0.0
    for arm in ("treated", "holdout"):
        n = line.retention[arm] + 2
        share = (line.retention[f"{arm}_kept"] + 1) / n
        squared += share * (1 - share) / n
    return float(100 * squared**0.5)


def choose_interval(line: Line) -> Bounded | None:
    """Before the end only one that holds however often one looks, around its own estimate."""
    if line.is_over:
        return line.points
    look = line.result.figures.get("any_look")
    return Bounded(look["points"], look["low"], look["high"]) if look else None
