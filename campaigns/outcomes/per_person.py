"""The statement that counts a campaign: what each person did and what was known of them before, then sums of it by arm and kind.

People are joined with their orders once, for everything that is told of a campaign: whether they ordered, how often, what they
paid, what of it a discount took off and whether the offer did, and what they did in the year before.
"""

from __future__ import annotations

from typing import Final

from campaigns.models import Offer
from customers.ingest.merged import came_under_sql, holder_join_sql, order_join_sql

from .offer_use import used_of_offer_sql
from .spread import list_pairs, spread_sql
from .worth import NUMBERS

#: How far back a person's own past is looked at, in days before their window opens.
PAST_DAYS: Final = 365
#: What is known before: orders and money of the past year, P(leaving), and what they were expected to bring. Counts and money as
#: logarithms, which keeps a few large customers from deciding the slope. Who has no score counts as the middle of the scale:
#: any value does, as long as it does not depend on the arm.
COVARIATES: Final = {
    "past_orders": "ln(1 + past_orders)",
    "past_paid": "ln(1 + greatest(past_paid, 0))",
    "churn_probability": "coalesce(churn_probability, 0.5)",
    "expected_value": "ln(1 + greatest(coalesce(expected_value, 0), 0)::float8)",
}
OUTCOMES: Final = ("kept", "orders", "paid")
#: As the pages call it: P(leaving) from AT_RISK on, below LIKELY_TO_STAY, and between.
RISKS: Final = ("leaves", "may_leave", "stays")

_KNOWN = [f"{name}_x" for name in COVARIATES]
_SPENT = [("whole_paid" if name == "paid" else name) for name in NUMBERS]
_PAST = ("past_orders", "past_paid")
#: What sums are of, in the order in which they are counted. `whole_paid` is what was paid before large amounts are cut.
COLUMNS: Final = [*OUTCOMES, *_KNOWN, *(name for name in _SPENT if name not in OUTCOMES), *_PAST]
COVARIATE_PLACES: Final = [COLUMNS.index(name) for name in _KNOWN]
SPENT_PLACES: Final = [COLUMNS.index(name) for name in _SPENT]
PAST_PLACES: Final = [COLUMNS.index(name) for name in _PAST]
#: Each outcome with all that was known, the numbers of spending with one another, and the past with itself.
PAIRS: Final = list_pairs(*([place, *COVARIATE_PLACES] for place in range(len(OUTCOMES))), SPENT_PLACES, PAST_PLACES)


def sums_sql(people: str, offer: Offer | None, *, orders_first: bool = False) -> str:
    """Rows: archetype, risk, looks, arm, cap, people, and what `spread.read_spread` reads of COLUMNS.

    `people` is a query with the columns of `windows.PEOPLE_SQL`, each person once. Parameters: those of `people` with `start` and
    `end` among them, `currency`, `past`, `quantile`, `least`, `at_risk`, `likely_to_stay`, `code`. `orders_first`: `person_sql`.
    """
    return _SQL.format(
        people=person_sql(people, offer, orders_first=orders_first),
        covariates=", ".join(f"({sql})::float8 AS {name}_x" for name, sql in COVARIATES.items()),
        sums=spread_sql(COLUMNS, PAIRS),
    )


def person_sql(people: str, offer: Offer | None, *, orders_first: bool) -> str:
    """A row for each person: what was known of them, and what they did.

    With `orders_first` the orders of the whole shop are added up by customer, and then laid beside the people: a third less work
    where these are most of the shop, and far more where they are few. It needs the same window from `start` to `end` for all.
    Both ways give each person the same numbers.
    """
    opens = "%(start)s" if orders_first else "m.opens_at"
    numbers = _NUMBERS.format(opens=opens, used=used_of_offer_sql(offer))
    if not orders_first:
        return _PEOPLE_FIRST.format(people=people, numbers=numbers, orders=order_join_sql("m.customer_id"))
    return _ORDERS_FIRST.format(
        people=people,
        numbers=numbers,
        names=", ".join(f"coalesce(b.{name}, 0) AS {name}" for name in _NAMES),
        holder=holder_join_sql("m.customer_id"),
        came_under=came_under_sql("m.customer_id", "b"),
    )


