"""When it leaves, and the steps of a sequence."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from collections.abc import Mapping
from typing import Any, ClassVar, Final

from django import forms
from django.conf import settings
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from campaigns.audience.exits import EXIT_LABELS
from campaigns.content.steps import LONGEST_WAIT_HOURS, Step
from campaigns.models import Campaign, FollowUp, SendMode
from campaigns.models.campaign import USUAL_PRIORITY


class FollowUpForm(forms.Form):
    """A further step of a sequence: after how long, to whom, and what it is for."""

    UNITS: ClassVar[Mapping[str, int]] = {"days": 24, "hours": 1}

    wait = forms.IntegerField(min_value=1, max_value=LONGEST_WAIT_HOURS, initial=3, label=gettext_lazy("After"))
    unit = forms.ChoiceField(
        choices=[("days", gettext_lazy("days")), ("hours", gettext_lazy("hours"))], label=gettext_lazy("Unit")
    )
    only_if = forms.ChoiceField(choices=FollowUp.OnlyIf, label=gettext_lazy("To whom"))
    purpose = forms.CharField(
        max_length=200, required=False, label=gettext_lazy("What it is for"),
        widget=forms.TextInput(attrs={"placeholder": gettext_lazy("Such as: answer what keeps people from ordering")}),
    )  # fmt: skip

    def __init__(self, data: Mapping[str, Any] | None = None, *, step: Step | None = None) -> None:
        initial: dict[str, Any] = {"unit": "days"}
        if step is not None:
            unit = "hours" if step.wait_hours % 24 else "days"
            initial = {"wait": step.wait_hours // self.UNITS[unit], "unit": unit, "only_if": step.only_if}
            initial["purpose"] = step.purpose
        super().__init__(data, initial=initial, auto_id=f"step-{step.number if step else 'new'}-%s")

    def step_fields(self) -> dict[str, Any]:
        """The values in the shape that `edit_follow_up` takes."""
        hours = self.cleaned_data["wait"] * self.UNITS[self.cleaned_data["unit"]]
        return {name: self.cleaned_data[name] for name in ("purpose", "only_if")} | {"wait_hours": hours}


class ExitsForm(forms.Form):
    """What ends a person's sequence early."""

    exit_on = forms.MultipleChoiceField(choices=list(EXIT_LABELS.items()), required=False)


#: First and last hour at which a campaign is proposed to go out. People may choose any.
DAYTIME: Final = (8, 20)


class TimingForm(forms.Form):
    """When it goes out, by whose clock, and for how long its effect is counted. Times are the shop's."""

    send_mode = forms.ChoiceField(
        label=gettext_lazy("By whose clock"), choices=[(mode.value, capfirst(mode.label)) for mode in SendMode],
        widget=forms.RadioSelect,
    )  # fmt: skip
    send_on = forms.DateField(
        label=gettext_lazy("Day"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    send_at = forms.TimeField(
        label=gettext_lazy("Time"),
        widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
        help_text=gettext_lazy("A time just past means: as soon as it is approved and scheduled."),
    )
    send_window_hours = forms.IntegerField(
        label=gettext_lazy("Send window, hours"), min_value=1, max_value=168, initial=24,
        help_text=gettext_lazy("Whoever cannot be written to within this time is missed rather than written to late."),
    )  # fmt: skip
    priority = forms.IntegerField(
        label=gettext_lazy("Priority, 1 to 9"), min_value=1, max_value=9, required=False,
        help_text=gettext_lazy("Where a person may get one more message and two campaigns want to send it: the higher number."),
    )  # fmt: skip
    attribution_days = forms.IntegerField(
        label=gettext_lazy("Orders are counted for, days"), min_value=1, max_value=365, initial=60,
        help_text=gettext_lazy("The same way for those who got the message and those held out."),
    )  # fmt: skip

    adapts_texts = forms.BooleanField(
        required=False, label=gettext_lazy("Let the shares of texts shift to what works"),
        help_text=gettext_lazy(
            "In a campaign that people enter over time: once a day more of them get the text after which more people order. Each"
            " text keeps at least a tenth; who is held out stays held out."
        ),
    )  # fmt: skip

    def __init__(self, data: Mapping[str, Any] | None = None, *, now: dt.datetime, **kwargs: Any) -> None:
        # A form from before there were modes means the one that there was.
        super().__init__(None if data is None else {"send_mode": SendMode.TOGETHER, **_flat(data)}, **kwargs)
        self.now = now

    @staticmethod
    def initial_for(campaign: Campaign, now: dt.datetime) -> dict[str, Any]:
        """The chosen time, or the next full hour but one that is in the shop's day."""
        zone = zoneinfo.ZoneInfo(settings.SHOP_TIME_ZONE)
        local = campaign.scheduled_for.astimezone(zone) if campaign.scheduled_for else _next_daytime(now, zone)
        return {
            "send_mode": campaign.send_mode,
            "send_on": local.date(),
            "send_at": local.time(),
            "send_window_hours": campaign.send_window_hours,
            "priority": campaign.priority,
            "attribution_days": campaign.attribution_days,
            "adapts_texts": campaign.adapts_texts,
        }

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        day, time = cleaned.get("send_on"), cleaned.get("send_at")
        if day is None or time is None:
            return cleaned
        local = dt.datetime.combine(day, time)
        zone = zoneinfo.ZoneInfo(settings.SHOP_TIME_ZONE)
        moment = local.replace(tzinfo=zone)
        if moment.astimezone(dt.UTC).astimezone(zone).replace(tzinfo=None) != local:
            self.add_error("send_at", _("The clock skips this time on that day. Choose another."))
        elif moment + dt.timedelta(hours=cleaned.get("send_window_hours") or 24) <= self.now:
            self.add_error("send_on", _("This is in the past. Choose a time to come."))
        cleaned["scheduled_for"] = moment.astimezone(dt.UTC)
        return cleaned

    def campaign_fields(self) -> dict[str, Any]:
        """The values in the shape that `edit_campaign` takes."""
        names = ("scheduled_for", "send_window_hours", "send_mode", "priority", "attribution_days", "adapts_texts")
        return {name: self.cleaned_data[name] for name in names}

    def clean_priority(self) -> int:
        """Empty is the usual one."""
        return self.cleaned_data["priority"] or USUAL_PRIORITY


def _flat(data: Mapping[str, Any]) -> dict[str, Any]:
    """The last value of each name, as a query string gives it."""
    return {name: data[name] for name in data}


def _next_daytime(now: dt.datetime, zone: zoneinfo.ZoneInfo) -> dt.datetime:
    """The next full hour but one; where people sleep then, ten in the morning."""
    local = (now + dt.timedelta(hours=2)).astimezone(zone).replace(minute=0, second=0, microsecond=0)
    if DAYTIME[0] <= local.hour <= DAYTIME[1]:
        return local
    return (local + dt.timedelta(days=local.hour > DAYTIME[1])).replace(hour=10)


def shop_time(moment: dt.datetime | None) -> dt.datetime | None:
    """A moment in the shop's time zone, for pages."""
    return timezone.localtime(moment, zoneinfo.ZoneInfo(settings.SHOP_TIME_ZONE)) if moment else None
