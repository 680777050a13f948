"""What is measured of every cell of an audience: figures to average, and claims that are true of some of its people.

Both are kept as sums, so that the figures of any archetype are the sums of its cells and cost no look at its people.
To add one: a row here; its words stand in `cards`.
"""

from __future__ import annotations

from typing import Final

#: Name to SQL over a row `p` of `people.PEOPLE`; null where a person has no such figure.
MEASURES: Final[dict[str, str]] = {
    "churn_probability": "p.churn_probability",
    "expected_value": "p.expected_value",
    "recency_days": "p.recency_days",
    "orders": "p.orders",
    "spent": "p.spent",
    "order_value": "p.spent / nullif(p.orders, 0)",
    "gap_days": "(p.known_days - p.recency_days) / nullif(p.orders - 1, 0)",
}

_GAP: Final = f"nullif({MEASURES['gap_days']}, 0)"

#: Families of claims; within a family the first that is true of enough people says most, and is the one that is told.
CLAIMS: Final[dict[str, dict[str, str]]] = {
    "risk": {"churn_80": "p.churn_probability >= 0.8", "churn_50": "p.churn_probability >= 0.5"},
    "pace": {
        "silent_365": "p.recency_days > 365",
        "silent_180": "p.recency_days > 180",
        "silent_90": "p.recency_days > 90",
        "silent_30": "p.recency_days > 30",
        "recent_30": "p.recency_days <= 30",
    },
    "overdue": {"overdue_2": f"p.recency_days > 2 * {_GAP}", "overdue_1": f"p.recency_days > {_GAP}"},
    "orders": {
        "orders_10": "p.orders >= 10",
        "orders_5": "p.orders >= 5",
        "orders_3": "p.orders >= 3",
        "orders_2": "p.orders >= 2",
        "orders_once": "p.orders = 1",
    },
    "known": {
        "known_730": "p.known_days > 730",
        "known_365": "p.known_days > 365",
        "new_180": "p.known_days <= 180",
    },
    "discounts": {
        "mostly_discounted": "p.orders > 0 AND 2 * p.discounted >= p.orders",
        "never_discounted": "p.orders > 0 AND p.discounted = 0",
    },
    "returns": {"has_returned": "p.returned > 0", "never_returned": "p.orders > 0 AND p.returned = 0"},
}


def sums_sql() -> str:
    """SQL of AudienceCell.sums for a group of rows: {"measures": {name: [sum, people with it]}, "claims": {name: people}}."""
    measured = ", ".join(
        f"'{name}', jsonb_build_array(round(coalesce(sum(({sql})::numeric), 0), 4), count({sql}))"
        for name, sql in MEASURES.items()
    )
    claims = {name: sql for family in CLAIMS.values() for name, sql in family.items()}
    claimed = ", ".join(f"'{name}', count(*) FILTER (WHERE {sql})" for name, sql in claims.items())
    return f"jsonb_build_object('measures', jsonb_build_object({measured}), 'claims', jsonb_build_object({claimed}))"
