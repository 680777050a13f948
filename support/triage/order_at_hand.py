"""Which order a conversation is about: one that it names, of this customer and nobody else's."""

from __future__ import annotations

import re
from typing import Final

from customers.models import Order
from support.models import Direction, Ticket

#: ASCII alone: in Chinese no space stands between words and a number.
_NUMBER: Final = re.compile(r"(?<![\w-])#?([A-Za-z]{0,6}-?\d[\w-]{2,30})(?![\w-])", re.ASCII)
MOST_NUMBERS: Final = 20


def find_order(ticket: Ticket) -> Order | None:
    """The order whose number stands in the conversation, the last one named; None where none of this customer's does."""
    if ticket.customer_id is None:
        return None
    texts = [ticket.subject, *ticket.messages.filter(direction=Direction.IN).values_list("text", flat=True)]
    numbers = _NUMBER.findall("\n".join(texts))[-MOST_NUMBERS:]
    if not numbers:
        return None
    written = {form for number in numbers for form in (number, number.upper(), number.lower())}
    theirs = Order.objects.filter(customer=ticket.customer, external_id__in=written)
    found = {order.external_id.lower(): order for order in theirs}
    return next((found[number.lower()] for number in reversed(numbers) if number.lower() in found), None)
