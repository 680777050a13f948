"""The likely time zone and language of a customer of whom only the country is known."""

from __future__ import annotations

import functools
import importlib.resources
import re
from collections.abc import Iterable

import polars as pl
from django.conf import settings

#: What shops write beside the names of ISO 3166.
ALIASES = {
    "united kingdom": "GB", "uk": "GB", "great britain": "GB", "england": "GB", "scotland": "GB", "wales": "GB",
    "northern ireland": "GB", "channel islands": "JE", "eire": "IE", "republic of ireland": "IE", "usa": "US",
    "united states of america": "US", "rsa": "ZA", "republic of south africa": "ZA", "czech republic": "CZ",
    "korea": "KR", "south korea": "KR", "republic of korea": "KR", "holland": "NL", "the netherlands": "NL",
    "deutschland": "DE", "österreich": "AT", "schweiz": "CH", "españa": "ES", "italia": "IT", "polska": "PL",
    "uae": "AE", "russian federation": "RU", "viet nam": "VN", "turkiye": "TR", "türkiye": "TR",
    "中国": "CN", "中国大陆": "CN", "中國": "CN", "香港": "HK", "台湾": "TW", "臺灣": "TW", "新加坡": "SG", "日本": "JP",
    "hong kong sar": "HK", "mainland china": "CN", "pr china": "CN", "people's republic of china": "CN",
}  # fmt: skip
#: The zone with the most people, where a country has several.
MAIN_ZONES = {
    "AR": "America/Argentina/Buenos_Aires", "AU": "Australia/Sydney", "BR": "America/Sao_Paulo", "CA": "America/Toronto",
    "CL": "America/Santiago", "CN": "Asia/Shanghai", "CD": "Africa/Kinshasa", "CY": "Asia/Nicosia", "DE": "Europe/Berlin",
    "EC": "America/Guayaquil", "ES": "Europe/Madrid", "FM": "Pacific/Pohnpei", "GL": "America/Nuuk", "ID": "Asia/Jakarta",
    "KI": "Pacific/Tarawa", "KZ": "Asia/Almaty", "MH": "Pacific/Majuro", "MN": "Asia/Ulaanbaatar",
    "MX": "America/Mexico_City", "MY": "Asia/Kuala_Lumpur", "NZ": "Pacific/Auckland", "PF": "Pacific/Tahiti",
    "PG": "Pacific/Port_Moresby", "PS": "Asia/Gaza", "PT": "Europe/Lisbon", "RU": "Europe/Moscow", "UA": "Europe/Kyiv",
    "US": "America/New_York", "UZ": "Asia/Tashkent",
}  # fmt: skip
CHINESE = {"CN", "HK", "MO", "TW"}


def find_country_code(country: str) -> str:
    """ISO 3166, two letters, of a country as shops write it; "" where it is none that we know."""
    folded = re.sub(r"\s+", " ", country.strip().lower())
    if re.fullmatch(r"[a-z]{2}", folded) and folded != "uk":
        return folded.upper()
    return ALIASES.get(folded) or _codes().get(folded, "")


def find_country_of_zone(zone: str) -> str:
    """The first country of a time zone, two letters; "" where it has none."""
    return next((code for code, _position, name, *_comment in _read_table("zone.tab") if name == zone), "")


def guess_time_zone(country: str) -> str:
    """The zone in which most people of the country live; the shop's own where the country is not known."""
    code = find_country_code(country)
    return MAIN_ZONES.get(code) or _zones().get(code) or settings.SHOP_TIME_ZONE


def guess_language(country: str) -> str:
    """Chinese for Chinese-speaking countries, English else: the languages in which messages are written so far."""
    return "zh" if find_country_code(country) in CHINESE else "en"


def guess_places(countries: Iterable[str]) -> pl.DataFrame:
    """country, time_zone and language for each of `countries`."""
    rows = [(country, guess_time_zone(country), guess_language(country)) for country in countries]
    return pl.DataFrame(
        rows, schema={"country": pl.String, "time_zone": pl.String, "language": pl.String}, orient="row"
    )


@functools.cache
def _codes() -> dict[str, str]:
    return {name.lower(): code for code, name in _read_table("iso3166.tab")}


@functools.cache
def _zones() -> dict[str, str]:
    zones: dict[str, str] = {}
    for code, _position, zone, *_comment in _read_table("zone.tab"):
        zones.setdefault(code, zone)
    return zones


def _read_table(name: str) -> list[list[str]]:
    text = importlib.resources.files("tzdata").joinpath("zoneinfo", name).read_text("utf-8")
    return [line.split("\t") for line in text.splitlines() if line and not line.startswith("#")]
