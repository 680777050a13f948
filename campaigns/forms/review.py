"""What a reviewer says, how long an approval holds, and who is told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy

from campaigns.models import Campaign, NotificationChoice, NotificationKind


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
    wants_weekly = forms.BooleanField(
        required=False,
        label=gettext_lazy("The week’s figures by mail, on Monday morning"),
        help_text=gettext_lazy("Retention, lift, cost and fairness, as the reports say them. No customer is named."),
    )
    language = forms.ChoiceField(choices=settings.LANGUAGES, label=gettext_lazy("Language of the mails"))

    def __init__(self, data: Mapping[str, Any] | None = None, *, choice: NotificationChoice) -> None:
        initial = {
            "kinds": [kind for kind in NotificationKind.values if kind not in choice.silenced],
            "wants_mail": choice.wants_mail,
            "wants_weekly": choice.wants_weekly,
            "language": choice.language or settings.LANGUAGE_CODE,
        }
        super().__init__(data, initial=initial)

    def choices(self) -> dict[str, Any]:
        """The columns of NotificationChoice."""
        wanted = set(self.cleaned_data["kinds"])
        return {
            "silenced": [kind for kind in NotificationKind.values if kind not in wanted],
            "wants_mail": self.cleaned_data["wants_mail"],
            "wants_weekly": self.cleaned_data["wants_weekly"],
            "language": self.cleaned_data["language"],
        }
