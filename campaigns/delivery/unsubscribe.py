"""One-click unsubscribe (RFC 8058): signed links that need no log-in, never expire, and act on POST alone."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.signing import BadSignature, Signer
from django.db import transaction

from campaigns.audience.channels import read_address
from campaigns.models import DeliveryEvent, DeliveryKind, Message
from customers.ingest.consent import find_newest_consent, suppress_address, withdraw_consent
from customers.ingest.merged import find_current
from customers.ingest.recorder import NewEvent, record_events
from customers.models import Channel, ConsentRecord, Customer, EventKind, Suppression

from .sent_events import EVENT_SOURCE, describe_message
from .tokens import sign_token

#: The address of the public page. It stands in mail that was sent, so it can never change; spelled out here, because
#: asking the URL conf would load every page of the site into the worker. A test holds the two together.
UNSUBSCRIBE_PATH = "/u/"
#: Of the preference centre, which takes the same token.
PREFERENCES_PATH = "/p/"
SALT = "campaigns.delivery.unsubscribe"


class BadToken(Exception):
    """A link that we did not make, or that was altered."""


@dataclass(frozen=True)
class Link:
    """What a token says: the row that carried it, and whose it was."""

    message_id: int
    customer_id: int


@dataclass(frozen=True)
class Subscriber:
    """What the public page needs to know of the person behind a link, and nothing more."""

    is_subscribed: bool
    interface_language: str
    channel: str = "email"


def make_token(message_id: int, customer_id: int) -> str:
    """The token of one message: always the same, so that a replay of the body is equal to the byte."""
    return sign_token(f"{message_id}-{customer_id}", salt=SALT)


def read_token(token: str) -> Link:
    """Whom the token is about. Raises BadToken."""
    try:
        message, _dash, customer = _signer().unsign(token).partition("-")
        return Link(int(message), int(customer))
    except (BadSignature, ValueError) as error:
        raise BadToken from error


def unsubscribe_url(message_id: int, customer_id: int) -> str:
    """The address in header and footer of a message."""
    return f"{settings.SITE_URL}{UNSUBSCRIBE_PATH}{make_token(message_id, customer_id)}/"


def preferences_url(message_id: int, customer_id: int) -> str:
    """The address in the footer behind which a person chooses what they get."""
    return f"{settings.SITE_URL}{PREFERENCES_PATH}{make_token(message_id, customer_id)}/"


def describe_subscriber(token: str) -> Subscriber:
    """Whether this person still agrees to be written to, and in which language to say so. Raises BadToken."""
    link = read_token(token)
    customer = find_current(link.customer_id)
    if customer is None:
        return Subscriber(False, "en")
    channel = _channel_of(link.message_id)
    newest = find_newest_consent(customer.pk, channel)
    is_subscribed = newest is not None and newest.status == ConsentRecord.Status.GIVEN
    return Subscriber(is_subscribed, interface_language(customer.language), channel)


def interface_language(language: str) -> str:
    """Of the two in which public pages are written, the one that somebody with this language reads."""
    return "zh-hans" if language.lower().startswith("zh") else "en"


@transaction.atomic
def unsubscribe(token: str, *, now: dt.datetime, source: str = "page", channel: str = "") -> bool:
    """Withdraw the consent, suppress the address and write the event down; all or nothing. False when it was done before.

    On `channel`, else on that by which the message of the token came. A customer who was erased meanwhile stays suppressed
    by the erasure. Raises BadToken. Safe to run twice.
    """
    link = read_token(token)
    customer = find_current(link.customer_id)
    if customer is None:
        return False
    return leave_channel(
        customer, channel or _channel_of(link.message_id), message_id=link.message_id, source=source, now=now
    )


@transaction.atomic
def leave_channel(
    customer: Customer,
    channel: str,
    *,
    message_id: int | None,
    source: str,
    now: dt.datetime,
    proof: Mapping[str, Any] | None = None,
) -> bool:
    """The same for a customer who asked for it in another way. `message_id` is the message that they answer to, if any."""
    told = {"message": message_id, "by": source, **(proof or {})}
    withdrawn = withdraw_consent(customer, source="unsubscribe", proof=told, channel=channel, now=now)
    address = read_address(channel, customer)
    is_new = bool(address) and suppress_address(
        address, reason=Suppression.Reason.UNSUBSCRIBED, source="unsubscribe", channel=channel
    )
    if withdrawn is None and not is_new:
        return False
    campaign = Message.objects.filter(pk=message_id or 0).values_list("campaign_id", flat=True).first()
    event = NewEvent(
        customer_id=customer.pk,
        kind=EventKind.EMAIL_UNSUBSCRIBED if channel == Channel.EMAIL else EventKind.MESSAGE_UNSUBSCRIBED,
        occurred_at=now,
        external_id=f"unsubscribed:{message_id}" if message_id else f"unsubscribed:{channel}:{customer.pk}",
        properties={**describe_message(campaign, message_id or 0, channel), "by": source},
    )
    record_events([event], source=EVENT_SOURCE)
    if message_id is not None and campaign is not None:
        _write_delivery_event(message_id, now)
    return True


def _channel_of(message_id: int) -> str:
    """By which channel a message came; e-mail where its row is gone."""
    return Message.objects.filter(pk=message_id).values_list("channel", flat=True).first() or Channel.EMAIL


def _write_delivery_event(message_id: int, now: dt.datetime) -> None:
    """So that the figures of a campaign count it beside what others report."""
    left = DeliveryEvent(
        provider=EVENT_SOURCE, provider_event_id=f"unsubscribed:{message_id}", message_id=message_id,
        kind=DeliveryKind.UNSUBSCRIBED, occurred_at=now,
    )  # fmt: skip
    DeliveryEvent.objects.bulk_create([left], ignore_conflicts=True)


def _signer() -> Signer:
    return Signer(sep=".", salt=SALT)
