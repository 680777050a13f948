"""The merge tags that a text may use, and their values for one person: plain strings, what Message.slots keeps.

Each has words that stand in its place where a person has no such value: `composing.FALL_BACKS`, or the author's own
`{{ tag | default: "…" }}`.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from customers.models import Customer

from .checks.names import is_plain_greeting, is_plain_name
from .composing import MessageSource
from .formats import MONTHS

#: What an author may write between {{ and }}, and what staff are told of it.
MEANINGS: Final[Mapping[str, Promise]] = {
    "first_name": gettext_lazy("the first name, in Chinese the whole one"),
    "shop_name": gettext_lazy("the name of the shop"),
    "favourite_category": gettext_lazy("the category they like most"),
    "last_order_month": gettext_lazy("the month of their last order"),
}
MERGE_TAGS: Final = tuple(MEANINGS)
LONGEST_NAME: Final = 40
_LOOKS_LIKE_A_LINK: Final = re.compile(r"https?:|www\.|@|/|\w[.。]\w|\d{4}|[<>{}%\[\]|\\]", re.IGNORECASE)
_TAG: Final = re.compile(r"\{[{%][^{}%]*?\b(" + "|".join(MERGE_TAGS) + r")\b")
#: These are asked of the database, once for a batch, and only where a text uses them.
_ASKED: Final = frozenset({"favourite_category", "last_order_month"})


@dataclass(frozen=True)
class Traits:
    """What merge tags say of one person beyond their name; "" and None where nothing is known."""

    favourite_category: str = ""
    last_order_at: dt.datetime | None = None


@lru_cache(maxsize=512)
def find_tags(source: MessageSource) -> frozenset[str]:
    """The merge tags that a source uses."""
    return frozenset(_TAG.findall("\n".join((source.subject, source.preheader, source.html, source.text))))


def read_traits(customer_ids: Sequence[int], tags: Collection[str]) -> dict[int, Traits]:
    """The traits of some people by id, in one query; none where no tag asks for them, and none of who objects to being
    profiled. Set-based."""
    if not _ASKED & set(tags):
        return {}
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT who.id,
                   CASE WHEN EXISTS (SELECT 1 FROM customers_product p WHERE p.category = s.interest)
                        THEN s.interest ELSE '' END,
                   (SELECT max(o.ordered_at) FROM customers_order o WHERE o.customer_id = who.id AND NOT o.is_return)
            FROM unnest(%s::bigint[]) AS who(id) LEFT JOIN customers_score s ON s.customer_id = who.id
            WHERE NOT EXISTS (
                SELECT 1 FROM customers_preference p WHERE p.customer_id = who.id AND p.objects_to_profiling_at IS NOT NULL
            )
            """,
            [list(customer_ids)],
        )
        return {row[0]: Traits(row[1] or "", row[2]) for row in cursor.fetchall()}


def slots_for(
    customer: Customer,
    *,
    language: str,
    unsubscribe_url: str,
    preferences_url: str,
    subject_prefix: str = "",
    tags: Collection[str] = ("first_name",),
    traits: Traits = Traits(),
) -> dict[str, str]:
    """The values that fill a source for one person: its name, its way out, what the law of its country wants before a
    subject, and those of `tags`.

    `language` is the archetype's ("en", "zh"): a Chinese greeting takes the whole name. A name that looks like a link or
    is over 40 characters is none.
    """
    slots = {
        "first_name": _clean_name(_choose_name(customer, language)),
        "unsubscribe_url": unsubscribe_url,
        "preferences_url": preferences_url,
        "subject_prefix": subject_prefix,
    }
    if "shop_name" in tags:
        slots["shop_name"] = settings.SHOP_NAME
    if "favourite_category" in tags:
        slots["favourite_category"] = name_interest(traits.favourite_category, language)
    if "last_order_month" in tags:
        slots["last_order_month"] = _name_month(traits.last_order_at, language)
    return slots


def name_interest(interest: str, language: str) -> str:
    """What they like as words inside a sentence; a Chinese text takes it only where it is Chinese, and none a link."""
    if not is_plain_name(interest):
        return ""
    if language != "zh":
        return interest.lower()
    return interest if any("\u4e00" <= character <= "\u9fff" for character in interest) else ""


def _name_month(moment: dt.datetime | None, language: str) -> str:
    if moment is None:
        return ""
    month = moment.astimezone(ZoneInfo(settings.SHOP_TIME_ZONE)).month
    return f"{month}月" if language == "zh" else MONTHS[month - 1]


def _choose_name(customer: Customer, language: str) -> str:
    name = customer.first_name.strip()
    return customer.display_name if language == "zh" and name and customer.last_name else name


@lru_cache(maxsize=4096)
def _clean_name(name: str) -> str:
    # Browsers read full-width signs and other dots in an address as the plain ones (UTS 46).
    folded = unicodedata.normalize("NFKC", name)
    is_plain = name.isprintable() and not _LOOKS_LIKE_A_LINK.search(folded) and any(map(str.isalpha, name))
    return name if is_plain and len(name) <= LONGEST_NAME and is_plain_greeting(name) else ""
