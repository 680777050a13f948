"""By which channel a person is reached: where the address of each channel stands, and which channels are sent today."""

from __future__ import annotations

from typing import Final

from customers.models import Channel

#: SQL for a customer's address on a channel, '' where there is none. A shop sends phone and push token as attributes.
_ADDRESS_SQL: Final = {
    Channel.EMAIL: "{0}.email",
    Channel.SMS: "coalesce({0}.attributes->>'phone', '')",
    Channel.PUSH: "coalesce({0}.attributes->>'push_token', '')",
    Channel.WEBHOOK: "{0}.external_id",
}
#: Texts for the other channels are prepared, approved and queued as skipped (SkipReason.NO_CHANNEL), never sent.
SENT_CHANNELS: Final = frozenset({Channel.EMAIL})


def address_sql(channel: str, customer: str = "c") -> str:
    """SQL for the address on `channel` of the row of customers_customer called `customer`."""
    return _ADDRESS_SQL[Channel(channel)].format(customer)


def is_sent(channel: str) -> bool:
    """Whether anything sends this channel yet."""
    return channel in SENT_CHANNELS
