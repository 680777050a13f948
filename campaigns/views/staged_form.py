"""The form for what may be changed of a running campaign beside its texts: the offer, until when and how, and its steps."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from campaigns.approval.staging.fields import Wanted
from campaigns.audience.exits import EXIT_LABELS
from campaigns.models import Campaign


class StagedFieldsForm(forms.Form):
    """Filled with what would stand once the change is in force. Days and hours are the shop's."""

    reason = forms.CharField(
        max_length=500, required=False, label=gettext_lazy("Why"),
        help_text=gettext_lazy("The approver reads it first."),
    )  # fmt: skip
    valid_until = forms.DateField(
        required=False,
        label=gettext_lazy("Valid until"),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    code = forms.CharField(max_length=40, required=False, label=gettext_lazy("Code"))
    url = forms.URLField(
        assume_scheme="https", max_length=500, required=False, label=gettext_lazy("Where the button leads"),
        help_text=gettext_lazy("An address of the shop. Left empty, the shop’s front page."),
    )  # fmt: skip
    live_until = forms.DateField(
        required=False, label=gettext_lazy("People enter until"),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text=gettext_lazy("The last day on which somebody enters. Left empty: until a person ends it."),
    )  # fmt: skip
    re_entry_days = forms.IntegerField(
        required=False, min_value=1, max_value=3650, label=gettext_lazy("May enter again after, days"),
        help_text=gettext_lazy("Left empty: never again."),
    )  # fmt: skip
    exit_on = forms.MultipleChoiceField(
        required=False, choices=list(EXIT_LABELS.items()),
        widget=forms.CheckboxSelectMultiple, label=gettext_lazy("Ends early when"),
    )  # fmt: skip
    send_window_hours = forms.IntegerField(
        min_value=1, max_value=8760, label=gettext_lazy("Send window, hours"),
        help_text=gettext_lazy("What has not left by then stays here."),
    )  # fmt: skip
    allowed_drift = forms.FloatField(
        required=False, min_value=0, max_value=100, label=gettext_lazy("Allowed drift, percent"),
        help_text=gettext_lazy("Left empty: as the shop has it."),
    )  # fmt: skip
    approval_valid_days = forms.IntegerField(
        required=False, min_value=1, max_value=365, label=gettext_lazy("Valid for, days"),
        help_text=gettext_lazy("Left empty: as the shop has it."),
    )  # fmt: skip

    def __init__(self, data: Any = None, *, campaign: Campaign, wanted: Wanted, reason: str = "") -> None:
        share, until = wanted.campaign["allowed_drift_share"], wanted.campaign.get("live_until")
        initial = {**wanted.offer, **wanted.campaign, "reason": reason}
        initial |= {
            "allowed_drift": None if share is None else round(share * 100, 2),
            "live_until": until.astimezone(_zone()).date() if until else None,
        }
        super().__init__(data, initial=initial)
        self.until = until
        if not campaign.is_live:
            for name in ("live_until", "re_entry_days", "exit_on"):
                del self.fields[name]
        self.steps = sorted(wanted.follow_ups)
        for number in self.steps:
            self.fields[f"step_{number}"] = forms.IntegerField(
                min_value=1, max_value=8760, initial=wanted.follow_ups[number],
                label=_("Step %(number)d: hours after the step before it") % {"number": number},
            )  # fmt: skip

    @property
    def step_fields(self) -> list[forms.BoundField]:
        return [self[f"step_{number}"] for number in self.steps]

    def offer(self) -> dict[str, Any]:
        return {name: self.cleaned_data[name] for name in ("valid_until", "code", "url")}

    def campaign_fields(self) -> dict[str, Any]:
        """The values in the shape that `stage_fields` takes."""
        said = self.cleaned_data
        share = said["allowed_drift"]
        found: dict[str, Any] = {
            "send_window_hours": said["send_window_hours"],
            "approval_valid_days": said["approval_valid_days"],
            "allowed_drift_share": None if share is None else round(share / 100, 6),
        }
        if "live_until" in said:
            found |= {name: said[name] for name in ("re_entry_days", "exit_on")}
            found["live_until"] = self._end_of_day(said["live_until"])
        return found

    def follow_ups(self) -> dict[int, int]:
        return {number: self.cleaned_data[f"step_{number}"] for number in self.steps}

    def _end_of_day(self, day: dt.date | None) -> dt.datetime | None:
        """The midnight after that day; an end that was set to the minute stays where its day is not touched."""
        if day is None or (self.until is not None and self.until.astimezone(_zone()).date() == day):
            return self.until if day else None
        return dt.datetime.combine(day + dt.timedelta(days=1), dt.time(), _zone()) - dt.timedelta(minutes=1)


def _zone() -> zoneinfo.ZoneInfo:
    return zoneinfo.ZoneInfo(settings.SHOP_TIME_ZONE)
