"""The form of how people get in: once, again and again, or when something happens. All fields stand on the page; the style
sheet shows those of the chosen kind, and only those are read."""

from __future__ import annotations

import datetime as dt
from typing import Any, Final
from zoneinfo import ZoneInfo

from django import forms
from django.conf import settings
from django.utils.dates import WEEKDAYS
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy

from campaigns.audience.entry_rules import TRIGGER_EVENTS, USUAL_AGE_HOURS, EntryRuleError, dump_trigger, parse_trigger
from campaigns.audience.entry_wording import explain_fault
from campaigns.audience.recurrence import dump_recurrence, parse_recurrence
from campaigns.models import Campaign, CampaignKind
from customers.ingest.clock import shop_day
from customers.models import EventKind

EVERY: Final = (("day", gettext_lazy("day")), ("week", gettext_lazy("week")), ("month", gettext_lazy("month")))
ON: Final = (
    ("segment", gettext_lazy("somebody comes to be in the segment")),
    ("event", gettext_lazy("somebody does something")),
    ("churn", gettext_lazy("the churn probability crosses a line")),
    ("overdue", gettext_lazy("the next order is overdue")),
)
AGAIN: Final = (
    ("never", gettext_lazy("once")),
    ("always", gettext_lazy("each time")),
    ("after", gettext_lazy("again after some days")),
)
#: Which field of the form a fault of a rule belongs to, where it is called otherwise there.
_FIELD_OF: Final = {"at": "recur_at", "day": "day_of_month", "line": "line_percent", "days": "overdue_days"}


