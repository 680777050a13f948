"""When a campaign's people will be written to, in words and as a chart: the same on Timing and Review."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import pgettext
from django.views.decorators.http import require_safe

from campaigns.audience.send_preview import preview_times
from campaigns.forms import TimingForm
from campaigns.models import Campaign, SkipReason

from .access import get_campaign_for


@require_safe
def show_preview(request: HttpRequest, pk: int) -> HttpResponse:
    """What the times typed into the form would mean; nothing is kept."""
    campaign = get_campaign_for(request.user, pk)
    form = TimingForm(request.GET, now=timezone.now())
    if form.is_valid():
        for name, value in form.campaign_fields().items():
            setattr(campaign, name, value)
    return render(request, "campaigns/_send_times.html", {"campaign": campaign, **tell_times(campaign)})


def tell_times(campaign: Campaign) -> dict[str, Any]:
    """`times` (None without a frozen audience or a time) with labels for its reasons and hours."""
    times = preview_times(campaign)
    if times is None:
        return {"times": None}
    labels, shape = dict(SkipReason.choices), pgettext("date format", "D j M, H:i")
    return {
        "times": times,
        "time_skips": [(str(labels[reason]), number) for reason, number in times.skips.items()],
        "time_rows": [(date_format(hour, shape), number) for hour, number in times.hours.items()],
    }
