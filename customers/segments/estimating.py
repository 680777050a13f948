"""How many people a rule means, in the time that somebody who types will wait: exactly, or else from some customers.

A rule over all orders of a million customers takes seconds to count. Such a one is asked of a few thousand customers drawn at
random, which takes as long in any shop, and the page shows the interval; it is counted exactly when somebody asks for that.
"""

from __future__ import annotations

import contextlib
import math
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from django.db import OperationalError, connection, transaction
from psycopg.errors import QueryCanceled

from customers.models import Customer
from customers.scoring.proportion import wilson_interval

from .compiler import CompiledQuery
from .preview import Preview, preview_query

#: How long the exact count may take before customers are drawn.
PATIENCE_MS: Final = 300
#: By the planner's measure, what takes about twice that: it is not even begun.
TOO_DEAR: Final = 50_000
#: Customers drawn: half of a large shop is told to 2 points.
DRAWN: Final = 2_500
#: In a shop of so many customers any rule is counted exactly, however busy the machine is.
ALWAYS_EXACT: Final = 20_000
#: Rounds of drawing where many numbers belong to nobody.
MOST_ROUNDS: Final = 5
#: Tables that are read of those customers only. A common table expression hides the table of its name.
NARROWED: Final = {
    "customers_customer": "id",
    "customers_order": "customer_id",
    "customers_customerevent": "customer_id",
    "customers_consentrecord": "customer_id",
    "customers_score": "customer_id",
    "customers_customertag": "customer_id",
    "customers_interestprofile": "customer_id",
    "customers_reaction": "customer_id",
}
#: Of this one those of their orders are read: it has several times as many rows as the shop has orders.
LINES: Final = "customers_orderline"
#: The drawn customers, and their orders, in one row each. Written out wherever they are asked for, the planner would weigh every
#: number for every partition and index, which takes longer than to read the rows.
DRAWN_CUSTOMERS: Final = "drawn_customers AS MATERIALIZED (SELECT %(drawn)s::bigint[] AS ids), "
DRAWN_ORDERS: Final = (
    "drawn_orders AS MATERIALIZED (SELECT ARRAY(SELECT id FROM customers_order"
    " WHERE customer_id = ANY((SELECT ids FROM drawn_customers)::bigint[])) AS ids), "
)


class OutOfPatience(Exception):
    """A statement took longer than one would wait for it."""


@dataclass(frozen=True)
class Estimate(Preview):
    """How many people a rule seems to mean: with 95 % certainty `low` to `high`, by `asked` customers drawn at random.
    `sample` is some of those who are meant among them."""

    low: int
    high: int
    asked: int


def preview_quickly(
    query: CompiledQuery, *, total: int, size: int = 8, patience_ms: int = PATIENCE_MS, seed: int = 1
) -> Preview:
    """The exact count if it is found in `patience_ms`, otherwise an Estimate; `total` is how many customers there are. A small
    shop is always counted."""
    if total <= ALWAYS_EXACT:
        return preview_query(query, size=size)
    if _foresee_cost(query) < TOO_DEAR:
        with contextlib.suppress(OutOfPatience), give_up_after(patience_ms):
            return preview_query(query, size=size)
    return estimate_query(query, total=total, size=size, seed=seed)


def _foresee_cost(query: CompiledQuery) -> float:
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (FORMAT JSON) {query.sql}", query.params)
        return float(cursor.fetchone()[0][0]["Plan"]["Total Cost"])


