"""Tells support which message of a campaign a reply answers: the two do not know each other, and this stands above both."""

from __future__ import annotations

from campaigns.delivery.names import read_name
from campaigns.models import Message
from customers.ingest.merged import find_current
from customers.models.customer import ERASED_SOURCE
from support.mail.replies import SentMessage


def find_sent_message(reference: str) -> SentMessage | None:
    """The message that a Message-ID of ours names, and who it was sent to or was merged into since; None for any other text, and
    of the erased."""
    key = read_name(reference)
    if key is None:
        return None
    message = Message.objects.filter(
        campaign=key.campaign_id, step=key.step, customer=key.customer_id, entry=key.entry
    ).first()
    customer = find_current(key.customer_id) if message else None
    if message is None or customer is None or customer.source == ERASED_SOURCE:
        return None
    return SentMessage(message.pk, customer)
