"""The name of a country in the reader's language (Unicode's Common Locale Data Repository, as Babel brings it)."""

from __future__ import annotations

from typing import Final

from babel import Locale
from django.utils.translation import get_language, to_locale

from .places import find_country_code

#: What is no longer than this is a code: "DE", "USA".
LONGEST_CODE: Final = 3


def name_country(country: str) -> str:
    """As the shop writes it where that is not known, and where it is a name that an English reader can read."""
    language = get_language() or "en"
    if country.isascii() and len(country) > LONGEST_CODE and language.startswith("en"):
        return country
    return _name(find_country_code(country), language) or country


def name_code(code: str) -> str:
    """ "AT" as "Austria", where a code alone names the country; a code that is none as it is."""
    return _name(code, get_language() or "en") or code


def _name(code: str, language: str) -> str:
    return str(Locale.parse(to_locale(language)).territories.get(code, ""))
