"""Whose a key is once people were merged: what is told of an old id lands on the survivor, and the merge can still be undone.

A merged row (source `merged`) is nobody's to write to: its own key is an alias now. `came_as` of a row is the id of the
merged row under whose name it came; `customers.merging.undo` gives it back by that.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

from django.db import connection

from customers.models import Customer

from .copying import Cursor

#: The advisory lock that those who create customers share, and a merge holds alone.
MERGING_LOCK = "hashtext('customers.merging')"

#: The space of advisory locks, one for each customer, that serialises the marks of messages to be sent: two campaigns cannot
#: slip past a cap together, and a merge comes wholly before or after a mark for either of its people.
CUSTOMER_LOCKS = 0x5E4D


def find_holders(customer_ids: Collection[int]) -> dict[int, int]:
    """Of those who were merged: who has their rows now."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT loser_id, holder_id FROM customers_customermerge WHERE undone_at IS NULL AND loser_id = ANY(%s)",
            [list(customer_ids)],
        )
        return dict(cursor.fetchall())


def find_current(customer_id: int) -> Customer | None:
    """The customer of a number, or whom they were merged into; None where the row is gone."""
    return Customer.objects.filter(pk=find_holders([customer_id]).get(customer_id, customer_id)).first()


def list_identities(customer_id: int) -> list[int]:
    """The numbers of a customer and of everybody who was merged into them; their own first."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT loser_id FROM customers_customermerge WHERE undone_at IS NULL AND holder_id = %s ORDER BY loser_id",
            [customer_id],
        )
        return [customer_id, *(row[0] for row in cursor.fetchall())]


def list_former_rows(customer_id: int) -> list[dict[str, Any]]:
    """What the rows of those who were merged into a customer said, as the merges keep it for an undo: columns by name."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT (kept->'customer')::text FROM customers_customermerge"
            " WHERE undone_at IS NULL AND holder_id = %s AND kept ? 'customer'",
            [customer_id],
        )
        return [json.loads(row[0]) for row in cursor.fetchall()]


def lay_on_survivors(cursor: Cursor, stage: str, *, noted: Collection[str]) -> None:
    """Give staged customers (source, external_id, ...) who were merged the key of the survivor.

    The survivor's own row in the stage counts before theirs, of several the last. What is said of a merged id in the columns
    `noted` is kept with the merge too, so that an undo gives it back. Nothing but a look where nobody was ever merged.
    """
    # No merge may commit between this look and the upsert: it would make the old id a customer of its own again.
    cursor.execute(f"SELECT pg_advisory_xact_lock_shared({MERGING_LOCK})")
    cursor.execute("SELECT EXISTS (SELECT 1 FROM customers_customeralias WHERE NOT is_visitor)")
    if not cursor.fetchone()[0]:
        return
    columns = sorted(set(noted) - {"source", "external_id"})
    if columns:
        cursor.execute(_NOTE.format(stage=stage), {"columns": columns})
    cursor.execute(_ONE_EACH.format(stage=stage))
    cursor.execute(
        f"UPDATE {stage} s SET source = c.source, external_id = c.external_id {_FROM_ALIAS}"
        " JOIN customers_customer c ON c.id = a.customer_id WHERE a.source = s.source AND a.external_id = s.external_id"
    )


def give_to_survivors(cursor: Cursor, staged: str, named: str) -> bool:
    """Fill customer_id and came_as of staged rows that have no customer yet; True where some still have none.

    `named` is a query of (source, external_id of the row, customer as given). Only a look where all are known.
    """
    cursor.execute(f"SELECT EXISTS (SELECT 1 FROM {staged} WHERE customer_id IS NULL)")
    if not cursor.fetchone()[0]:
        return False
    cursor.execute(
        f"UPDATE {staged} s SET customer_id = a.customer_id, came_as = a.came_as FROM ({named}) named"
        " JOIN customers_customeralias a ON a.source = named.source AND a.external_id = named.customer AND NOT a.is_visitor"
        " WHERE s.customer_id IS NULL AND s.source = named.source AND s.external_id = named.external_id"
    )
    return True


def name_survivors(cursor: Cursor, stage: str) -> list[str]:
    """In a stage of (source, customer, came_as): put the survivor's key in place of a merged one. Returns up to three
    customers who are still unknown."""
    known = "EXISTS (SELECT 1 FROM customers_customer c WHERE c.source = s.source AND c.external_id = s.customer)"
    cursor.execute(
        f"UPDATE {stage} s SET source = c.source, customer = c.external_id, came_as = a.came_as {_FROM_ALIAS}"
        " JOIN customers_customer c ON c.id = a.customer_id"
        f" WHERE a.source = s.source AND a.external_id = s.customer AND NOT {known}"
    )
    cursor.execute(f"SELECT s.customer FROM {stage} s WHERE NOT {known} LIMIT 3")
    return [str(row[0]) for row in cursor.fetchall()]


