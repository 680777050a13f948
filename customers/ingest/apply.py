"""Brings staged lines of orders into the tables: doubles out, then customers, products, orders and lines."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from django.db import connection, transaction

from .contacts import give_test_contacts
from .copying import Cursor, OnUpdate, UpsertCounts, copy_frame, merge_stage, staging, with_rules
from .customers import CUSTOMERS, in_shop_zone
from .erased import identity_hash_sql
from .merged import lay_on_survivors
from .orders import GIVEN_ORDER, LINES, ORDERS, WHOSE, remove_lines_beyond, resolve_orders
from .places import guess_places
from .products import PRODUCTS
from .resuming.fates import note_by_key
from .schema import ImportOptions

LEFT_OUT_COLUMNS = {"line": "bigint", "reason": "varchar(40)", "content": "text"}
RAW_ORDER = {**GIVEN_ORDER, "country": "varchar(80)"}
CONTENT = """left(concat_ws(' | ', "order", product, name, quantity, at, unit_price, customer, country), 500)"""
#: Codes and names that shops give to what is no ware, where the code alone does not tell.
CHARGE_CODES = (
    "^(post|postage|ship|shipping|delivery|carriage|freight|handling|discount|fee|fees|tax|adjust[a-z]*|bank charges"
    "|gift ?wrap[a-z]*|gift ?card|voucher|deposit|insurance|surcharge|tip)$"
)
CHARGE_NAMES = (
    "^(postage|dotcom postage|shipping|shipping costs?|delivery|delivery costs?|carriage|freight|handling|manual|discount"
    "|bank charges|.* fee|next day carriage|packing charge|samples|adjust .*)$"
)


@dataclass(frozen=True)
class Applied:
    """What the staged lines came to, by table; `customers` and `orders` are those that the lines name."""

    customers: int
    orders: int
    tables: Mapping[str, UpsertCounts]
    lines_removed: int
    counted: UpsertCounts  # of what a line of the file is


def leave_out_conflicts(cursor: Cursor, lines: str, left_out: str, *, currency: str) -> None:
    """Move exact doubles, and lines that do not belong to their order, from the staged lines to those left out. A line without a
    currency has that of its order, one whose order says none has `currency`."""
    cursor.execute(f"ANALYZE {lines}")
    cursor.execute(f"SELECT EXISTS (SELECT 1 FROM {lines} WHERE currency IS NULL)")
    if cursor.fetchone()[0]:
        cursor.execute(_CURRENCY_OF_ORDER.format(lines=lines), [currency])
    cursor.execute(_DOUBLES.format(lines=lines, left_out=left_out, content=CONTENT))
    cursor.execute(_MIXED_ORDERS.format(lines=lines, left_out=left_out, content=CONTENT))


def leave_out_erased(cursor: Cursor, lines: str, left_out: str, source: str) -> None:
    """Move the lines of people who were erased to those left out, without a word of what they say."""
    cursor.execute("SELECT EXISTS (SELECT 1 FROM customers_erasedperson)")
    if cursor.fetchone()[0]:
        cursor.execute(
            _ERASED.format(lines=lines, left_out=left_out, hash=identity_hash_sql("%s", "l.customer")), [source]
        )


@transaction.atomic
def apply_lines(cursor: Cursor, lines: str, options: ImportOptions, *, fates: str, now: dt.datetime) -> Applied:
    """Upsert the customers, orders and lines that the staged lines say, in one transaction: all of it or nothing; `fates` takes
    what became of each line. Safe to run twice.

    The lines hold whole people: all that the file says of a customer. Their articles are there already. One import at a
    time writes: the next waits for the first to commit.
    """
    wait_for_turn(cursor)
    tables: dict[str, UpsertCounts] = {}
    with staging(RAW_ORDER) as (_cursor, orders):
        cursor.execute(_ORDERS.format(lines=lines, orders=orders), [options.source])
        cursor.execute(f"ANALYZE {orders}")
        tables["customers"] = _write_customers(cursor, orders, options, tables, now)
        tables["orders"], tables["lines"], removed = _write_orders(cursor, orders, lines, options, fates)
        cursor.execute(f"SELECT count(*), count(DISTINCT customer) FROM {orders}")
        order_count, customer_count = cursor.fetchone()
    return Applied(customer_count, order_count, tables, removed, tables["lines"])


@transaction.atomic
def apply_products(cursor: Cursor, lines: str, options: ImportOptions) -> UpsertCounts:
    """Upsert the articles that the staged lines name: all lines of the file, because what an article is called most often, its
    last price, and what the shop's codes look like can only be told by all of them."""
    wait_for_turn(cursor)
    given = ["sku", "name", "price", "currency", "is_charge"]
    target = with_rules(
        PRODUCTS, name=OnUpdate.FILL, price=OnUpdate.FILL, currency=OnUpdate.FILL, is_charge=OnUpdate.KEEP
    )
    if not {"product", "name"} & set(options.columns):
        return UpsertCounts()
    with staging(PRODUCTS.types(given)) as (_cursor, products):
        cursor.execute(_PRODUCTS.format(products=products, lines=lines))
        cursor.execute(_CHARGES.format(products=products), [CHARGE_CODES, CHARGE_NAMES])
        return merge_stage(cursor, products, target, given)


