"""What a customer is interested in, as their page shows it, and the switch that lets a model read what they write."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.db import transaction
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from customers.features.interests import texts
from customers.features.interests.spoken import Said, read_said
from customers.features.interests.vocabulary import SENTIMENTS, name_topic
from customers.ingest.clock import read_shop_clock
from customers.models import Customer, EventKind, InterestProfile, Product, ReadingStatus, TextReading
from customers.tasks import queue_texts

MOST_CATEGORIES = 5
MOST_TEXTS_SHOWN = 10
MOST_SHOWN = 3


@dataclass
class Topic:
    """One thing that customers' words are about, with the texts in which a model read it."""

    label: str
    times: int = 0
    texts: list[dict[str, Any]] = field(default_factory=list)


def tell_interests(request: HttpRequest, customer: Customer, now: dt.datetime) -> dict[str, Any]:
    """The panel's context: `profile` (None before the first night), what it says in words, and topics with their texts."""
    profile = InterestProfile.objects.filter(customer=customer).first()
    said = read_said(customer.pk, as_of=read_shop_clock(now))
    context: dict[str, Any] = {"profile": profile, "topics": _tell_topics(request, said), "texts_read": len(said)}
    if profile is None:
        return context
    return context | {
        "likes": [row | {"evidence": _tell_evidence(row)} for row in profile.categories[:MOST_CATEGORIES]],
        "brands": [row | {"evidence": _tell_evidence(row)} for row in profile.brands[:MOST_SHOWN]],
        "searches": [_tell_search(row) for row in profile.searches[:MOST_SHOWN]],
        "looked_at": _name_views(profile.viewed)[:MOST_SHOWN],
    }


def tell_reading(request: HttpRequest) -> dict[str, Any]:
    """How reading stands, for the Settings page."""
    counted = dict(TextReading.objects.order_by().values_list("status").annotate(Count("pk")))
    return {
        "is_on": texts.is_switched_on(),
        "may_switch": request.user.has_perm("customers.add_textreadingswitch"),
        "read": counted.get(ReadingStatus.READ, 0),
        "waiting": counted.get(ReadingStatus.WAITING, 0) + counted.get(ReadingStatus.READING, 0),
        "failed": counted.get(ReadingStatus.FAILED, 0),
        "last_error": TextReading.objects.exclude(error="").order_by("-pk").values_list("error", flat=True).first()
        or "",
    }


@require_POST
@permission_required("customers.add_textreadingswitch", raise_exception=True)
def switch_text_reading(request: HttpRequest) -> HttpResponse:
    """Let the language model read what customers write, or stop it."""
    is_on = request.POST.get("is_on") == "yes"
    with transaction.atomic():
        is_changed = texts.switch_reading(request.user, is_on=is_on, now=timezone.now())
        if is_changed and is_on:
            transaction.on_commit(queue_texts.delay)
    if is_on:
        messages.success(request, _("The language model reads searches, reviews and tickets from now on, masked."))
    else:
        messages.success(request, _("The language model no longer reads what customers write."))
    return redirect("settings")


def _tell_evidence(row: dict[str, Any]) -> str:
    """What a share rests on: “3 purchases, 2 carts, 4 views”."""
    counts = [
        (row["ordered"], ngettext("%(n)d purchase", "%(n)d purchases", row["ordered"])),
        (row["carts"], ngettext("%(n)d in the cart", "%(n)d in the cart", row["carts"])),
        (row["searched"], ngettext("%(n)d search", "%(n)d searches", row["searched"])),
        (row["viewed"], ngettext("%(n)d view", "%(n)d views", row["viewed"])),
    ]
    return _(", ").join(words % {"n": count} for count, words in counts if count)


def _name_views(viewed: list[dict[str, Any]]) -> list[dict[str, Any]]:
    names = {product.pk: product for product in Product.objects.filter(pk__in=[row["product_id"] for row in viewed])}
    return [
        {"name": str(names[row["product_id"]]), "times": row["times"], "at": parse_datetime(row["last_at"])}
        for row in viewed
        if row["product_id"] in names
    ]


def _tell_search(row: dict[str, Any]) -> dict[str, Any]:
    """A search that is the category's own name needs the name only once."""
    is_named = bool(row["category"]) and row["category"].lower() != row["query"]
    return row | {"at": parse_datetime(row["last_at"]), "is_named": is_named}


def _tell_topics(request: HttpRequest, every: list[Said]) -> list[Topic]:
    """Topics by how many texts they stand in; the texts only for who may see the log of events."""
    may_see = request.user.has_perm("customers.view_customerevent")
    topics: dict[str, Topic] = {}
    for said in every:
        for key in said.topics:
            topic = topics.setdefault(key, Topic(name_topic(key)))
            topic.times += 1
            if may_see and len(topic.texts) < MOST_TEXTS_SHOWN:
                topic.texts.append(_tell_text(said))
    return [topics[key] for key in sorted(topics, key=lambda key: (-topics[key].times, key))]


def _tell_text(said: Said) -> dict[str, Any]:
    return {
        "words": said.text,
        "kind": EventKind(said.kind).label,
        "at": said.occurred_at,
        "sentiment": SENTIMENTS.get(said.sentiment, ""),
        "is_negative": said.sentiment == "negative",
        "model": said.model_label,
    }
