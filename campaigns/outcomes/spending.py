"""What a campaign used up, counted with its results: discounts by arm, messages by provider, model tokens, minutes of work.

Quantities alone; `pricing` puts the shop's prices on them, so that a price that changes needs no counting again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.db import connection

from campaigns.models import Campaign, Message, MessageStatus, Offer
from customers.models import AuditAction, AuditEntry
from llm.budget import read_limits, read_scope_spend

from .sums import Sums
from .working_time import estimate_minutes

#: The provider took it, or may have: it is on the bill.
BILLED: Final = (
    MessageStatus.ACCEPTED, MessageStatus.DELIVERED, MessageStatus.BOUNCED, MessageStatus.COMPLAINED, MessageStatus.UNKNOWN,
)  # fmt: skip


@dataclass(frozen=True)
class MessageCount:
    """Messages of one campaign that ended alike."""

    status: str
    channel: str
    route: str
    number: int


def count_messages(campaign: Campaign) -> list[MessageCount]:
    """By status, channel and provider."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT status, channel, route, count(*) FROM {Message._meta.db_table}"
            " WHERE campaign_id = %s GROUP BY status, channel, route ORDER BY channel, route, status",
            [campaign.pk],
        )
        return [MessageCount(*row) for row in cursor.fetchall()]


def describe_spending(campaign: Campaign, sums: Sums, messages: Sequence[MessageCount]) -> dict[str, Any]:
    """As JSON: both arms as `ArmSpending`, messages by channel and provider, tokens and their price, minutes.

    An order used the offer if it carries the offer's code (in any spelling of its letters); where the offer is a sum of money
    without a code, if it has a discount and no other code. Free delivery without a code leaves no trace: `is_traceable`.
    """
    offer = Offer.objects.filter(campaign=campaign).first()
    spend, limits = read_scope_spend(f"campaign:{campaign.pk}"), read_limits()
    is_priced = limits.has_prices or spend.cost > 0 or spend.tokens == 0
    return {
        "treated": sums.treated.spending.as_json(),
        "holdout": sums.holdout.spending.as_json(),
        "sends_free": offer is not None and offer.kind == Offer.Kind.FREE_SHIPPING,
        "is_traceable": offer is None or offer.kind != Offer.Kind.FREE_SHIPPING or bool(offer.code.strip()),
        "sent": _add_sent(messages),
        "tokens": spend.tokens,
        "model_cost": float(spend.cost) if is_priced else None,
        "model_currency": limits.currency,
        "minutes": _estimate_work(campaign),
    }


def _add_sent(messages: Sequence[MessageCount]) -> list[dict[str, Any]]:
    """By channel and provider."""
    sent: dict[tuple[str, str], int] = {}
    for each in messages:
        if each.status in BILLED:
            sent[each.channel, each.route] = sent.get((each.channel, each.route), 0) + each.number
    return [{"channel": channel, "route": route, "number": number} for (channel, route), number in sorted(sent.items())]


def _estimate_work(campaign: Campaign) -> float:
    """From the first trace of the campaign to its last approval, by the rule of `working_time`."""
    trail = AuditEntry.objects.filter(object_kind="campaign", object_id=str(campaign.pk))
    approved = trail.filter(action=AuditAction.CAMPAIGN_APPROVED).order_by("-pk").values_list("pk", flat=True).first()
    acts = trail.filter(actor_id__isnull=False, pk__lte=approved or 0).values_list("actor_id", "happened_at")
    return round(estimate_minutes(acts), 1)
