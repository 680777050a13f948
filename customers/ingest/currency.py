"""The currency in which the shop's figures are shown."""

from __future__ import annotations

from typing import Final

from django.conf import settings
from django.core.cache import cache
from django.db.models import Count

from customers.models import Order

#: What stands before an amount in each currency; one without a sign of its own is written behind the amount.
SIGNS: Final = {"EUR": "€", "USD": "$", "GBP": "£", "CNY": "¥", "JPY": "¥", "INR": "₹", "KRW": "₩"}

_KEY = "customers.ingest.currency"
_KEPT_S = 300


def read_shop_currency() -> str:
    """The currency of most orders; SHOP_CURRENCY while there are none. Asked of the database every five minutes."""
    known = cache.get(_KEY)
    if isinstance(known, str):
        return known
    most = Order.objects.values("currency").annotate(orders=Count("pk")).order_by("-orders").first()
    currency = str(most["currency"]) if most else str(settings.SHOP_CURRENCY)
    if most:
        cache.set(_KEY, currency, _KEPT_S)
    return currency


def forget_shop_currency() -> None:
    """Ask the database at the next call: an import may have brought another currency."""
    cache.delete(_KEY)
