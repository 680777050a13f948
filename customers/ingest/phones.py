"""Telephone numbers in the one form in which they are kept, compared and sent to: E.164, such as +447700900123."""

from __future__ import annotations

from functools import lru_cache

import phonenumbers
import polars as pl
from django.conf import settings

from .places import find_country_code, find_country_of_zone

#: Longer than any number with its blanks and brackets.
LONGEST = 60


class BadPhone(ValueError):
    """No number that could be called: too short, too long, or of no country."""


@lru_cache(maxsize=4096)
def normalise_phone(text: str, country: str = "") -> str:
    """E.164 of a number as people write it; "" for blank. Without + it is read as of `country` (a name or ISO code), else
    of the shop's own. Raises BadPhone."""
    text = text.strip()
    if not text:
        return ""
    region = find_country_code(country) or shop_region()
    try:
        number = phonenumbers.parse(text[:LONGEST], region or None)
    except phonenumbers.NumberParseException as error:
        raise BadPhone("no telephone number") from error
    if len(text) > LONGEST or not phonenumbers.is_possible_number(number) or number.extension:
        raise BadPhone("no number that could be called")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def normalise_phones(frame: pl.DataFrame) -> pl.DataFrame:
    """The frame of customers with its column phone in E.164; what is no number is blank, so that one bad row holds nobody up."""
    if "phone" not in frame.columns:
        return frame
    countries = frame["country"] if "country" in frame.columns else [""] * frame.height
    phones = [_read_or_blank(phone, country) for phone, country in zip(frame["phone"], countries, strict=True)]
    return frame.with_columns(pl.Series("phone", phones, dtype=pl.String))


def shop_region() -> str:
    """The shop's country, two letters: SHOP_COUNTRY, else that of its time zone; "" where neither says."""
    return settings.SHOP_COUNTRY.upper() or _region_of_zone(settings.SHOP_TIME_ZONE)


_region_of_zone = lru_cache(maxsize=8)(find_country_of_zone)


def _read_or_blank(phone: object, country: object) -> str:
    try:
        return normalise_phone(str(phone or ""), str(country or ""))
    except BadPhone:
        return ""
