"""Forms of the campaign pages. They read and check; the workflow decides and writes."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from collections.abc import Mapping
from typing import Any, ClassVar, Final

from django import forms
from django.conf import settings
from django.core.validators import MaxValueValidator
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from campaigns.approval.brief import tidy_talking_points
from campaigns.audience.exits import EXIT_LABELS
from campaigns.audience.topics import topic_choices
from campaigns.content.channels import find_writer
from campaigns.content.editing import hash_words
from campaigns.content.plans import MOST_TEXTS
from campaigns.content.steps import FIRST_STEP, LONGEST_WAIT_HOURS, MOST_STEPS, Step
from campaigns.models import Angle, Campaign, FollowUp, NotificationChoice, NotificationKind, Offer, SendMode, Variant
from campaigns.models.campaign import USUAL_PRIORITY
from customers.ingest.currency import read_shop_currency
from customers.models import Channel, Segment


class GoalForm(forms.ModelForm):  # type: ignore[type-arg]
    """What the campaign is for, whom it means, and the brief for its texts."""

    class Meta:
        model = Campaign
        fields = ("name", "goal", "segment", "topic", "talking_points", "tone", "avoid", "instruction")
        labels = {
            "name": gettext_lazy("Name"),
            "goal": gettext_lazy("Goal"),
            "segment": gettext_lazy("Segment"),
            "topic": gettext_lazy("Topic"),
            "talking_points": gettext_lazy("Talking points"),
            "tone": gettext_lazy("Tone"),
            "avoid": gettext_lazy("What not to say"),
            "instruction": gettext_lazy("What else the drafts should keep in mind"),
        }
        help_texts = {
            "goal": gettext_lazy("In your own words. Colleagues read it in the review."),
            "topic": gettext_lazy("Who switched this topic off gets nothing of this campaign."),
            "talking_points": gettext_lazy(
                "Facts that you vouch for, one to a line, such as: repairs are free for two years. Drafts may state them, "
                "and the checks take them as true."
            ),
            "tone": gettext_lazy("For example: calm and short, like a friend who knows the trade."),
            "avoid": gettext_lazy("Words, subjects and promises that no draft may hold."),
            "instruction": gettext_lazy("For example: mention the new season. No prices or codes."),
        }
        widgets = {
            "talking_points": forms.Textarea(attrs={"rows": 4}),
            "avoid": forms.Textarea(attrs={"rows": 2}),
            "instruction": forms.Textarea(attrs={"rows": 2}),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["segment"].queryset = Segment.objects.filter(is_archived=False)  # type: ignore[attr-defined]
        self.fields["segment"].empty_label = _("Choose a segment")  # type: ignore[attr-defined]
        known, field = dict(topic_choices()), self.fields["topic"]
        known.setdefault(self.instance.topic, self.instance.topic)  # one that the shop has given up since
        self.fields["topic"] = forms.ChoiceField(
            choices=list(known.items()), label=field.label, help_text=field.help_text, required=False
        )

    def clean_talking_points(self) -> str:
        return tidy_talking_points(self.cleaned_data["talking_points"])

    def clean_topic(self) -> str:
        return str(self.cleaned_data["topic"] or self.instance.topic)


class OfferForm(forms.ModelForm):  # type: ignore[type-arg]
    """What is promised. Prices, codes and dates enter a message from here and from nowhere else."""

    # Declared here because a model's URL field still assumes http and warns about it.
    url = forms.URLField(
        assume_scheme="https",
        max_length=500,
        required=False,
        label=gettext_lazy("Where the button leads"),
        help_text=gettext_lazy("An address of the shop. Left empty, the shop’s front page."),
    )

    class Meta:
        model = Offer
        fields = ("kind", "value", "code", "min_basket", "valid_from", "valid_until", "url")
        labels = {
            "kind": gettext_lazy("Offer"),
            "code": gettext_lazy("Code"),
            "valid_from": gettext_lazy("Valid from"),
            "valid_until": gettext_lazy("Valid until"),
        }
        widgets = {
            "valid_from": forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
            "valid_until": forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        currency = read_shop_currency()
        self.fields["value"].label = _("Percent, or amount in %(currency)s") % {"currency": currency}
        self.fields["min_basket"].label = _("From a basket of, in %(currency)s") % {"currency": currency}

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        kind, value = cleaned.get("kind"), cleaned.get("value")
        if kind in (Offer.Kind.PERCENT, Offer.Kind.AMOUNT) and not value:
            self.add_error("value", _("Say how much."))
        if kind == Offer.Kind.PERCENT and value and value > 100:
            self.add_error("value", _("At most 100 percent."))
        first, last = cleaned.get("valid_from"), cleaned.get("valid_until")
        if first and last and last < first:
            self.add_error("valid_until", _("The last day is before the first."))
        if kind in (Offer.Kind.NONE, Offer.Kind.FREE_SHIPPING):
            cleaned["value"] = None
        cleaned["currency"] = read_shop_currency()
        return cleaned

    def offer_fields(self) -> dict[str, Any]:
        """The values in the shape that `edit_campaign` takes."""
        return {name: self.cleaned_data.get(name) for name in (*self.Meta.fields, "currency")} | {
            "code": self.cleaned_data.get("code") or "",
            "url": self.cleaned_data.get("url") or "",
        }


class AudienceForm(forms.Form):
    """How many are held out, by which channels people are reached, how many archetypes; whether test contacts are in."""

    HOLDOUT_CHOICES = (("0.05", "5%"), ("0.1", "10%"), ("0.2", "20%"), ("0.3", "30%"), ("0.5", "50%"))

    holdout_share = forms.TypedChoiceField(
        choices=HOLDOUT_CHOICES, coerce=float, label=gettext_lazy("Held out"),
        help_text=gettext_lazy("These people get nothing. They are how we know what the campaign did."),
    )  # fmt: skip
    max_archetypes = forms.IntegerField(
        required=False, min_value=1, label=gettext_lazy("Archetypes, at most"),
        help_text=gettext_lazy("Each gets a text that somebody reads and approves. Small ones are put with near ones."),
    )  # fmt: skip
    channels = forms.MultipleChoiceField(
        required=False, choices=Channel, widget=forms.CheckboxSelectMultiple, label=gettext_lazy("Reached by"),
        help_text=gettext_lazy("The first that a person agreed to counts. Only e-mail is sent today: texts for the others "
                               "are prepared and approved, and their people are listed as not sent."),
    )  # fmt: skip
    is_test_audience = forms.BooleanField(
        required=False, label=gettext_lazy("Let test contacts in"),
        help_text=gettext_lazy("Addresses made for trying out. Only the built-in mail catcher takes them."),
    )  # fmt: skip

    def __init__(self, data: Mapping[str, Any] | None = None, *, campaign: Campaign) -> None:
        initial = {
            "holdout_share": f"{campaign.holdout_share:g}",
            "is_test_audience": campaign.is_test_audience,
            "max_archetypes": campaign.max_archetypes,
            "channels": campaign.offered_channels,
        }
        super().__init__(data, initial=initial)
        self.campaign = campaign
        most: forms.IntegerField = self.fields["max_archetypes"]  # type: ignore[assignment]
        most.validators.append(MaxValueValidator(settings.MOST_ARCHETYPES))
        most.widget.attrs |= {"max": settings.MOST_ARCHETYPES, "class": "short"}

    def clean(self) -> dict[str, Any]:
        """What is left empty stays as it is."""
        cleaned = super().clean() or self.cleaned_data
        cleaned["max_archetypes"] = cleaned.get("max_archetypes") or self.campaign.max_archetypes
        cleaned["channels"] = cleaned.get("channels") or self.campaign.offered_channels
        if cleaned["channels"] == self.campaign.offered_channels:
            cleaned["channels"] = self.campaign.channels
        return cleaned


class VariantForm(forms.ModelForm):  # type: ignore[type-arg]
    """The slots of a text that a person may write, as its channel has them. Everything else is put in by code."""

    class Meta:
        model = Variant
        fields = ("subject", "preheader", "opening", "story", "invitation", "button_label", "shows_products")
        labels = {
            "subject": gettext_lazy("Subject"),
            "preheader": gettext_lazy("Preheader"),
            "opening": gettext_lazy("Opening"),
            "story": gettext_lazy("Longer part"),
            "invitation": gettext_lazy("Invitation"),
            "button_label": gettext_lazy("Button"),
            "shows_products": gettext_lazy("Show products of this interest with their prices"),
        }
        widgets = {
            "opening": forms.Textarea(attrs={"rows": 3}),
            "story": forms.Textarea(attrs={"rows": 4}),
            "invitation": forms.Textarea(attrs={"rows": 2}),
        }

    #: What the same column is called where it is something else.
    CHANNEL_LABELS: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "sms": {"opening": gettext_lazy("Text message")},
        "push": {"subject": gettext_lazy("Title"), "opening": gettext_lazy("Text of the notification")},
        "webhook": {
            "subject": gettext_lazy("Headline"),
            "opening": gettext_lazy("Text"),
            "invitation": gettext_lazy("Call to action"),
        },
    }

    #: Which words this person had before them: whoever was slower must not write over whoever was faster.
    seen = forms.CharField(max_length=64, required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["seen"] = hash_words(self.instance)
        channel = self.instance.archetype.channel
        parts = find_writer(channel).parts
        for name in [name for name in self.fields if name not in (*parts, "shows_products", "seen")]:
            del self.fields[name]
        if channel not in ("email", "webhook") or not self.instance.facts.get("products"):
            del self.fields["shows_products"]
        for name, label in self.CHANNEL_LABELS.get(channel, {}).items():
            self.fields[name].label = label
        for name in {"subject", "opening", "invitation"} & set(parts):
            self.fields[name].required = True

    def words(self) -> dict[str, str]:
        """The slots in the shape that `edit_variant` takes."""
        return {name: value for name, value in self.cleaned_data.items() if name not in ("shows_products", "seen")}

    def shows_products(self) -> bool | None:
        """None where there are no products to be shown."""
        return self.cleaned_data.get("shows_products")


class TextRequestForm(forms.Form):
    """What one text is to be like: how it differs, and an instruction for this time."""

    angle = forms.ChoiceField(choices=[("", ""), *Angle.choices], required=False)
    instruction = forms.CharField(max_length=500, required=False)
    step = forms.IntegerField(min_value=1, max_value=MOST_STEPS, required=False)

    def clean_step(self) -> int:
        """The first where none is named."""
        return int(self.cleaned_data.get("step") or FIRST_STEP)


class DraftsForm(forms.Form):
    """What drafts are asked for: how many texts for each kind of customer, and with which instruction for this time."""

    COUNTS = tuple((str(number), str(number)) for number in range(1, MOST_TEXTS + 1))

    count = forms.TypedChoiceField(choices=COUNTS, coerce=int, required=False, empty_value=None)
    instruction = forms.CharField(max_length=500, required=False)
    also_edited = forms.BooleanField(required=False)


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
        names = ("scheduled_for", "send_window_hours", "send_mode", "priority", "attribution_days")
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


class CommentForm(forms.Form):
    """What should be changed, or why something is stopped. May be left out where a comment stands beside a text."""

    comment = forms.CharField(
        required=False,
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        label=gettext_lazy("What should be changed"),
    )


class ApprovalTermsForm(forms.Form):
    """How long an approval holds, and how many of its people may be others by then. Left empty: as the shop has it."""

    allowed_drift = forms.FloatField(
        required=False, min_value=0, max_value=100, label=gettext_lazy("Allowed drift, percent"),
        help_text=gettext_lazy("If more of the frozen people than this have changed, the approval is void."),
    )  # fmt: skip
    approval_valid_days = forms.IntegerField(
        required=False, min_value=1, max_value=365, label=gettext_lazy("Valid for, days"),
        help_text=gettext_lazy("After this an approval has to be given again."),
    )  # fmt: skip

    def __init__(self, data: Mapping[str, Any] | None = None, *, campaign: Campaign) -> None:
        share = campaign.allowed_drift_share
        initial = {
            "allowed_drift": None if share is None else round(share * 100, 2),
            "approval_valid_days": campaign.approval_valid_days,
        }
        super().__init__(data, initial=initial)
        self.fields["allowed_drift"].widget.attrs["placeholder"] = f"{settings.ALLOWED_DRIFT_SHARE * 100:g}"
        self.fields["approval_valid_days"].widget.attrs["placeholder"] = f"{settings.APPROVAL_VALID_DAYS}"

    def campaign_fields(self) -> dict[str, Any]:
        """The values in the shape that `edit_campaign` takes."""
        percent = self.cleaned_data["allowed_drift"]
        return {
            "allowed_drift_share": None if percent is None else round(percent / 100, 6),
            "approval_valid_days": self.cleaned_data["approval_valid_days"],
        }


class NotificationForm(forms.Form):
    """Which kinds of news a person wants, whether by mail too, and in which language."""

    kinds = forms.MultipleChoiceField(
        required=False,
        choices=NotificationKind,
        widget=forms.CheckboxSelectMultiple,
        label=gettext_lazy("Tell me when"),
    )
    wants_mail = forms.BooleanField(required=False, label=gettext_lazy("Also by mail"))
    language = forms.ChoiceField(choices=settings.LANGUAGES, label=gettext_lazy("Language of the mails"))

    def __init__(self, data: Mapping[str, Any] | None = None, *, choice: NotificationChoice) -> None:
        initial = {
            "kinds": [kind for kind in NotificationKind.values if kind not in choice.silenced],
            "wants_mail": choice.wants_mail,
            "language": choice.language or settings.LANGUAGE_CODE,
        }
        super().__init__(data, initial=initial)

    def choices(self) -> dict[str, Any]:
        """The columns of NotificationChoice."""
        wanted = set(self.cleaned_data["kinds"])
        return {
            "silenced": [kind for kind in NotificationKind.values if kind not in wanted],
            "wants_mail": self.cleaned_data["wants_mail"],
            "language": self.cleaned_data["language"],
        }


def shop_time(moment: dt.datetime | None) -> dt.datetime | None:
    """A moment in the shop's time zone, for pages."""
    return timezone.localtime(moment, zoneinfo.ZoneInfo(settings.SHOP_TIME_ZONE)) if moment else None
