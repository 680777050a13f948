"""Puts a message together from a text's slots and the offer: what no model and no author writes is written here."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from html import escape
from typing import Final
from urllib.parse import urlsplit

from .formats import write_date, write_money, write_percent
from .liquid_engine import escape_around_tags, literal

#: Changes whenever the same slots would give another message; it is part of every content hash.
COMPOSER_VERSION: Final = 1


@dataclass(frozen=True)
class MessageSource:
    """Liquid for the four parts of a message; the same for everybody of an archetype."""

    subject: str
    preheader: str
    html: str
    text: str
    version: int = COMPOSER_VERSION


@dataclass(frozen=True)
class Words:
    """What a person or a model wrote."""

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
class Phrases:
    """The sentences that code writes, in one language."""

    html_language: str
    greeting: str
    button: str
    why: str
    unsubscribe: str


PHRASES: Final = {
    "en": Phrases(
        "en",
        "{% if first_name != '' %}Hi {{ first_name }},{% else %}Hello,{% endif %}",
        "See what is new",
        "You get this e-mail because you bought from {shop} and agreed to hear from us.",
        "Unsubscribe",
    ),
    "zh": Phrases(
        "zh-Hans",
        "{% if first_name != '' %}{{ first_name }}，您好：{% else %}您好：{% endif %}",
        "去看看",
        "您收到这封邮件，是因为您曾在{shop}购物并同意接收我们的邮件。",
        "退订",
    ),
}


def compose(words: Words, offer: OfferTerms, sender: Sender, language: str) -> MessageSource:
    """The four parts as Liquid. A pure function: the same arguments give the same bytes for ever."""
    phrases = PHRASES.get(language, PHRASES["en"])
    terms = describe_offer(offer, language)
    button = words.button_label.strip() or phrases.button
    why = phrases.why.format(shop=sender.name)
    return MessageSource(
        subject=words.subject.strip(),
        preheader=words.preheader.strip(),
        html=_compose_html(words, phrases, terms, button, why, sender),
        text=_compose_text(words, phrases, literal(terms), button, why, sender),
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


def _compose_html(words: Words, phrases: Phrases, terms: str, button: str, why: str, sender: Sender) -> str:
    paragraphs = [phrases.greeting, *(escape_around_tags(part.strip()) for part in _body_of(words))]
    body = "\n".join(f'<p class="ink" style="margin:0 0 16px">{part}</p>' for part in paragraphs if part)
    offer = f'<p class="offer" style="{_OFFER}">{literal(escape(terms))}</p>' if terms else ""
    closing = escape_around_tags(words.invitation.strip())
    link = literal(escape(sender.button_url))
    return f"""<!doctype html>
<html lang="{phrases.html_language}">
<head>
<meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<meta name="color-scheme" content="light dark"><meta name="supported-color-schemes" content="light dark">
<title>{escape_around_tags(words.subject.strip())}</title>
<style>{_DARK}</style>
</head>
<body class="paper" style="margin:0;padding:0;background:#f6f3ef">
<div style="display:none;max-height:0;overflow:hidden">{escape_around_tags(words.preheader.strip())}</div>
<table {_TABLE} width="100%"><tr><td align="center" style="padding:24px 12px">
<table {_TABLE} class="card" width="100%" style="{_CARD}">
<tr><td style="padding:28px 28px 8px"><p class="brand" style="{_BRAND}">{literal(escape(sender.name))}</p></td></tr>
<tr><td style="padding:8px 28px 28px;{_FONT}">
{body}
{offer}
<p class="ink" style="margin:0 0 20px">{closing}</p>
<table {_TABLE}><tr><td style="{_BUTTON_CELL}"><a href="{link}" style="{_BUTTON}">{escape_around_tags(button)}</a></td></tr>
</table>
</td></tr>
<tr><td class="foot" style="{_FOOT}">{literal(escape(why))}<br>
<a class="foot" href="{{{{ unsubscribe_url }}}}" style="color:#6d655c">{phrases.unsubscribe}</a><br>
{literal(escape(sender.postal_address))}</td></tr>
</table></td></tr></table>
</body>
</html>
"""


def _compose_text(words: Words, phrases: Phrases, terms: str, button: str, why: str, sender: Sender) -> str:
    parts = [phrases.greeting, *_body_of(words), terms, words.invitation, f"{button}: {literal(sender.button_url)}"]
    body = "\n\n".join(part.strip() for part in parts if part.strip())
    return f"{body}\n\n-- \n{literal(why)}\n{phrases.unsubscribe}: {{{{ unsubscribe_url }}}}\n{literal(sender.postal_address)}\n"


def _body_of(words: Words) -> tuple[str, str]:
    return words.opening, words.story


_FONT: Final = (
    "font-family:-apple-system,BlinkMacSystemFont,'Segoe UI','PingFang SC','Microsoft YaHei',Arial,sans-serif;"
    "font-size:16px;line-height:1.6;color:#2b2723"
)
_TABLE: Final = 'role="presentation" cellpadding="0" cellspacing="0" border="0"'
_CARD: Final = "max-width:560px;background:#ffffff;border-radius:14px"
_BRAND: Final = f"margin:0;{_FONT};font-weight:700;letter-spacing:-.01em"
_OFFER: Final = "margin:0 0 16px;padding:14px 16px;border-radius:10px;background:#fbeee6;color:#8a3410;font-weight:600"
_BUTTON_CELL: Final = "border-radius:10px;background:#b9460a"
_BUTTON: Final = (
    "display:inline-block;padding:13px 24px;border-radius:10px;color:#ffffff;text-decoration:none;font-weight:600"
)
_FOOT: Final = f"padding:20px 28px 28px;{_FONT};font-size:12px;color:#6d655c;border-top:1px solid #eee8e1"
_DARK: Final = (
    "@media (prefers-color-scheme:dark){.paper{background:#1b1815!important}.card{background:#26221e!important}"
    ".ink,.brand{color:#f1ece6!important}.foot{color:#b0a69b!important;border-color:#3a342e!important}"
    ".offer{background:#3b2a20!important;color:#f3b48e!important}}"
)
