"""The goal, the brief and the offer."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from campaigns.approval.brief import tidy_talking_points
from campaigns.audience.topics import topic_choices
from campaigns.models import Campaign, Offer
from customers.ingest.currency import read_shop_currency
from customers.models import Segment


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
        if kind == Offer.Kind.NONE and (value or cleaned.get("code")):
            self.add_error("kind", _("Say what kind of offer it is, or empty the amount and the code."))
        first, last = cleaned.get("valid_from"), cleaned.get("valid_until")
        if first and last and last < first:
            self.add_error("valid_until", _("The last day is before the first."))
        elif last and last < timezone.localdate():
            self.add_error("valid_until", _("This day has passed: nobody could use the offer."))
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
