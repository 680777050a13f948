"""Which order a conversation is about: one that it names, by its number or its place, of this customer and nobody else's."""

from __future__ import annotations

import re
from typing import Final

from django.db.models import QuerySet

from customers.models import Order
from support.models import Direction, Ticket

from .folding import fold_text

#: ASCII alone: in Chinese no space stands between words and a number.
_NUMBER: Final = re.compile(r"(?<![\w-])#?([A-Za-z]{0,6}-?\d[\w-]{2,30})(?![\w-])", re.ASCII)
MOST_NUMBERS: Final = 20
#: "my second order", as people say it without a number: how many come before it, or behind it where it is the last.
_FIRST, _LAST = "ordered_at", "-ordered_at"
_PLACES: Final = tuple(
    (re.compile(said, re.IGNORECASE), order, before)
    for said, order, before in (
        (
            r"\bmy (?:very )?(?:last|latest|newest|most recent) (?:order|purchase)\b"
            r"|(?:最近|最新|最后|上)(?:的)?(?:这|那|一)?(?:个|次|笔|张)?(?:订单|单)|letzten? Bestellung",
            _LAST,
            0,
        ),
        (r"\bmy (?:very )?first (?:order|purchase)\b|第一(?:个|次|笔|张)?(?:订单|单)|ersten? Bestellung", _FIRST, 0),
        (r"\bmy second (?:order|purchase)\b|第二(?:个|次|笔|张)?(?:订单|单)|zweiten? Bestellung", _FIRST, 1),
        (r"\bmy third (?:order|purchase)\b|第三(?:个|次|笔|张)?(?:订单|单)|dritten? Bestellung", _FIRST, 2),
    )
)


def find_order(ticket: Ticket) -> Order | None:
    """The order whose number stands in the conversation, the last one named, else the one that it names by its place among
    this customer's purchases; None where none of theirs is named, or places of several are."""
    if ticket.customer_id is None:
        return None
    texts = [ticket.subject, *ticket.messages.filter(direction=Direction.IN).values_list("text", flat=True)]
    theirs = Order.objects.filter(customer=ticket.customer_id)
    text = fold_text("\n".join(texts))
    return _find_numbered(theirs, text) or _find_placed(theirs, text)


def _find_numbered(theirs: QuerySet[Order], text: str) -> Order | None:
    numbers = _NUMBER.findall(text)[-MOST_NUMBERS:]
    if not numbers:
        return None
    written = {form for number in numbers for form in (number, number.upper(), number.lower())}
    found = {order.external_id.lower(): order for order in theirs.filter(external_id__in=written)}
    return next((found[number.lower()] for number in reversed(numbers) if number.lower() in found), None)


def _find_placed(theirs: QuerySet[Order], text: str) -> Order | None:
    named = [(order, before) for said, order, before in _PLACES if said.search(text)]
    if len(named) != 1:
        return None
    ((order, before),) = named
    return theirs.filter(is_return=False).order_by(order, "pk")[before : before + 1].first()
