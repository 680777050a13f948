"""What follows from somebody's answer to a text message."""

from __future__ import annotations

import datetime as dt
from typing import Final

import structlog
from django.db import transaction

from campaigns.audience.eligibility import STATUSES_THAT_REACHED
from campaigns.models import Message
from customers.ingest.consent import suppress_address
from customers.models import Channel, ConsentRecord, Customer, Suppression

from .sms_hooks import Answer
from .unsubscribe import leave_channel

log = structlog.get_logger(__name__)

SOURCE: Final = "reply"


@transaction.atomic
def take_answer(answer: Answer, *, now: dt.datetime) -> int:
    """STOP: no text message to that number any more, whosever it is; returns how many customers left by it.

    Each with proof, and counted for the message that they answered, the newest that reached them. A copy of an answer that
    was taken changes nothing, also after the person has agreed again.
    """
    if not answer.is_stop:
        return 0
    left = 0
    customers = list(Customer.objects.filter(phone=answer.sender).order_by("pk"))
    if any(_is_known(answer, customer) for customer in customers):
        return 0
    for customer in customers:
        answered = (
            Message.objects.filter(customer=customer, channel=Channel.SMS, status__in=STATUSES_THAT_REACHED)
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


def _is_known(answer: Answer, customer: Customer) -> bool:
    return ConsentRecord.objects.filter(customer=customer, channel=Channel.SMS, proof__reply=answer.id).exists()
