"""What providers tell us: one address, anymail's views to check and to read, our reports to take in.

Called as functions rather than by anymail's signals: a post may hold a thousand events, which are taken in together.
"""

from __future__ import annotations

import datetime as dt
import warnings
from collections.abc import Sequence
from typing import Any

from anymail.exceptions import AnymailConfigurationError, AnymailError, AnymailWebhookValidationFailure
from anymail.signals import AnymailTrackingEvent, EventType, RejectReason
from django.conf import settings
from django.http import HttpRequest
from django.utils.module_loading import import_string

from campaigns.models import DeliveryKind

from .channels import Cause
from .channels.anymail import METADATA_KEY
from .channels.providers import PROVIDERS
from .channels.refusals import find_cause, is_lasting
from .channels.smtp import decode_answer
from .names import MessageKey, read_name
from .report import Report
from .signatures import BadSignature, digest_event, find_timestamp, verify_age, verify_standard_webhook

#: The address that is given to the provider, below SITE_URL.
WEBHOOK_PATH = "/hooks/mail/"
LONGEST_EVENT_ID = 100

_CLASSES = {
    "brevo": "Brevo", "mailersend": "MailerSend", "mailgun": "Mailgun", "mailjet": "Mailjet", "mailtrap": "Mailtrap",
    "mandrill": "Mandrill", "postal": "Postal", "postmark": "Postmark", "resend": "Resend", "sendgrid": "SendGrid",
    "sparkpost": "SparkPost", "unisender-go": "UnisenderGo",
}  # fmt: skip
_KINDS = {
    EventType.QUEUED: DeliveryKind.ACCEPTED,
    EventType.SENT: DeliveryKind.ACCEPTED,
    EventType.DEFERRED: DeliveryKind.DEFERRED,
    EventType.DELIVERED: DeliveryKind.DELIVERED,
    EventType.BOUNCED: DeliveryKind.BOUNCED,
    EventType.REJECTED: DeliveryKind.BOUNCED,
    EventType.FAILED: DeliveryKind.SOFT_BOUNCED,
    EventType.COMPLAINED: DeliveryKind.COMPLAINED,
    EventType.UNSUBSCRIBED: DeliveryKind.UNSUBSCRIBED,
    # Opens and clicks that a provider sees are left out: ours ask for consent, and know machines.
}
#: Reasons that say nothing against the address itself.
_SOFT_REASONS = {RejectReason.TIMED_OUT, RejectReason.BLOCKED, RejectReason.OTHER}


class RefusedWebhook(Exception):
    """Not from the provider, altered, too old, or unreadable: nothing of it is taken."""


def is_taking_webhooks() -> bool:
    """Whether there is a provider whose webhooks can be told from forged ones."""
    return settings.EMAIL_PROVIDER in _CLASSES and bool(settings.EMAIL_WEBHOOK_SECRET)


