"""Who got what, in words: the same for the page and for the weekly mail."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.conf.locale import LANG_INFO
from django.utils.formats import date_format
from django.utils.translation import get_language_info, pgettext
from django.utils.translation import gettext as _

from campaigns.approval.fairness import LOWEST_RATIO, GroupFairness, Ratio
from customers.ingest.country_names import name_country

from .fairness import AttributeReport


def tell_fairness(found: Sequence[AttributeReport]) -> dict[str, Any]:
    """What `campaigns/reports/say_fairness.html` and the page's cards need."""
    reports = [tell_report(report) for report in found]
    counted = [row for row in reports if row["groups"]]
    return {
        "reports": counted,
        "has_marked": bool(reports),
        "day": reports[0]["day"] if reports else None,
        "low": [name for row in counted for name in row["low"]],
    }


def tell_report(report: AttributeReport) -> dict[str, Any]:
    """For a page or a mail. With one group alone there is nothing to compare."""
    groups = report.whole.groups if len(report.whole.groups) > 1 else []
    label = name_attribute(report.attribute)
    return {
        "label": label,
        "day": report.day,
        "groups": [tell_group(group, report.attribute) for group in groups],
        "low": [f"{name_group(group.name, report.attribute)} ({label})" for group in groups if group.is_low],
        "left_out": report.whole,
        "has_discount": any(group.nominal is not None for group in groups),
        "months": [
            {
                "label": date_format(month.month, pgettext("date format", "M Y")),
                "groups": [tell_group(group, report.attribute) for group in month.fairness.groups],
            }
            for month in report.months
            if len(month.fairness.groups) > 1
        ],
    }


def tell_group(group: GroupFairness, attribute: str = "") -> dict[str, Any]:
    """Its numbers, and what is said of both ratios."""
    return {
        "name": name_group(group.name, attribute),
        "group": group,
        "share_word": judge(group.share_ratio),
        "discount_word": judge(group.nominal_ratio),
    }


def judge(ratio: Ratio) -> str:
    """low: clearly below four fifths; maybe: below it, and chance may explain that; "" otherwise."""
    if ratio.value is None or ratio.value >= LOWEST_RATIO:
        return ""
    return "low" if ratio.is_low else "maybe"


def name_attribute(key: str) -> str:
    return {"country": _("Country"), "language": _("Language")}.get(key, key)


def name_group(name: str, attribute: str = "") -> str:
    """A language and a country by its name, where it has one; everything else as the shop says it."""
    if attribute == "country":
        name = name_country(name)
    if attribute == "language" and name.lower() in LANG_INFO:
        return str(get_language_info(name.lower())["name_translated"])
    return name or _("not known")
