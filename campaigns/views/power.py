"""What a hold-out of some share would show, how long that takes and what it costs: beside the field, and anew as it is moved."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.core.cache import cache
from django.db.models import Avg, FloatField, Sum
from django.db.models.functions import Cast
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from campaigns.audience.entry_rules import EntryRuleError
from campaigns.audience.planning import LEAST_SHARE, MOST_SHARE, Plan, find_smallest_between, plan_holdout
from campaigns.audience.replay import expect_entries
from campaigns.forms import read_share
from campaigns.models import Archetype, Arm, AudienceMember, Campaign
from campaigns.outcomes.pricing import read_rates
from campaigns.outcomes.texts import count_pairs
from customers.ingest.clock import read_shop_clock
from customers.ingest.currency import read_shop_currency
from customers.insights.overview import read_overview
from customers.models import Order
from customers.segments.preview import count_matching
from customers.segments.rules import RuleError, parse_rule

from .access import get_campaign_for

#: What is assumed until somebody says otherwise: two points more who order, and of what they pay so much that is left.
USUAL_POINTS: Final = 2.0
USUAL_MARGIN: Final = 40.0
#: Seconds for which what a campaign's people are expected to do is kept: the slider asks many times a minute.
KEPT_S: Final = 300
_DAYS_OF_ORDERS: Final = 365


@dataclass(frozen=True)
class Basis:
    """What is known of the people before the start: how many (frozen ones, of whom `drawn` are held out, or those of the
    segment), the share that orders without a message, what one who orders pays in the window, and of a live campaign how many
    enter a week."""

    people: int
    drawn: int | None
    base_rate: float
    paid: float
    per_week: float | None


@require_safe
def show_power(request: HttpRequest, pk: int) -> HttpResponse:
    """The fragment for other numbers; htmx asks for it as they are moved."""
    campaign = get_campaign_for(request.user, pk)
    context = {"campaign": campaign, "power": describe_power(campaign, request.GET, now=timezone.now())}
    return render(request, "campaigns/_power.html", context)


def describe_power(campaign: Campaign, given: Mapping[str, Any], *, now: dt.datetime) -> dict[str, Any]:
    """For the panel. `given` are fields of the form; what is no number there is as it stands or as usual."""
    basis = read_basis(campaign, now=now)
    share = min(max(read_share(_read(given, "holdout_share", 100 * campaign.holdout_share)), LEAST_SHARE), MOST_SHARE)
    points = min(max(_read(given, "effect_points", USUAL_POINTS), 0.1), 100.0)
    usual = read_margin()
    margin = min(max(_read(given, "margin", usual), 0.0), 100.0)
    plan = _plan(campaign, basis, share, points / 100, margin / 100)
    return {
        "basis": basis,
        "plan": plan,
        "share": share,
        "points": points,
        "margin": margin,
        "is_usual": (points, margin) == (USUAL_POINTS, usual),
        "currency": read_shop_currency(),
        "smallest": plan.smallest if plan and math.isfinite(plan.smallest) else None,
        "is_seen": plan is not None and plan.smallest <= points / 100,
        "weeks": math.ceil(plan.weeks) if plan and plan.weeks is not None else None,
        **_describe_texts(campaign, share, basis.base_rate),
    }


def read_basis(campaign: Campaign, *, now: dt.datetime) -> Basis:
    """Kept for some minutes for each state of the campaign."""
    key = f"power-basis:{campaign.pk}:{campaign.updated_at.timestamp()}"
    found: Basis | None = cache.get(key)
    if found is None:
        found = _read_basis(campaign, now)
        cache.set(key, found, KEPT_S)
    return found


def read_margin() -> float:
    """What the shop's prices say, in per cent; USUAL_MARGIN where they say nothing."""
    share = read_rates().margin_share
    return USUAL_MARGIN if share is None else round(100 * float(share), 2)


