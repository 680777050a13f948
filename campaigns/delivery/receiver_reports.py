"""What the receiver of the web hook tells us of a message, signed as we sign ours.

{"type": "message.delivered", "data": {"id": "NAME", "detail": "…"}, "timestamp": "2026-11-23T12:00:00Z"}
"""

from __future__ import annotations

import datetime as dt
import json
from typing import Any, Final

from django.conf import settings
from django.http import HttpRequest

from campaigns.models import DeliveryKind

from .channels.http_answers import hide_numbers
from .channels.smtp import decode_answer
from .names import read_name
from .report import Report
from .signatures import BadSignature, verify_standard_webhook
from .webhooks import RefusedWebhook

#: The address that is given to the receiver, below SITE_URL.
HOOK_PATH: Final = "/hooks/webhook/"
PROVIDER: Final = "webhook"
_KINDS: Final = {
    "message.accepted": DeliveryKind.ACCEPTED,
    "message.delivered": DeliveryKind.DELIVERED,
    "message.bounced": DeliveryKind.BOUNCED,
    "message.failed": DeliveryKind.SOFT_BOUNCED,
    "message.complained": DeliveryKind.COMPLAINED,
    "message.unsubscribed": DeliveryKind.UNSUBSCRIBED,
}


def is_taking_receiver_reports() -> bool:
    return settings.WEBHOOK_TARGET is not None and not settings.WEBHOOK_IS_CAUGHT


def read_receiver_report(request: HttpRequest, *, now: dt.datetime) -> Report | None:
    """None for a type that we do not know or a message that is not ours. Raises RefusedWebhook."""
    if settings.WEBHOOK_TARGET is None or not is_taking_receiver_reports():
        raise RefusedWebhook("no posts are taken")
    try:
        verify_standard_webhook(
            request.headers, request.body, settings.WEBHOOK_TARGET.secret, now=now, prefix="webhook"
        )
        told: Any = json.loads(request.body)
        kind, data = _KINDS.get(str(told["type"])), told["data"]
        key, detail = read_name(str(data["id"])), str(data.get("detail") or "")
        occurred_at = _read_time(told.get("timestamp"), now)
    except BadSignature as error:
        raise RefusedWebhook(str(error)) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise RefusedWebhook("not understood") from error
    if kind is None or key is None:
        return None
    event = request.headers.get("webhook-id", "")[:100]
    return Report(PROVIDER, event, key, kind, occurred_at, detail=hide_numbers(decode_answer(detail)))


def _read_time(value: object, now: dt.datetime) -> dt.datetime:
    moment = dt.datetime.fromisoformat(str(value)) if value else now
    return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
