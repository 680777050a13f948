"""What a campaign used up, counted with its results: discounts by arm, messages by provider, model tokens, minutes of work.

Quantities alone; `pricing` puts the shop's prices on them, so that a price that changes needs no counting again.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any, Final

from django.db import connection

from campaigns.models import Arm, Campaign, Message, MessageStatus, Offer
from customers.ingest.merged import order_join_sql
from customers.models import AuditAction, AuditEntry
from llm.budget import read_limits, read_scope_spend

from .windows import Window, people_sql, window_params
from .working_time import estimate_minutes
from .worth import NUMBERS, ArmSpending

#: The provider took it, or may have: it is on the bill.
BILLED: Final = (
    MessageStatus.ACCEPTED, MessageStatus.DELIVERED, MessageStatus.BOUNCED, MessageStatus.COMPLAINED, MessageStatus.UNKNOWN,
)  # fmt: skip
NOBODY: Final = ArmSpending(0, [0.0] * len(NUMBERS), [[0.0] * len(NUMBERS)] * len(NUMBERS))


def count_spending(campaign: Campaign, window: Window, *, as_of: dt.datetime, currency: str) -> dict[str, Any]:
    """As JSON: both arms as `ArmSpending`, messages by channel and provider, tokens and their price, minutes.

    An order used the offer if it carries the offer's code (in any spelling of its letters); where the offer is a sum of money
    without a code, if it has a discount and no other code. Free delivery without a code leaves no trace: `is_traceable`.
    """
    offer = Offer.objects.filter(campaign=campaign).first()
    arms = _count_arms(campaign, window, offer, as_of, currency)
    spend, limits = read_scope_spend(f"campaign:{campaign.pk}"), read_limits()
    is_priced = limits.has_prices or spend.cost > 0 or spend.tokens == 0
    return {
        "treated": arms.get(Arm.TREATMENT, NOBODY).as_json(),
        "holdout": arms.get(Arm.HOLDOUT, NOBODY).as_json(),
        "sends_free": offer is not None and offer.kind == Offer.Kind.FREE_SHIPPING,
        "is_traceable": offer is None or offer.kind != Offer.Kind.FREE_SHIPPING or bool(offer.code.strip()),
        "sent": _count_sent(campaign),
        "tokens": spend.tokens,
        "model_cost": float(spend.cost) if is_priced else None,
        "model_currency": limits.currency,
        "minutes": _estimate_work(campaign),
    }


def _count_arms(
    campaign: Campaign, window: Window, offer: Offer | None, as_of: dt.datetime, currency: str
) -> dict[str, ArmSpending]:
    params = window_params(campaign, window, as_of=as_of) | {"currency": currency, "code": _read_code(offer)}
    sql = _SQL.format(
        people=people_sql(campaign), orders=order_join_sql("m.customer_id"), used=_used_sql(offer), sums=_SUMS_SQL
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return {arm: _read_arm(n, numbers) for arm, n, *numbers in cursor.fetchall()}


def used_sql(order: str, code: str, is_money: str) -> str:
    """SQL of the condition that an order used an offer, from expressions of its code ('' for none) and whether it is money."""
    return (
        f"CASE WHEN {code} <> '' THEN upper({order}.discount_code) = {code}"
        f" ELSE {is_money} AND {order}.discount > 0 AND {order}.discount_code = '' END"
    )


def _used_sql(offer: Offer | None) -> str:
    is_money = offer is not None and offer.kind in (Offer.Kind.PERCENT, Offer.Kind.AMOUNT)
    return used_sql("o", "%(code)s::text", "true" if is_money else "false")


def _read_code(offer: Offer | None) -> str:
    return "" if offer is None or offer.kind == Offer.Kind.NONE else offer.code.strip().upper()


_SQL = """
WITH people AS MATERIALIZED (
    SELECT m.arm,
           coalesce(sum(o.total) FILTER (WHERE o.currency = %(currency)s), 0)::float8 AS paid,
           coalesce(sum(o.discount) FILTER (WHERE o.currency = %(currency)s), 0)::float8 AS discounts,
           coalesce(sum(o.discount) FILTER (WHERE o.currency = %(currency)s AND ({used})), 0)::float8 AS redeemed,
           (count(o.id) FILTER (WHERE NOT o.is_return AND ({used})))::float8 AS redemptions,
           (count(o.id) FILTER (WHERE NOT o.is_return) > 0)::int::float8 AS kept
    FROM ({people}) m
    {orders}
     AND o.ordered_at >= m.opens_at AND o.ordered_at < m.closes_at
     AND o.ordered_at >= %(start)s AND o.ordered_at < %(end)s
    GROUP BY m.customer_id, m.arm
)
SELECT arm, count(*), {sums} FROM people GROUP BY arm
"""
_SUMS_SQL = ", ".join(
    [f"avg({name})" for name in NUMBERS]
    + [
        f"coalesce(covar_samp({name}, {other}), 0)"
        for place, name in enumerate(NUMBERS)
        for other in NUMBERS[place:]
    ]
)  # fmt: skip


def _read_arm(n: int, numbers: Sequence[float]) -> ArmSpending:
    width = len(NUMBERS)
    spread = [[0.0] * width for _number in NUMBERS]
    upper = iter(numbers[width:])
    for row in range(width):
        for column in range(row, width):
            spread[row][column] = spread[column][row] = float(next(upper))
    return ArmSpending(n, [float(mean) for mean in numbers[:width]], spread)


def _count_sent(campaign: Campaign) -> list[dict[str, Any]]:
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT channel, route, count(*) FROM {Message._meta.db_table}"
            " WHERE campaign_id = %s AND status = ANY(%s) GROUP BY channel, route ORDER BY channel, route",
            [campaign.pk, [status.value for status in BILLED]],
        )
        return [{"channel": channel, "route": route, "number": number} for channel, route, number in cursor.fetchall()]


def _estimate_work(campaign: Campaign) -> float:
    """From the first trace of the campaign to its last approval, by the rule of `working_time`."""
    trail = AuditEntry.objects.filter(object_kind="campaign", object_id=str(campaign.pk))
    approved = trail.filter(action=AuditAction.CAMPAIGN_APPROVED).order_by("-pk").values_list("pk", flat=True).first()
    acts = trail.filter(actor_id__isnull=False, pk__lte=approved or 0).values_list("actor_id", "happened_at")
    return round(estimate_minutes(acts), 1)
