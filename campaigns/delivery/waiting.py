"""What is due: on which channels, and of which campaigns."""

from __future__ import annotations

from django.db.models import BooleanField, Exists, OuterRef, QuerySet
from django.db.models.expressions import RawSQL

from campaigns.models import Campaign, CampaignStatus, Message, MessageStatus
from campaigns.models.message import DUE_FROM_SQL
from customers.models import Channel as Kind


def find_waiting_channels() -> set[str]:
    """Channels on which something of a sending campaign is due."""
    sending = Campaign.objects.filter(status=CampaignStatus.SENDING)
    return {kind for kind in Kind.values if sending.filter(Exists(due_messages(kind))).exists()}


def find_sending_campaigns(kind: str = Kind.EMAIL) -> list[int]:
    """Campaigns with messages that are due on a channel: the most important first, and of those the longest running."""
    waiting = due_messages(kind)
    sending = Campaign.objects.filter(Exists(waiting), status=CampaignStatus.SENDING)
    return list(sending.order_by("-priority", "sending_started_at", "pk").values_list("pk", flat=True))


def due_messages(kind: str) -> QuerySet[Message]:
    """Messages of the outer query's campaign that may leave by this channel now."""
    is_due = RawSQL(f"{DUE_FROM_SQL} <= (SELECT clock_timestamp())", [], output_field=BooleanField())
    return Message.objects.filter(is_due, campaign=OuterRef("pk"), channel=kind, status=MessageStatus.QUEUED)
