"""By which channel a person is reached: where the address of each stands. No Django here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Protocol

from customers.segments.vocabulary import ADDRESS_SQL

_FIELDS: Final[Mapping[str, str]] = {"email": "email", "sms": "phone", "webhook": "external_id"}


class HasAddresses(Protocol):
    """A customer, as far as addresses go."""

    email: Any
    phone: Any
    external_id: Any
    attributes: Any


def address_sql(channel: str, customer: str = "c") -> str:
    """SQL for the address on `channel` of the row of customers_customer called `customer`."""
    return ADDRESS_SQL[channel].format(customer)


def read_address(channel: str, customer: HasAddresses) -> str:
    """The same of a row in memory."""
    if channel == "push":
        return str(customer.attributes.get("push_token") or "")
    return str(getattr(customer, _FIELDS[channel]))
