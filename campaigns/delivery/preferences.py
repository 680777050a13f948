"""What a person sees and chooses in the preference centre. The link is the token of a message, as in `unsubscribe`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final

from django.conf import settings
from django.db import connection, transaction

from campaigns.audience.channels import address_sql, read_address
from campaigns.audience.topics import TOPICS
from campaigns.content.voice import LANGUAGES
from customers.ingest.consent import lift_unsubscription, record_consent
from customers.ingest.merged import find_current
from customers.ingest.preferences import choose_language, read_preference, save_preference
from customers.ingest.tracking import allows_tracking, record_tracking_consent
from customers.models import Channel, ConsentRecord, Customer, Preference, PrivacyRequest
from customers.models.customer import ERASED_SOURCE

from .own_data.asking import ask_for_own_data, ask_staff
from .unsubscribe import interface_language, read_token, unsubscribe

SOURCE: Final = "preferences"
#: How many messages in 30 days a person may ask for at the most; None is as many as the shop's own limit lets through.
FEWER: Final = (None, 4, 2, 1)
PAUSES_DAYS: Final = (7, 14, 30, 60, 90)
MOST_CONSENTS: Final = 20


@dataclass(frozen=True)
class Choices:
    """What the form says. `pause_days` None leaves a pause as it is, 0 ends it."""

    channels: Collection[str]
    topics: Collection[str]
    most_per_month: int | None
    pause_days: int | None
    may_profile: bool
    allows_tracking: bool
    #: Of LANGUAGES; "" leaves it as it is.
    language: str = ""


@dataclass(frozen=True)
class Standing:
    """What the page shows: the channels that reach this person and whether each may, and what they chose."""

    customer: Customer | None
    channels: dict[str, bool]
    preference: Preference | None
    allows_tracking: bool = False

    @property
    def interface_language(self) -> str:
        return interface_language(self.customer.language if self.customer else "")


def read_standing(token: str) -> Standing:
    """How things stand for the person behind a link; no customer where they were erased meanwhile. Raises BadToken."""
    customer = find_current(read_token(token).customer_id)
    if customer is None or customer.source == ERASED_SOURCE:
        return Standing(None, {}, None)
    return Standing(customer, _read_channels(customer), read_preference(customer), allows_tracking(customer))


def list_consents(customer: Customer) -> list[ConsentRecord]:
    """What a person agreed to and took back, as it is kept to prove it; the newest first, of each channel that people read."""
    kept = customer.consents.exclude(channel=Channel.WEBHOOK).order_by("-recorded_at", "-id")
    return list(kept[:MOST_CONSENTS])


def ask_for_data(token: str, kind: str, *, by_staff: bool = False, now: dt.datetime) -> PrivacyRequest | None:
    """Note that the person wants a copy of their data, or to be erased, and mail them the link by which they confirm it; with
    `by_staff` the mail does not reach them. None where nobody is there. Raises BadToken."""
    link, standing = read_token(token), read_standing(token)
    if standing.customer is None:
        return None
    source = f"{SOURCE}, message {link.message_id}"
    asks = ask_staff if by_staff else ask_for_own_data
    return asks(standing.customer, kind, source=source, now=now)


@transaction.atomic
def save_choices(token: str, choices: Choices, *, now: dt.datetime) -> None:
    """Do what the person chose: consents by channel with proof, the rest as preferences. Raises BadToken.

    The same choices again change nothing. A channel that is switched off is an unsubscription like any other; switched on again
    it lifts that, and nothing that a bounce or a complaint suppressed.
    """
    link, standing = read_token(token), read_standing(token)
    customer, kept = standing.customer, standing.preference
    if customer is None or kept is None:
        return
    for channel, is_on in standing.channels.items():
        if is_on != (channel in choices.channels):
            _switch_channel(token, customer, channel, is_on=not is_on, message_id=link.message_id, now=now)
    values: dict[str, Any] = {
        "topics_off": _choose_topics_off(kept, choices.topics),
        "most_per_month": choices.most_per_month,
    }
    if choices.pause_days is not None:
        values["paused_until"] = now + dt.timedelta(days=choices.pause_days) if choices.pause_days else None
    if choices.may_profile != (kept.objects_to_profiling_at is None):
        values["objects_to_profiling_at"] = None if choices.may_profile else now
    if choices.allows_tracking != standing.allows_tracking:
        proof = {"message": link.message_id, "by": SOURCE}
        record_tracking_consent(customer, is_given=choices.allows_tracking, source=SOURCE, proof=proof, now=now)
    if choices.language in LANGUAGES and choices.language != customer.language.lower()[:2]:  # "zh-CN" is "zh" already
        choose_language(customer, choices.language, source=SOURCE, message_id=link.message_id, now=now)
    save_preference(customer, values, source=SOURCE, message_id=link.message_id, now=now)


def _choose_topics_off(kept: Preference, wanted: Collection[str]) -> list[str]:
    """A topic that the page does not show stays as it was."""
    shown = set(settings.MESSAGE_TOPICS)
    return [key for key in TOPICS if (key not in wanted if key in shown else key in kept.topics_off)]


def _switch_channel(
    token: str, customer: Customer, channel: str, *, is_on: bool, message_id: int, now: dt.datetime
) -> None:
    if is_on:
        proof = {"message": message_id, "by": SOURCE}
        record_consent(customer, source=SOURCE, proof=proof, channel=channel, now=now)
        lift_unsubscription(read_address(channel, customer), channel=channel)
    else:
        unsubscribe(token, now=now, source=SOURCE, channel=channel)


def _read_channels(customer: Customer) -> dict[str, bool]:
    """Each channel that there is an address for, but webhooks, which no person reads; whether the newest consent is given."""
    asked = [channel for channel in Channel.values if channel != Channel.WEBHOOK]
    columns = ", ".join(f"{address_sql(channel)} <> ''" for channel in asked)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {columns} FROM customers_customer c WHERE c.id = %s", [customer.pk])
        reached = dict(zip(asked, cursor.fetchone(), strict=True))
    newest: dict[str, str] = {}
    for channel, status in customer.consents.order_by("recorded_at", "id").values_list("channel", "status"):
        newest[channel] = status
    return {channel: newest.get(channel) == ConsentRecord.Status.GIVEN for channel in asked if reached[channel]}
