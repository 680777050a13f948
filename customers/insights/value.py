"""How revenue spreads over customers: tenths, the share of the best tenth, Gini, mean and median. No framework.

A customer's revenue is what they paid less what was returned, over all time, in the shop's currency. Who paid in others alone
is left out, and counted: as customers who paid nothing they would make the rest look the more unequal.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

import polars as pl

from .history import History

TENTHS = 10


@dataclass(frozen=True)
class Tenth:
    """A tenth of the customers by revenue, the best first; money in the shop's currency."""

    customers: int
    low: Decimal
    high: Decimal
    revenue: Decimal


@dataclass(frozen=True)
class ValueDistribution:
    """`gini` (0: all alike, towards 1: one has it all) counts a customer below nought as nought; there are `below_zero`
    such, whose returns were worth more than what we know they bought. It is None where nobody paid anything. `unseen` are left
    out, for they paid in other currencies alone."""

    customers: int
    revenue: Decimal
    mean: Decimal
    median: Decimal
    gini: float | None
    below_zero: int
    unseen: int
    tenths: tuple[Tenth, ...]

    @property
    def top_share(self) -> float | None:
        """The best tenth's share of all revenue, 0 to 1 (above 1 where others are below nought)."""
        return self.share_of(self.tenths[0]) if self.tenths else None

    def share_of(self, tenth: Tenth) -> float | None:
        return float(tenth.revenue / self.revenue) if self.revenue > 0 else None


def build_value_distribution(history: History) -> ValueDistribution:
    """Everybody whose money is seen. Fewer than ten customers have no tenths."""
    cents = history.customers.filter("is_seen")["cents"].sort(descending=True)
    count, total = len(cents), int(cents.sum())
    middle = int(cents[(count - 1) // 2]) + int(cents[count // 2]) if count else 0
    return ValueDistribution(
        customers=count,
        revenue=_money(total),
        mean=(_money(total) / max(count, 1)).quantize(Decimal("0.01")),
        median=(_money(middle) / 2).quantize(Decimal("0.01")),
        gini=_measure_gini(cents),
        below_zero=int((cents < 0).sum()),
        unseen=history.customers.height - count,
        tenths=_cut_tenths(cents) if count >= TENTHS else (),
    )


def _measure_gini(cents: pl.Series) -> float | None:
    """Mean absolute difference over twice the mean, by ranks; `cents` from the highest on."""
    paid = cents.clip(lower_bound=0).cast(pl.Float64)
    count, total = len(paid), paid.sum()
    if total <= 0:
        return None
    weighted = float((pl.int_range(count, 0, -1, eager=True) * paid).sum())
    return 2 * weighted / (count * float(total)) - (count + 1) / count


def _cut_tenths(cents: pl.Series) -> tuple[Tenth, ...]:
    place = pl.int_range(pl.len())
    tenths = (
        pl.DataFrame({"cents": cents})
        .group_by(place * TENTHS // pl.len(), maintain_order=True)
        .agg(
            customers=pl.len(),
            low=pl.col("cents").min(),
            high=pl.col("cents").max(),
            revenue=pl.col("cents").sum(),
        )
    )
    return tuple(
        Tenth(customers, _money(low), _money(high), _money(revenue))
        for _place, customers, low, high, revenue in tenths.iter_rows()
    )


def _money(cents: int) -> Decimal:
    return Decimal(cents).scaleb(-2)
