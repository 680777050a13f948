"""Brings in what a shop had before it was connected: page by page, each with its place in one transaction.

The row is the queue. A page is fetched outside of any transaction; then it is applied and the cursor moved together, so a
worker that is killed anywhere leaves either both or neither, and the next one goes on to the same end.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

import structlog
from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from customers.models import ShopConnection, ShopDelivery

from . import shopify, woocommerce
from .applying import apply_told
from .asking import Page, ShopTrouble
from .deliveries import CANNOT_APPLY, describe_shop, say_failure
from .doors import ShopApi, open_shop, say_trouble
from .told import Told

log = structlog.get_logger(__name__)

#: People before their orders, products before the lines that name them.
STAGES: Final = ("customers", "products", "orders")
#: How long a worker may be silent before another takes its place.
LEASE: Final = dt.timedelta(minutes=5)
#: A worker goes on for so long, then others get their turn; the next sweep comes back.
TURN: Final = dt.timedelta(minutes=2)
#: A pause up to so long is waited for; for a longer one the worker goes, and a sweep comes back.
PATIENCE_S: Final = 10.0
#: Seconds until the next try after each failure in a row; after the last a person has to look.
PAUSES_S: Final = (5, 15, 60, 300, 900, 1800)
Fill = ShopConnection.Fill
Clock = Callable[[], dt.datetime]


def begin_fill(shop: ShopConnection, *, now: dt.datetime, since: dt.datetime | None = None) -> bool:
    """Ask for everything, or for what changed `since`; False where one is under way."""
    return _begin(ShopConnection.objects.filter(pk=shop.pk), now=now, since=since)


def _begin(shops: QuerySet[ShopConnection], *, now: dt.datetime, since: dt.datetime | F | None) -> bool:
    free = shops.exclude(fill_status__in=[Fill.WAITING, Fill.RUNNING, Fill.PAUSED])
    return bool(
        free.update(
            fill_status=Fill.WAITING, fill_since=since, fill_stage=STAGES[0], fill_cursor={}, fill_counts={}, fill_totals={},
            fill_error="", fill_tries=0, fill_next_at=None, fill_lease_until=None, fill_started_at=now,
            fill_finished_at=None, catch_up_from=None,
        )
    )  # fmt: skip


def pause_fill(shop: ShopConnection) -> bool:
    """waiting | running -> paused: the worker stops before its next page."""
    return bool(_filling(shop).update(fill_status=Fill.PAUSED))


def resume_fill(shop: ShopConnection) -> bool:
    """paused | failed -> waiting: on from where it stood."""
    stopped = ShopConnection.objects.filter(pk=shop.pk, fill_status__in=[Fill.PAUSED, Fill.FAILED])
    return bool(stopped.update(fill_status=Fill.WAITING, fill_tries=0, fill_next_at=None, fill_error=""))


def due_fills(now: dt.datetime) -> list[int]:
    """Shops whose back-fill waits for a worker, those whose worker died among them. Begins what late webhooks ask for."""
    for shop in ShopConnection.objects.filter(
        catch_up_from__isnull=False, status=ShopConnection.Status.CONNECTED, fill_status__in=[Fill.NONE, Fill.DONE]
    ).exclude(sealed_keys=""):
        late = ShopConnection.objects.filter(pk=shop.pk, catch_up_from__isnull=False)
        _begin(late, now=now, since=F("catch_up_from"))  # as it is then: another may come late this very moment
    return list(_due(now).values_list("pk", flat=True))


def run_fill(shop_id: int, *, clock: Clock = timezone.now, sleep: Callable[[float], None] = time.sleep) -> bool:
    """Fill until it is done, paused, the shop wants a long rest, or the turn is over; True once it is done. A second worker
    does nothing."""
    now = clock()
    if not _due(now).filter(pk=shop_id).update(fill_status=Fill.RUNNING, fill_lease_until=now + LEASE):
        return False
    shop = ShopConnection.objects.get(pk=shop_id)
    try:
        with open_shop(shop) as api:
            while _step(shop, api, clock, sleep) and clock() - now < TURN:
                pass
    except ShopTrouble as trouble:
        _note_trouble(shop, trouble, clock())
    finally:
        ShopConnection.objects.filter(pk=shop_id).update(fill_lease_until=None)
    shop.refresh_from_db(fields=["fill_status"])
    return shop.fill_status == Fill.DONE


def _due(now: dt.datetime) -> Any:
    is_free = Q(fill_lease_until=None) | Q(fill_lease_until__lt=now)
    is_rested = Q(fill_next_at=None) | Q(fill_next_at__lte=now)
    return ShopConnection.objects.filter(
        is_free, is_rested, fill_status__in=[Fill.WAITING, Fill.RUNNING], status=ShopConnection.Status.CONNECTED
    )


def _filling(shop: ShopConnection) -> Any:
    return ShopConnection.objects.filter(pk=shop.pk, fill_status__in=[Fill.WAITING, Fill.RUNNING])


def _step(shop: ShopConnection, api: ShopApi, clock: Clock, sleep: Callable[[float], None]) -> bool:
    """One page; False where there is none to come, or not now."""
    shop.refresh_from_db()
    if shop.fill_status != Fill.RUNNING:
        return False
    stage = shop.fill_stage
    if stage not in shop.fill_totals:
        total = None if shop.fill_since else api.count(stage)
        shop.fill_totals = {**shop.fill_totals, stage: total}
        _filling(shop).update(fill_totals=shop.fill_totals)
    page = api.read_page(stage, shop.fill_cursor, shop.fill_since)
    if not _take(shop, stage, page, clock()):
        return False
    if page.wait_s > PATIENCE_S:
        _filling(shop).update(fill_next_at=clock() + dt.timedelta(seconds=page.wait_s))
        return False
    if page.wait_s > 0:
        sleep(page.wait_s)
    return True


def _take(shop: ShopConnection, stage: str, page: Page, now: dt.datetime) -> bool:
    """Apply a page and move on, both or neither; False where the fill is not ours any more, or done.

    The row is locked last: a webhook that comes meanwhile notes itself there, and its shop waits for no more than 5 seconds.
    """
    is_last_stage = page.cursor is None and stage == STAGES[-1]
    counts = {**shop.fill_counts, stage: shop.fill_counts.get(stage, 0) + len(page.payloads)}
    change: dict[str, Any] = {
        "fill_counts": counts, "fill_cursor": page.cursor or {}, "fill_tries": 0, "fill_error": "", "fill_next_at": None,
        "fill_lease_until": now + LEASE,
    }  # fmt: skip
    if is_last_stage:
        change |= {"fill_status": Fill.DONE, "fill_finished_at": now}
        change |= {"filled_at": shop.filled_at or now} if shop.fill_since is None else {}
    elif page.cursor is None:
        change["fill_stage"] = STAGES[STAGES.index(stage) + 1]
    with transaction.atomic():
        _apply_page(shop, page, now)
        mine = ShopConnection.objects.filter(
            pk=shop.pk, fill_status=Fill.RUNNING, fill_stage=stage, fill_cursor=shop.fill_cursor
        )
        if not mine.update(**change):
            transaction.set_rollback(True)
            return False
    if is_last_stage:
        log.info("shop_filled", shop=shop.pk, counts=counts)
    return not is_last_stage


def _apply_page(shop: ShopConnection, page: Page, now: dt.datetime) -> None:
    """All at once; where that fails, one by one, and what cannot be applied is listed as a webhook that failed."""
    try:
        with transaction.atomic():
            told = Told()
            for payload in page.payloads:
                told.add(_translate(shop, page.topic, payload))
            apply_told(told, shop, now=now)
        return
    except CANNOT_APPLY:
        log.warning("shop_page_taken_apart", shop=shop.pk, topic=page.topic)
    for payload in page.payloads:
        try:
            with transaction.atomic():
                apply_told(_translate(shop, page.topic, payload), shop, now=now)
        except CANNOT_APPLY as error:
            _list_broken(shop, page.topic, payload, error, now)


def _translate(shop: ShopConnection, topic: str, payload: Mapping[str, Any]) -> Told:
    """Pages have the shapes of webhooks, and nobody could have put another topic on them."""
    facts = describe_shop(shop)
    if shop.kind == ShopConnection.Kind.WOOCOMMERCE:
        return woocommerce.TOPICS[topic].read(payload, facts)
    return shopify.TOPICS[topic].read(payload, facts)


def _list_broken(
    shop: ShopConnection, topic: str, payload: Mapping[str, Any], error: Exception, now: dt.datetime
) -> None:
    body = json.dumps(payload, cls=DjangoJSONEncoder, ensure_ascii=False).replace("\\u0000", "")
    row = ShopDelivery(
        connection=shop, topic=topic, digest=hashlib.sha256(f"back-fill\n{body}".encode()).hexdigest(), received_at=now,
        status=ShopDelivery.Status.FAILED, body=body,
        reason=say_failure(error),
    )  # fmt: skip
    ShopDelivery.objects.bulk_create([row], ignore_conflicts=True)


def _note_trouble(shop: ShopConnection, trouble: ShopTrouble, now: dt.datetime) -> None:
    """Try again later, or stop with the reason. A pause that the shop asks for is no failure."""
    shop.refresh_from_db(fields=["fill_tries"])
    if trouble.code == "throttled":
        _filling(shop).update(fill_next_at=now + dt.timedelta(seconds=trouble.wait_s), fill_error=say_trouble(trouble))
        return
    is_over = trouble.is_final or shop.fill_tries >= len(PAUSES_S)
    pause = dt.timedelta(seconds=0 if is_over else max(PAUSES_S[shop.fill_tries], trouble.wait_s))
    _filling(shop).update(
        fill_status=Fill.FAILED if is_over else F("fill_status"), fill_error=say_trouble(trouble),
        fill_tries=F("fill_tries") + 1, fill_next_at=None if is_over else now + pause,
    )  # fmt: skip
    log.warning("shop_fill_trouble", shop=shop.pk, code=trouble.code, is_final=trouble.is_final)