def is_large_shop() -> bool:
    """Whether there are more than `ALWAYS_EXACT` customers, as the planner believes."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT reltuples > %s FROM pg_class WHERE oid = 'customers_customer'::regclass", [ALWAYS_EXACT])
        return bool(cursor.fetchone()[0])


@contextlib.contextmanager
def give_up_after(milliseconds: int) -> Iterator[None]:
    """Let no statement within take longer; raises OutOfPatience, and the transaction around it can go on."""
    try:
        with transaction.atomic(), set_for_a_moment(statement_timeout=f"{milliseconds}ms"):
            yield
    except OperationalError as error:
        if isinstance(error.__cause__, QueryCanceled):
            raise OutOfPatience from error
        raise


def estimate_query(query: CompiledQuery, *, total: int, size: int = 8, seed: int = 1, drawn: int = DRAWN) -> Estimate:
    """Ask the rule of customers drawn at random; the same ones for the same seed, so that two rules can be compared."""
    asked = draw_customers(drawn, seed=seed)
    # Nothing is known of how many rows so few customers have: a nested loop over them can be a thousand times too slow.
    plain = set_for_a_moment(enable_nestloop="off", max_parallel_workers_per_gather="0")
    with transaction.atomic(), plain, connection.cursor() as cursor:
        cursor.execute(
            f"WITH {_narrow(query.sql)}meant AS MATERIALIZED ({query.sql})"
            " SELECT array_agg(m.customer_id ORDER BY m.customer_id) FROM meant m"
            " WHERE m.customer_id = ANY((SELECT ids FROM drawn_customers)::bigint[])",
            {**query.params, "drawn": asked},
        )
        found = cursor.fetchone()[0] or []
    low, high = wilson_interval(len(found), len(asked)) if asked else (0.0, 1.0)
    share = len(found) / len(asked) if asked else 0.0
    people = Customer.objects.filter(pk__in=found[:size]).select_related("score").order_by("pk")
    return Estimate(round(share * total), list(people), math.floor(low * total), math.ceil(high * total), len(asked))


def _narrow(sql: str) -> str:
    """Common table expressions that leave of each table what the drawn customers have in it."""
    kept = {table: f"{key} = ANY((SELECT ids FROM drawn_customers)::bigint[])" for table, key in NARROWED.items()}
    if LINES in sql:
        kept[LINES] = "order_id = ANY((SELECT ids FROM drawn_orders)::bigint[])"
    numbers = DRAWN_CUSTOMERS + (DRAWN_ORDERS if LINES in sql else "")
    return numbers + "".join(
        f"{table} AS NOT MATERIALIZED (SELECT * FROM {table} WHERE {rows}), " for table, rows in kept.items()
    )


def draw_customers(number: int, *, seed: int) -> list[int]:
    """Ids of about `number` customers, each with the same chance, in order; all of them where there are no more."""
    draw = random.Random(seed)  # noqa: S311 - nothing here is secret
    with connection.cursor() as cursor:
        cursor.execute("SELECT min(id), max(id) FROM customers_customer")
        first, last = cursor.fetchone()
        if first is None:
            return []
        if last - first < number * 2:
            cursor.execute("SELECT id FROM customers_customer ORDER BY id")
            everybody = [row[0] for row in cursor.fetchall()]
            return sorted(draw.sample(everybody, min(number, len(everybody))))
        found: set[int] = set()
        for _round in range(MOST_ROUNDS):
            some = draw.sample(range(first, last + 1), number)
            cursor.execute("SELECT id FROM customers_customer WHERE id = ANY(%s)", [some])
            found |= {row[0] for row in cursor.fetchall()}
            if len(found) >= number * 0.75:
                break
        return sorted(found)


@contextlib.contextmanager
def set_for_a_moment(**wanted: str) -> Iterator[None]:
    """Settings of PostgreSQL for what is asked within; an error ends the transaction around it, which restores them too."""
    with connection.cursor() as cursor:
        before: dict[str, Any] = {}
        for name, value in wanted.items():
            cursor.execute("SELECT current_setting(%s)", [name])
            before[name] = cursor.fetchone()[0]
            cursor.execute("SELECT set_config(%s, %s, true)", [name, value])
    yield
    with connection.cursor() as cursor:
        for name, value in before.items():
            cursor.execute("SELECT set_config(%s, %s, true)", [name, value])
