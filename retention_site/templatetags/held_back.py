"""What a ticket's page tells of the promotions that did not go out because of it."""

from __future__ import annotations

import datetime as dt

from django import template

from campaigns.models import Campaign, Message, MessageStatus, SkipReason

register = template.Library()
HELD = (SkipReason.OPEN_COMPLAINT, SkipReason.VERY_UNHAPPY)


@register.simple_tag
def held_back(customer: int, since: dt.datetime, until: dt.datetime | None) -> list[tuple[Campaign, int]]:
    """The campaigns whose message to this customer was held for a complaint or a mood in that time, each with that message's
    number; the newest first. `until` is None while the ticket holds."""
    found = Message.objects.filter(
        customer=customer, status=MessageStatus.SKIPPED, skip_reason__in=HELD, settled_at__gte=since
    )
    if until:
        found = found.filter(settled_at__lt=until)
    return [(message.campaign, message.pk) for message in found.select_related("campaign").order_by("-settled_at")[:5]]
