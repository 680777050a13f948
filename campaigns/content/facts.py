"""What a message may claim, and how the shop speaks: offer, policies, products with prices and stock, as they are now."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings

from campaigns.models import Archetype, Campaign, Offer
from customers.ingest.clock import shop_day
from customers.ingest.currency import read_shop_currency

from .catalogue_picks import list_products
from .composing import describe_offer
from .ledger import version_of_policy
from .policies import read_policies
from .rendering import MERGE_TAGS, choose_button_url, read_terms
from .steps import FIRST_STEP, find_step_moment, read_steps
from .voice import describe_voice, read_voice


def build_facts(archetype: Archetype, *, now: dt.datetime, step: int = FIRST_STEP) -> dict[str, Any]:
    """The facts of one archetype's message of a step as JSON: shop, offer, code, percent, amount, currency, valid_from,
    valid_until, send_date, min_basket, products, policies (offer_policies are those among
    them that come with the offer), policies_version, talking_points, voice, and language,
    shop_url, button_url, allowed_domains, merge_tags.
    """
    campaign = archetype.campaign
    offer = Offer.objects.filter(campaign=campaign).first() or Offer(campaign=campaign)
    language = archetype.language
    is_percent, is_amount = offer.kind == Offer.Kind.PERCENT, offer.kind == Offer.Kind.AMOUNT
    facts = {
        "shop": settings.SHOP_NAME,
        "offer": describe_offer(read_terms(offer), language),
        "code": offer.code,
        "percent": _number(offer.value) if is_percent else None,
        "amount": _number(offer.value) if is_amount else None,
        "currency": offer.currency or read_shop_currency(),
        "valid_from": offer.valid_from.isoformat() if offer.valid_from else None,
        "valid_until": offer.valid_until.isoformat() if offer.valid_until else None,
        "send_date": find_send_day(campaign, now, step).isoformat(),
        "min_basket": _number(offer.min_basket),
        "products": list_products(archetype.interest, language),
        "talking_points": [point for point in campaign.talking_points.splitlines() if point.strip()],
        "language": language,
        "shop_url": settings.SHOP_URL,
        "button_url": choose_button_url(offer),
        "allowed_domains": [urlsplit(settings.SHOP_URL).hostname or "", *settings.SHOP_LINK_DOMAINS],
        "merge_tags": list(MERGE_TAGS),
        "offer_policies": list_offer_policies(offer),
    }
    return join_standing_facts(facts, read_standing_facts(language))


def read_standing_facts(language: str) -> dict[str, Any]:
    """The part of the facts that all campaigns share: voice, policies and policies_version, in one language.

    The voice is {} and the version None where the shop has saved none.
    """
    voice, policies = read_voice(), read_policies()
    return {
        "voice": describe_voice(voice, language),
        "policies": list(policies.texts.get(language, [])) if policies else [],
        "policies_version": policies.number if policies else None,
    }


def join_standing_facts(facts: Mapping[str, Any], standing: Mapping[str, Any]) -> dict[str, Any]:
    """The facts with the voice and policies of now in place of those that were in them; what the offer promises stays."""
    # Facts from before there were policies of the shop hold those of the offer alone.
    of_offer = facts.get("offer_policies", facts.get("policies") or [])
    joined = {**facts, **standing, "offer_policies": list(of_offer)}
    return {**joined, "policies": list(dict.fromkeys([*of_offer, *standing.get("policies", [])]))}


def say_the_same(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """Whether the voice and policies of two facts differ in their numbers alone."""
    voices = [{**(facts.get("voice") or {}), "version": 0} for facts in (before, after)]
    return before.get("policies") == after.get("policies") and voices[0] == voices[1]


def renumber_policies(claims: Sequence[Mapping[str, Any]], facts: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The claims as they were, those on a policy with the number of the revision that still says it."""
    return [
        {**claim, "version": version_of_policy(facts, claim["says"])} if claim.get("fact") == "policy" else dict(claim)
        for claim in claims
    ]


def find_send_day(campaign: Campaign, now: dt.datetime, step: int = FIRST_STEP) -> dt.date:
    """The day on which a step of the campaign is to be sent at the earliest, by the shop's calendar; counted from today where
    no time was chosen yet, or where it is being sent already."""
    is_running = campaign.sending_started_at is not None
    moment = now if is_running else campaign.scheduled_for or now
    if step > FIRST_STEP:
        moment = find_step_moment(moment, read_steps(campaign.pk), step)
    return shop_day(moment)


def list_offer_policies(offer: Offer) -> list[str]:
    """What is true for everybody because of the offer, and is over with it."""
    return ["free shipping"] if offer.kind == Offer.Kind.FREE_SHIPPING else []


def _number(value: Decimal | None) -> str | None:
    return None if value is None else f"{value.normalize():f}"
