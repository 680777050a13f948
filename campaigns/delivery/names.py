"""The one name of a message on its way: in its Message-ID, its bounce address, its idempotency key and what a provider echoes.

Derived from the row and signed, so that it is the same on every try and every machine, and nobody can make one up: what
comes back under it is about a message of ours.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from django.conf import settings
from django.utils.crypto import salted_hmac

#: In any text: capitals do not matter, because mail servers may change those of a local part.
_NAME = re.compile(
    r"(?<![0-9A-Za-z.])(\d{1,18})\.(\d{1,5})\.(\d{1,18})(?:\.(\d{1,5}))?\.([0-9a-f]{20})(?![0-9a-f])",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class MessageKey:
    """The key of a row of the outbox."""

    campaign_id: int
    step: int
    customer_id: int
    entry: int = 1

    def __str__(self) -> str:
        """The first entry goes without a number, as names did before people could enter twice."""
        again = f".{self.entry}" if self.entry != 1 else ""
        return f"{self.campaign_id}.{self.step}.{self.customer_id}{again}"


def derive_name(campaign_id: int, step: int, customer_id: int, entry: int = 1) -> str:
    """Such as 12.1.345.0f3a…: the key of the row and twenty hexadecimal digits of its HMAC."""
    return _sign(str(MessageKey(campaign_id, step, customer_id, entry)), settings.SECRET_KEY)


def derive_message_id(campaign_id: int, step: int, customer_id: int, entry: int = 1, *, domain: str) -> str:
    """The Message-ID of a row: the same on every try and every machine, and not to be guessed."""
    return f"<{derive_name(campaign_id, step, customer_id, entry)}@{domain}>"


def derive_bounce_address(name: str, base: str) -> str:
    """Where a mail server reports what became of one message (VERP): bounces@… becomes bounces+NAME@…."""
    local, _at, domain = base.rpartition("@")
    return f"{local}+{name}@{domain}"


def read_name(text: str) -> MessageKey | None:
    """The row that a text names (a Message-ID, a bounce address); None where no name in it has our signature."""
    for campaign_id, step, customer_id, entry, signature in _NAME.findall(text):
        key = MessageKey(int(campaign_id), int(step), int(customer_id), int(entry or 1))
        wanted = f"{key}.{signature.lower()}"
        if any(hmac.compare_digest(_sign(str(key), secret), wanted) for secret in list_signing_secrets()):
            return key
    return None


def list_signing_secrets() -> Sequence[str]:
    """The secrets that what comes back to us may be signed with: the present one, then former ones."""
    return [settings.SECRET_KEY, *map(str, settings.SECRET_KEY_FALLBACKS)]


def _sign(key: str, secret: str) -> str:
    return f"{key}.{hmac.digest(_name_key(secret), key.encode(), 'sha256').hex()[:20]}"


@lru_cache(maxsize=4)
def _name_key(secret: str) -> bytes:
    return salted_hmac("campaigns.delivery.message_id", "key", secret=secret, algorithm="sha256").digest()
