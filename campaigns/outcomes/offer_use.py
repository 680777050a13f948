"""Which orders used an offer, as a condition in SQL: the one rule of all that is counted of discounts."""

from __future__ import annotations

from campaigns.models import Offer


def used_sql(order: str, code: str, is_money: str) -> str:
    """SQL of the condition that an order used an offer, from expressions of its code ('' for none) and whether it is money."""
    return (
        f"CASE WHEN {code} <> '' THEN upper({order}.discount_code) = {code}"
        f" ELSE {is_money} AND {order}.discount > 0 AND {order}.discount_code = '' END"
    )


def used_of_offer_sql(offer: Offer | None) -> str:
    """The same of orders `o` and one offer, or none; its code is the parameter `code`, as `read_code` says it."""
    is_money = offer is not None and offer.kind in (Offer.Kind.PERCENT, Offer.Kind.AMOUNT)
    return used_sql("o", "%(code)s::text", "true" if is_money else "false")


def read_code(offer: Offer | None) -> str:
    """In capitals; "" where the offer has none."""
    return "" if offer is None or offer.kind == Offer.Kind.NONE else offer.code.strip().upper()
