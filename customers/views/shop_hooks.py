"""The address that connected shops call. It answers within their 5 seconds: keep, apply if it works, say 200."""

from __future__ import annotations

import structlog
from django.contrib.auth.decorators import login_not_required
from django.db import OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from customers.ingest.shops.deliveries import apply_delivery
from customers.ingest.shops.receiving import receive
from customers.ingest.shops.signatures import Refused
from customers.models import ShopConnection
from customers.privacy.shops import answer_shop

log = structlog.get_logger(__name__)

#: The shop waits for 5 seconds; so long for locks that others hold.
PATIENCE_S = 2


@login_not_required
@csrf_exempt
@require_POST
def take_shop_hook(request: HttpRequest, token: str) -> HttpResponse:
    """One webhook. 401 for what is not the shop's own or not of now; 200 once its row is kept, whatever becomes of it."""
    shop = ShopConnection.objects.filter(hook_token=token).exclude(status=ShopConnection.Status.ENDED).first()
    if shop is None:
        raise Http404
    now = timezone.now()
    try:
        receipt = receive(shop, request.headers, request.body, now=now)
    except Refused as refusal:
        return JsonResponse({"status": "refused", "reason": refusal.code}, status=401)
    word = receipt.word
    if receipt.delivery_id is not None:
        word = "applied" if _apply(receipt.delivery_id) else "kept"
    return JsonResponse({"status": word})


def _apply(delivery_id: int) -> bool:
    """Whatever goes wrong now, the row is kept and the sweep takes it: the shop must not send it again for that."""
    try:
        return apply_delivery(delivery_id, now=timezone.now(), answer=answer_shop, patience_s=PATIENCE_S)
    except OperationalError:  # a page of the back-fill is being written
        return False
    except Exception:
        log.exception("shop_webhook_not_applied", delivery=delivery_id)
        return False