class KindForm(forms.Form):
    """How people get in, how often the same person may, and until when. Days and times are the shop's."""

    kind = forms.ChoiceField(
        choices=[(kind.value, capfirst(kind.label)) for kind in CampaignKind],
        required=False,
        widget=forms.RadioSelect,
        label=gettext_lazy("It goes out"),
    )
    every = forms.ChoiceField(choices=EVERY, required=False, label=gettext_lazy("Every"))
    interval = forms.IntegerField(required=False, min_value=1, max_value=52, label=gettext_lazy("Only every nth"))
    weekdays = forms.TypedMultipleChoiceField(
        choices=tuple(WEEKDAYS.items()), coerce=int, required=False, widget=forms.CheckboxSelectMultiple,
        label=gettext_lazy("On"),
    )  # fmt: skip
    day_of_month = forms.IntegerField(
        required=False, min_value=1, max_value=31, label=gettext_lazy("Day of the month"),
        help_text=gettext_lazy("In shorter months their last day."),
    )  # fmt: skip
    recur_at = forms.TimeField(
        required=False, label=gettext_lazy("At"), widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M")
    )
    on = forms.ChoiceField(choices=ON, required=False, label=gettext_lazy("When"))
    event = forms.ChoiceField(
        choices=tuple((kind, EventKind(kind).label) for kind in TRIGGER_EVENTS), required=False,
        label=gettext_lazy("What they do"),
    )  # fmt: skip
    property_name = forms.CharField(
        required=False, max_length=60, label=gettext_lazy("Only where"),
        help_text=gettext_lazy("A property of the event, such as category. Left empty, all."),
    )  # fmt: skip
    property_value = forms.CharField(required=False, max_length=120, label=gettext_lazy("is"))
    max_age_hours = forms.IntegerField(
        required=False, min_value=1, max_value=720, label=gettext_lazy("Told of within, hours"),
        help_text=gettext_lazy("What is told of later, an imported history above all, lets nobody in."),
    )  # fmt: skip
    line_percent = forms.FloatField(
        required=False, min_value=0.1, max_value=100, label=gettext_lazy("Churn probability rises to, percent")
    )
    overdue_days = forms.IntegerField(
        required=False, min_value=0, max_value=365, label=gettext_lazy("Days after the expected date")
    )
    includes_present = forms.BooleanField(
        required=False, label=gettext_lazy("Let those in who are there already when it goes live")
    )
    again = forms.ChoiceField(choices=AGAIN, required=False, label=gettext_lazy("The same person enters"))
    re_entry_days = forms.IntegerField(
        required=False, min_value=1, max_value=3650, label=gettext_lazy("Days before they may again")
    )
    live_until = forms.DateField(
        required=False, label=gettext_lazy("Last day"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text=gettext_lazy("Nobody enters after it. Left empty, until somebody ends it."),
    )  # fmt: skip

    @staticmethod
    def initial_for(campaign: Campaign) -> dict[str, Any]:
        """What the campaign says; for what it does not say, what is usual."""
        rule, trigger, days = campaign.recurrence, campaign.trigger, campaign.re_entry_days
        name, value = next(iter((trigger.get("where") or {}).items()), ("", ""))
        again = "always" if days == 0 or (days is None and not campaign.is_live) else "after" if days else "never"
        ends = campaign.live_until
        return {
            "kind": campaign.kind,
            "every": rule.get("every", "week"),
            "interval": rule.get("interval", 1),
            "weekdays": rule.get("weekdays", [0]),
            "day_of_month": rule.get("day", 1),
            "recur_at": rule.get("at", "10:00"),
            "on": trigger.get("on", "segment"),
            "event": trigger.get("event", "cart_updated"),
            "property_name": name,
            "property_value": value,
            "max_age_hours": trigger.get("max_age_hours", USUAL_AGE_HOURS),
            "line_percent": round(trigger.get("line", 0.6) * 100, 2),
            "overdue_days": trigger.get("days", 7),
            "includes_present": trigger.get("includes_present", False),
            "again": again,
            "re_entry_days": days or 30,
            "live_until": shop_day(ends) if ends else None,
        }

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        kind = cleaned.get("kind")
        if not kind:  # a page without the choice changes nothing of it
            cleaned["rules"] = {}
            return cleaned
        rules: dict[str, Any] = {"kind": kind, "trigger": {}, "recurrence": {}, "re_entry_days": None}
        if kind == CampaignKind.ONE_OFF or self.errors:
            cleaned["rules"] = rules | {"live_until": None}
            return cleaned
        try:
            if kind == CampaignKind.RECURRING:
                rules["recurrence"] = dump_recurrence(parse_recurrence(_recurrence_of(cleaned)))
            else:
                rules["trigger"] = dump_trigger(parse_trigger(_trigger_of(cleaned)))
        except EntryRuleError as error:
            field = "property_value" if error.path.startswith("where") else _FIELD_OF.get(error.path, error.path)
            self.add_error(field if field in self.fields else None, explain_fault(error))
        rules["re_entry_days"] = {"always": 0, "after": cleaned.get("re_entry_days") or 30}.get(
            cleaned.get("again", "")
        )
        cleaned["rules"] = rules | {"live_until": _end_of(cleaned.get("live_until"))}
        return cleaned

    def campaign_fields(self) -> dict[str, Any]:
        """The values in the shape that `edit_campaign` takes."""
        rules: dict[str, Any] = self.cleaned_data["rules"]
        return rules


def _recurrence_of(cleaned: dict[str, Any]) -> dict[str, Any]:
    every, at = cleaned.get("every"), cleaned.get("recur_at")
    own = {"week": {"weekdays": cleaned.get("weekdays") or []}, "month": {"day": cleaned.get("day_of_month")}}
    shared = {"every": every, "at": f"{at:%H:%M}" if at else "", "interval": cleaned.get("interval") or 1}
    return shared | own.get(every or "", {})


def _trigger_of(cleaned: dict[str, Any]) -> dict[str, Any]:
    on = cleaned.get("on") or "segment"
    if on == "event":
        name, value = cleaned.get("property_name"), cleaned.get("property_value")
        where = {"where": {name: value or ""}} if name else {}
        age = cleaned.get("max_age_hours") or USUAL_AGE_HOURS
        return {"on": on, "event": cleaned.get("event"), "max_age_hours": age} | where
    line = cleaned.get("line_percent")
    own = {"churn": {"line": line / 100 if line else None}, "overdue": {"days": cleaned.get("overdue_days")}}
    return {"on": on, "includes_present": cleaned.get("includes_present", False)} | own.get(on, {})


def _end_of(day: dt.date | None) -> dt.datetime | None:
    """The midnight that ends a day of the shop."""
    if day is None:
        return None
    following = dt.datetime.combine(day + dt.timedelta(days=1), dt.time(), tzinfo=ZoneInfo(settings.SHOP_TIME_ZONE))
    return following.astimezone(dt.UTC) - dt.timedelta(seconds=1)
