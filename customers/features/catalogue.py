"""Every feature with its words: one list for the builder, the explanations, the pages and the segments.

To add a feature: add a row here, its expression in `builder.py`, and its line in the plain-Python twin in
tests/customers/features/plain_features.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

Unit = Literal["days", "orders", "money", "items", "products", "times", "share", "ratio", "e-mails", "cases", "number"]


@dataclass(frozen=True)
class Theme:
    """A family of features that tell the same story; the reasons of a score name each theme at most once."""

    key: str
    label: StrOrPromise
    meaning: StrOrPromise


@dataclass(frozen=True)
class Feature:
    """One number known of a customer as of a date.

    `sentence` is what a reason says: a translatable template over %(value)s and %(average)s (the shop's), both with
    their unit, and %(typical)s, which is the value of the feature named in `compared_with` for the same customer.
    `sentence_alone` is said instead where that one is null, `sentence_without` where the value is. A feature with
    `told=False` counts towards its theme but is never the one that is told: another says the same more plainly.
    """

    key: str
    label: StrOrPromise
    unit: Unit
    theme: str
    meaning: StrOrPromise
    sentence: StrOrPromise
    compared_with: str = ""
    sentence_alone: StrOrPromise = ""
    sentence_without: StrOrPromise = ""
    told: bool = True


THEMES: dict[str, Theme] = {
    theme.key: theme
    for theme in (
        Theme("rhythm", _("Overdue"), _("how long ago the last orders were, against the usual time between orders")),
        Theme("frequency", _("How often they order"), _("how many orders there were in the long run")),
        Theme("value", _("What they spend"), _("how much the orders are worth")),
        Theme("newness", _("How long a customer"), _("the time since the first order")),
        Theme("basket", _("What they buy"), _("how many and how different things are bought")),
        Theme("returns", _("Returns"), _("what was sent back or cancelled")),
        Theme("discounts", _("Discounts"), _("how much was bought at a discount")),
        Theme("browsing", _("Visits to the shop"), _("products viewed, searches and carts")),
        Theme("email", _("E-mail"), _("whether our e-mails are opened and clicked")),
        Theme("support", _("Complaints and questions"), _("what was asked of support or complained about")),
        Theme("season", _("Season"), _("the time of the year")),
    )
}

_ORDERED_ONCE = _("Ordered only once so far")

FEATURES: tuple[Feature, ...] = (
    Feature("recency_days", _("Days since the last order"), "days", "rhythm",
            _("time between the last order and the date of the prediction"),
            _("%(value)s since the last order; usually orders every %(typical)s"), "gap_mean",
            sentence_alone=_("%(value)s since the last order; the average is %(average)s")),
    Feature("gap_mean", _("Usual days between orders"), "days", "rhythm",
            _("mean time between two days with an order; empty with a single one"),
            _("Usually orders every %(value)s; the average is %(average)s"),
            sentence_without=_ORDERED_ONCE, told=False),
    Feature("gap_median", _("Median days between orders"), "days", "rhythm",
            _("median time between two days with an order"),
            _("Half of the orders come within %(value)s; the average is %(average)s"),
            sentence_without=_ORDERED_ONCE, told=False),
    Feature("gap_std", _("Spread of days between orders"), "days", "rhythm",
            _("standard deviation of the times between orders; empty with fewer than three"),
            _("Time between orders varies by %(value)s; the average is %(average)s"),
            sentence_without=_("Ordered at most twice so far"), told=False),
    Feature("gap_last", _("Days between the last two orders"), "days", "rhythm",
            _("time between the last two days with an order"),
            _("%(value)s between the last two orders; usually %(typical)s"), "gap_mean",
            sentence_without=_ORDERED_ONCE, told=False),
    Feature("overdue_ratio", _("Overdue"), "ratio", "rhythm",
            _("days since the last order divided by the usual days between orders"),
            _("%(value)s the usual time between orders has passed; the average is %(average)s"),
            sentence_without=_ORDERED_ONCE, told=False),
    Feature("last_gap_ratio", _("Last time between orders against the usual"), "ratio", "rhythm",
            _("days between the last two orders divided by the usual days between orders"),
            _("The last time between orders was %(value)s the usual; the average is %(average)s"),
            sentence_without=_ORDERED_ONCE, told=False),
    Feature("gap_variation", _("Irregularity of orders"), "ratio", "rhythm",
            _("spread of the times between orders divided by their mean; empty with fewer than three"),
            _("Time between orders varies by %(value)s its mean; the average is %(average)s"),
            sentence_without=_("Ordered at most twice so far"), told=False),
    Feature("order_days", _("Days with an order"), "orders", "frequency",
            _("number of different days with an order"), _("%(value)s so far; the average is %(average)s")),
    Feature("orders_30d", _("Orders in 30 days"), "orders", "rhythm",
            _("orders in the 30 days before the date"),
            _("%(value)s in the last 30 days; the average is %(average)s"), told=False),
    Feature("orders_90d", _("Orders in 90 days"), "orders", "rhythm",
            _("orders in the 90 days before the date"),
            _("%(value)s in the last 90 days; the average is %(average)s"), told=False),
    Feature("orders_180d", _("Orders in 180 days"), "orders", "frequency",
            _("orders in the 180 days before the date"),
            _("%(value)s in the last 180 days; the average is %(average)s")),
    Feature("orders_365d", _("Orders in a year"), "orders", "frequency",
            _("orders in the 365 days before the date"), _("%(value)s in the last year; the average is %(average)s")),
    Feature("orders_decayed_30d", _("Orders, recent ones weigh more (30 days)"), "number", "rhythm",
            _("orders, each counting half as much for every 30 days that have passed"),
            _("Recent orders weigh %(value)s; the average is %(average)s"), told=False),
    Feature("orders_decayed_120d", _("Orders, recent ones weigh more (120 days)"), "number", "rhythm",
            _("orders, each counting half as much for every 120 days that have passed"),
            _("Orders of the last year weigh %(value)s; the average is %(average)s"), told=False),
    Feature("orders_trend", _("Change in orders"), "number", "rhythm",
            _("orders in the last 90 days less those in the 90 days before"),
            _("%(value)s orders against the 90 days before; the average is %(average)s"), told=False),
    Feature("orders_season", _("Orders in this season last year"), "orders", "season",
            _("orders in the 90 days that follow this date, a year earlier"),
            _("%(value)s in this season last year; the average is %(average)s")),
    Feature("revenue_total", _("Revenue so far"), "money", "value",
            _("all orders less returns"), _("Spent %(value)s so far; the average is %(average)s")),
    Feature("revenue_90d", _("Revenue in 90 days"), "money", "value",
            _("orders less returns in the 90 days before the date"),
            _("Spent %(value)s in the last 90 days; the average is %(average)s")),
    Feature("revenue_365d", _("Revenue in a year"), "money", "value",
            _("orders less returns in the 365 days before the date"),
            _("Spent %(value)s in the last year; the average is %(average)s")),
    Feature("revenue_decayed_90d", _("Revenue, recent orders weigh more (90 days)"), "money", "value",
            _("value of orders, each counting half as much for every 90 days that have passed"),
            _("Recent orders are worth %(value)s; the average is %(average)s"), told=False),
    Feature("revenue_trend", _("Change in revenue"), "money", "value",
            _("value of orders in the last 90 days less that in the 90 days before"),
            _("%(value)s against the 90 days before; the average is %(average)s"), told=False),
    Feature("order_value_mean", _("Value per order"), "money", "value",
            _("mean value of the orders, returns left aside"),
            _("Orders are worth %(value)s; the average is %(average)s"),
            sentence_without=_("Paid in another currency so far")),
    Feature("order_value_last", _("Value of the last order"), "money", "value",
            _("value of the last order"), _("The last order was worth %(value)s; the average is %(average)s"),
            sentence_without=_("Paid for the last order in another currency")),
    Feature("order_value_std", _("Spread of order values"), "money", "value",
            _("standard deviation of the values of orders; empty with a single one"),
            _("Order values vary by %(value)s; the average is %(average)s"),
            sentence_without=_ORDERED_ONCE, told=False),
    Feature("tenure_days", _("Days since the first order"), "days", "newness",
            _("time between the first order and the date of the prediction"),
            _("A customer for %(value)s; the average is %(average)s")),
    Feature("active_share", _("Share of weeks with an order"), "share", "frequency",
            _("weeks with an order among the weeks since the first one"),
            _("Ordered in %(value)s of the weeks; the average is %(average)s"), told=False),
    Feature("basket_items", _("Items per order"), "items", "basket",
            _("mean number of items in an order"), _("%(value)s per order; the average is %(average)s")),
    Feature("distinct_products", _("Different products"), "products", "basket",
            _("number of different products ever bought"), _("%(value)s so far; the average is %(average)s")),
    Feature("distinct_categories", _("Different categories"), "number", "basket",
            _("number of different categories ever bought from"),
            _("Bought from %(value)s categories; the average is %(average)s")),
    Feature("favourite_share", _("Share of the favourite category"), "share", "basket",
            _("purchases in the category bought most divided by all with a category"),
            _("%(value)s of purchases are of one category; the average is %(average)s"),
            sentence_without=_("Bought nothing with a category so far")),
    Feature("line_items", _("Pieces of one product"), "items", "basket",
            _("median number of pieces of one product in an order; large for wholesalers"),
            _("Usually %(value)s of one product at once; the average is %(average)s"),
            sentence_without=_("Bought nothing but charges so far")),
    Feature("rebought_share", _("Share of products bought again"), "share", "basket",
            _("products bought on two days or more divided by all products bought"),
            _("%(value)s of the products were bought again; the average is %(average)s"),
            sentence_without=_("Bought nothing but charges so far")),
    Feature("product_popularity", _("How common the products bought are"), "number", "basket",
            _("mean over the products bought of the logarithm of the share of customers who bought the same"),
            _("Buys products that few or many others buy, too"), told=False),
    Feature("return_share", _("Share sent back"), "share", "returns",
            _("value of returns divided by the value of orders"),
            _("Sent back %(value)s of what was bought; the average is %(average)s")),
    Feature("returns_90d", _("Returns in 90 days"), "times", "returns",
            _("returns or cancellations in the 90 days before the date"),
            _("Sent something back %(value)s in the last 90 days; the average is %(average)s")),
    Feature("days_since_return", _("Days since the last return"), "days", "returns",
            _("time since something was last sent back or cancelled; empty when nothing was"),
            _("%(value)s since the last return; the average is %(average)s"),
            sentence_without=_("Nothing sent back so far")),
    Feature("discount_share", _("Share bought at a discount"), "share", "discounts",
            _("orders with a discount divided by all orders"),
            _("%(value)s of the orders at a discount; the average is %(average)s")),
    Feature("discounted_90d", _("Orders at a discount in 90 days"), "orders", "discounts",
            _("orders with a discount in the 90 days before the date"),
            _("%(value)s at a discount in the last 90 days; the average is %(average)s")),
    Feature("days_since_visit", _("Days since the last visit"), "days", "browsing",
            _("time since a product was viewed, searched or put into a cart; empty when over 180 days"),
            _("%(value)s since the last visit; the average is %(average)s"),
            sentence_without=_("No visit in the last 180 days")),
    Feature("views_30d", _("Products viewed in 30 days"), "times", "browsing",
            _("product views in the 30 days before the date"),
            _("Viewed products %(value)s in the last 30 days; the average is %(average)s")),
    Feature("views_90d", _("Products viewed in 90 days"), "times", "browsing",
            _("product views in the 90 days before the date"),
            _("Viewed products %(value)s in the last 90 days; the average is %(average)s")),
    Feature("views_trend", _("Change in product views"), "number", "browsing",
            _("product views in the last 30 days less a third of those in the last 90"),
            _("%(value)s views against a usual month; the average is %(average)s"), told=False),
    Feature("views_decayed_14d", _("Products viewed, recent views weigh more (14 days)"), "number", "browsing",
            _("product views, each counting half as much for every 14 days that have passed"),
            _("Recent views weigh %(value)s; the average is %(average)s"), told=False),
    Feature("searches_30d", _("Searches in 30 days"), "times", "browsing",
            _("searches in the 30 days before the date"),
            _("Searched %(value)s in the last 30 days; the average is %(average)s")),
    Feature("carts_30d", _("Cart changes in 30 days"), "times", "browsing",
            _("changes to the cart in the 30 days before the date"),
            _("Put things into the cart %(value)s in the last 30 days; the average is %(average)s")),
    Feature("days_since_cart", _("Days since the last cart"), "days", "browsing",
            _("time since something was last put into a cart; empty when over 180 days"),
            _("%(value)s since the cart was last changed; the average is %(average)s"),
            sentence_without=_("No cart in the last 180 days"), told=False),
    Feature("emails_90d", _("E-mails in 90 days"), "e-mails", "email",
            _("e-mails sent in the 90 days before the date"),
            _("Got %(value)s in the last 90 days; the average is %(average)s")),
    Feature("opens_90d", _("E-mails opened in 90 days"), "e-mails", "email",
            _("e-mails opened in the 90 days before the date"),
            _("Opened %(value)s in the last 90 days; the average is %(average)s")),
    Feature("clicks_90d", _("E-mails clicked in 90 days"), "e-mails", "email",
            _("clicks in e-mails in the 90 days before the date"),
            _("Clicked in %(value)s in the last 90 days; the average is %(average)s")),
    Feature("open_share_90d", _("Share of e-mails opened"), "share", "email",
            _("opens divided by e-mails sent in 90 days; empty when none was sent"),
            _("Opened %(value)s of the e-mails of the last 90 days; the average is %(average)s"),
            sentence_without=_("No e-mail in the last 90 days")),
    Feature("click_share_90d", _("Share of e-mails clicked"), "share", "email",
            _("clicks divided by e-mails sent in 90 days; empty when none was sent"),
            _("Clicked in %(value)s of the e-mails of the last 90 days; the average is %(average)s"),
            sentence_without=_("No e-mail in the last 90 days")),
    Feature("days_since_open", _("Days since an e-mail was opened"), "days", "email",
            _("time since an e-mail was last opened; empty when over 180 days"),
            _("%(value)s since an e-mail was opened; the average is %(average)s"),
            sentence_without=_("No e-mail opened in the last 180 days")),
    Feature("complaints_90d", _("Complaints in 90 days"), "cases", "support",
            _("complaints opened in the 90 days before the date"),
            _("%(value)s complained about in the last 90 days; the average is %(average)s")),
    Feature("open_complaints", _("Open complaints"), "cases", "support",
            _("complaints of the last 180 days that are not yet solved"),
            _("%(value)s still open with a complaint; the average is %(average)s")),
    Feature("days_since_complaint", _("Days since the last complaint"), "days", "support",
            _("time since the last complaint; empty when over 180 days"),
            _("%(value)s since the last complaint; the average is %(average)s"),
            sentence_without=_("No complaint in the last 180 days")),
    Feature("tickets_90d", _("Questions in 90 days"), "cases", "support",
            _("questions asked of support in the 90 days before the date"),
            _("%(value)s asked of support in the last 90 days; the average is %(average)s")),
    Feature("month_sin", _("Season (sine)"), "number", "season",
            _("the time of the year on a circle"), _("The time of the year")),
    Feature("month_cos", _("Season (cosine)"), "number", "season",
            _("the time of the year on a circle"), _("The time of the year")),
)  # fmt: skip

FEATURE_KEYS: tuple[str, ...] = tuple(feature.key for feature in FEATURES)
SEASON_KEYS: frozenset[str] = frozenset(feature.key for feature in FEATURES if feature.theme == "season")

_BY_KEY = {feature.key: feature for feature in FEATURES}


def get_feature(key: str) -> Feature:
    """The feature called `key`; raises KeyError where there is none."""
    return _BY_KEY[key]
