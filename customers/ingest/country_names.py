"""The name of a country in the reader's language (Unicode's Common Locale Data Repository, as Babel brings it)."""

from __future__ import annotations

from babel import Locale
from django.utils.translation import get_language, to_locale

from .places import find_country_code


def name_country(country: str) -> str:
    """As the shop writes it where that is not known, and where an English reader can read it: "UK" and "United Kingdom" may be
    two groups of a report, and there they should not look like one."""
    language = get_language() or "en"
    if country.isascii() and language.startswith("en"):
        return country
    names = Locale.parse(to_locale(language)).territories
    return str(names.get(find_country_code(country), country))
