"""One country, however the shop's systems write it: "UK" from one, "United Kingdom" from another, "gb" from a third."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from .country_names import name_country
from .known_values import list_countries
from .places import find_country_code


def choose_spellings(countries: Iterable[str]) -> dict[str, str]:
    """For each spelling of a country that is written in several ways, the one that stands for all: the longest."""
    written: dict[str, list[str]] = defaultdict(list)
    for country in countries:
        if code := find_country_code(country):
            written[code].append(country)
    chosen = {}
    for same in written.values():
        best = max(same, key=lambda country: (len(country), country))
        chosen.update({country: best for country in same if country != best})
    return chosen


def find_spellings(country: str) -> list[str]:
    """All ways in which customers' countries are written that mean this one; itself first."""
    code = find_country_code(country)
    others = [other for other in list_countries() if other != country and code and find_country_code(other) == code]
    return [country, *others]


def list_one_spelling_each() -> list[tuple[str, str]]:
    """The countries that customers have, one spelling of each, with its name in the reader's language; by name."""
    known = list_countries()
    other = choose_spellings(known)
    return sorted(((one, name_country(one)) for one in known if one not in other), key=lambda pair: pair[1])


def country_sql(customer: str = "c") -> str:
    """SQL for the country of a row of customers_customer, written in one way for all who have it.

    A country is what somebody once typed, so it does not enter SQL as text: `chr` codes rebuild it.
    """
    column = f"{customer}.country"
    cases = [
        f"WHEN {_spell(other)} THEN {_spell(best)}"
        for other, best in sorted(choose_spellings(list_countries()).items())
    ]
    return f"CASE {column} {' '.join(cases)} ELSE {column} END" if cases else column


def _spell(text: str) -> str:
    return "(" + " || ".join(f"chr({ord(letter)})" for letter in text) + ")"
