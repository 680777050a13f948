"""Whom it is for: hold-out, channels, archetypes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from django import forms
from django.conf import settings
from django.core.validators import MaxValueValidator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from campaigns.audience.looks import MOST_LOOKS
from campaigns.models import Campaign
from customers.models import Channel, Segment

#: So many segments are offered to be looked at; the API takes any.
MOST_SHOWN = 40


def read_share(number: float) -> float:
    """A share (0 to 1) from per cent; what is below 1 was one already."""
    return round(number / 100 if number >= 1 else number, 4)


SHARE_BOUNDS: Final = gettext_lazy(
    "From 1 to 50 per cent: with nobody held out, nobody could say what the campaign did; beyond half, more people "
    "would lose the message than get it."
)


class AudienceForm(forms.Form):
    """How many are held out, by which channels people are reached, how many archetypes; whether test contacts are in."""

    holdout_share = forms.FloatField(
        min_value=0.01, max_value=50, label=gettext_lazy("Held out, per cent"),
        help_text=gettext_lazy("These people get nothing. They are how we know what the campaign did."),
        error_messages={"min_value": SHARE_BOUNDS, "max_value": SHARE_BOUNDS, "required": SHARE_BOUNDS},
        widget=forms.NumberInput(attrs={"min": 1, "max": 50, "step": 1, "class": "short", "data-slider": ""}),
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
    looked_at = forms.TypedMultipleChoiceField(
        required=False, coerce=int, widget=forms.CheckboxSelectMultiple, label=gettext_lazy("Look at these segments besides"),
        help_text=gettext_lazy("The result is told for each of them too, corrected for their number. Who is in which is written "
                               "down now."),
    )  # fmt: skip
    is_test_audience = forms.BooleanField(
        required=False, label=gettext_lazy("Let test contacts in"),
        help_text=gettext_lazy("Addresses made for trying out. Only the built-in mail catcher takes them."),
    )  # fmt: skip

    def __init__(self, data: Mapping[str, Any] | None = None, *, campaign: Campaign) -> None:
        initial = {
            "holdout_share": f"{100 * campaign.holdout_share:g}",
            "is_test_audience": campaign.is_test_audience,
            "max_archetypes": campaign.max_archetypes,
            "channels": campaign.offered_channels,
            "looked_at": [str(number) for number in campaign.looked_at],
        }
        super().__init__(data, initial=initial)
        self.campaign = campaign
        choices: forms.TypedMultipleChoiceField = self.fields["looked_at"]  # type: ignore[assignment]
        choices.choices = _list_looks(campaign)
        self.fields["holdout_share"].widget.attrs["min"] = 1  # a share as API and older pages write it is taken as well
        most: forms.IntegerField = self.fields["max_archetypes"]  # type: ignore[assignment]
        most.validators.append(MaxValueValidator(settings.MOST_ARCHETYPES))
        most.widget.attrs |= {"max": settings.MOST_ARCHETYPES, "class": "short"}

    def clean_holdout_share(self) -> float:
        """As a share. Below 1 it was one already: less than one per cent is never held out."""
        return read_share(self.cleaned_data["holdout_share"])

    def clean(self) -> dict[str, Any]:
        """What is left empty stays as it is."""
        cleaned = super().clean() or self.cleaned_data
        cleaned["max_archetypes"] = cleaned.get("max_archetypes") or self.campaign.max_archetypes
        cleaned["channels"] = cleaned.get("channels") or self.campaign.offered_channels
        if cleaned["channels"] == self.campaign.offered_channels:
            cleaned["channels"] = self.campaign.channels
        if len(cleaned.get("looked_at") or []) > MOST_LOOKS:
            self.add_error("looked_at", _("At most %(most)d.") % {"most": MOST_LOOKS})
        return cleaned


def _list_looks(campaign: Campaign) -> list[tuple[int, str]]:
    """Saved segments but the campaign's own, which everybody is in; those that were chosen come first."""
    others = Segment.objects.filter(is_archived=False).exclude(pk=campaign.segment_id)
    found = sorted(others.values_list("pk", "name"), key=lambda row: (row[0] not in campaign.looked_at, row[1].lower()))
    return found[:MOST_SHOWN]
