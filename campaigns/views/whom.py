"""Whom to write to: what finished campaigns taught, what that is worth, and what is not known."""

from __future__ import annotations

import json
import math
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.decorators import permission_required
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from campaigns.forms import TermsForm
from campaigns.models import Campaign, UpliftKind, UpliftStudy
from campaigns.outcomes.whom.profit import STEPS, Profit, Terms, draw_profit
from campaigns.outcomes.whom.threshold import LEAST_DIFFERENCE
from customers.ingest.currency import read_shop_currency
from customers.models import Reaction, ReactionGroup
from customers.segments.vocabulary import REACTIONS
from customers.views.reactions import TONES

from .whom_words import GROUP_MEANINGS, LEARNER_NAMES

#: Amounts are told for so many people.
PEOPLE = 1000


@require_safe
@permission_required("campaigns.view_campaignresult", raise_exception=True)
def show_whom(request: HttpRequest) -> HttpResponse:
    """One kind of campaign: how far there is enough to learn from, the curve, the groups, and how well it ranks."""
    kind = _read_kind(request)
    form = TermsForm(request.GET if "margin" in request.GET or "cost" in request.GET else None)
    terms = form.read_terms()
    newest = UpliftStudy.objects.newest(kind)
    in_use = UpliftStudy.objects.in_use(kind).defer("artifact").first()
    context: dict[str, Any] = {
        "kind": kind,
        "kinds": UpliftKind.choices,
        "form": form,
        "terms": terms,
        "newest": newest,
        "study": in_use,
        "currency": read_shop_currency(),
        "least_difference": LEAST_DIFFERENCE,
        "people": PEOPLE,
        "now": timezone.now(),
        "learned_from": _list_campaigns(in_use or newest),
    }
    if newest is not None:
        context |= _tell_need(newest)
    if in_use is not None:
        context |= describe_profit(in_use, terms) | describe_groups(request, in_use) | _tell_learners(in_use)
    return render(request, "campaigns/whom.html", context)


def describe_profit(study: UpliftStudy, terms: Terms) -> dict[str, Any]:
    """The curve for a thousand people, and the three ways to go by their value."""
    profit = draw_profit(study.figures["profit"], terms)
    rows = [
        (f"{100 * step // STEPS}%", PEOPLE * point.value, PEOPLE * point.low, PEOPLE * point.high)
        for step, point in enumerate(profit.curve)
    ]
    return {"profit": profit, "curve": rows, **tell_advice(profit), "ways": _list_ways(profit)}


def tell_advice(profit: Profit) -> dict[str, Any]:
    """What to do, as far as the interval allows: `advice` is share, all, nobody or unclear."""
    if profit.best == STEPS:
        advice = "all" if profit.curve[STEPS].low > 0 else "unclear"
    elif profit.best == 0:
        advice = "nobody" if profit.curve[STEPS].high < 0 else "unclear"
    else:
        advice = "share" if profit.is_clear else "unclear"
    return {
        "advice": advice,
        "best_share": profit.best_share,
        "gain": [
            PEOPLE * value for value in (profit.against_all.value, profit.against_all.low, profit.against_all.high)
        ],
    }


def _list_ways(profit: Profit) -> list[dict[str, Any]]:
    ways = [("nobody", profit.curve[0]), ("best", profit.best_value), ("all", profit.curve[STEPS])]
    return [
        {"name": name, "value": PEOPLE * found.value, "low": PEOPLE * found.low, "high": PEOPLE * found.high}
        for name, found in ways
    ]


def describe_groups(request: HttpRequest, study: UpliftStudy) -> dict[str, Any]:
    """Bands with their intervals, and how many customers are in each group now."""
    counts = dict(Reaction.objects.filter(kind=study.kind).order_by().values_list("group").annotate(Count("pk")))
    bands = study.figures["bands"]
    ends = [abs(band["effect"][end]) for band in bands for end in ("low", "high")]
    may_make = request.user.has_perm("customers.add_segment")
    return {
        "bands": [band | {"number": place, "label": ReactionGroup(band["group"]).label, "tone": TONES.get(band["group"], "")}
                  for place, band in enumerate(bands, start=1)],
        "halves": study.figures.get("halves"),
        "reach": max([*ends, 0.01]),
        "reach_low": -max([*ends, 0.01]),
        "groups": [
            {
                "name": group.value, "label": group.label, "meaning": GROUP_MEANINGS[group.value],
                "tone": TONES.get(group.value, ""), "count": counts.get(group.value, 0),
                "url": _segment_url(study.kind, group.value) if may_make and counts.get(group.value) else "",
            }
            for group in ReactionGroup
        ],
        "placed": sum(counts.values()),
    }  # fmt: skip


def _segment_url(kind: str, group: str) -> str:
    field = next(field for field, asked in REACTIONS.items() if asked == kind)
    rule = {"field": field, "op": "is", "value": group}
    return f"{reverse('customers:segment-new')}?{urlencode({'rule': json.dumps(rule, separators=(',', ':'))})}"


def _tell_learners(study: UpliftStudy) -> dict[str, Any]:
    learners = study.figures["learners"]
    return {
        "learners": [
            {"name": name, "label": LEARNER_NAMES[name], "is_used": name == study.figures["learner"], **found}
            for name, found in sorted(learners.items(), key=lambda item: -item[1]["qini"]["value"])
        ],
        "is_plain": study.figures["learner"] == "response",
    }


def _tell_need(study: UpliftStudy) -> dict[str, Any]:
    need = study.need
    wanted = need["people"] + need["people_missing"]
    return {
        "need": need,
        "wanted": wanted,
        "has_share": math.floor(100 * need["people"] / wanted) if wanted else 0,
        "visible": need["visible"],
    }


def _list_campaigns(study: UpliftStudy | None) -> list[Campaign]:
    if study is None:
        return []
    return list(Campaign.objects.filter(pk__in=study.campaigns).order_by("-sending_started_at"))


def _read_kind(request: HttpRequest) -> str:
    """The kind asked for, else one that was learned, else that of campaigns with an offer."""
    asked = request.GET.get("kind", "")
    if asked in UpliftKind.values:
        return asked
    found = (
        UpliftStudy.objects.filter(status=UpliftStudy.Status.IN_USE).order_by("-kind").values_list("kind", flat=True)
    )
    return found.first() or UpliftKind.OFFER.value
