"""What a campaign did: the page Result, and the same numbers as a file."""

from __future__ import annotations

from typing import Any, Final

from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import pgettext
from django.views.decorators.http import require_safe

from campaigns.delivery.progress import read_progress
from campaigns.models import Campaign, CampaignResult
from campaigns.outcomes.funnel import read_funnel
from campaigns.outcomes.keeping import is_large
from campaigns.outcomes.reports.ledger import read_ledger
from campaigns.outcomes.reports.result import RESULT_HEADS, list_result_rows
from campaigns.outcomes.responses import add_up
from campaigns.outcomes.text_shares import ShareChange, SharedText, list_share_history
from campaigns.outcomes.texts import compare_all, count_texts

from .access import get_campaign_for
from .estimates import tell_estimates
from .reports.cost import tell_line
from .reports.files import stream_rows
from .sequence import tell_funnel
from .steps import frame_step
from .telling import tell_lift, tell_progress, tell_responses

#: So many changes of the texts' shares are shown for each archetype; the file has all.
SHOWN_CHANGES: Final = 6


@require_safe
def show_result(request: HttpRequest, pk: int) -> HttpResponse:
    """What the campaign did, in a sentence first, with its interval."""
    campaign = get_campaign_for(request.user, pk)
    results = CampaignResult.objects.filter(campaign=campaign).order_by("day")
    days = list(results)
    lift = tell_lift(days[-1] if days else None)
    told = [
        (date_format(day.day, pgettext("date format", "j M")), found)
        for day in days
        if (found := tell_lift(day)) is not None
    ]
    context = frame_step(request, campaign, "result") | {
        "result": days[-1] if days else None,
        "figures": days[-1].figures if days else {},
        "lift": lift,
        "axis_low": -lift.reach if lift else None,
        "axis_high": lift.reach if lift else None,
        "funnel": tell_funnel(read_funnel(campaign)),
        "trend": [(label, found.shown, *(found.bounds if found.is_bounded else ())) for label, found in told],
        **tell_estimates(days[-1].figures if days else {}),
    }
    if lines := read_ledger([campaign]).lines:
        context |= {"cost": tell_line(lines[0]), "currency": days[-1].figures["currency"]}
    context["is_large"] = is_large(campaign)
    context["texts"] = texts = count_texts(campaign, as_of=timezone.now())
    context["has_choice"] = len({(text.variant.archetype_id, text.variant.step) for text in texts}) < len(texts)
    context["standings"] = compare_all(campaign, texts, now=timezone.now())
    context["shares"] = tell_shares(campaign)
    context["responses"] = responses = add_up(text.responses for text in texts)
    context["steps_of_reading"] = tell_responses(responses)
    context |= tell_progress(read_progress(campaign))
    return render(request, "campaigns/result.html", context)


@require_safe
@permission_required("campaigns.view_campaignresult", raise_exception=True)
def download_result(request: HttpRequest, pk: int) -> StreamingHttpResponse:
    """One row for each number of the page, with its interval and how it was made."""
    campaign = get_campaign_for(request.user, pk)
    rows = list(list_result_rows(campaign, now=timezone.now()))
    return stream_rows(request, f"campaign-{campaign.pk}", RESULT_HEADS, rows)


def tell_shares(campaign: Campaign) -> list[dict[str, Any]]:
    """By archetype, the newest changes of the shares in which its texts are given, and how many older ones are not shown."""
    found: dict[int, list[ShareChange]] = {}
    for change in list_share_history(campaign) if campaign.is_live else []:
        found.setdefault(change.archetype_id, []).append(change)
    told = []
    for changes in found.values():
        labels = sorted({text.label for change in changes for text in change.texts})
        rows = [(change, [_find_text(change, label) for label in labels]) for change in changes[:SHOWN_CHANGES]]
        older = max(len(changes) - SHOWN_CHANGES, 0)
        told.append({"archetype": changes[0].archetype, "labels": labels, "rows": rows, "older": older})
    return told


def _find_text(change: ShareChange, label: str) -> SharedText | None:
    return next((text for text in change.texts if text.label == label), None)
