"""What code writes in a message: greeting, offer, products, reason for the mail, way out. No model and no author does.

The channels (`campaigns.content.channels`) put it together with a text; everything here is pure.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final
from urllib.parse import urlsplit

from .formats import write_date, write_money, write_percent

#: Changes whenever the same slots would give another message; it is part of every content hash.
COMPOSER_VERSION: Final = 3


@dataclass(frozen=True)
class MessageSource:
    """Liquid for the parts of a message; the same for everybody of an archetype. What a part holds is the channel's.

    `links` are where its links lead, in order: {{ link_1 }} stands for the first, or for an address of ours that leads there.
    """

    subject: str
    preheader: str
    html: str
    text: str
    version: int = COMPOSER_VERSION
    channel: str = "email"
    links: tuple[str, ...] = ()


@dataclass(frozen=True)
class Words:
    """What a person or a model wrote. Opening, story and invitation are the body, in the Markdown of `markup`."""

    subject: str
    preheader: str
    opening: str
    story: str
    invitation: str
    button_label: str


@dataclass(frozen=True)
class OfferTerms:
    """The offer as the campaign holds it; `kind` is of campaigns.models.Offer.Kind."""

    kind: str
    value: Decimal | None
    currency: str
    code: str
    min_basket: Decimal | None
    valid_from: dt.date | None
    valid_until: dt.date | None


@dataclass(frozen=True)
class Sender:
    """What the shop says of itself in every message."""

    name: str
    postal_address: str
    button_url: str


@dataclass(frozen=True)
class Pick:
    """A product of the catalogue as a message shows it. `url` is "" where it is not the shop's own."""

    sku: str
    name: str
    price: Decimal | None
    currency: str
    version: int
    url: str = ""

    @property
    def price_tag(self) -> str:
        """ "€129", "" where the price is not known."""
        return "" if self.price is None else write_money(self.price, self.currency)


@dataclass(frozen=True)
class Frame:
    """Everything around the words that code knows: the same for all texts of an archetype."""

    offer: OfferTerms
    sender: Sender
    language: str
    picks: tuple[Pick, ...] = ()


@dataclass(frozen=True)
class Phrases:
    """The sentences that code writes, in one language."""

    html_language: str
    greeting: str
    button: str
    picks: str
    why: str
    unsubscribe: str
    preferences: str
    reasons: str
    short_sender: str
    short_way_out: str
    short_reply: str


PHRASES: Final = {
    "en": Phrases(
        "en",
        "{% if first_name != '' %}Hi {{ first_name }},{% else %}Hello,{% endif %}",
        "See what is new",
        "A few things you may like",
        "You get this e-mail because you bought from {shop} and agreed to hear from us.",
        "Unsubscribe",
        "Choose what you get",
        "Why did I get this?",
        "{shop}: ",
        "Opt out: {{ stop_word }}{{ unsubscribe_url }}",
        "reply STOP or ",
    ),
    "zh": Phrases(
        "zh-Hans",
        "{% if first_name != '' %}{{ first_name }}，您好：{% else %}您好：{% endif %}",
        "去看看",
        "几样您可能会喜欢的",
        "您收到这封邮件，是因为您曾在{shop}购物并同意接收我们的邮件。",
        "退订",
        "选择接收内容",
        "为什么收到这封邮件？",
        "【{shop}】",
        "退订：{{ stop_word }}{{ unsubscribe_url }}",
        "回复TD或点",
    ),
}

#: What stands where a person has no such value and the author gave no words of their own.
FALL_BACKS: Final[Mapping[str, Mapping[str, str]]] = {
    "en": {"favourite_category": "our range", "last_order_month": "your last order"},
    "zh": {"favourite_category": "我们的商品", "last_order_month": "上次下单时"},
}
_BARE_TAG: Final = re.compile(r"\{\{\s*(favourite_category|last_order_month)\s*\}\}")


def phrases_in(language: str) -> Phrases:
    """The sentences in a language; English where there are none."""
    return PHRASES.get(language, PHRASES["en"])


def add_fall_backs(words: str, language: str) -> str:
    """The words with something to say where a merge tag has no value: `{{ tag }}` becomes `{{ tag | default: "…" }}`."""
    known = FALL_BACKS.get(language, FALL_BACKS["en"])
    return _BARE_TAG.sub(
        lambda match: f'{{{{ {match.group(1)} | default: "{known[match.group(1)]}" }}}}', words.strip()
    )


def describe_offer(offer: OfferTerms, language: str) -> str:
    """The terms in one sentence, "" where there is no offer: every number of a message stands here."""
    if offer.kind == "none" or (offer.kind in ("percent", "amount") and offer.value is None):
        return ""
    return _describe_in_chinese(offer) if language == "zh" else _describe_in_english(offer)


def is_shop_link(url: str, shop_url: str, domains: tuple[str, ...] = ()) -> bool:
    """Whether a link leads to the shop: https or http, on its host, one below it, or a domain it named."""
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    own = [(urlsplit(shop_url).hostname or "").lower(), *(domain.lower().strip() for domain in domains)]
    is_own = any(base and (host == base or host.endswith(f".{base}")) for base in own)
    return parts.scheme in ("http", "https") and is_own and not parts.username


def _describe_in_english(offer: OfferTerms) -> str:
    what = {
        "percent": f"{write_percent(offer.value or Decimal(0))} off",
        "amount": f"{write_money(offer.value or Decimal(0), offer.currency)} off",
        "free_shipping": "Free shipping",
    }[offer.kind]
    parts = [what]
    if offer.code:
        parts.append(f"with the code {offer.code}")
    if offer.min_basket:
        parts.append(f"on orders from {write_money(offer.min_basket, offer.currency)}")
    if offer.valid_from:
        parts.append(f"from {write_date(offer.valid_from, 'en')}")
    if offer.valid_until:
        parts.append(f"until {write_date(offer.valid_until, 'en')}")
    return " ".join(parts) + "."


def _describe_in_chinese(offer: OfferTerms) -> str:
    what = {
        "percent": f"立减{write_percent(offer.value or Decimal(0))}",
        "amount": f"立减{write_money(offer.value or Decimal(0), offer.currency)}",
        "free_shipping": "免运费",
    }[offer.kind]
    parts = [f"满{write_money(offer.min_basket, offer.currency)}{what}" if offer.min_basket else what]
    if offer.code:
        parts.append(f"优惠码 {offer.code}")
    if offer.valid_from:
        parts.append(f"{write_date(offer.valid_from, 'zh')}起")
    if offer.valid_until:
        parts.append(f"有效期至{write_date(offer.valid_until, 'zh')}")
    return "，".join(parts) + "。"