def expect_retention(campaign: Campaign) -> float:
    """The share that would order anyway: from the scores of the members, else the shop's retention rate."""
    mean = _members(campaign).aggregate(mean=Avg("churn_probability"))["mean"]
    if mean is not None:
        return min(1.0, max(0.0, 1 - float(mean)))
    rates = read_overview(timezone.now()).rates  # as on Home, kept for the day
    return (rates[-1].rate if rates else None) or 0.5


def _read_basis(campaign: Campaign, now: dt.datetime) -> Basis:
    counts = campaign.audience_counts or {}
    frozen = counts.get("treatment", 0) + counts.get("holdout", 0)
    drawn = counts["holdout"] if frozen else None
    base_rate = expect_retention(campaign)
    per_week = _expect_per_week(campaign, now) if campaign.is_live else None
    return Basis(frozen or _count_segment(campaign, now), drawn, base_rate, _expect_paid(campaign, now), per_week)


def _members(campaign: Campaign) -> Any:
    return AudienceMember.objects.filter(campaign=campaign, arm__in=[Arm.TREATMENT, Arm.HOLDOUT])


def _count_segment(campaign: Campaign, now: dt.datetime) -> int:
    try:
        return count_matching(parse_rule(campaign.segment.rule), as_of=read_shop_clock(now))
    except RuleError:
        return 0


def _expect_paid(campaign: Campaign, now: dt.datetime) -> float:
    """What somebody pays who orders: what the members are expected to pay over how many of them will; else the mean order."""
    scored = _members(campaign).filter(churn_probability__isnull=False, expected_value__isnull=False)
    sums = scored.aggregate(
        paid=Sum(Cast("expected_value", FloatField())), stay=Sum(1.0 - Cast("churn_probability", FloatField()))
    )
    if sums["paid"] and sums["stay"]:
        return float(sums["paid"] / sums["stay"])
    since = read_shop_clock(now) - dt.timedelta(days=_DAYS_OF_ORDERS)
    orders = Order.objects.filter(is_return=False, currency=read_shop_currency(), ordered_at__gte=since)
    return float(orders.aggregate(mean=Avg("total"))["mean"] or 0)


def _expect_per_week(campaign: Campaign, now: dt.datetime) -> float:
    try:
        expected = expect_entries(campaign, now=now)
    except (EntryRuleError, RuleError):
        return 0.0
    return expected.messages + expected.held_out if expected else 0.0


def _plan(campaign: Campaign, basis: Basis, share: float, effect: float, margin: float) -> Plan | None:
    # Of a live campaign, who may enter within a year.
    people = basis.people if basis.per_week is None else round(52 * basis.per_week)
    if people < 2:
        return None
    return plan_holdout(
        people=people, share=share, base_rate=basis.base_rate, effect=effect, worth=basis.paid * margin,
        window_days=campaign.attribution_days, per_week=basis.per_week,
        held=basis.drawn if basis.per_week is None and share == campaign.holdout_share else None,
    )  # fmt: skip


def _describe_texts(campaign: Campaign, share: float, base_rate: float) -> dict[str, Any]:
    """By how much a text of the largest archetype must beat each other one to be called best, with as many as it has (two, if it
    has one) and all other pairs of texts that the result page will compare."""
    largest = Archetype.objects.filter(campaign=campaign, size__gt=0).order_by("-size").first()
    if largest is None:
        return {"texts": 0}
    own = largest.variants.filter(step=1).count()
    texts = max(2, own)
    pairs = count_pairs(campaign) - math.comb(own, 2) + math.comb(texts, 2)
    smallest = find_smallest_between(round(largest.size * (1 - share)), texts, base_rate, pairs=pairs)
    return {"texts": texts, "between": smallest if math.isfinite(smallest) else None}


def _read(given: Mapping[str, Any], name: str, usual: float) -> float:
    try:
        number = float(str(given.get(name, "")).replace(",", "."))
    except ValueError:
        return usual
    return number if math.isfinite(number) else usual
