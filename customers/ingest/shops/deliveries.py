"""Applies the webhooks that are kept: at once where it works, again by a sweep where it does not."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

import structlog
from django.db import DataError, IntegrityError, transaction
from django.db import connection as database

from customers.ingest.orders import UnknownReference
from customers.models import ShopConnection, ShopDelivery

from . import shopify, woocommerce
from .applying import Applied, NotThere, apply_told
from .proving import Unproven, is_gone, needs_proof
from .told import ShopFacts, Told, Untranslatable

log = structlog.get_logger(__name__)

#: Minutes until the next try, after each failed one; after the last a person has to look.
PAUSES_MIN: Final = (1, 5, 15, 60, 240, 720)
SWEEP: Final = 500
#: What ends the applying of one payload alone; it is kept with its reason.
CANNOT_APPLY: Final = (Untranslatable, NotThere, Unproven, UnknownReference, DataError, IntegrityError, ValueError)
Status = ShopDelivery.Status
#: Hands what the shop asks for its customers to those who answer it, in the same transaction.
Answer = Callable[[Applied, ShopConnection, dt.datetime], None]


def apply_delivery(delivery_id: int, *, now: dt.datetime, answer: Answer, patience_s: int = 0) -> bool:
    """Apply one kept webhook; False where it failed (its row says why and when again) or another worker has it.

    The body is emptied in the transaction that applies it. With `patience_s` no lock is waited for longer than that: then
    OperationalError is raised, nothing is noted, and the sweep takes it.
    """
    try:
        if not _is_proven(delivery_id):
            return False
        with transaction.atomic():
            if patience_s:
                with database.cursor() as cursor:
                    cursor.execute("SELECT set_config('lock_timeout', %s, true)", [f"{patience_s}s"])
            row = _lock(delivery_id)
            if row is None:
                return False
            told = translate(row.connection, row.topic, row.body)
            applied = apply_told(told, row.connection, now=now)
            answer(applied, row.connection, now)
            ignored = told.ignored or _say_unchanged(told, applied)
            _finish(row, Status.IGNORED if ignored else Status.APPLIED, ignored)
        return True
    except CANNOT_APPLY as error:
        _note_failure(delivery_id, error, now)
        return False


def sweep_deliveries(*, now: dt.datetime, answer: Answer) -> int:
    """Apply everything whose time has come, the oldest first; returns how many were applied.

    A shop that did not say whether one thing is gone is not asked about others in the same sweep.
    """
    due = list(ShopDelivery.objects.due(now).values_list("pk", "connection_id", "topic")[:SWEEP])
    silent: set[int] = set()
    applied = 0
    for pk, shop, topic in due:
        if shop in silent and topic.endswith(".deleted"):
            continue
        if apply_delivery(pk, now=now, answer=answer):
            applied += 1
        elif ShopDelivery.objects.filter(pk=pk, reason__startswith="unproven:").exists():
            silent.add(shop)
            # All its questions wait with this one, so that they do not fill the next sweeps of everybody.
            later = ShopDelivery.objects.due(now).filter(connection_id=shop, topic__endswith=".deleted")
            later.update(next_at=now + dt.timedelta(minutes=PAUSES_MIN[1]))
    return applied


def forget_deliveries(now: dt.datetime) -> int:
    """Delete rows of webhooks that are older than SHOP_DELIVERY_DAYS; returns how many."""
    return ShopDelivery.objects.outlived(now).delete()[0]


def translate(shop: ShopConnection, topic: str, body: str) -> Told:
    """What a body says. Raises Untranslatable; numbers with a point stay exact."""
    try:
        payload: Any = json.loads(body, parse_float=Decimal)
    except (ValueError, RecursionError) as error:
        raise Untranslatable("the body is no JSON") from error
    facts = describe_shop(shop)
    if shop.kind == ShopConnection.Kind.WOOCOMMERCE:
        return woocommerce.translate(topic, payload, facts)
    return shopify.translate(topic, payload, facts)


def say_failure(error: Exception) -> str:
    """Why something could not be applied, as its row keeps it: our own sentence, or the kind of the error."""
    if isinstance(error, Unproven):
        return f"unproven:{error}"[:300]
    # What a database error says may hold values of the row: only our own sentences are shown.
    is_ours = isinstance(error, Untranslatable | NotThere | UnknownReference)
    return str(error)[:300] if is_ours else f"not_written:{type(error).__name__}"


def describe_shop(shop: ShopConnection) -> ShopFacts:
    return ShopFacts(shop.source, shop.name, shop.currency, (shop.public_url or shop.address).rstrip("/"))


def _is_proven(delivery_id: int) -> bool:
    """False for a deletion of what the shop still has: that is settled. Raises Unproven where the shop does not say."""
    row = ShopDelivery.objects.select_related("connection").filter(pk=delivery_id).first()
    if row is None or not needs_proof(row.connection, row.topic, row.body.encode()) or is_gone(row):
        return True
    # Where the shop said so again while it was asked, it is asked again.
    waiting = ShopDelivery.objects.filter(pk=row.pk, status__in=[Status.WAITING, Status.FAILED], copies=row.copies)
    waiting.update(status=Status.IGNORED, reason="still_there", body="", next_at=None, tries=row.tries + 1)
    return False


def _lock(delivery_id: int) -> ShopDelivery | None:
    """The row for this transaction; None where it is applied already or another worker has it."""
    rows = ShopDelivery.objects.select_for_update(skip_locked=True, of=("self",)).select_related("connection")
    return rows.filter(pk=delivery_id, status__in=[Status.WAITING, Status.FAILED]).first()


def _finish(row: ShopDelivery, status: str, reason: str) -> None:
    ShopDelivery.objects.filter(pk=row.pk).update(
        status=status, reason=reason, body="", next_at=None, tries=row.tries + 1
    )


def _say_unchanged(told: Told, applied: Applied) -> str:
    things = len(told.customers) + len(told.sales) + len(told.products)
    if applied.erased and not things - applied.erased:
        return "erased"
    if applied.merged_away and not applied.asked:
        return "merged_away"
    is_all_stale = (
        applied.stale and applied.stale == things and not (told.carts or applied.consents or told.gone_orders)
    )
    return "stale" if is_all_stale else ""


def _note_failure(delivery_id: int, error: Exception, now: dt.datetime) -> None:
    row = ShopDelivery.objects.filter(pk=delivery_id).first()
    if row is None:
        return
    is_last = row.tries >= len(PAUSES_MIN)
    undone = ShopDelivery.objects.filter(pk=delivery_id, status__in=[Status.WAITING, Status.FAILED])
    if is_last and isinstance(error, NotThere) and row.topic == "refunds/create":
        # Nothing is lost: an order brings its refunds with it, whenever it comes.
        undone.update(status=Status.IGNORED, reason="order_never_came", body="", next_at=None, tries=row.tries + 1)
        return
    is_hopeless = is_last or isinstance(error, Untranslatable)
    next_at = None if is_hopeless else now + dt.timedelta(minutes=PAUSES_MIN[row.tries])
    undone.update(status=Status.FAILED, reason=say_failure(error), tries=row.tries + 1, next_at=next_at)
    log.warning("shop_webhook_failed", delivery=delivery_id, kind=type(error).__name__, tries=row.tries + 1)
