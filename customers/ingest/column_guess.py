"""Which column of a file is likely which of our fields, by what shops and their exports call it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from .schema import ORDERS, fields_of

#: Columns that only an export of that shop has; there "Name" is the number of the order.
_SHOPIFY = frozenset({"lineitemname", "lineitemprice", "lineitemquantity", "financialstatus"})
#: In Amazon's reports the price of a line is that of all its pieces (Seller Central, "Order reports").
_AMAZON = frozenset({"amazonorderid", "quantitypurchased"})


def guess_columns(header: Sequence[str], kind: str = ORDERS) -> dict[str, str]:
    """The likely mapping of our fields to the columns of `header`, knowing what shops usually call them.

    Each column is taken once (an address may be a person's only id); a price is preferred to an amount; what is not recognised is
    left out.
    """
    folded = _fold_all(header)
    guessed: dict[str, str] = {}
    for field, names in _names_in(folded, kind).items():
        found = next((folded[name] for name in names if name in folded and folded[name] not in guessed.values()), None)
        if found is not None and not (field == "amount" and "price" in guessed):
            guessed[field] = found
    if kind == ORDERS:
        _look_again_at_orders(guessed, folded)
    if kind == "customers" and "customer" not in guessed and "email" in guessed:
        guessed["customer"] = guessed["email"]
    return guessed


def _fold_all(header: Sequence[str]) -> dict[str, str]:
    """The columns by their names without blanks, signs and capitals; also without what stands in brackets, where no other column
    is called so. Of two of one name the first."""
    whole = {_fold(name): name for name in reversed(header)}
    bare = {_fold(re.sub(r"\(.*?\)|（.*?）|\[.*?\]", "", name)): name for name in reversed(header)}
    return {name: column for name, column in (bare | whole).items() if name}


def _fold(name: str) -> str:
    return re.sub(r"[\W_]", "", name.lower())


def _names_in(folded: Mapping[str, str], kind: str) -> Mapping[str, tuple[str, ...]]:
    """What each field may be called in this file."""
    names = dict(fields_of(kind))
    if kind != ORDERS:
        return names
    if _SHOPIFY & folded.keys():
        names["order"] = ("name", *names["order"])
    if _AMAZON & folded.keys():
        names["amount"] = ("itemprice", *names["amount"])
        names["price"] = tuple(name for name in names["price"] if name != "itemprice")
    return names


def _look_again_at_orders(guessed: dict[str, str], folded: Mapping[str, str]) -> None:
    """ "Name" is the article where nothing else says it; "ID" is the order in files without articles, as payments are."""
    if (
        "name" not in guessed
        and "product" not in guessed
        and "name" in folded
        and guessed.get("order") != folded["name"]
    ):
        guessed["name"] = folded["name"]
    if "order" not in guessed and "id" in folded and not {"product", "quantity"} & guessed.keys():
        guessed["order"] = folded["id"]
