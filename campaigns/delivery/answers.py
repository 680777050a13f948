"""What follows from somebody's answer to a text message."""

from __future__ import annotations

import datetime as dt
from typing import Final

import structlog
from django.db import transaction

from campaigns.audience.eligibility import STATUSES_THAT_REACHED
from campaigns.models import Message
from customers.ingest.consent import lift_unsubscription, record_consent, suppress_address
from customers.ingest.merged import list_identities
from customers.models import Channel, ConsentRecord, Customer, Suppression

from .sms_hooks import Answer
from .unsubscribe import leave_channel

log = structlog.get_logger(__name__)

SOURCE: Final = "reply"


@transaction.atomic
def take_answer(answer: Answer, *, now: dt.datetime) -> int:
    """STOP: no text message to that number any more, whosever it is; returns how many customers left by it, or came back.

    Each with proof, and counted for the message that they answered, the newest that reached them. A copy of an answer that
    was taken changes nothing, also after the person has agreed again. START takes back a STOP and nothing else.
    """
    if answer.is_start:
        return _take_start(answer, now=now)
    if not answer.is_stop:
        return 0
    left = 0
    customers = list(Customer.objects.filter(phone=answer.sender).order_by("pk"))
    if any(_is_known(answer, customer) for customer in customers):
        return 0
    for customer in customers:
        answered = (
            Message.objects.filter(
                customer__in=list_identities(customer.pk), channel=Channel.SMS, status__in=STATUSES_THAT_REACHED
            )
            .order_by("-sending_at")
            .values_list("pk", flat=True)
            .first()
        )
        left += leave_channel(
            customer, Channel.SMS, message_id=answered, source=SOURCE, now=now, proof={"reply": answer.id}
        )
    # Also where nobody has the number: a customer who gets it tomorrow did not ask for anything.
    suppress_address(answer.sender, reason=Suppression.Reason.UNSUBSCRIBED, source=SOURCE, channel=Channel.SMS)
    log.info("stop_taken", customers=left)
    return left


def _take_start(answer: Answer, *, now: dt.datetime) -> int:
    """Give back the consents that a STOP from this number ended: written from the very number, it is the person's own word.

    Nobody who never agreed agrees by it, nor who left in another way (on their page, by a complaint, by a provider): a word
    out of nowhere names no offer that it could be a consent to. What was "existing customer" before comes back as a consent.
    """
    customers = list(Customer.objects.select_for_update().filter(phone=answer.sender).order_by("pk"))
    if any(_is_known(answer, customer) for customer in customers):
        return 0
    back = [customer for customer in customers if _ended_by_stop(customer)]
    for customer in back:
        record_consent(customer, source=SOURCE, channel=Channel.SMS, now=now, proof={"by": SOURCE, "reply": answer.id})
    if back:
        lift_unsubscription(answer.sender, channel=Channel.SMS)
    log.info("start_taken", customers=len(back))
    return len(back)


def _ended_by_stop(customer: Customer) -> bool:
    """Whether the newest two records are a consent and the STOP that ended it."""
    newest = list(customer.consents.filter(channel=Channel.SMS).order_by("-recorded_at", "-pk")[:2])
    if len(newest) < 2 or newest[1].status != ConsentRecord.Status.GIVEN or newest[1].is_test:
        return False
    return newest[0].status == ConsentRecord.Status.WITHDRAWN and newest[0].proof.get("by") == SOURCE


def _is_known(answer: Answer, customer: Customer) -> bool:
    return ConsentRecord.objects.filter(customer=customer, channel=Channel.SMS, proof__reply=answer.id).exists()
