"""Training rows: the shop as it was on several past days, with what each customer did afterwards."""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from customers.features.builder import ShopData, build_features
from customers.features.catalogue import FEATURE_KEYS, SEASON_KEYS

from .labels import SHORTEST_HORIZON_DAYS, build_labels
from .lanes import run_in_lanes
from .process_columns import PROCESS_COLUMNS
from .processes import Processes, add_process_columns, fit_processes
from .sequence import add_tokens

SHORTEST_HISTORY_DAYS = 30
USUAL_HISTORY_DAYS = 45
MOST_DATES = 12
MOST_ROWS = 80_000
FEWEST_CUSTOMERS = 200
FEWEST_PER_OUTCOME = 20
SEASONS_KNOWN_AFTER_DAYS = 330


_TOO_FEW = gettext_lazy(
    "There are %(customers)d customers with an order early enough; at least %(needed)d are needed. Import more orders or"
    " wait until more people have ordered."
)


class NotEnoughHistory(Exception):
    """The shop cannot be learned from yet. The message is for staff: what is missing, and what to do."""


@dataclass(frozen=True)
class Snapshots:
    """Rows of customers at dates: features, and beside them churned, orders, value and next_in_days."""

    dates: tuple[dt.datetime, ...]
    rows: pl.DataFrame

    @property
    def churned(self) -> npt.NDArray[np.float64]:
        return self.rows["churned"].to_numpy().astype(np.float64)

    @property
    def step_days(self) -> int | None:
        """The days from one date to the next; None where there is one."""
        return (self.dates[0] - self.dates[1]).days if len(self.dates) > 1 else None


