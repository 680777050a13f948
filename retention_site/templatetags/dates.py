"""Days and times in the reader's own order: "3 Sep" in English, "9月3日" in Chinese.

Takes the place of Django's `date` filter (it is a builtin, see settings): templates go on writing `|date:"j M"`, and the
format itself is translated.
"""

from __future__ import annotations

import datetime as dt

from django import template
from django.template.defaultfilters import date as write_date
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.translation import pgettext_lazy

register = template.Library()

#: Every format that templates use. One that is missing here is written as it stands.
FORMATS = {
    "j M": pgettext_lazy("date format", "j M"),
    "j M y": pgettext_lazy("date format", "j M y"),
    "j M Y": pgettext_lazy("date format", "j M Y"),
    "j M H:i": pgettext_lazy("date format", "j M H:i"),
    "j M H:i:s": pgettext_lazy("date format", "j M H:i:s"),
    "j M, H:i": pgettext_lazy("date format", "j M, H:i"),
    "j M Y H:i": pgettext_lazy("date format", "j M Y H:i"),
    "j M Y, H:i": pgettext_lazy("date format", "j M Y, H:i"),
    "j M Y H:i:s": pgettext_lazy("date format", "j M Y H:i:s"),
    "D j M, H:i": pgettext_lazy("date format", "D j M, H:i"),
    "D j M Y, H:i": pgettext_lazy("date format", "D j M Y, H:i"),
    "l j F": pgettext_lazy("date format", "l j F"),
    "F Y": pgettext_lazy("date format", "F Y"),
    "M Y": pgettext_lazy("date format", "M Y"),
}


@register.filter(expects_localtime=True, is_safe=False)
def date(value: dt.date | dt.datetime | str | None, form: str | None = None) -> str:
    """As Django's filter, with the format in the reader's language. Figures kept as JSON hold days as ISO text: read too."""
    if isinstance(value, str):
        value = _read_iso(value)
    return str(write_date(value, str(FORMATS[form]) if form in FORMATS else form))


def _read_iso(text: str) -> dt.date | dt.datetime | None:
    try:
        return parse_date(text) or parse_datetime(text)
    except ValueError:  # the shape of a day that no month has
        return None