def identities_sql(customer: str) -> str:
    """SQL for the array of a customer's number and of those of everybody who was merged into them: what was sent to these was
    sent to them. One look into an index, where nobody was merged."""
    merged = f"SELECT x_g.loser_id FROM customers_customermerge x_g WHERE x_g.holder_id = {customer}.id AND x_g.undone_at IS NULL"
    return f"(ARRAY({merged}) || {customer}.id)"


def order_join_sql(person: str, order: str = "o") -> str:
    """SQL that joins a person (an expression of a row's customer) to the orders that came under their own id, also where they
    were merged since: so a merge moves no figure of a campaign. Add further conditions with AND."""
    return f"{holder_join_sql(person)} LEFT JOIN customers_order {order} ON {came_under_sql(person, order)}"


def holder_join_sql(person: str) -> str:
    """SQL that joins a person to the merge by which somebody else has their rows now; `came_under_sql` needs it."""
    return f"LEFT JOIN customers_customermerge x_merge ON x_merge.loser_id = {person} AND x_merge.undone_at IS NULL"


def came_under_sql(person: str, order: str = "o") -> str:
    """SQL of the condition that an order came under the person's own id, also where they were merged since."""
    return (
        f"{order}.customer_id = coalesce(x_merge.holder_id, {person})"
        f" AND coalesce({order}.came_as, {order}.customer_id) = {person}"
    )


_FROM_ALIAS = "FROM (SELECT * FROM customers_customeralias WHERE NOT is_visitor) a"

# The survivor's own row first, then the last one given.
_ONE_EACH = """
DELETE FROM {stage} s USING (
    SELECT place, row_number() OVER (PARTITION BY person ORDER BY is_own DESC, place DESC) AS rank FROM (
        SELECT s.ctid AS place, coalesce(a.customer_id, c.id) AS person, a.id IS NULL AS is_own
        FROM {stage} s
        LEFT JOIN customers_customeralias a ON a.source = s.source AND a.external_id = s.external_id AND NOT a.is_visitor
        LEFT JOIN customers_customer c ON c.source = s.source AND c.external_id = s.external_id
    ) known WHERE person IS NOT NULL
) ranked WHERE s.ctid = ranked.place AND ranked.rank > 1
"""

# What the survivor's row says of a column before the first word for the merged id, and what that word puts there.
_NOTE = """
WITH told AS (
    SELECT DISTINCT ON (a.came_as) a.came_as, a.customer_id, jsonb_strip_nulls((
        SELECT coalesce(jsonb_object_agg(key, value), '{{}}') FROM jsonb_each(to_jsonb(s)) WHERE key = ANY(%(columns)s)
    )) AS given
    FROM {stage} s
    JOIN customers_customeralias a ON a.source = s.source AND a.external_id = s.external_id AND NOT a.is_visitor
    WHERE a.came_as IS NOT NULL ORDER BY a.came_as, s.ctid DESC
),
laid AS (
    SELECT told.*, to_jsonb(c) AS present,
           given || CASE WHEN given ? 'attributes' THEN jsonb_build_object('attributes', (
               SELECT coalesce(jsonb_object_agg(key, value), '{{}}') FROM jsonb_each(given->'attributes')
               WHERE value IS DISTINCT FROM c.attributes->key
           )) ELSE '{{}}' END AS fresh
    FROM told JOIN customers_customer c ON c.id = told.customer_id
)
UPDATE customers_customermerge m SET kept = m.kept
    || jsonb_build_object('customer', (m.kept->'customer') || fresh || CASE WHEN fresh ? 'attributes' THEN
           jsonb_build_object('attributes', (m.kept #> '{{customer,attributes}}') || (fresh->'attributes')) ELSE '{{}}' END)
    || CASE WHEN m.survivor_id = m.holder_id THEN jsonb_build_object(
           'former', (SELECT coalesce(jsonb_object_agg(key, present->key), '{{}}') FROM jsonb_object_keys(given) AS key)
                     || coalesce(m.kept->'former', '{{}}'),
           'written', coalesce(m.kept->'written', '{{}}') || given) ELSE '{{}}' END
FROM laid WHERE m.loser_id = laid.came_as AND m.undone_at IS NULL AND m.kept ? 'customer'
"""
