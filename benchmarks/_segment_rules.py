"""Ten rules of growing depth, each with the SQL that a good engineer would write for it by hand. Data only.

The hand-written statements are tuned one by one: they know that views always name their category, that a set is small or
large, and which condition to begin with. `{...}` are filled in with literals of the run.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Case:
    """A rule, and a statement that counts the same people."""

    name: str
    rule: dict[str, Any]
    by_hand: str


def _views(category: str, times: int, days: int, **more: Any) -> dict[str, Any]:
    return {"did": "viewed_product", "op": "gte", "times": times, "within_days": days, "category": category, **more}


def _never(did: str, days: int, **more: Any) -> dict[str, Any]:
    return {"did": did, "op": "lte", "times": 0, "within_days": days, **more}


def _all(*rules: dict[str, Any]) -> dict[str, Any]:
    return {"match": "all", "rules": list(rules)}


def _any(*rules: dict[str, Any]) -> dict[str, Any]:
    return {"match": "any", "rules": list(rules)}


def _none(*rules: dict[str, Any]) -> dict[str, Any]:
    return {"match": "none", "rules": list(rules)}


_VIEWS = (
    "SELECT e.customer_id FROM customers_customerevent e WHERE e.kind = 'product_viewed'"
    " AND e.occurred_at > '{now}'::timestamptz - interval '%d days' AND e.occurred_at <= '{now}'"
    " AND e.properties->>'category' = '%s' GROUP BY e.customer_id HAVING count(*) >= %d"
)
_BOUGHT = (
    "SELECT o.customer_id FROM customers_order o JOIN customers_orderline l ON l.order_id = o.id AND l.quantity > 0"
    " JOIN customers_product p ON p.id = l.product_id WHERE NOT o.is_return AND p.category = '%s'"
    " AND o.ordered_at > '{now}'::timestamptz - interval '%d days' AND o.ordered_at <= '{now}'"
)
_CONSENTED = (
    "SELECT g.customer_id FROM customers_consentrecord g WHERE g.channel = 'email' AND g.status = 'given'"
    " AND g.recorded_at <= '{now}' AND NOT EXISTS (SELECT 1 FROM customers_consentrecord w WHERE w.customer_id = g.customer_id"
    " AND w.channel = 'email' AND w.recorded_at <= '{now}' AND (w.recorded_at, w.id) > (g.recorded_at, g.id))"
)
_QUIET = (
    "NOT EXISTS (SELECT 1 FROM customers_order o WHERE o.customer_id = c.id AND NOT o.is_return"
    " AND o.ordered_at > '{now}'::timestamptz - interval '%d days' AND o.ordered_at <= '{now}')"
    " AND EXISTS (SELECT 1 FROM customers_order o WHERE o.customer_id = c.id AND NOT o.is_return"
    " AND o.ordered_at <= '{now}'::timestamptz - interval '%d days')"
)

CASES = [
    Case(
        "a country",
        {"field": "country", "op": "in", "value": ["Germany", "China"]},
        "SELECT count(*) FROM customers_customer c WHERE c.country IN ('Germany', 'China')",
    ),
    Case(
        "likely to leave and quiet",
        _all({"field": "churn_probability", "op": "gte", "value": 0.6}, {"field": "recency_days", "op": "gte", "value": 45}),
        "SELECT count(*) FROM customers_customer c JOIN customers_score s ON s.customer_id = c.id"
        f" WHERE s.churn_probability >= 0.6 AND {_QUIET % (45, 45)}",
    ),
    Case(
        "viewed a category often",
        _views("Tents", 3, 30),
        f"SELECT count(*) FROM ({_VIEWS % (30, 'Tents', 3)}) v",
    ),
    Case(
        "viewed a category and bought nothing of it",
        _all(_views("Tents", 3, 90), _never("ordered", 90, category="Tents")),
        f"SELECT count(*) FROM ({_VIEWS % (90, 'Tents', 3)}) v WHERE NOT EXISTS"
        f" (SELECT 1 FROM ({_BOUGHT % ('Tents', 90)}) b WHERE b.customer_id = v.customer_id)",
    ),
    Case(
        "viewed one product again and again and did not order it",
        _views("Jackets", 2, 60, each_product=True, then={"did": "ordered", "happened": False}),
        "SELECT count(DISTINCT g.customer_id) FROM (SELECT e.customer_id FROM customers_customerevent e"
        " WHERE e.kind = 'product_viewed' AND e.properties->>'category' = 'Jackets'"
        " AND e.occurred_at > '{now}'::timestamptz - interval '60 days' AND e.occurred_at <= '{now}'"
        " AND NOT EXISTS (SELECT 1 FROM customers_order o JOIN customers_orderline l ON l.order_id = o.id AND l.quantity > 0"
        " JOIN customers_product p ON p.id = l.product_id WHERE NOT o.is_return AND o.customer_id = e.customer_id"
        " AND p.sku = e.properties->>'sku' AND o.ordered_at > e.occurred_at AND o.ordered_at <= '{now}'"
        " AND o.ordered_at > '{now}'::timestamptz - interval '60 days')"
        " GROUP BY e.customer_id, e.properties->>'sku' HAVING count(*) >= 2) g",
    ),
    Case(
        "abroad or a good customer, and reads us",
        _all(
            _any({"field": "country", "op": "in", "value": ["Germany", "China"]},
                 {"orders": "sum", "op": "gte", "value": 400, "within_days": 365}),
            {"message": "opened", "op": "gte", "times": 2, "within_days": 365},
        ),
        "SELECT count(*) FROM customers_customer c JOIN (SELECT e.customer_id FROM customers_customerevent e"
        " WHERE e.kind = 'email_opened' AND e.occurred_at > '{now}'::timestamptz - interval '365 days'"
        " AND e.occurred_at <= '{now}' GROUP BY e.customer_id HAVING count(*) >= 2) m ON m.customer_id = c.id"
        " LEFT JOIN (SELECT o.customer_id FROM customers_order o WHERE NOT o.is_return AND o.currency = '{currency}'"
        " AND o.ordered_at > '{now}'::timestamptz - interval '365 days' AND o.ordered_at <= '{now}'"
        " GROUP BY o.customer_id HAVING sum(o.total) >= 400) b ON b.customer_id = c.id"
        " WHERE c.country IN ('Germany', 'China') OR b.customer_id IS NOT NULL",
    ),
    Case(
        "one of two categories, and agreed to e-mail",
        _all(
            _any(_all(_views("Tents", 2, 60), _never("ordered", 120, category="Tents")),
                 _all(_views("Backpacks", 2, 60), _never("ordered", 120, category="Backpacks"))),
            {"channel": "email", "is": "consented", "value": True},
        ),
        f"SELECT count(*) FROM (SELECT v.customer_id FROM ({_VIEWS % (60, 'Tents', 2)}) v WHERE NOT EXISTS"
        f" (SELECT 1 FROM ({_BOUGHT % ('Tents', 120)}) b WHERE b.customer_id = v.customer_id)"
        f" UNION SELECT v.customer_id FROM ({_VIEWS % (60, 'Backpacks', 2)}) v WHERE NOT EXISTS"
        f" (SELECT 1 FROM ({_BOUGHT % ('Backpacks', 120)}) b WHERE b.customer_id = v.customer_id)) u"
        f" WHERE u.customer_id IN ({_CONSENTED})",
    ),
    Case(
        "buys at a discount only, never complained, still reads",
        _all(
            {"orders": "count", "op": "gte", "value": 2, "within_days": 365, "discount": "with"},
            {"orders": "count", "op": "lte", "value": 0, "within_days": 365, "discount": "without"},
            _none({"did": "complained", "op": "gte", "times": 1, "within_days": 365},
                  {"did": "asked_support", "op": "gte", "times": 3, "within_days": 365}),
            _any({"message": "clicked", "op": "gte", "times": 1, "within_days": 180},
                 {"message": "opened", "op": "gte", "times": 3, "within_days": 180}),
        ),
        "SELECT count(*) FROM (SELECT o.customer_id FROM customers_order o WHERE NOT o.is_return"
        " AND o.ordered_at > '{now}'::timestamptz - interval '365 days' AND o.ordered_at <= '{now}' GROUP BY o.customer_id"
        " HAVING count(*) FILTER (WHERE o.discount > 0 OR o.discount_code <> '') >= 2"
        " AND count(*) FILTER (WHERE NOT (o.discount > 0 OR o.discount_code <> '')) = 0) b"
        " WHERE NOT EXISTS (SELECT 1 FROM customers_customerevent e WHERE e.customer_id = b.customer_id"
        " AND e.kind = 'complaint_opened' AND e.occurred_at > '{now}'::timestamptz - interval '365 days'"
        " AND e.occurred_at <= '{now}')"
        " AND b.customer_id NOT IN (SELECT e.customer_id FROM customers_customerevent e WHERE e.kind = 'ticket_opened'"
        " AND e.occurred_at > '{now}'::timestamptz - interval '365 days' AND e.occurred_at <= '{now}'"
        " GROUP BY 1 HAVING count(*) >= 3)"
        " AND b.customer_id IN (SELECT e.customer_id FROM customers_customerevent e"
        " WHERE e.kind IN ('email_clicked', 'message_clicked', 'email_opened')"
        " AND e.occurred_at > '{now}'::timestamptz - interval '180 days' AND e.occurred_at <= '{now}' GROUP BY 1"
        " HAVING count(*) FILTER (WHERE e.kind <> 'email_opened') >= 1 OR count(*) FILTER (WHERE e.kind = 'email_opened') >= 3)",
    ),
    Case(
        "four deep: worth it and slipping, in one of three ways",
        _all(
            {"field": "expected_value", "op": "gte", "value": 50},
            _any(
                _all({"field": "recency_days", "op": "between", "value": [60, 180]},
                     _none(_any(_views("Jackets", 1, 30), _views("Tents", 1, 30)))),
                _all({"orders": "average", "op": "gte", "value": 150, "within_days": 730}, _never("ordered", 120)),
                {"did": "used_cart", "op": "gte", "times": 2, "within_days": 30, "then": {"did": "ordered", "happened": False}},
            ),
        ),
        "WITH v AS MATERIALIZED (SELECT DISTINCT e.customer_id FROM customers_customerevent e WHERE e.kind = 'product_viewed'"
        " AND e.occurred_at > '{now}'::timestamptz - interval '30 days' AND e.occurred_at <= '{now}'"
        " AND e.properties->>'category' IN ('Jackets', 'Tents')),"
        " o AS (SELECT o.customer_id, max(o.ordered_at) AS last, avg(o.total) FILTER (WHERE o.currency = '{currency}'"
        " AND o.ordered_at > '{now}'::timestamptz - interval '730 days') AS mean FROM customers_order o WHERE NOT o.is_return"
        " AND o.ordered_at <= '{now}' GROUP BY o.customer_id),"
        " t AS (SELECT k.customer_id FROM (SELECT e.customer_id, i.value->>'sku' AS sku, e.occurred_at"
        " FROM customers_customerevent e CROSS JOIN LATERAL jsonb_array_elements(e.properties->'items') i"
        " WHERE e.kind = 'cart_updated' AND e.occurred_at > '{now}'::timestamptz - interval '30 days'"
        " AND e.occurred_at <= '{now}') k WHERE NOT EXISTS (SELECT 1 FROM customers_order o"
        " JOIN customers_orderline l ON l.order_id = o.id AND l.quantity > 0 JOIN customers_product p ON p.id = l.product_id"
        " WHERE NOT o.is_return AND o.customer_id = k.customer_id AND p.sku = k.sku AND o.ordered_at > k.occurred_at"
        " AND o.ordered_at <= '{now}' AND o.ordered_at > '{now}'::timestamptz - interval '30 days')"
        " GROUP BY k.customer_id HAVING count(*) >= 2)"
        " SELECT count(*) FROM customers_score s LEFT JOIN o ON o.customer_id = s.customer_id"
        " LEFT JOIN v ON v.customer_id = s.customer_id LEFT JOIN t ON t.customer_id = s.customer_id"
        " WHERE s.expected_value >= 50 AND ((o.last <= '{now}'::timestamptz - interval '60 days'"
        " AND o.last >= '{now}'::timestamptz - interval '180 days' AND v.customer_id IS NULL)"
        " OR (o.mean >= 150 AND o.last <= '{now}'::timestamptz - interval '120 days') OR t.customer_id IS NOT NULL)",
    ),
    Case(
        "five deep, with another segment, a random half and an attribute of the shop's own",
        _all(
            {"bucket": [0, 50], "salt": "bench"},
            _any(
                {"attribute": "tier", "type": "text", "op": "is", "value": "gold"},
                _all({"segment": 1, "is_member": True},
                     _any(_views("Backpacks", 2, 90),
                          _all({"message": "opened", "op": "gte", "times": 1, "within_days": 60},
                               _none({"did": "ordered", "op": "gte", "times": 1, "within_days": 60})))),
            ),
            {"channel": "email", "is": "consented", "value": True},
        ),
        "SELECT count(*) FROM customers_customer c LEFT JOIN customers_score s ON s.customer_id = c.id"
        f" LEFT JOIN ({_VIEWS % (90, 'Backpacks', 2)}) v ON v.customer_id = c.id"
        " LEFT JOIN (SELECT DISTINCT e.customer_id FROM customers_customerevent e WHERE e.kind = 'email_opened'"
        " AND e.occurred_at > '{now}'::timestamptz - interval '60 days' AND e.occurred_at <= '{now}') m ON m.customer_id = c.id"
        " LEFT JOIN (SELECT o.customer_id, max(o.ordered_at) AS last FROM customers_order o WHERE NOT o.is_return"
        " AND o.ordered_at <= '{now}' GROUP BY o.customer_id) b ON b.customer_id = c.id"
        f" WHERE c.id IN ({_CONSENTED})"
        " AND ('x' || left(md5('bench:' || c.id), 8))::bit(32)::bigint::float8 / 4294967296 * 100 < 50"
        " AND (c.attributes->>'tier' = 'gold' OR (s.churn_probability >= 0.6"
        " AND b.last <= '{now}'::timestamptz - interval '45 days' AND (v.customer_id IS NOT NULL"
        " OR (m.customer_id IS NOT NULL AND coalesce(b.last, '-infinity') <= '{now}'::timestamptz - interval '60 days'))))",
    ),
]  # fmt: skip
#: The rule of the segment number 1 that the last rule names.
NAMED_SEGMENT = CASES[1].rule
