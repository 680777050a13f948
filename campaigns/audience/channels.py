"""By which channel a person is reached: where the address of each stands. No Django here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Protocol

#: SQL for a customer's address on a channel, '' where there is none. A shop sends the push token as an attribute; a webhook
#: names the person by the shop's own id.
_ADDRESS_SQL: Final[Mapping[str, str]] = {
    "email": "{0}.email",
    "sms": "{0}.phone",
    "push": "coalesce({0}.attributes->>'push_token', '')",
    "webhook": "{0}.external_id",
}

_FIELDS: Final[Mapping[str, str]] = {"email": "email", "sms": "phone", "webhook": "external_id"}


class HasAddresses(Protocol):
    """A customer, as far as addresses go."""

    email: Any
    phone: Any
    external_id: Any
    attributes: Any


def address_sql(channel: str, customer: str = "c") -> str:
    """SQL for the address on `channel` of the row of customers_customer called `customer`."""
    return _ADDRESS_SQL[channel].format(customer)


def read_address(channel: str, customer: HasAddresses) -> str:
    """The same of a row in memory."""
    if channel == "push":
        return str(customer.attributes.get("push_token") or "")
    return str(getattr(customer, _FIELDS[channel]))
