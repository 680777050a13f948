"""By which channel a person is reached: where the address of each stands, and which are sent today. No Django here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

#: SQL for a customer's address on a channel, '' where there is none. A shop sends the push token as an attribute; a webhook
#: names the person by the shop's own id.
_ADDRESS_SQL: Final[Mapping[str, str]] = {
    "email": "{0}.email",
    "sms": "{0}.phone",
    "push": "coalesce({0}.attributes->>'push_token', '')",
    "webhook": "{0}.external_id",
}
#: Texts for the other channels are prepared, approved and queued as skipped (SkipReason.NO_CHANNEL), never sent.
SENT_CHANNELS: Final = frozenset({"email"})


def address_sql(channel: str, customer: str = "c") -> str:
    """SQL for the address on `channel` of the row of customers_customer called `customer`."""
    return _ADDRESS_SQL[channel].format(customer)


def is_sent(channel: str) -> bool:
    """Whether anything sends this channel yet."""
    return channel in SENT_CHANNELS
