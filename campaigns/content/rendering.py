"""Composes the message from the slots of a variant, and fills it for one person."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

from django.conf import settings

from campaigns.models import Offer, Variant
from customers.models import Customer

from .catalogue_picks import choose_picks, list_products
from .channels import RenderedMessage, compose, find_writer
from .composing import COMPOSER_VERSION, Frame, MessageSource, OfferTerms, Sender, Words, is_shop_link, phrases_in
from .liquid_engine import RenderError
from .merge_tags import MERGE_TAGS, Traits, find_tags, read_traits, slots_for

__all__ = [
    "COMPOSER_VERSION", "MERGE_TAGS", "PREVIEW_CSP", "MessageSource", "RenderError", "RenderedMessage", "Traits",
    "choose_button_url", "compose_source", "find_tags", "load_source", "read_terms", "read_traits", "render_for",
    "render_message", "render_preview", "short_slots", "slots_for", "source_hash",
]  # fmt: skip

#: How many signs a link in a text message has behind the address of the site; a test holds campaigns.delivery to it.
SHORT_LENGTH: Final = 20
#: The Content-Security-Policy of the page that an empty-sandbox preview frame shows.
PREVIEW_CSP: Final = "default-src 'none'; style-src 'unsafe-inline'; sandbox"


def compose_source(variant: Variant, products: Sequence[Mapping[str, Any]] | None = None) -> MessageSource:
    """The Liquid of a variant: a pure function of the variant, its campaign's offer, the shop, its products and the
    language. `products` are those of its facts; read from the catalogue where they are not given."""
    archetype = variant.archetype
    offer = Offer.objects.filter(campaign=archetype.campaign).first() or Offer(campaign=archetype.campaign)
    words = Words(
        variant.subject, variant.preheader, variant.opening, variant.story, variant.invitation, variant.button_label
    )
    if products is None and variant.shows_products:
        products = list_products(archetype.interest, archetype.language)
    frame = Frame(
        offer=read_terms(offer),
        sender=Sender(settings.SHOP_NAME, settings.SHOP_POSTAL_ADDRESS, choose_button_url(offer)),
        language=archetype.language,
        picks=choose_picks(products or ()) if variant.shows_products else (),
    )
    return compose(words, frame, channel=archetype.channel)


def read_terms(offer: Offer) -> OfferTerms:
    """The offer as data."""
    return OfferTerms(
        offer.kind, offer.value, offer.currency, offer.code, offer.min_basket, offer.valid_from, offer.valid_until
    )


def choose_button_url(offer: Offer) -> str:
    """Where the button leads: the offer's address where it is the shop's own, else the shop's front page."""
    domains = tuple(settings.SHOP_LINK_DOMAINS)
    return offer.url if offer.url and is_shop_link(offer.url, settings.SHOP_URL, domains) else settings.SHOP_URL + "/"


def load_source(variant: Variant) -> MessageSource:
    """The source as it was composed when the variant was last written: what was approved, for ever."""
    kept = variant.source
    return MessageSource(
        subject=str(kept.get("subject", "")),
        preheader=str(kept.get("preheader", "")),
        html=str(kept.get("html", "")),
        text=str(kept.get("text", "")),
        version=int(kept.get("version", 0)),
        channel=str(kept.get("channel", "email")),
        links=tuple(map(str, kept.get("links", ()))),
    )


def source_hash(source: MessageSource) -> str:
    """SHA-256 (hex) of version and parts: Variant.content_hash. E-mails are hashed as before there were other channels and
    links by number, so that what was approved then still is."""
    parts = asdict(source)
    if source.channel == "email":
        del parts["channel"]
    if not source.links:
        del parts["links"]
    return hashlib.sha256(json.dumps(parts, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def render_message(source: MessageSource, slots: Mapping[str, str]) -> RenderedMessage:
    """Fill a source. Deterministic; raises RenderError."""
    return find_writer(source.channel).fill(source, slots)


def render_preview(variant: Variant, customer: Customer | None, *, now: dt.datetime) -> RenderedMessage:
    """The copy that `customer` would get, with dead links of their own; None stands for somebody of whom we know nothing.

    In a text message, where each sign counts, dead links are as long as live ones.
    """
    return render_for(compose_source(variant), variant.archetype.language, customer)


def render_for(source: MessageSource, language: str, customer: Customer | None) -> RenderedMessage:
    """Fill a source as `render_preview` does. Raises RenderError."""
    tags = find_tags(source)
    somebody = customer or Customer(first_name="", last_name="")
    known = read_traits([customer.pk], tags) if customer else {}
    slots = slots_for(
        somebody,
        language=language,
        unsubscribe_url=_dead_link(source.channel),
        preferences_url=_dead_link(source.channel),
        tags=tags,
        traits=known.get(somebody.pk, Traits()),
    )
    return render_message(source, slots | short_slots(source, language) | _dead_links(source))


def short_slots(source: MessageSource, language: str) -> dict[str, str]:
    """What only a text message has: the word to reply with, where its sender can be answered."""
    target = settings.SMS_TARGET
    says_reply = source.channel == "sms" and target is not None and target.takes_replies
    return {"stop_word": phrases_in(language).short_reply} if says_reply else {}


def _dead_link(channel: str) -> str:
    return _dead_short_link("0") if channel == "sms" else "#"


def _dead_links(source: MessageSource) -> dict[str, str]:
    """Short links take the place of the plain ones in a text message that is followed."""
    if source.channel != "sms" or settings.CLICK_TRACKING != "all":
        return {}
    return {f"link_{number}": _dead_short_link(str(number)) for number, _url in enumerate(source.links, start=1)}


def _dead_short_link(digit: str) -> str:
    return f"{settings.SITE_URL}/l/".ljust(len(settings.SITE_URL) + SHORT_LENGTH, digit)
