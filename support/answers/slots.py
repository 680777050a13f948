"""Facts about an order, filled in by code from the database, never by a model: `{order_number}` and the like."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from typing import Final

from django.conf import settings
from django.utils import translation
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import ngettext

from customers.models import Order
from support.models import Ticket

_SLOT: Final = re.compile(r"\{(\w{1,30})\}")
#: What may stand in an answer, and nothing else.
NAMES: Final = ("first_name", "shop_name", "order_number", "order_date", "order_total", "order_items")
#: How many articles of an order are named one by one.
MOST_ITEMS: Final = 5


def read_slots(ticket: Ticket) -> dict[str, str]:
    """The values that are known for this conversation; a slot without one is not filled."""
    values = {"shop_name": settings.SHOP_NAME}
    if ticket.customer is not None and ticket.customer.first_name:
        values["first_name"] = ticket.customer.first_name
    if ticket.order is not None:
        with translation.override(ticket.interface_language):
            values["order_date"] = date_format(localtime(ticket.order.ordered_at), "DATE_FORMAT")
            if items := _list_items(ticket.order, "zh" if ticket.language == "zh" else "en"):
                values["order_items"] = items
        values["order_number"] = ticket.order.external_id
        values["order_total"] = f"{ticket.order.total:.2f} {ticket.order.currency}"
    return values


def _list_items(order: Order, language: str) -> str:
    """What was bought, in the order of its lines, without postage and what came back; "" where the shop did not say."""
    lines = order.lines.filter(quantity__gt=0, product__isnull=False, product__is_charge=False)
    told = [
        f"{line.quantity} × {line.product.name_in(language)}"
        for line in lines.select_related("product").order_by("position")
        if line.product is not None
    ]
    rest = len(told) - MOST_ITEMS
    if rest > 0:
        told = [*told[:MOST_ITEMS], ngettext("%(n)d more article", "%(n)d more articles", rest) % {"n": rest}]
    return ", ".join(told)


def fill_slots(text: str, ticket: Ticket) -> str:
    """The text with known slots filled; others stay as they are, and `find_open_slots` names them."""
    return fill_texts([text], ticket)[0]


def fill_texts(texts: Sequence[str], ticket: Ticket) -> list[str]:
    """The same for several texts; the shop's data are asked once, and only where a text has a slot."""
    values = read_slots(ticket) if any(map(_SLOT.search, texts)) else {}
    return [_SLOT.sub(lambda found: values.get(found[1], found[0]), text) for text in texts]


def find_unknown_slots(text: str) -> list[str]:
    """What is written like a slot and is none."""
    return [name for name in dict.fromkeys(_SLOT.findall(text)) if name not in NAMES]


def find_misspelt_slots(text: str) -> list[tuple[str, str]]:
    """What is written nearly as a slot, and the slot that is meant; other words in braces are the writer's own."""
    near = ((name, difflib.get_close_matches(name, NAMES, n=1, cutoff=0.75)) for name in find_unknown_slots(text))
    return [(name, found[0]) for name, found in near if found]


def find_open_slots(text: str) -> list[str]:
    """Slots that were not filled."""
    return [name for name in _SLOT.findall(text) if name in NAMES]