def wait_for_turn(cursor: Cursor) -> None:
    """Wait until no other import writes; until the end of the transaction none begins to."""
    cursor.execute("SELECT pg_advisory_xact_lock(hashtext('customers.ingest.apply'))")


def _write_customers(
    cursor: Cursor, orders: str, options: ImportOptions, tables: dict[str, UpsertCounts], now: dt.datetime
) -> UpsertCounts:
    given = ["source", "external_id", "language", "time_zone", "country", "joined_at", "email"]
    cursor.execute(f"SELECT EXISTS (SELECT 1 FROM {orders} WHERE customer LIKE '%@%')")
    if not cursor.fetchone()[0]:
        given.remove("email")
    target = in_shop_zone(
        CUSTOMERS,
        email=OnUpdate.FILL,
        language=OnUpdate.KEEP,
        time_zone=OnUpdate.KEEP,
        country=OnUpdate.PREFER,
        joined_at=OnUpdate.LEAST,
    )
    cursor.execute(f"SELECT DISTINCT country FROM {orders} WHERE country IS NOT NULL")
    places = guess_places(row[0] for row in cursor.fetchall())
    place_columns = {"country": "varchar(80)", "time_zone": "varchar(64)", "language": "varchar(12)"}
    with staging(CUSTOMERS.types(given)) as (_c, customers), staging(place_columns) as (_p, placed):
        copy_frame(cursor, placed, places)
        cursor.execute(_CUSTOMERS.format(customers=customers, orders=orders, places=placed))
        if "email" in given:
            cursor.execute(_OWN_ADDRESS.format(customers=customers))
        lay_on_survivors(cursor, customers, noted=["country", *(["email"] if "email" in given else [])])
        counts = merge_stage(cursor, customers, target, given)
        if options.test_contacts:
            tables["test_contacts"] = give_test_contacts(cursor, customers, now=now)
    return counts


def _write_orders(
    cursor: Cursor, orders: str, lines: str, options: ImportOptions, fates: str
) -> tuple[UpsertCounts, UpsertCounts, int]:
    given = ["source", "external_id", "ordered_at", "currency", "total", "is_return"]
    whose = [*given, *WHOSE]
    names = [column.name for column in LINES.columns]
    key = LINES.types(LINES.key)
    with (
        staging(ORDERS.types(whose)) as (_o, resolved),
        staging({**LINES.types(names), "line": "bigint"}) as (_l, resolved_lines),
        staging({**key, "created": "boolean"}) as (_w, written),
    ):
        resolve_orders(cursor, orders, resolved, given)
        order_counts = merge_stage(cursor, resolved, ORDERS, whose)
        cursor.execute(_LINES.format(staged=resolved_lines, lines=lines), [options.source])
        cursor.execute(f"ANALYZE {resolved_lines}")
        removed = remove_lines_beyond(cursor, resolved, resolved_lines)
        line_counts = merge_stage(cursor, resolved_lines, LINES, names, written=written)
        note_by_key(cursor, fates, resolved_lines, written, LINES.key, line_counts)
        return order_counts, line_counts, removed


def refresh_statistics(cursor: Cursor) -> None:
    """Tell the planner at once what a large import brought, rather than when autovacuum comes by."""
    cursor.execute("ANALYZE customers_customer, customers_product, customers_order, customers_orderline")


def count_left_out(left_out: str) -> dict[str, int]:
    """How many lines were left out, by reason, the most frequent first."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT reason, count(*) FROM {left_out} GROUP BY reason ORDER BY count(*) DESC, reason")
        return dict(cursor.fetchall())


def keep_rejections(cursor: Cursor, left_out: str, run_id: int) -> None:
    """Write the lines left out as rejections of the run, in place of those of an earlier try."""
    cursor.execute(f"LOCK TABLE {left_out} IN SHARE MODE")  # an erasure that is emptying texts there comes first
    cursor.execute("DELETE FROM customers_importrejection WHERE run_id = %s", [run_id])
    cursor.execute(
        "INSERT INTO customers_importrejection (run_id, line_number, reason, content)"
        f" SELECT %s, line, reason, content FROM {left_out} ORDER BY line",
        [run_id],
    )


# A 64-bit hash of the whole row finds the candidates; the fields decide.
_DOUBLES = """
WITH doubled AS (SELECT row_hash FROM {lines} GROUP BY row_hash HAVING count(*) > 1),
numbered AS (
    SELECT line, row_number() OVER (
        PARTITION BY row_hash, "order", customer, at, product, quantity, unit_price, amount ORDER BY line) AS copy
    FROM {lines} JOIN doubled USING (row_hash)),
