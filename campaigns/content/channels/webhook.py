"""Webhooks: the words and the facts as typed JSON, for a system that sends by itself (an app, a print shop, a CRM)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from django.utils.translation import gettext as _

from campaigns.content.composing import Frame, MessageSource, Pick, Words, add_fall_backs, describe_offer
from campaigns.content.findings import Finding
from campaigns.content.liquid_engine import fill, literal
from campaigns.content.markup import write_text

from .filled import Measure, RenderedMessage, one_line
from .payload import fill_payload, write_payload

#: The shape of the payload; a receiver reads it before anything else.
SCHEMA: Final = "rekindle.message/1"
MOST_BYTES: Final = 64_000


class WebhookWriter:
    """Headline in `subject`, message in `opening`, the call to action in `invitation`."""

    key = "webhook"
    parts = ("subject", "opening", "invitation")

    def compose(self, words: Words, frame: Frame) -> MessageSource:
        headline = add_fall_backs(words.subject, frame.language)
        payload = {
            "schema": SCHEMA,
            "language": frame.language,
            "first_name": "{{ first_name }}",
            "headline": headline,
            "message": write_text(add_fall_backs(words.opening, frame.language)),
            "call_to_action": write_text(add_fall_backs(words.invitation, frame.language)),
            "link": literal(frame.sender.button_url),
            "offer": _describe(frame),
            "products": [_describe_pick(pick) for pick in frame.picks],
            "sender": literal(frame.sender.name),
            "unsubscribe_url": "{{ unsubscribe_url }}",
        }
        return MessageSource(subject=headline, preheader="", html="", text=write_payload(payload), channel=self.key)

    def fill(self, source: MessageSource, slots: Mapping[str, str]) -> RenderedMessage:
        return RenderedMessage(
            one_line(fill(source.subject, slots, is_html=False)), "", "", fill_payload(source.text, slots)
        )

    def measure(self, copy: RenderedMessage) -> list[Measure]:
        return [Measure(_("Payload"), len(copy.text.encode()), MOST_BYTES, _("bytes"))]

    def find_faults(self, copy: RenderedMessage) -> list[Finding]:
        whole = json.loads(copy.text)
        if not whole.get("unsubscribe_url"):
            return [Finding("no_unsubscribe", "block", "opening", _("The link to unsubscribe is missing."))]
        if self.measure(copy)[0].is_over:
            return [Finding("too_big", "block", "opening", _("The payload is too large. Cut the text."))]
        return []


def _describe(frame: Frame) -> dict[str, Any] | None:
    """The terms, typed: amounts and dates as texts in the form that JSON readers take."""
    offer, sentence = frame.offer, describe_offer(frame.offer, frame.language)
    if not sentence:
        return None
    return {
        "kind": offer.kind,
        "value": _number(offer.value),
        "currency": offer.currency,
        "code": literal(offer.code),
        "min_basket": _number(offer.min_basket),
        "valid_from": offer.valid_from.isoformat() if offer.valid_from else None,
        "valid_until": offer.valid_until.isoformat() if offer.valid_until else None,
        "sentence": literal(sentence),
    }


def _describe_pick(pick: Pick) -> dict[str, Any]:
    return {
        "sku": literal(pick.sku),
        "name": literal(pick.name),
        "price": _number(pick.price),
        "currency": pick.currency,
        "version": pick.version,
        "url": literal(pick.url),
    }


def _number(value: Decimal | None) -> str | None:
    return None if value is None else f"{value.normalize():f}"