def read_webhook(request: HttpRequest, *, now: dt.datetime) -> list[Report]:
    """The reports in a post of the configured provider, after checking that it is one. Raises RefusedWebhook."""
    provider = settings.EMAIL_PROVIDER
    if not is_taking_webhooks():
        raise RefusedWebhook("no webhooks are taken")
    try:
        view = _make_view(provider)
        if _is_password():
            view.run_validators(request)
        elif provider == "resend":
            verify_standard_webhook(request.headers, request.body, settings.EMAIL_WEBHOOK_SECRET, now=now)
        else:
            view.run_validators(request)
        stamp = find_timestamp(provider, request.headers, request.body)
        if stamp is not None:
            verify_age(stamp, now=now)
    except (BadSignature, AnymailWebhookValidationFailure, AnymailConfigurationError) as error:
        raise RefusedWebhook(str(error)) from error
    except (AnymailError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise RefusedWebhook("not understood") from error
    return _read_events(provider, view, request, now)


def _read_events(provider: str, view: Any, request: HttpRequest, now: dt.datetime) -> list[Report]:
    try:
        events: Sequence[AnymailTrackingEvent] = view.parse_events(request)
    except (AnymailError, AnymailConfigurationError, LookupError, ValueError, TypeError, AttributeError) as error:
        raise RefusedWebhook("not understood") from error
    reports = (_make_report(provider, event, now) for event in events)
    return [report for report in reports if report is not None]


def _make_report(provider: str, event: AnymailTrackingEvent, now: dt.datetime) -> Report | None:
    kind, key = _KINDS.get(event.event_type), _find_message(event)
    if kind is None or key is None:
        return None
    answer = decode_answer(" ".join(str(part) for part in (event.mta_response, event.description) if part))
    if kind == DeliveryKind.BOUNCED:
        kind = _judge_bounce(event, answer)
    is_failure = kind in {DeliveryKind.BOUNCED, DeliveryKind.SOFT_BOUNCED, DeliveryKind.DEFERRED}
    return Report(
        provider=provider,
        event_id=_identify(event),
        key=key,
        kind=kind,
        occurred_at=event.timestamp or now,
        address=event.recipient or "",
        detail=answer,
        cause=find_cause(0, answer) if is_failure else Cause.NONE,
    )


def _find_message(event: AnymailTrackingEvent) -> MessageKey | None:
    """By the name that we gave the provider, else by a Message-ID of ours."""
    kept = event.metadata.get(METADATA_KEY) if isinstance(event.metadata, dict) else None
    return read_name(str(kept or "")) or read_name(str(event.message_id or ""))


def _judge_bounce(event: AnymailTrackingEvent, answer: str) -> DeliveryKind:
    """For good, or for now. What a provider says of its own kind comes first, then the mail server's status."""
    if event.reject_reason == RejectReason.UNSUBSCRIBED:
        return DeliveryKind.UNSUBSCRIBED
    if event.reject_reason == RejectReason.SPAM:
        return DeliveryKind.COMPLAINED
    if _read_resend_type(event.esp_event) == "Permanent":  # whatever its sentence, from which anymail guesses a reason
        return DeliveryKind.BOUNCED
    if _says_soft(event.esp_event) or event.reject_reason in _SOFT_REASONS:
        return DeliveryKind.SOFT_BOUNCED
    return DeliveryKind.SOFT_BOUNCED if is_lasting(answer) is False else DeliveryKind.BOUNCED


def _says_soft(raw: Any) -> bool:
    """Providers that put both kinds under one name: Postmark's Type, Brevo's event, SendGrid's blocks, Resend's subType."""
    if not isinstance(raw, dict):
        return False
    return (
        raw.get("Type") in {"SoftBounce", "Transient", "DnsError"}
        or raw.get("event") == "soft_bounce"
        or (raw.get("event") == "bounce" and raw.get("type") == "blocked")
        or _read_resend_type(raw) in {"Transient", "Temporary", "Undetermined"}
    )


def _read_resend_type(raw: Any) -> str:
    """`data.bounce.type` of Resend's events; "" where there is none."""
    data = raw.get("data") if isinstance(raw, dict) else None
    bounce = data.get("bounce") if isinstance(data, dict) else None
    return str(bounce.get("type") or "") if isinstance(bounce, dict) else ""


def _identify(event: AnymailTrackingEvent) -> str:
    """The provider's own id of the event; else one of its content, which is the same in every copy."""
    given = str(event.event_id or "")
    # Nothing of the content beside a given id: Mailgun's signature covers its token alone, so that what is sent under a
    # known token must be known, whatever it says.
    return given if 0 < len(given) <= LONGEST_EVENT_ID else digest_event(event.esp_event)


def _is_password() -> bool:
    return ":" in settings.EMAIL_WEBHOOK_SECRET


def _make_view(provider: str) -> Any:
    """anymail's view of the provider with our secret in it; it is only asked, never served."""
    table, secret = PROVIDERS[provider], settings.EMAIL_WEBHOOK_SECRET
    path = f"anymail.webhooks.{table.module}.{_CLASSES[provider]}TrackingWebhookView"
    options: dict[str, Any] = {}
    if _is_password():
        options["webhook_secret"] = secret
    elif provider != "resend":
        if not table.signing:
            raise RefusedWebhook("EMAIL_WEBHOOK_SECRET must be user:password for this provider")
        options[table.signing.lower()] = secret
    with warnings.catch_warnings():
        # Of missing passwords, where a signature protects; and of providers that anymail can no longer try out.
        warnings.simplefilter("ignore")
        return import_string(path)(**options)
