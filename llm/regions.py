"""Whose telephone numbers and ids are likely: the shop's country first, then those that write to every shop."""

from functools import cache
from importlib.resources import files

from django.conf import settings

EVERYWHERE = ("CN", "GB", "US")


def read_shop_regions() -> tuple[str, ...]:
    """ISO 3166 codes: SHOP_COUNTRY, or the country of SHOP_TIME_ZONE, then China, Britain and the United States."""
    named = str(getattr(settings, "SHOP_COUNTRY", "") or "").strip().upper()
    home = named or _countries_by_zone().get(str(getattr(settings, "SHOP_TIME_ZONE", "")), "")
    return tuple(dict.fromkeys(filter(None, (home, *EVERYWHERE))))


@cache
def _countries_by_zone() -> dict[str, str]:
    """The table of the time zone database: a zone's first country."""
    table = files("tzdata").joinpath("zoneinfo", "zone.tab").read_text(encoding="utf-8")
    rows = [line.split("\t") for line in table.splitlines() if line and not line.startswith("#")]
    return {zone: country for country, _coordinates, zone, *_comment in rows}
