"""What was measured beside what is true, by campaign and by kind of person: only where a simulator knows the truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from campaigns.models import KnownTruth
from campaigns.outcomes.lift import LEAST_PER_ARM, estimate_lift
from campaigns.outcomes.ratio import Bounded

from .ledger import Line, read_ledger
from .lift import choose_interval

#: In the order in which they are told.
KINDS: Final = ("persuadable", "sure_thing", "lost_cause", "sleeping_dog")


@dataclass(frozen=True)
class Measured:
    """Points: measured with Newcombe's interval, and true. `is_settled`: its counting is over and both arms have 30 people; only
    then does it count towards the coverage. Before the end the whole has the interval that holds at every look, and a kind none
    (None). `kind` is "" for everybody."""

    kind: str
    treated: int
    holdout: int
    points: Bounded | None
    truth: float
    is_settled: bool

    @property
    def covers(self) -> bool:
        return self.points is not None and self.points.low <= self.truth <= self.points.high


@dataclass(frozen=True)
class TruthLine:
    line: Line
    whole: Measured
    kinds: Sequence[Measured]


@dataclass(frozen=True)
class TruthReport:
    """`covered` of `intervals` hold the truth; 95 in 100 would. Kinds are told apart from the campaigns they are parts of."""

    lines: Sequence[TruthLine]
    covered: int
    intervals: int
    kinds_covered: int
    kinds_intervals: int


def has_truth() -> bool:
    return KnownTruth.objects.exists()


def read_truth_report() -> TruthReport:
    """Campaigns whose truth is known, the newest first; five queries."""
    known: dict[int, list[KnownTruth]] = {}
    for row in KnownTruth.objects.all():
        known.setdefault(row.campaign_id, []).append(row)
    lines = [
        _describe(line, known[line.campaign.pk])
        for line in read_ledger().lines
        if line.campaign.pk in known and line.result.true_effect_points is not None
    ]
    wholes = [line.whole for line in lines if line.whole.is_settled]
    kinds = [kind for line in lines for kind in line.kinds if kind.is_settled]
    return TruthReport(
        lines, sum(one.covers for one in wholes), len(wholes), sum(one.covers for one in kinds), len(kinds)
    )


def _describe(line: Line, known: Sequence[KnownTruth]) -> TruthLine:
    retention, truth = line.retention, line.result.true_effect_points
    assert truth is not None
    whole = Measured("", retention["treated"], retention["holdout"], choose_interval(line), truth, line.is_settled)
    order = {kind: place for place, kind in enumerate(KINDS)}
    rows = sorted(known, key=lambda row: order.get(row.kind, len(order)))
    return TruthLine(line, whole, [_measure(row, line) for row in rows])


def _measure(row: KnownTruth, line: Line) -> Measured:
    lift = estimate_lift(row.treated, row.treated_kept, row.holdout, row.holdout_kept)
    points = Bounded(lift.points, lift.low, lift.high) if line.is_over else None
    is_large = min(row.treated, row.holdout) >= LEAST_PER_ARM
    return Measured(row.kind, row.treated, row.holdout, points, row.true_effect_points, line.is_settled and is_large)
