"""What "has an open complaint" means: the one definition, asked by segments, by eligibility and before each send."""

from __future__ import annotations

from customers.models import EventKind


def open_complaint_sql(customer: str, *, as_of: str, of_everybody: bool = True) -> str:
    """SQL that is true where the row `customer` (a table or alias of customers_customer) has an open complaint.

    `as_of` is an SQL expression or a named placeholder; it stands in the SQL twice, and later events do not count. A
    complaint is open while no closing of its ticket is as late as it or later, whatever the order in which the two
    were written down: one closed twice is closed, one opened anew after its closing is open. A closing that names no
    ticket closes all that came before it, and a complaint that names none is closed by any closing.

    `of_everybody` lets the planner work out all open complaints once and look customers up among them; without it they
    are always sought person by person, which a statement about one or a few people must say itself: the planner
    guesses their number too high, and all complaints of a shop are more with every month.
    """
    one_by_one = "" if of_everybody else " OFFSET 0"
    return f"""EXISTS (
    SELECT 1 FROM customers_customerevent x_o
    WHERE x_o.customer_id = {customer}.id AND x_o.kind = '{EventKind.COMPLAINT_OPENED}' AND x_o.occurred_at <= {as_of}
      AND NOT EXISTS (
        SELECT 1 FROM customers_customerevent x_z
        WHERE x_z.customer_id = x_o.customer_id AND x_z.kind = '{EventKind.COMPLAINT_CLOSED}'
          AND x_z.occurred_at >= x_o.occurred_at AND x_z.occurred_at <= {as_of}
          AND coalesce(x_z.properties->>'ticket' = x_o.properties->>'ticket', true)
      ){one_by_one})"""
