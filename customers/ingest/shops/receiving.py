"""Takes webhooks in: proves that one is the shop's own and of now, and keeps it as a row before anything is done with it.

A shop sends again what nobody answered in time: the same body, up to 4 hours later. So a body that is here already is
answered "seen" for that long and never applied twice; later it is a replay and refused. A body that nobody has seen and that
comes later than 300 s is not believed either: where it could overwrite something, its row only says that the shop's own API
has to be asked what changed since then. A deletion of WooCommerce is a number, so of each of them the shop is asked.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

import structlog
from django.db import IntegrityError, transaction
from django.db.models import F
from django.db.models.functions import Coalesce, Least

from customers.models import ShopConnection, ShopDelivery

from . import shopify
from .envelopes import Envelope, is_ping, read_claimed_topic, read_envelope
from .keys import LostKeys, open_keys
from .proving import digest_question, needs_proof
from .signatures import RETRIES, WINDOW, Age, Refused, digest_body, judge_age, verify_signature

log = structlog.get_logger(__name__)

#: So many refused webhooks are listed of each shop; all of them are counted.
LISTED_REFUSALS: Final = 50


@dataclass(frozen=True)
class Receipt:
    """What became of a webhook: "kept" (with its row), "seen", "late", "test", "ping"."""

    word: str
    delivery_id: int | None = None


def receive(shop: ShopConnection, headers: Mapping[str, str], body: bytes, *, now: dt.datetime) -> Receipt:
    """Prove a webhook and keep it. Raises Refused, and lists it with the reason; then nothing of the body is kept."""
    if is_ping(shop.kind, headers, body):
        return Receipt("ping")
    try:
        secret = _find_secret(shop)
        verify_signature(body, _find_signature(shop, headers), secret)
        envelope = read_envelope(shop.kind, headers)
        _check_addressee(shop, envelope)
        return _keep(shop, envelope, body, now)
    except Refused as refusal:
        _list_refusal(shop, refusal.code, read_claimed_topic(shop.kind, headers), body, now)
        raise


def _find_secret(shop: ShopConnection) -> str:
    try:
        return open_keys(shop).secret
    except LostKeys as error:
        raise Refused("lost_keys") from error


def _find_signature(shop: ShopConnection, headers: Mapping[str, str]) -> str:
    is_shopify = shop.kind == ShopConnection.Kind.SHOPIFY
    return headers.get("X-Shopify-Hmac-Sha256" if is_shopify else "X-WC-Webhook-Signature", "")


def _check_addressee(shop: ShopConnection, envelope: Envelope) -> None:
    if not envelope.topic:
        raise Refused("no_topic")
    own = urlsplit(shop.address).hostname or ""
    if envelope.host and envelope.host != own and own.endswith(".myshopify.com"):
        raise Refused("other_shop")


def _keep(shop: ShopConnection, envelope: Envelope, body: bytes, now: dt.datetime) -> Receipt:
    if needs_proof(shop, envelope.topic, body):
        return _keep_question(shop, envelope, body, now)
    age = Age.FRESH if envelope.triggered_at is None else judge_age(envelope.triggered_at, now)
    digest = digest_body(body)
    if (word := _recognise(shop, digest, now)) is not None:
        return Receipt(word)
    is_late = age is Age.LATE and not shopify.is_safe_late(envelope.topic)
    row = ShopDelivery(
        connection=shop, delivery_id=envelope.delivery_id, topic=envelope.topic, digest=digest,
        triggered_at=envelope.triggered_at, received_at=now, status=ShopDelivery.Status.WAITING, next_at=now,
    )  # fmt: skip
    if envelope.is_test:
        row.status, row.next_at, row.reason = ShopDelivery.Status.IGNORED, None, "test"
    elif is_late:
        row.status, row.next_at = ShopDelivery.Status.LATE, None
    else:
        row.body = _read_text(body)
    try:
        with transaction.atomic():
            row.save(force_insert=True)
            _note_taken(shop, now, since=envelope.triggered_at if is_late else None)
    except IntegrityError:  # the same body came twice at once
        return Receipt(_recognise(shop, digest, now) or "seen")
    if row.status == ShopDelivery.Status.WAITING:
        return Receipt("kept", row.pk)
    return Receipt("late" if row.status == ShopDelivery.Status.LATE else "test")


def _keep_question(shop: ShopConnection, envelope: Envelope, body: bytes, now: dt.datetime) -> Receipt:
    """Keep a deletion that the shop is asked about before it counts. The sweep asks; here the shop waits for an answer itself."""
    asked = {"received_at": now, "status": ShopDelivery.Status.WAITING, "next_at": now, "reason": "", "tries": 0}
    row, is_new = ShopDelivery.objects.exclude(status=ShopDelivery.Status.REFUSED).get_or_create(
        connection=shop, digest=digest_question(envelope.topic, body),
        defaults={**asked, "topic": envelope.topic, "delivery_id": envelope.delivery_id, "body": _read_text(body)},
    )  # fmt: skip
    settled = ShopDelivery.objects.filter(pk=row.pk, next_at=None)  # applied, ignored, or given up
    is_again = not is_new and settled.update(**asked, body=_read_text(body), copies=F("copies") + 1)
    if not is_new and not is_again:
        ShopDelivery.objects.filter(pk=row.pk).update(copies=F("copies") + 1)
        return Receipt("seen")
    _note_taken(shop, now, since=None)
    return Receipt("kept")


def _read_text(body: bytes) -> str:
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        raise Refused("not_text") from error
    if "\0" in text:
        raise Refused("not_text")
    return text


def _recognise(shop: ShopConnection, digest: str, now: dt.datetime) -> str | None:
    """ "seen" for what is here and that the shop may still send again; None for what is new. Raises Refused for a replay."""
    kept = shop.deliveries.exclude(status=ShopDelivery.Status.REFUSED).filter(digest=digest).first()
    if kept is None:
        return None
    if now - kept.received_at > RETRIES:
        raise Refused("replayed")
    ShopDelivery.objects.filter(pk=kept.pk).update(copies=F("copies") + 1)
    return "seen"


def _note_taken(shop: ShopConnection, now: dt.datetime, *, since: dt.datetime | None) -> None:
    row = ShopConnection.objects.filter(pk=shop.pk)
    row.update(hooks_taken=F("hooks_taken") + 1, last_hook_at=now)
    if since is not None:
        since -= WINDOW
        row.update(catch_up_from=Least(Coalesce("catch_up_from", since), since))


def _list_refusal(shop: ShopConnection, code: str, topic: str, body: bytes, now: dt.datetime) -> None:
    """Count it, and list the newest. The body is nobody's word, so it is not kept."""
    log.warning("shop_webhook_refused", shop=shop.pk, reason=code)
    ShopConnection.objects.filter(pk=shop.pk).update(hooks_refused=F("hooks_refused") + 1)
    ShopDelivery.objects.create(
        connection=shop, topic=topic, digest=digest_body(body), received_at=now,
        status=ShopDelivery.Status.REFUSED, reason=code,
    )  # fmt: skip
    refused = shop.deliveries.filter(status=ShopDelivery.Status.REFUSED).order_by("-pk")
    surplus = list(refused.values_list("pk", flat=True)[LISTED_REFUSALS : LISTED_REFUSALS + 500])
    if surplus:
        ShopDelivery.objects.filter(pk__in=surplus).delete()
