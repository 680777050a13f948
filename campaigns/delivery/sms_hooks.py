"""What the provider of text messages tells us: receipts of what we sent, and what people answer.

Twilio signs address and form with the account's token, and no time: a copy is known by the ids in it. The check is its
client's own.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from django.conf import settings
from django.http import HttpRequest

from campaigns.models import DeliveryKind

from .channels.http_answers import hide_numbers
from .names import read_name
from .report import Report
from .webhooks import RefusedWebhook

PROVIDER: Final = "twilio"
#: Words that end it: those of CTIA, and what people in China and Europe write. Twilio's OptOutType says it besides.
STOP_WORDS: Final = frozenset(
    {
        *(
            "stop",
            "stopall",
            "unsubscribe",
            "cancel",
            "end",
            "quit",
            "revoke",
            "optout",
            "td",
            "t",
            "退订",
            "退訂",
            "取消",
        ),
        *("stopp", "arret", "arrêt", "baja", "alto"),
    }
)
#: Words that take a STOP back, and nothing else: those of CTIA and Twilio, and their likes in China and Europe.
START_WORDS: Final = frozenset(
    {"start", "unstop", "resume", "subscribe", "恢复订阅", "订阅", "恢復訂閱", "訂閱", "weiter", "reprendre", "alta"}
)
_KINDS: Final = {
    "sent": DeliveryKind.ACCEPTED,
    "delivered": DeliveryKind.DELIVERED,
    "read": DeliveryKind.DELIVERED,
    "undelivered": DeliveryKind.SOFT_BOUNCED,
    "failed": DeliveryKind.SOFT_BOUNCED,
}
#: The number is dead, or none for text messages: nothing will ever arrive there.
_FOR_GOOD: Final = frozenset({"21211", "21614", "30005", "30006", "30011"})
#: The person told the provider STOP, at another time or to another sender of ours.
_OPTED_OUT: Final = "21610"


@dataclass(frozen=True)
class Answer:
    """What somebody wrote back: `id` is the provider's, the same for every copy of it."""

    id: str
    sender: str
    is_stop: bool
    is_start: bool = False


def is_taking_sms_hooks() -> bool:
    """Whether there is a provider whose posts can be told from forged ones."""
    return settings.SMS_TARGET is not None and not settings.SMS_IS_CAUGHT


def read_sms_hook(request: HttpRequest, *, now: dt.datetime) -> Report | Answer | None:
    """A receipt or an answer, after checking that it is the provider's; None for what needs no deed. Raises RefusedWebhook."""
    if not is_taking_sms_hooks():
        raise RefusedWebhook("no posts are taken")
    form = {key: str(value) for key, value in request.POST.items()}
    _verify(request, form)
    sid = form.get("MessageSid") or form.get("SmsSid") or ""
    if not re.fullmatch(r"[A-Za-z0-9]{2,64}", sid):
        raise RefusedWebhook("no id")
    if "MessageStatus" in form:
        return _read_receipt(request, form, sid, now)
    if form.get("From"):
        kind, body = form.get("OptOutType", ""), form.get("Body", "")
        stops = kind == "STOP" or is_stop(body)
        return Answer(sid, form["From"], stops, not stops and (kind == "START" or is_start(body)))
    return None


def is_stop(text: str) -> bool:
    """Whether an answer asks for no more: one of the words, alone or with signs around it."""
    return _fold(text) in STOP_WORDS


def is_start(text: str) -> bool:
    """Whether an answer takes a STOP back, in the same way."""
    return _fold(text) in START_WORDS


def _fold(text: str) -> str:
    """Letters of full width, as Chinese keyboards write them, are the same letters."""
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", text)).lower()


def _verify(request: HttpRequest, form: Mapping[str, str]) -> None:
    """The address is the one that was given to the provider, whatever a proxy before us made of it."""
    from twilio.request_validator import RequestValidator  # only where somebody posts

    assert settings.SMS_TARGET is not None
    url = f"{settings.SITE_URL}{request.get_full_path()}"
    given = request.headers.get("X-Twilio-Signature", "")
    if not given.isascii() or not RequestValidator(settings.SMS_TARGET.token).validate(url, request.POST, given):
        raise RefusedWebhook("the signature does not fit")


def _read_receipt(request: HttpRequest, form: Mapping[str, str], sid: str, now: dt.datetime) -> Report | None:
    status, code = form["MessageStatus"], form.get("ErrorCode", "")
    kind, key = _KINDS.get(status), read_name(request.GET.get("message", ""))
    if kind is None or key is None:
        return None
    if kind == DeliveryKind.SOFT_BOUNCED and code in _FOR_GOOD:
        kind = DeliveryKind.BOUNCED
    elif kind == DeliveryKind.SOFT_BOUNCED and code == _OPTED_OUT:
        kind = DeliveryKind.UNSUBSCRIBED
    detail = hide_numbers(" ".join(filter(None, (status, code, form.get("ErrorMessage", "")))))
    return Report(PROVIDER, f"{sid}:{status}", key, kind, now, form.get("To", ""), detail=detail)
