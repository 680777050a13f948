"""What is wrong or no longer makes sense in a rule, part by part: faults stop it from being counted, warnings do not."""

from __future__ import annotations

import contextlib
import datetime as dt
import zoneinfo
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from django.conf import settings
from django.db import connection

from customers.models import Product

from .contradictions import find_contradictions
from .estimating import OutOfPatience, give_up_after, is_large_shop
from .faults import RuleError
from .labels import ERROR_SENTENCES, WARNING_SENTENCES
from .names import Names, read_names
from .nodes import Attribute, Behaviour, Broken, Condition, Group, Leaf, Membership, MessageAct, Orders, walk
from .resolve import resolve_memberships

#: How long the customers of a large shop are searched for one who has an attribute.
SEARCH_MS: Final = 150


@dataclass(frozen=True)
class Finding:
    """Something to be said at the part of the rule at `path`, such as "rules.0.rules.2"; `is_fault` where it stops the rule."""

    path: str
    code: str
    detail: str
    is_fault: bool

    @property
    def sentence(self) -> str:
        """In words for the person who wrote the rule."""
        sentences = ERROR_SENTENCES if self.is_fault else WARNING_SENTENCES
        return str(sentences.get(self.code, self.code)) % {"detail": self.detail}


def check_rule(rule: Group, *, as_of: dt.datetime, own: int | None = None) -> list[Finding]:
    """Everything to be said of a rule that `read_gently` read. `own` is the segment that it belongs to.

    A few queries, however many parts; one looks through customers for the attributes that are asked for.
    """
    names = read_names(rule)
    found = [
        Finding(part.path or path, part.code, part.detail, True)
        for path, part in walk(rule)
        if isinstance(part, Broken)
    ]
    if not found:
        try:
            resolve_memberships(rule, own=own)
        except RuleError as error:
            found.append(Finding(error.path, error.code, error.detail, True))
    today = as_of.astimezone(zoneinfo.ZoneInfo(settings.SHOP_TIME_ZONE)).date()
    found += [Finding(path, code, detail, False) for path, code, detail in find_contradictions(rule, today=today)]
    leaves = [(path, part) for path, part in walk(rule) if not isinstance(part, Broken)]
    found += [Finding(path, code, detail, False) for path, code, detail in _find_gone(leaves, names)]
    return found


def _find_gone(leaves: list[tuple[str, Leaf]], names: Names) -> Iterator[tuple[str, str, str]]:
    """Things that rules name and the shop does not have, or not any more."""
    categories = _known("category", (word for _path, part in leaves for word in _categories(part)))
    brands = _known("brand", (word for _path, part in leaves for word in _brands(part)))
    attributes = _find_known({part.own.name for _path, part in leaves if isinstance(part, Attribute)})
    for path, part in leaves:
        yield from ((path, "category_gone", word) for word in _categories(part) if word not in categories)
        yield from ((path, "brand_gone", word) for word in _brands(part) if word not in brands)
        if isinstance(part, Behaviour | Orders) and part.ware.product and part.ware.product not in names.products:
            yield path, "product_gone", part.ware.product
        if isinstance(part, Attribute) and part.own.name not in attributes:
            yield path, "attribute_gone", part.own.name
        if isinstance(part, Membership) and part.segment in names.archived:
            yield path, "segment_archived", names.segments[part.segment]
        if isinstance(part, MessageAct) and part.campaign.isdecimal() and part.campaign not in names.campaigns:
            yield path, "campaign_gone", part.campaign


def _categories(part: Leaf) -> tuple[str, ...]:
    if isinstance(part, Behaviour | Orders):
        return (part.ware.category,) if part.ware.category else ()
    return _values(part, "interested_in")


def _brands(part: Leaf) -> tuple[str, ...]:
    if isinstance(part, Behaviour | Orders):
        return (part.ware.brand,) if part.ware.brand else ()
    return _values(part, "likes_brand")


def _values(part: Leaf, key: str) -> tuple[str, ...]:
    if not isinstance(part, Condition) or part.field.key != key:
        return ()
    return tuple(str(value) for value in (part.value if isinstance(part.value, tuple) else (part.value,)))


def _known(column: str, words: Iterable[str]) -> set[str]:
    wanted = set(words)
    if not wanted:
        return set()
    return set(Product.objects.filter(**{f"{column}__in": wanted}).values_list(column, flat=True))


def _find_known(attributes: set[str]) -> set[str]:
    """Which of them anybody has. In a shop so large that the search takes long nothing is said against any."""
    if not attributes:
        return set()
    looking = give_up_after(SEARCH_MS) if is_large_shop() else contextlib.nullcontext()
    with contextlib.suppress(OutOfPatience), looking, connection.cursor() as cursor:
        cursor.execute(
            "SELECT n FROM unnest(%s::text[]) n WHERE EXISTS (SELECT 1 FROM customers_customer WHERE attributes ? n)",
            [sorted(attributes)],
        )
        return {row[0] for row in cursor.fetchall()}
    return attributes
