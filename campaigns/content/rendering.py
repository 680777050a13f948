"""Composes the message from the slots of a variant, and fills it for one person."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Final

from django.conf import settings

from campaigns.models import Offer, Variant
from customers.models import Customer

from .composing import (
    COMPOSER_VERSION,
    MessageSource,
    OfferTerms,
    Sender,
    Words,
    compose,
    is_shop_link,
)
from .liquid_engine import RenderError, fill

__all__ = [
    "COMPOSER_VERSION", "MERGE_TAGS", "PREVIEW_CSP", "MessageSource", "RenderError", "RenderedMessage",
    "choose_button_url", "compose_source", "load_source", "render_message", "render_preview", "slots_for", "source_hash",
]  # fmt: skip

#: The Content-Security-Policy of the page that an empty-sandbox preview frame shows.
PREVIEW_CSP = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
#: What an author may write between {{ and }}; each has a fall-back when a person has no such value.
MERGE_TAGS: Final = ("first_name",)
LONGEST_NAME: Final = 40
_LOOKS_LIKE_A_LINK: Final = re.compile(r"https?:|www\.|@|/|\w[.。]\w|\d{4}|[<>{}%\[\]|\\]", re.IGNORECASE)


@dataclass(frozen=True)
class RenderedMessage:
    """One copy, ready to send."""

    subject: str
    preheader: str
    html: str
    text: str


def compose_source(variant: Variant) -> MessageSource:
    """The Liquid of a variant: a pure function of the variant, its campaign's offer, the shop and the language."""
    campaign = variant.archetype.campaign
    offer = Offer.objects.filter(campaign=campaign).first() or Offer(campaign=campaign)
    words = Words(
        variant.subject, variant.preheader, variant.opening, variant.story, variant.invitation, variant.button_label
    )
    terms = OfferTerms(
        offer.kind, offer.value, offer.currency, offer.code, offer.min_basket, offer.valid_from, offer.valid_until
    )
    sender = Sender(settings.SHOP_NAME, settings.SHOP_POSTAL_ADDRESS, choose_button_url(offer))
    return compose(words, terms, sender, variant.archetype.language)


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
    )


def source_hash(source: MessageSource) -> str:
    """SHA-256 (hex) of version and parts: Variant.content_hash."""
    return hashlib.sha256(json.dumps(asdict(source), sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def slots_for(customer: Customer, *, language: str, unsubscribe_url: str) -> dict[str, str]:
    """The values that fill a source for one person: plain strings, what Message.slots keeps.

    `language` is the archetype's ("en", "zh"): a Chinese greeting takes the whole name. A name that looks like a link or
    is over 40 characters is none.
    """
    return {"first_name": _clean_name(customer, language), "unsubscribe_url": unsubscribe_url}


def render_message(source: MessageSource, slots: Mapping[str, str]) -> RenderedMessage:
    """Fill a source. Deterministic; raises RenderError."""
    return RenderedMessage(
        subject=_one_line(fill(source.subject, slots, is_html=False)),
        preheader=_one_line(fill(source.preheader, slots, is_html=False)),
        html=fill(source.html, slots, is_html=True),
        text=fill(source.text, slots, is_html=False),
    )


def render_preview(variant: Variant, customer: Customer | None, *, now: dt.datetime) -> RenderedMessage:
    """The copy that `customer` would get, with a dead unsubscribe link; None stands for somebody of whom we know nothing."""
    somebody = customer or Customer(first_name="", last_name="")
    slots = slots_for(somebody, language=variant.archetype.language, unsubscribe_url="#")
    return render_message(compose_source(variant), slots)


def _clean_name(customer: Customer, language: str) -> str:
    name = customer.first_name.strip()
    if language == "zh" and name and customer.last_name:
        name = customer.display_name
    # Browsers read full-width signs and other dots in an address as the plain ones (UTS 46).
    folded = unicodedata.normalize("NFKC", name)
    is_plain = name.isprintable() and not _LOOKS_LIKE_A_LINK.search(folded) and any(map(str.isalpha, name))
    return name if is_plain and len(name) <= LONGEST_NAME else ""


def _one_line(text: str) -> str:
    return " ".join(text.split())
