"""What the offer is worth to each person of a frozen audience, as SQL: the face value at the basket they usually fill."""

from __future__ import annotations

from typing import Any

from campaigns.models import Campaign, Offer
from customers.ingest.currency import read_shop_currency


def has_money_off(offer: Offer | None) -> bool:
    """Whether the offer is a sum of money. What free shipping costs a shop is not known here."""
    return offer is not None and offer.kind in (Offer.Kind.PERCENT, Offer.Kind.AMOUNT)


def worth_tables() -> str:
    """Common tables: `baskets` (customer_id, basket: the mean of their orders in the shop's currency until the audience was
    frozen) and `means` (the same over all of them, and the mean churn probability), for who has none."""
    return """
baskets AS (
  SELECT o.customer_id, avg(o.total)::float8 AS basket
  FROM customers_order o
  JOIN campaigns_audiencemember mine ON mine.customer_id = o.customer_id AND mine.campaign_id = %(campaign)s
  WHERE NOT o.is_return AND o.currency = %(currency)s AND (%(as_of)s::timestamptz IS NULL OR o.ordered_at <= %(as_of)s)
  GROUP BY o.customer_id
),
means AS (
  SELECT (SELECT coalesce(avg(basket), 0) FROM baskets) AS mean_basket,
         (SELECT coalesce(avg(churn_probability), 0.5) FROM campaigns_audiencemember WHERE campaign_id = %(campaign)s)
           AS mean_churn
)"""


def discount_sql() -> str:
    """SQL for what one person (`b` is their row of `baskets`) saves who uses the offer once, at no less than its minimum
    basket: the percentage of that basket, or the amount."""
    basket = "greatest(coalesce(b.basket, (SELECT mean_basket FROM means)), %(min_basket)s::float8)"
    return (
        f"CASE %(kind)s::text WHEN 'percent' THEN %(value)s::float8 / 100 * {basket}"
        f" WHEN 'amount' THEN %(value)s::float8 ELSE 0 END"
    )


def worth_params(campaign: Campaign, offer: Offer | None) -> dict[str, Any]:
    """The parameters of both."""
    return {
        "campaign": campaign.pk,
        "currency": read_shop_currency(),
        "as_of": campaign.audience_as_of,
        "kind": offer.kind if offer is not None else Offer.Kind.NONE.value,
        "value": float(offer.value or 0) if offer is not None else 0.0,
        "min_basket": float(offer.min_basket or 0) if offer is not None else 0.0,
    }