gone AS (DELETE FROM {lines} l USING numbered n WHERE l.line = n.line AND n.copy > 1 RETURNING l.*)
INSERT INTO {left_out} SELECT line, 'duplicate_line', {content} FROM gone
"""

_CURRENCY_OF_ORDER = """
UPDATE {lines} l SET currency = coalesce(told.currency, %s)
FROM (SELECT "order", (array_agg(currency ORDER BY line) FILTER (WHERE currency IS NOT NULL))[1] AS currency
      FROM {lines} GROUP BY "order" HAVING count(*) > count(currency)) told
WHERE told."order" = l."order" AND l.currency IS NULL
"""

# The first line of an order says whose it is and in which currency.
_MIXED_ORDERS = """
WITH mixed AS (
    SELECT "order", min(line) AS first_line FROM {lines} GROUP BY "order"
    HAVING min(customer) <> max(customer) OR min(currency) <> max(currency)),
heads AS (SELECT l."order", l.customer, l.currency FROM mixed m JOIN {lines} l ON l.line = m.first_line),
gone AS (
    DELETE FROM {lines} l USING heads h
    WHERE l."order" = h."order" AND (l.customer <> h.customer OR l.currency <> h.currency)
    RETURNING l.*, CASE WHEN l.customer <> h.customer THEN 'other_customer' ELSE 'bad_currency' END AS reason)
INSERT INTO {left_out} SELECT line, reason, {content} FROM gone
"""

_ERASED = """
WITH gone AS (DELETE FROM {lines} l USING customers_erasedperson e WHERE e.identity_hash = {hash} RETURNING l.line)
INSERT INTO {left_out} SELECT line, 'erased', '' FROM gone
"""

_ORDERS = """
INSERT INTO {orders} (source, external_id, customer, ordered_at, currency, total, is_return, country)
SELECT %s, "order", min(customer), min(at), min(currency), round(sum(amount), 2), bool_and(quantity < 0), max(country)
FROM {lines} GROUP BY "order"
"""

# The country of the latest order counts.
_CUSTOMERS = """
INSERT INTO {customers} (source, external_id, joined_at, country, time_zone, language)
SELECT c.source, c.customer, c.joined_at, c.country, p.time_zone, p.language
FROM (SELECT DISTINCT ON (customer) source, customer, country,
             min(ordered_at) OVER (PARTITION BY customer) AS joined_at
      FROM {orders} ORDER BY customer, country IS NULL, ordered_at DESC, external_id COLLATE "C" DESC) c
LEFT JOIN {places} p ON p.country = c.country
"""

# Many shops know people by their address alone (Shopify's file of orders): then it is where they are written to.
_OWN_ADDRESS = r"""
UPDATE {customers} SET email = split_part(external_id, '@', 1) || '@' || lower(split_part(external_id, '@', 2))
WHERE external_id ~ '^[^\s@,;<>"]{{1,64}}@([A-Za-z0-9-]+[.])+[A-Za-z]{{2,}}$'
"""

# A product is called what its lines call it most often; its price is that of its last sale.
_PRODUCTS = """
WITH ways AS (
    SELECT product, name, unit_price, currency, count(*) AS times, max(at) FILTER (WHERE quantity > 0) AS last_at
    FROM {lines} WHERE product IS NOT NULL GROUP BY product, name, unit_price, currency),
names AS (
    SELECT DISTINCT ON (product) product, name FROM ways WHERE name IS NOT NULL GROUP BY product, name
    ORDER BY product, sum(times) DESC, name COLLATE "C"),
prices AS (
    SELECT DISTINCT ON (product) product, round(unit_price, 2) AS price, currency FROM ways
    WHERE unit_price > 0 AND last_at IS NOT NULL ORDER BY product, last_at DESC, times DESC, unit_price)
INSERT INTO {products} (sku, name, price, currency)
SELECT product, names.name, prices.price, prices.currency FROM (SELECT DISTINCT product FROM ways) skus
LEFT JOIN names USING (product) LEFT JOIN prices USING (product)
"""

# Where nine codes in ten hold a number of three digits or more, a code of letters without one is a charge.
_CHARGES = """
WITH habit AS (SELECT avg((sku ~ '[0-9]{{3}}')::int) >= 0.9 AS has_numbers FROM {products})
UPDATE {products} p SET is_charge =
    (habit.has_numbers AND p.sku !~ '[0-9]{{3}}' AND p.sku ~ '[[:alpha:]]')
    OR p.sku ~* %s OR coalesce(btrim(p.name) ~* %s, false)
FROM habit
"""

_LINES = """
INSERT INTO {staged} (order_id, position, product_id, quantity, unit_price, line)
SELECT o.id, row_number() OVER (PARTITION BY o.id ORDER BY l.line), p.id, l.quantity, l.unit_price, l.line
FROM {lines} l
JOIN customers_order o ON o.source = %s AND o.external_id = l."order"
LEFT JOIN customers_product p ON p.sku = l.product
"""
