"""The form of the Brand voice page: one language at a time, lists with one entry to a line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy

from campaigns.content.voice import LIMITS, LISTS, LONGEST_NOTE, LONGEST_PERSONALITY, clean_voice_text


def _lines(rows: int, label: Any, help_text: Any) -> forms.CharField:
    widget = forms.Textarea(attrs={"rows": rows})
    return forms.CharField(required=False, widget=widget, label=label, help_text=help_text)


def _limit(name: str, label: Any) -> forms.IntegerField:
    least, most = LIMITS[name]
    return forms.IntegerField(required=False, min_value=least, max_value=most, label=label)


class VoiceForm(forms.Form):
    """How the shop speaks in one language. `voice` is the cleaned result once the form is valid."""

    personality = forms.CharField(
        required=False, max_length=LONGEST_PERSONALITY, widget=forms.Textarea(attrs={"rows": 3}),
        label=gettext_lazy("Personality"),
        help_text=gettext_lazy("Who speaks here? For example: a mountain guide, dry and kind, who never pushes."),
    )  # fmt: skip
    do = _lines(4, gettext_lazy("Do"), gettext_lazy("One to a line. For example: name the thing before the offer."))
    dont = _lines(4, gettext_lazy("Don’t"), gettext_lazy("One to a line. For example: make anybody feel guilty."))
    examples = _lines(
        4, gettext_lazy("Examples"), gettext_lazy("Sentences that sound right, one to a line. Drafts do not copy them.")
    )
    banned = _lines(
        5, gettext_lazy("Never say"), gettext_lazy("Words and claims, one to a line. A text that says one is blocked.")
    )
    avoid = _lines(
        5, gettext_lazy("Rather not"), gettext_lazy("One to a line. A text that says one asks for a second look.")
    )
    sentence_length = _limit("sentence_length", gettext_lazy("Words in a sentence"))
    exclamation_marks = _limit("exclamation_marks", gettext_lazy("Exclamation marks"))
    emoji = _limit("emoji", gettext_lazy("Emoji"))
    address = forms.ChoiceField(
        required=False, label=gettext_lazy("How customers are addressed"),
        choices=[("", gettext_lazy("您 or 你")), ("您", gettext_lazy("您 only")), ("你", gettext_lazy("你 only"))],
    )  # fmt: skip
    note = forms.CharField(
        required=False, max_length=LONGEST_NOTE, label=gettext_lazy("What changed"),
        help_text=gettext_lazy("For the history: why colleagues find it different tomorrow."),
    )  # fmt: skip

    def __init__(self, data: Mapping[str, Any] | None = None, *, language: str, saved: Mapping[str, Any]) -> None:
        super().__init__(data, initial=_lay_out(saved))
        self.language = language
        self.voice: dict[str, Any] = dict(saved)
        if language == "zh":
            self.fields["sentence_length"].label = gettext_lazy("Characters in a sentence")
        else:
            del self.fields["address"]
        for field in self.fields.values():
            field.widget.attrs.setdefault("lang", "zh-Hans" if language == "zh" else language)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if self.errors:
            return cleaned
        given: dict[str, Any] = {"personality": cleaned["personality"]}
        given |= {name: cleaned[name].splitlines() for name in LISTS}
        given["limits"] = {name: cleaned[name] for name in LIMITS} | {"address": cleaned.get("address", "")}
        try:
            self.voice = clean_voice_text(given, self.language)
        except ValidationError as error:
            for name, told in error.message_dict.items():
                self.add_error(name if name in self.fields else None, told)
        return cleaned


def _lay_out(voice: Mapping[str, Any]) -> dict[str, Any]:
    lists = {name: "\n".join(voice[name]) for name in LISTS}
    return {"personality": voice["personality"], **lists, **voice["limits"]}
