"""What "has an open complaint" means: the one definition, asked by segments, by eligibility and before each send."""

from __future__ import annotations

import datetime as dt
from typing import Final, NamedTuple

from django.db import connection

from customers.models import EventKind

#: What the events of a hold say of their cause where nobody complained, and somebody wrote very unhappily.
MOOD: Final = "sentiment"


def open_complaint_sql(customer: str, *, as_of: str, of_everybody: bool = True, but_moods: bool = False) -> str:
    """SQL that is true where the row `customer` (a table or alias of customers_customer) has an open complaint.

    `as_of` is an SQL expression or a named placeholder; it stands in the SQL twice, and later events do not count. A
    complaint is open while no closing of its ticket is as late as it or later, whatever the order in which the two
    were written down: one closed twice is closed, one opened anew after its closing is open. A closing that names no
    ticket closes all that came before it, and a complaint that names none is closed by any closing.

    `of_everybody` lets the planner work out all open complaints once and look customers up among them; without it they
    are always sought person by person, which a statement about one or a few people must say itself: the planner
    guesses their number too high, and all complaints of a shop are more with every month. `but_moods` leaves out what is held
    for a mood alone.
    """
    one_by_one = "" if of_everybody else " OFFSET 0"
    is_open = _is_open(EventKind.COMPLAINT_OPENED, EventKind.COMPLAINT_CLOSED, as_of)
    if but_moods:
        is_open += f" AND x_o.properties->>'because' IS DISTINCT FROM '{MOOD}'"
    return f"""EXISTS (
    SELECT 1 FROM customers_customerevent x_o
    WHERE x_o.customer_id = {customer}.id AND {is_open}{one_by_one})"""


class OpenComplaint(NamedTuple):
    """An event that holds promotions. `ticket` None where it names none, `because` "" where it is of a complaint."""

    source: str
    opened_at: dt.datetime
    ticket: str | None
    because: str


def find_open_complaints(customer: int, *, as_of: dt.datetime) -> list[OpenComplaint]:
    """What holds promotions to one customer at `as_of`, by the same definition, the newest first."""
    is_open = _is_open(EventKind.COMPLAINT_OPENED, EventKind.COMPLAINT_CLOSED, "%(as_of)s")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT x_o.source, x_o.occurred_at, x_o.properties->>'ticket', coalesce(x_o.properties->>'because', '')"
            f" FROM customers_customerevent x_o WHERE x_o.customer_id = %(customer)s AND {is_open}"
            " ORDER BY x_o.occurred_at DESC",
            {"customer": customer, "as_of": as_of},
        )
        return [OpenComplaint(*row) for row in cursor.fetchall()]


def open_case_rows(opened: str, closed: str, *, as_of: str) -> str:
    """SQL of the customers of all cases that are open, by the same definition: of complaints, or of questions to support."""
    return f"SELECT x_o.customer_id FROM customers_customerevent x_o WHERE {_is_open(opened, closed, as_of)}"


def _is_open(opened: str, closed: str, as_of: str) -> str:
    return f"""x_o.kind = '{EventKind(opened)}' AND x_o.occurred_at <= {as_of}
      AND NOT EXISTS (
        SELECT 1 FROM customers_customerevent x_z
        WHERE x_z.customer_id = x_o.customer_id AND x_z.kind = '{EventKind(closed)}'
          AND x_z.occurred_at >= x_o.occurred_at AND x_z.occurred_at <= {as_of}
          AND coalesce(x_z.properties->>'ticket' = x_o.properties->>'ticket', true)
      )"""
