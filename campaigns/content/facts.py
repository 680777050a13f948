"""What a message may claim: the offer, the shop, and products with their prices and stock, as they are now."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from django.conf import settings

from campaigns.models import Archetype, Campaign, Offer
from customers.ingest.currency import read_shop_currency

from .catalogue_picks import list_products
from .composing import describe_offer
from .rendering import MERGE_TAGS, choose_button_url, read_terms


def build_facts(archetype: Archetype, *, now: dt.datetime) -> dict[str, Any]:
    """The facts of one archetype's message as JSON: shop, offer, code, percent, amount, currency, valid_from,
    valid_until, send_date, min_basket, products, policies, talking_points, and language, shop_url, button_url,
    allowed_domains, merge_tags.
    """
    campaign = archetype.campaign
    offer = Offer.objects.filter(campaign=campaign).first() or Offer(campaign=campaign)
    language = archetype.language
    is_percent, is_amount = offer.kind == Offer.Kind.PERCENT, offer.kind == Offer.Kind.AMOUNT
    return {
        "shop": settings.SHOP_NAME,
        "offer": describe_offer(read_terms(offer), language),
        "code": offer.code,
        "percent": _number(offer.value) if is_percent else None,
        "amount": _number(offer.value) if is_amount else None,
        "currency": offer.currency or read_shop_currency(),
        "valid_from": offer.valid_from.isoformat() if offer.valid_from else None,
        "valid_until": offer.valid_until.isoformat() if offer.valid_until else None,
        "send_date": find_send_day(campaign, now).isoformat(),
        "min_basket": _number(offer.min_basket),
        "products": list_products(archetype.interest, language),
        "policies": list_offer_policies(offer),
        "talking_points": [point for point in campaign.talking_points.splitlines() if point.strip()],
        "language": language,
        "shop_url": settings.SHOP_URL,
        "button_url": choose_button_url(offer),
        "allowed_domains": [urlsplit(settings.SHOP_URL).hostname or "", *settings.SHOP_LINK_DOMAINS],
        "merge_tags": list(MERGE_TAGS),
    }


def find_send_day(campaign: Campaign, now: dt.datetime) -> dt.date:
    """The day on which the campaign is to be sent by the shop's calendar; today where no time was chosen yet."""
    return (campaign.scheduled_for or now).astimezone(ZoneInfo(settings.SHOP_TIME_ZONE)).date()


def list_offer_policies(offer: Offer) -> list[str]:
    """What is true for everybody because of the offer, and is over with it."""
    return ["free shipping"] if offer.kind == Offer.Kind.FREE_SHIPPING else []


def _number(value: Decimal | None) -> str | None:
    return None if value is None else f"{value.normalize():f}"
