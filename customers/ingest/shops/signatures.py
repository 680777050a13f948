"""Whether a webhook is the shop's own, and of when. Pure: no framework.

Both shops sign the raw body with HMAC-SHA256 in base64 (Shopify: "Verify webhook deliveries"; WooCommerce:
WC_Webhook::generate_signature) and nothing else: topic, id and time are headers that anybody could change.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
from enum import Enum
from typing import Final

#: A webhook is of now within so many seconds (the tolerance of Standard Webhooks).
WINDOW: Final = dt.timedelta(seconds=300)
#: Shopify tries 8 times within 4 hours, with the same body and time; its clock and ours may differ by a window.
RETRIES: Final = dt.timedelta(hours=4) + 2 * WINDOW


class Refused(Exception):
    """Forged, altered, a copy, or not of now. `code` names the reason; nothing of it is believed."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Age(Enum):
    """FRESH: of now. LATE: what a shop sends again that nobody took for hours."""

    FRESH = "fresh"
    LATE = "late"


def sign(body: bytes, secret: str) -> str:
    """The signature that the shop puts into its header."""
    return base64.b64encode(hmac.digest(secret.encode(), body, "sha256")).decode()


def verify_signature(body: bytes, given: str, secret: str) -> None:
    """Raises Refused; compares in constant time. Without a secret nothing is right."""
    if not secret:
        raise Refused("no_secret")
    if not given:
        raise Refused("not_signed")
    if not hmac.compare_digest(sign(body, secret).encode(), given.strip().encode("utf-8", "replace")):
        raise Refused("bad_signature")


def judge_age(triggered_at: dt.datetime, now: dt.datetime) -> Age:
    """How old a webhook says it is. Raises Refused for one of the future or of before the first of the shop's tries."""
    age = now - triggered_at
    if age < -WINDOW:
        raise Refused("of_the_future")
    if age > RETRIES:
        raise Refused("too_old")
    return Age.FRESH if age <= WINDOW else Age.LATE


def digest_body(body: bytes) -> str:
    """What makes a webhook this one: the part that is signed."""
    return hashlib.sha256(body).hexdigest()
