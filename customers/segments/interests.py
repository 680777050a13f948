"""SQL of the conditions about interests, which stand as lists in a customer's profile."""

from __future__ import annotations

from typing import Final

#: From this share of a customer's attention on, a category or brand is one that they are interested in.
STRONG_SHARE: Final = 0.25

_LISTS: Final = {
    "interested_in": ("categories", "category"),
    "likes_brand": ("brands", "brand"),
    "writes_about": ("topics", "topic"),
}


def list_rows(key: str, values: str) -> str:
    """SQL of the customers whose profile names one of `values` (an array of texts): for "interested_in" a category and for
    "likes_brand" a brand with at least `STRONG_SHARE`, for "writes_about" a topic that a model read."""
    column, name = _LISTS[key]
    strong = f" AND (r.value->>'share')::float8 >= {STRONG_SHARE}" if key != "writes_about" else ""
    return (
        f"SELECT i.customer_id FROM customers_interestprofile i CROSS JOIN LATERAL jsonb_array_elements(i.{column}) r"
        f" WHERE r.value->>'{name}' = ANY({values}){strong}"
    )
