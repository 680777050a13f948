"""The words of figures and claims about an archetype; what they are is said in `measures`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.utils.translation import gettext_lazy as _

from customers.features.catalogue import Unit

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

#: The numbers of a card in their order: name of the measure to its label and unit.
NUMBERS: Final[dict[str, tuple[StrOrPromise, Unit]]] = {
    "recency_days": (_("Since the last order"), "days"),
    "gap_days": (_("Usually between orders"), "days"),
    "orders": (_("Orders so far"), "number"),
    "order_value": (_("Value of an order"), "money"),
    "spent": (_("Spent so far"), "money"),
    "churn_probability": (_("Likely to leave"), "share"),
    "expected_value": (_("Expected to spend"), "money"),
}

#: Claims as sentences without a figure in digits: a language model may be told them. Each is said of "most", with its share.
CLAIM_SENTENCES: Final[dict[str, StrOrPromise]] = {
    "churn_80": _("Very likely to leave"),
    "churn_50": _("More likely to leave than to stay"),
    "silent_365": _("No order for more than a year"),
    "silent_180": _("No order for more than half a year"),
    "silent_90": _("No order for more than three months"),
    "silent_30": _("No order for more than a month"),
    "recent_30": _("Ordered within the last month"),
    "overdue_2": _("More than twice their usual time between orders has passed"),
    "overdue_1": _("Their usual time between orders has passed"),
    "orders_10": _("Ordered ten times or more"),
    "orders_5": _("Ordered five times or more"),
    "orders_3": _("Ordered three times or more"),
    "orders_2": _("Ordered more than once"),
    "orders_once": _("Ordered exactly once"),
    "known_730": _("First ordered more than two years ago"),
    "known_365": _("First ordered more than a year ago"),
    "new_180": _("First ordered within the last half year"),
    "mostly_discounted": _("At least half of their orders were at a discount"),
    "never_discounted": _("Never bought at a discount"),
    "has_returned": _("Sent something back at least once"),
    "never_returned": _("Never sent anything back"),
}

#: From, and under, how many times the average a figure is called above or below it.
ABOVE: Final = 1.15
BELOW: Final = 0.87

#: From how many times the average on a difference is called so.
COMPARISONS: Final[tuple[tuple[float, StrOrPromise], ...]] = (
    (1.5, _("well above the average of this audience")),
    (ABOVE, _("above the average of this audience")),
    (BELOW, _("about the average of this audience")),
    (0.67, _("below the average of this audience")),
)
_FAR_BELOW = _("well below the average of this audience")


def compare(value: float, average: float) -> str:
    """A figure beside the average, in words without digits."""
    ratio = value / average if average > 0 else (1.0 if value <= 0 else 2.0)
    for least, words in COMPARISONS:
        if ratio >= least:
            return str(words)
    return str(_FAR_BELOW)


def lean(value: float, average: float) -> str:
    """Whether a figure lies clearly "above" or "below" the average; "" where it is about the same."""
    ratio = value / average if average > 0 else 1.0
    return "above" if ratio >= ABOVE else "below" if ratio < BELOW else ""
