"""Mail by a provider's webhook: anymail's views check and read it, called rather than signalled (decisions 0004 and 0009).

Only providers whose signature covers the whole request: an altered one is refused. Those that sign a time have to be of
now; of all, a
copy is known by its Message-ID.
"""

from __future__ import annotations

import datetime as dt
import warnings
from dataclasses import dataclass
from email.message import Message
from typing import Any, Final

from anymail.exceptions import AnymailError
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured, RequestDataTooBig
from django.http import HttpRequest
from django.utils.module_loading import import_string

#: The address that is given to the provider, below SITE_URL.
HOOK_PATH: Final = "/hooks/inbound/"
#: A signed time that is older, or later, is a replay (the tolerance of Standard Webhooks).
WINDOW_S: Final = 300


@dataclass(frozen=True)
class Signer:
    """A provider: the view of anymail that checks, the option that takes our secret, the view that reads, and the header
    of the signed time."""

    checks: str
    option: str
    reads: str
    time_header: str = ""


SIGNERS: Final = {
    "mailersend": Signer("mailersend.MailerSendInboundWebhookView", "inbound_secret", "mailersend.MailerSendInboundWebhookView"),
    "mandrill": Signer("mandrill.MandrillCombinedWebhookView", "webhook_key", "mandrill.MandrillCombinedWebhookView"),
    "postal": Signer("postal.PostalInboundWebhookView", "webhook_key", "postal.PostalInboundWebhookView"),
    # anymail's view for inbound checks no signature; SendGrid signs it as it signs its events ("Inbound Parse Security
    # Policies").
    "sendgrid": Signer(
        "sendgrid.SendGridTrackingWebhookView",
        "tracking_webhook_verification_key",
        "sendgrid.SendGridInboundWebhookView",
        "X-Twilio-Email-Event-Webhook-Timestamp",
    ),
}  # fmt: skip


class RefusedHook(Exception):
    """Not from the provider, altered, too old, or unreadable: nothing of it is taken."""


class TooLargeHook(RefusedHook):
    """Larger than requests may be."""


def is_taking_mail() -> bool:
    return settings.SUPPORT_HOOK_PROVIDER in SIGNERS and bool(settings.SUPPORT_HOOK_SECRET)


def read_hook(request: HttpRequest, *, now: dt.datetime) -> list[Message]:
    """The mails in a post of the configured provider, after checking that it is one. Raises RefusedHook."""
    if not is_taking_mail():
        raise RefusedHook("no mail is taken")
    signer = SIGNERS[settings.SUPPORT_HOOK_PROVIDER]
    try:
        _ = request.body  # before anything reads the form: signatures are of the bytes
        checker = _make_view(signer.checks, **{signer.option: settings.SUPPORT_HOOK_SECRET})
        checker.run_validators(request)
        if signer.time_header:
            _verify_age(request.headers.get(signer.time_header, ""), now)
        reader = checker if signer.reads == signer.checks else _make_view(signer.reads)
        events = reader.parse_events(request)
    except RequestDataTooBig as error:
        raise TooLargeHook("too large") from error
    except RefusedHook:
        raise
    except (AnymailError, ImproperlyConfigured) as error:
        raise RefusedHook(type(error).__name__) from error
    except (ValueError, LookupError, TypeError, AttributeError, AssertionError, RecursionError) as error:
        raise RefusedHook("not understood") from error
    return [event.message for event in events if isinstance(getattr(event, "message", None), Message)]


def _verify_age(stamp: str, now: dt.datetime) -> None:
    try:
        age_s = now.timestamp() - float(stamp)
    except ValueError as error:
        raise RefusedHook("no time") from error
    if not abs(age_s) <= WINDOW_S:
        raise RefusedHook("too old or not yet")


def _make_view(name: str, **options: str) -> Any:
    """anymail's view with our secret in it; it is only asked, never served. A password stands in no address here."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of missing passwords, where a signature protects
        return import_string(f"anymail.webhooks.{name}")(webhook_secret=[], **options)
