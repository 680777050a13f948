"""What the fields of files are called to people, by kind of file, in the order in which they are asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from django.utils.translation import gettext_lazy, pgettext_lazy

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise


@dataclass(frozen=True)
class ColumnWords:
    """What one of our fields is called to people, and what may stand in its column."""

    label: str | _StrPromise
    help: str | _StrPromise = ""


#: What a file may hold, for the list to choose from.
KIND_WORDS: Final[Mapping[str, ColumnWords]] = {
    "orders": ColumnWords(
        gettext_lazy("Orders"), gettext_lazy("One line per article of an order: who, when, and for how much.")
    ),
    "customers": ColumnWords(
        gettext_lazy("Customers"), gettext_lazy("One line per person. An empty cell keeps what is known.")
    ),
    "products": ColumnWords(
        gettext_lazy("Products"), gettext_lazy("One line per article: price, stock, category, link.")
    ),
    "events": ColumnWords(
        pgettext_lazy("import", "Events"),
        gettext_lazy("One line per thing that a known customer did. Nothing is kept twice."),
    ),
    "consents": ColumnWords(
        gettext_lazy("Consents"),
        gettext_lazy("One line per yes or no of a known customer. A no is never overruled by a file."),
    ),
}
#: The words of `customers.forms.imports.COLUMN_WORDS` for the other kinds.
RECORD_WORDS: Final[Mapping[str, Mapping[str, ColumnWords]]] = {
    "customers": {
        "customer": ColumnWords(gettext_lazy("Customer"), gettext_lazy("The shop's id, the same as in orders.")),
        "email": ColumnWords(gettext_lazy("E-mail")),
        "phone": ColumnWords(gettext_lazy("Telephone"), gettext_lazy("Without a + it is read as of the country.")),
        "first_name": ColumnWords(gettext_lazy("First name")),
        "last_name": ColumnWords(gettext_lazy("Last name")),
        "language": ColumnWords(gettext_lazy("Language")),
        "time_zone": ColumnWords(
            gettext_lazy("Time zone"), gettext_lazy("Such as Europe/London. What is none becomes the shop's.")
        ),
        "country": ColumnWords(gettext_lazy("Country")),
        "at": ColumnWords(gettext_lazy("Customer since")),
    },
    "products": {
        "product": ColumnWords(gettext_lazy("Article number")),
        "name": ColumnWords(gettext_lazy("Article name"), gettext_lazy("Tells what people like.")),
        "category": ColumnWords(gettext_lazy("Category")),
        "brand": ColumnWords(gettext_lazy("Brand")),
        "price": ColumnWords(gettext_lazy("Price")),
        "currency": ColumnWords(gettext_lazy("Currency"), gettext_lazy("Only where not all prices have the same one.")),
        "stock": ColumnWords(gettext_lazy("Stock")),
        "url": ColumnWords(gettext_lazy("Link to the article")),
    },
    "events": {
        "customer": ColumnWords(gettext_lazy("Customer"), gettext_lazy("The shop's id, the same as in orders.")),
        "kind": ColumnWords(
            pgettext_lazy("import", "What happened"),
            gettext_lazy("Such as product_viewed, cart_updated or search_performed.")
        ),
        "at": ColumnWords(gettext_lazy("Day and time")),
        "event": ColumnWords(gettext_lazy("Id of the event"), gettext_lazy("Without it a line is known by its content.")),
        "product": ColumnWords(gettext_lazy("Article number")),
        "properties": ColumnWords(gettext_lazy("More of it"), gettext_lazy("A JSON object.")),
    },
    "consents": {
        "customer": ColumnWords(gettext_lazy("Customer"), gettext_lazy("The shop's id, the same as in orders.")),
        "status": ColumnWords(
            gettext_lazy("Yes or no"), gettext_lazy("given, yes, true, subscribed; or withdrawn, no, false, unsubscribed.")
        ),
        "at": ColumnWords(gettext_lazy("Day and time")),
        "channel": ColumnWords(pgettext_lazy("import", "Channel"), gettext_lazy("Without it: e-mail.")),
        "source": ColumnWords(gettext_lazy("Where it was given")),
        "wording": ColumnWords(gettext_lazy("The sentence that was agreed to"), gettext_lazy("Kept as proof.")),
    },
}  # fmt: skip
