"""One text by hand, and what is asked of a model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext_lazy

from campaigns.content.channels import find_writer
from campaigns.content.editing import hash_words
from campaigns.content.plans import MOST_TEXTS
from campaigns.content.steps import FIRST_STEP, MOST_STEPS
from campaigns.models import Angle, Variant


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
