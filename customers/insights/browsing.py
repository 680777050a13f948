"""Pages of customers by key, and how many there are, at the same cost for a thousand and for a million.

A page is read from an index, from where the last one ended. Those without the value that is sorted by come last, by
number: they are a second read, made only where the first does not fill the page. How many there are is counted up to
`COUNTED` people; beyond that the planner's estimate is told, and told as one.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.db import connection
from django.db.models import Q, QuerySet

from customers.models import Customer

#: So many people are counted one by one; for more an estimate is told.
COUNTED: Final = 1_000
PAGE_SIZE: Final = 25
SORTS: Final[dict[str, str]] = {
    "risk": "score__churn_probability",
    "value": "score__expected_value",
    "last_order": "score__recency_days",
    "name": "last_name",
}
USUAL_SORT: Final = "-risk"


@dataclass(frozen=True)
class Place:
    """Where a page begins: after (or, backwards, before) the customer `pk` whose value is `value` (None: has none)."""

    pk: int
    value: str | None
    is_backward: bool = False

    def __str__(self) -> str:
        return f"{self.pk}" if self.value is None else f"{self.pk}~{self.value}"


@dataclass(frozen=True)
class Browsed:
    """A page, and the addresses' parts of its neighbours ("" where there is none)."""

    customers: Sequence[Customer]
    later: str
    earlier: str


@dataclass(frozen=True)
class Count:
    """How many there are. An estimate is not exact, and then more than `COUNTED`."""

    number: int
    is_exact: bool


def read_sort(text: str) -> str:
    """A sort that there is; the usual one for anything else."""
    return text if text.removeprefix("-") in SORTS else USUAL_SORT


def read_place(text: str, *, sort: str, is_backward: bool = False) -> Place | None:
    """The place that `str` wrote for this sort; None for anything else."""
    pk, mark, value = text.partition("~")
    if not (pk.isascii() and pk.isdecimal() and len(pk) < 19) or "\x00" in value:
        return None
    if mark and "__" in SORTS[sort.removeprefix("-")]:
        try:
            if not math.isfinite(float(value)):
                return None
        except ValueError:
            return None
    return Place(int(pk), value if mark else None, is_backward)


def browse(found: QuerySet[Customer], *, sort: str, place: Place | None, size: int = PAGE_SIZE) -> Browsed:
    """One page of `found`, which has no order yet. At most two queries."""
    backward = place is not None and place.is_backward
    parts = _list_parts(found, sort)
    if backward:
        parts = [(rows, column, not descends) for rows, column, descends in reversed(parts)]
    taken: list[Customer] = []
    is_reached = place is None
    for rows, column, descends in parts:
        begins_here = not is_reached and place is not None and (place.value is None) == (column is None)
        if not is_reached and not begins_here:
            continue
        after = _after(place, column, descends) if begins_here and place is not None else Q()
        is_reached = True
        sign = "-" if descends else ""
        ordered = rows.filter(after).order_by(*([f"{sign}{column}"] if column else []), f"{sign}pk")
        taken += ordered[: size + 1 - len(taken)]
        if len(taken) > size:
            break
    has_more, taken = len(taken) > size, taken[:size]
    if backward:
        taken.reverse()
    column = SORTS[sort.removeprefix("-")]
    later = _name(taken[-1], column) if taken and (has_more or backward) else ""
    earlier = _name(taken[0], column) if taken and (has_more if backward else place is not None) else ""
    return Browsed(taken, later, earlier)


def count_about(found: QuerySet[Customer]) -> Count:
    """How many `found` are: exactly up to `COUNTED`, else as the planner estimates. Two queries at any size."""
    bare = found.select_related(None).order_by()
    number = bare.values("pk")[: COUNTED + 1].count()
    estimate = _estimate(bare)
    return Count(number, True) if number <= COUNTED else Count(max(estimate, COUNTED + 1), False)


def count_customers() -> Count:
    """How many customers the shop has; one query, an estimate where there are many."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT CASE WHEN known.rows > %(many)s THEN -known.rows ELSE (SELECT count(*) FROM customers_customer) END"
            " FROM (SELECT reltuples::bigint AS rows FROM pg_class WHERE oid = 'customers_customer'::regclass) AS known",
            {"many": COUNTED * 20},
        )
        number = int(cursor.fetchone()[0])
    return Count(abs(number), number >= 0)


def _list_parts(found: QuerySet[Customer], sort: str) -> list[tuple[QuerySet[Customer], str | None, bool]]:
    """The parts of a list: those who have the value, and by number those who have not. A name everybody has."""
    descends, column = sort.startswith("-"), SORTS[sort.removeprefix("-")]
    if "__" not in column:
        return [(found, column, descends)]
    return [
        (found.filter(**{f"{column}__isnull": False}), column, descends),
        (found.filter(**{f"{column}__isnull": True}), None, False),
    ]


def _after(place: Place, column: str | None, descends: bool) -> Q:
    sign = "lt" if descends else "gt"
    if column is None or place.value is None:
        return Q(**{f"pk__{sign}": place.pk})
    same = Q(**{column: place.value, f"pk__{sign}": place.pk})
    return Q(**{f"{column}__{sign}e": place.value}) & (Q(**{f"{column}__{sign}": place.value}) | same)


def _name(customer: Customer, column: str) -> str:
    value: Any = customer
    for part in column.split("__"):
        value = getattr(value, part, None)
    return str(Place(customer.pk, None if value is None else str(value)))


def _estimate(found: QuerySet[Customer]) -> int:
    try:
        plan = found.explain(format="json")
    except ValidationError:
        return 0
    return int(json.loads(plan)[0]["Plan"]["Plan Rows"]) if plan else 0  # no plan: nobody is asked for at all
