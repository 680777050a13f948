"""Turns a rendered copy into what its channel hands over, for the channels that are no e-mail.

To add a channel: its line in `_PACKERS`, and how its address has to look in `read_recipient`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Final

from campaigns.audience.channels import read_address
from campaigns.content.rendering import RenderedMessage
from customers.models import Customer

from .channels import Envelope
from .mime import BadAddress, normalise_address

_E164: Final = re.compile(r"\+[1-9]\d{6,14}")
#: The kind of what is posted to a web hook; a receiver reads it before anything else.
WEBHOOK_TYPE: Final = "message.send"


def read_recipient(channel: str, customer: Customer) -> str:
    """The customer's address as the channel takes it. Raises BadAddress."""
    address = read_address(channel, customer)
    if channel == "email":
        return normalise_address(address)
    if not address or (channel == "sms" and not _E164.fullmatch(address)):
        raise BadAddress("no address that this channel can take")
    return address


def pack(channel: str, copy: RenderedMessage, *, customer: Customer, recipient: str, name: str) -> Envelope:
    """The envelope of a copy: the same bytes on every try. KeyError for a channel that nothing sends."""
    return Envelope("", recipient, _PACKERS[channel](copy, customer, name), name)


def _pack_webhook(copy: RenderedMessage, customer: Customer, name: str) -> bytes:
    """Who by the shop's own id alone: address, telephone and all else the receiver has, or need not know."""
    body = {
        "type": WEBHOOK_TYPE,
        "data": {
            "id": name,
            "customer": {"source": customer.source, "id": customer.external_id},
            "message": json.loads(copy.text),
        },
    }
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def _pack_sms(copy: RenderedMessage, customer: Customer, name: str) -> bytes:
    return copy.text.encode()


_PACKERS: Final[Mapping[str, Callable[[RenderedMessage, Customer, str], bytes]]] = {
    "sms": _pack_sms,
    "webhook": _pack_webhook,
}