def plan_dates(
    first_at: dt.datetime, until: dt.datetime, *, horizon_days: int, customers: int, step_days: int | None = None
) -> list[dt.datetime]:
    """Days on which to take snapshots, newest first, such that every label window ends at or before `until`.

    At most 12, `step_days` or 7 to 28 days apart (closer where there is little history), fewer in a large shop. Raises
    NotEnoughHistory where not even one fits.
    """
    newest = until - dt.timedelta(days=horizon_days)
    history_days = (newest - first_at).days
    if history_days < SHORTEST_HISTORY_DAYS:
        covered = max(0, (until - first_at).days)
        raise NotEnoughHistory(
            _(
                "The orders known for learning cover %(covered)d days. A horizon of %(horizon)d days needs at least"
                " %(needed)d: import older orders or choose a shorter horizon."
            )
            % {"covered": covered, "horizon": horizon_days, "needed": horizon_days + SHORTEST_HISTORY_DAYS}
        )
    most = max(3, min(MOST_DATES, MOST_ROWS // max(customers, 1)))
    usable = max(0, history_days - USUAL_HISTORY_DAYS)
    step_days = step_days or min(28, max(7, usable // most))
    return [newest - dt.timedelta(days=step_days * i) for i in range(min(most, usable // step_days + 1))]


def take_snapshots(
    shop: ShopData, dates: list[dt.datetime], *, horizon_days: int, with_tokens: bool = False
) -> Snapshots:
    """Features and labels of every customer with an order before each date; raises NotEnoughHistory.

    The newest date comes first. Both outcomes have to occur often enough to learn from. `with_tokens` adds what the
    self-attention model sees.
    """
    return DayBook(shop, horizon_days=horizon_days).take_snapshots(dates, with_tokens=with_tokens)


class DayBook:
    """The customers of a shop on days of the past, with what then happened. A day is worked out once: back-tests that lie as
    far apart as their snapshots share most of their days, where they keep to `step_days`."""

    def __init__(self, shop: ShopData, *, horizon_days: int) -> None:
        self.shop = shop
        self.horizon_days = horizon_days
        self.step_days: int | None = None
        self._known: dict[tuple[dt.datetime, bool], tuple[pl.DataFrame, Processes]] = {}

    def take_snapshots(self, dates: Sequence[dt.datetime], *, with_tokens: bool = False) -> Snapshots:
        """As the function of that name. The older half of the dates is worked out beside the newer."""
        newer = (len(dates) + 1) // 2
        halves = [half for half in (dates[:newer], dates[newer:]) if half]
        parts = run_in_lanes([functools.partial(self._read_days, half, with_tokens) for half in halves])
        rows = pl.concat([day for part in parts for day in part])
        require_both_outcomes(rows)
        return Snapshots(tuple(dates), rows)

    def label_features(self, as_of: dt.datetime, *, with_tokens: bool = False) -> pl.DataFrame:
        """The features as of a date with what happened in the `horizon_days` after it, one row per customer.

        Beside them stands what buy-till-you-die models say that were fitted as of that date.
        """
        return self._read_days([as_of], with_tokens)[0]

    def _read_days(self, dates: Sequence[dt.datetime], with_tokens: bool) -> list[pl.DataFrame]:
        """One frame for each date, each fit begun where the one before ended."""
        days = []
        near: Processes | None = None
        for date in dates:
            if (date, with_tokens) not in self._known:
                self._known[date, with_tokens] = self._work_out(date, with_tokens, near)
            rows, near = self._known[date, with_tokens]
            days.append(rows)
        return days

    def _work_out(self, date: dt.datetime, with_tokens: bool, near: Processes | None) -> tuple[pl.DataFrame, Processes]:
        shop = self.shop
        features, processes = describe_customers(shop, as_of=date, horizon_days=self.horizon_days, near=near)
        labels = build_labels(shop.orders, as_of=date, horizon_days=self.horizon_days)
        told = add_tokens(features, shop.orders, shop.events, as_of=date) if with_tokens else features
        return told.join(labels, on="customer_id"), processes


def describe_customers(
    shop: ShopData, *, as_of: dt.datetime, horizon_days: int, near: Processes | None = None
) -> tuple[pl.DataFrame, Processes]:
    """Features with the columns of the processes fitted to them, and those processes. `near`: those of a date nearby."""
    features = build_features(shop.orders, shop.lines, shop.events, as_of=as_of)
    processes = fit_processes(features, horizon_days=horizon_days, near=near)
    return add_process_columns(features, processes), processes


def require_customers(orders: pl.DataFrame) -> None:
    """Raise NotEnoughHistory where too few people ever ordered, or all on one day, whatever the dates."""
    bought = orders.filter(~pl.col("is_return")) if orders.height else orders
    if not orders.height:
        raise NotEnoughHistory(_("There is no order yet. Import the shop's orders first."))
    if not bought.height:
        told = _("There are refunds alone (%(count)d). Import the orders, too: nothing can be learned from refunds.")
        raise NotEnoughHistory(told % {"count": orders.height})
    customers = bought["customer_id"].n_unique()
    if customers < FEWEST_CUSTOMERS:
        raise NotEnoughHistory(_TOO_FEW % {"customers": customers, "needed": FEWEST_CUSTOMERS})
    days = bought["ordered_at"].dt.date()
    if days.n_unique() == 1:
        told = _(
            "All orders are of one day, %(day)s. Orders over at least %(needed)d days are needed: import older ones, or wait."
        )
        raise NotEnoughHistory(told % {"day": days[0], "needed": SHORTEST_HISTORY_DAYS + 2 * SHORTEST_HORIZON_DAYS})


def require_both_outcomes(rows: pl.DataFrame) -> None:
    """Raise NotEnoughHistory unless enough customers left and enough stayed."""
    customers = rows["customer_id"].n_unique()
    if customers < FEWEST_CUSTOMERS:
        raise NotEnoughHistory(_TOO_FEW % {"customers": customers, "needed": FEWEST_CUSTOMERS})
    leavers = rows.filter(pl.col("churned") == 1)["customer_id"].n_unique()
    stayers = rows.filter(pl.col("churned") == 0)["customer_id"].n_unique()
    if min(leavers, stayers) < FEWEST_PER_OUTCOME:
        raise NotEnoughHistory(
            _(
                "Of %(customers)d customers, %(stayers)d ordered again within the horizon and %(leavers)d did not; at"
                " least %(needed)d of each are needed. Try a longer or shorter horizon."
            )
            % {"customers": customers, "stayers": stayers, "leavers": leavers, "needed": FEWEST_PER_OUTCOME}
        )


def choose_columns(snapshots: Snapshots) -> list[str]:
    """The features that vary in this shop, and the columns of the processes. The season is used only once the snapshots
    cover most of a year: with less, a model would take one month's customers for the season itself."""
    covered_days = (snapshots.dates[0] - snapshots.dates[-1]).days
    chosen = []
    for key in (*FEATURE_KEYS, *PROCESS_COLUMNS):
        if key in SEASON_KEYS and covered_days < SEASONS_KNOWN_AFTER_DAYS:
            continue
        if snapshots.rows[key].drop_nulls().n_unique() > 1:
            chosen.append(key)
    return chosen
