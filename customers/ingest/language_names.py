"""Languages of customers, in words."""

from __future__ import annotations

from django.utils.translation import gettext as _


def name_language(code: str) -> str:
    """ "zh-Hans" as "Chinese"; a code that we have no word for as it is."""
    names = {"en": _("English"), "zh": _("Chinese"), "de": _("German"), "fr": _("French")}
    return names.get(code.split("-")[0].lower(), code)