#: What _NUMBERS counts of a person's orders.
_NAMES: Final = ("orders", "past_orders", "paid", "past_paid", "discounts", "redeemed", "redemptions")

# Amounts are added up as float8, which takes a tenth of the room of numeric sums, and are rounded to the cents that they are:
# who sent everything back paid 0, and nothing beside it.
_NUMBERS = """
           count(*) FILTER (WHERE o.ordered_at >= {opens} AND NOT o.is_return) AS orders,
           count(*) FILTER (WHERE o.ordered_at < {opens} AND NOT o.is_return) AS past_orders,
           round(100 * coalesce(sum(o.total::float8) FILTER (
               WHERE o.ordered_at >= {opens} AND o.currency = %(currency)s), 0)) / 100 AS paid,
           round(100 * coalesce(sum(o.total::float8) FILTER (
               WHERE o.ordered_at < {opens} AND o.currency = %(currency)s), 0)) / 100 AS past_paid,
           round(100 * coalesce(sum(o.discount::float8) FILTER (
               WHERE o.ordered_at >= {opens} AND o.currency = %(currency)s), 0)) / 100 AS discounts,
           round(100 * coalesce(sum(o.discount::float8) FILTER (
               WHERE o.ordered_at >= {opens} AND o.currency = %(currency)s AND ({used})), 0)) / 100 AS redeemed,
           count(*) FILTER (WHERE o.ordered_at >= {opens} AND NOT o.is_return AND ({used})) AS redemptions"""

# All but the number of a person is the same in each of their rows.
_PEOPLE_FIRST = """
    SELECT any_value(m.arm) AS arm, any_value(m.archetype_id) AS archetype_id,
           any_value(m.churn_probability) AS churn_probability, any_value(m.expected_value) AS expected_value,
           any_value(m.in_looks) AS in_looks, {numbers}
    FROM ({people}) m
    {orders}
     AND o.ordered_at < %(end)s AND o.ordered_at < m.closes_at
     AND o.ordered_at >= %(start)s - make_interval(days => %(past)s)
     AND o.ordered_at >= m.opens_at - make_interval(days => %(past)s)
    GROUP BY m.customer_id"""
_ORDERS_FIRST = """
    SELECT m.arm, m.archetype_id, m.churn_probability, m.expected_value, m.in_looks, {names}
    FROM ({people}) m {holder}
    LEFT JOIN (
        SELECT o.customer_id, coalesce(o.came_as, o.customer_id) AS came_as, {numbers}
        FROM customers_order o
        WHERE o.ordered_at < %(end)s AND o.ordered_at >= %(start)s - make_interval(days => %(past)s)
        GROUP BY o.customer_id, coalesce(o.came_as, o.customer_id)
    ) b ON {came_under}"""

# The logarithms are worked out once for each person (OFFSET 0), not in each of the sums.
_SQL = """
WITH people AS MATERIALIZED ({people}
), cap AS (
    SELECT CASE WHEN count(*) >= %(least)s
                THEN percentile_cont(%(quantile)s) WITHIN GROUP (ORDER BY abs(paid)) END AS cap
    FROM people WHERE paid <> 0
)
SELECT archetype_id, risk, in_looks, arm, min(cap), count(*), {sums}
FROM (
    SELECT arm, archetype_id, in_looks, cap,
           CASE WHEN churn_probability >= %(at_risk)s THEN 'leaves' WHEN churn_probability >= %(likely_to_stay)s THEN 'may_leave'
                WHEN churn_probability IS NOT NULL THEN 'stays' ELSE '' END AS risk,
           orders::float8 AS orders, (orders > 0)::int::float8 AS kept, paid AS whole_paid,
           CASE WHEN cap IS NULL THEN paid ELSE least(greatest(paid, -cap), cap) END AS paid,
           past_orders::float8 AS past_orders, past_paid, discounts, redeemed, redemptions::float8 AS redemptions, {covariates}
    FROM people, cap
    OFFSET 0
) rows
GROUP BY arm, archetype_id, risk, in_looks
"""
