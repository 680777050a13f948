"""The form of a segment: its name and purpose. Its rule comes from the rows (`rule_drafts`)."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from customers.models import Segment


class SegmentForm(forms.ModelForm):  # type: ignore[type-arg]
    """Name and purpose of a segment; its rule comes from the rows."""

    class Meta:
        model = Segment
        fields = ("name", "description")
        labels = {"name": _("Name"), "description": _("What it is for")}
