"""The fixed words for what people ask support. They stand with tickets and in the event log, where segments read them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import models
from django.utils.translation import pgettext_lazy


class Topic(models.TextChoices):
    """What a conversation is about: the area of the shop that it touches."""

    DELIVERY = "delivery", pgettext_lazy("ticket", "delivery")
    ORDER = "order", pgettext_lazy("ticket", "an order")
    RETURN = "return", pgettext_lazy("ticket", "return or exchange")
    REFUND = "refund", pgettext_lazy("ticket", "refund")
    PAYMENT = "payment", pgettext_lazy("ticket", "payment or invoice")
    PRODUCT = "product", pgettext_lazy("ticket", "a product")
    WARRANTY = "warranty", pgettext_lazy("ticket", "damage or warranty")
    ACCOUNT = "account", pgettext_lazy("ticket", "account")
    NEWSLETTER = "newsletter", pgettext_lazy("ticket", "mail from us")
    OTHER = "other", pgettext_lazy("ticket", "something else")


class Intent(models.TextChoices):
    """What its writer wants done. Whether they complain is a field of its own: who wants money back and is angry has REFUND."""

    ASK = "ask", pgettext_lazy("intent", "wants to know")
    TRACK = "track", pgettext_lazy("intent", "asks how it stands")
    START = "start", pgettext_lazy("intent", "wants to order or join")
    CHANGE = "change", pgettext_lazy("intent", "wants it changed")
    CANCEL = "cancel", pgettext_lazy("intent", "wants it cancelled")
    RETURN = "return", pgettext_lazy("intent", "wants to return or swap")
    REFUND = "refund", pgettext_lazy("intent", "wants money back")
    FIX = "fix", pgettext_lazy("intent", "wants it put right")
    DOCUMENT = "document", pgettext_lazy("intent", "wants a document")
    COMPLAIN = "complain", pgettext_lazy("intent", "wants to complain")
    FEEDBACK = "feedback", pgettext_lazy("intent", "thanks or opinion")
    PERSON = "person", pgettext_lazy("intent", "wants a person")
    OTHER = "other", pgettext_lazy("intent", "something else")


def tell_asked(properties: Mapping[str, Any]) -> str:
    """What a question was about and what for, from an event's properties: "delivery · asks how it stands". Of "something else"
    nothing is said where the other of the two says more; "" where its topic is a word of the shop's own, or there is none."""
    topic, intent = str(properties.get("topic", "")), str(properties.get("intent", ""))
    if topic not in Topic.values:
        return ""
    parts = [str(Topic(topic).label)] + ([str(Intent(intent).label)] if intent in Intent.values else [])
    said = [part for part, word in zip(parts, (topic, intent), strict=False) if word not in (Topic.OTHER, Intent.OTHER)]
    return " · ".join(said or parts[:1])
