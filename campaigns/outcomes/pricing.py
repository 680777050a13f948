"""Puts the shop's prices on what a campaign used up."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils.translation import gettext as _

from campaigns.models import Campaign, CostRates, StaffTime
from customers.models import AuditAction, Channel, record_audit

from .worth import ArmSpending, Costs


def read_rates() -> CostRates:
    """The newest; without any, one that knows nothing (and has no number)."""
    return CostRates.objects.order_by("-number").first() or CostRates(number=0)


@transaction.atomic
def save_rates(user: User, values: Mapping[str, Any], *, now: dt.datetime) -> CostRates:
    """Keep new prices as the next number; the same ones again make none. Raises PermissionDenied without the right.

    Two at once: one of them gets IntegrityError from the key, and nothing is lost.
    """
    if not user.has_perm("campaigns.add_costrates"):
        raise PermissionDenied("campaigns.add_costrates")
    before = read_rates()
    changed = [name for name, value in values.items() if getattr(before, name) != value]
    if not changed and before.number:
        return before
    rates = CostRates.objects.create(number=before.number + 1, changed_by=user, changed_at=now, **values)
    record_audit(AuditAction.SETTINGS_CHANGED, actor=user, about=("cost_rates", rates.number), fields=sorted(changed))
    return rates


def enter_minutes(user: User, campaign: Campaign, minutes: int | None, *, now: dt.datetime) -> None:
    """Say how long people worked on a campaign; None goes back to the estimate. Raises PermissionDenied without the right."""
    if not user.has_perm("campaigns.change_campaign"):
        raise PermissionDenied(_("Your role does not allow this."))
    with transaction.atomic():
        if minutes is None:
            StaffTime.objects.filter(campaign=campaign).delete()
        else:
            values = {"minutes": minutes, "entered_by": user, "entered_at": now}
            StaffTime.objects.update_or_create(campaign=campaign, defaults=values)
        record_audit(AuditAction.STAFF_TIME_ENTERED, actor=user, about=("campaign", campaign.pk), minutes=minutes)


def price_spending(spending: Mapping[str, Any], rates: CostRates, *, minutes: float | None, currency: str) -> Costs:
    """What it comes to in the shop's currency. `minutes` as a person entered them; None takes the estimate."""
    treated = ArmSpending.from_json(spending["treated"])
    _paid, _discounts, redeemed, redemptions, _kept = treated.means
    worked = spending["minutes"] if minutes is None else minutes
    return Costs(
        discounts=treated.n * redeemed,
        delivery=_price_delivery(spending, treated.n * redemptions, rates),
        sending=_price_sending(spending["sent"], rates),
        model=_price_model(spending, rates, currency),
        staff=0.0 if not worked else None if rates.staff_hour is None else float(rates.staff_hour) * worked / 60,
    )


def find_message_price(prices: Mapping[str, Any], channel: str, route: str) -> Decimal | None:
    """Of one message: as it is for this provider, else for the channel; for text messages else the price of a part."""
    for key in (f"{channel}/{route}", channel):
        if prices.get(key) not in (None, ""):
            return Decimal(str(prices[key]))
    if channel == Channel.SMS and settings.SMS_PART_PRICE:
        return Decimal(str(settings.SMS_PART_PRICE))
    return None


def _price_delivery(spending: Mapping[str, Any], redemptions: float, rates: CostRates) -> float | None:
    if not spending["sends_free"]:
        return 0.0
    if not spending["is_traceable"] or rates.delivery is None:
        return None
    return float(rates.delivery) * redemptions


def _price_sending(sent: list[Mapping[str, Any]], rates: CostRates) -> float | None:
    """None where the price of any of them is not known: half a bill would look like a whole one."""
    prices = [(find_message_price(rates.message_prices, row["channel"], row["route"]), row["number"]) for row in sent]
    if any(price is None for price, _number in prices):
        return None
    return math.fsum(float(price) * number for price, number in prices if price is not None)


def _price_model(spending: Mapping[str, Any], rates: CostRates, currency: str) -> float | None:
    cost = spending["model_cost"]
    if not cost or spending["model_currency"] == currency:
        return None if cost is None else float(cost)
    return None if rates.model_exchange is None else float(cost) * float(rates.model_exchange)
