"""The form of a segment: its name and purpose. Its rule comes from the rows (`rule_drafts`)."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from customers.models import Segment


class SegmentForm(forms.ModelForm):  # type: ignore[type-arg]
    """Name and purpose of a segment; its rule comes from the rows."""

    class Meta:
        model = Segment
        fields = ("name", "description")
        labels = {"name": _("Name"), "description": _("What it is for")}

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if Segment.objects.filter(name=name, is_archived=True).exclude(pk=self.instance.pk).exists():
            raise forms.ValidationError(
                gettext("An archived segment has this name. Take that one back, or choose another.")
            )
        return name
