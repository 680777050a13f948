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
from campaigns.models import Campaign, SendMode, SkipReason
from customers.models import ReadingPattern

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


def read_backtest() -> dict[str, Any]:
    """Whether each person's own hour would have caught more of what was opened lately than one hour for all: the fields of
    `HourBacktest`, or nothing where that could not be tried."""
    pattern = ReadingPattern.objects.first()
    return dict(pattern.backtest) if pattern else {}


def tell_times(campaign: Campaign) -> dict[str, Any]:
    """`times` (None without a frozen audience or a time) with labels for its reasons and hours."""
    times = preview_times(campaign)
    if times is None:
        return {"times": None}
    labels, shape = dict(SkipReason.choices), pgettext("date format", "D j M, H:i")
    return {
        "times": times,
        "hours_test": read_backtest() if campaign.send_mode == SendMode.BEST_HOUR else {},
        "time_skips": [(str(labels[reason]), number) for reason, number in times.skips.items()],
        "time_rows": [(date_format(hour, shape), number) for hour, number in times.hours.items()],
    }
