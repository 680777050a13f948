"""Says whether a webhook is the provider's own, unaltered, and of now: what anymail leaves open of it.

anymail compares passwords and most signatures, but knows no age; and for Resend it would need a package of its own.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import hashlib
import hmac
import json
from collections.abc import Mapping

#: A signature that is older, or of a later time than this, is a replay (the tolerance of Standard Webhooks).
WINDOW_S = 300


class BadSignature(Exception):
    """Forged, altered, or too old."""


def verify_standard_webhook(
    headers: Mapping[str, str], body: bytes, secret: str, *, now: dt.datetime, prefix: str = "svix"
) -> None:
    """Standard Webhooks (`prefix` webhook; svix as Resend signs): HMAC-SHA256 over id, time and body; several
    signatures while a key is changed. Raises BadSignature."""
    name, stamp = headers.get(f"{prefix}-id", ""), headers.get(f"{prefix}-timestamp", "")
    try:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadSignature("the setting is no signing secret") from error
    if not name or not key:
        raise BadSignature("not signed")
    verify_age(stamp, now=now)
    digest = hmac.digest(key, b".".join((name.encode(), stamp.encode(), body)), "sha256")
    wanted = b"v1," + base64.b64encode(digest)
    given = headers.get(f"{prefix}-signature", "").encode("ascii", "replace").split()
    if not any(hmac.compare_digest(wanted, signature) for signature in given):
        raise BadSignature("the signature does not fit")


def find_timestamp(provider: str, headers: Mapping[str, str], body: bytes) -> str | None:
    """The time that a provider signs besides, "" where it is missing; None for providers that sign none."""
    if provider == "sendgrid":
        return headers.get("X-Twilio-Email-Event-Webhook-Timestamp")
    if provider != "mailgun":
        return None
    try:
        return str(json.loads(body)["signature"]["timestamp"])
    except (ValueError, KeyError, TypeError):
        return ""


def verify_age(stamp: str, *, now: dt.datetime) -> None:
    """`stamp` is in seconds since 1970. Raises BadSignature outside WINDOW_S."""
    try:
        age_s = now.timestamp() - float(stamp)
    except ValueError as error:
        raise BadSignature("no time") from error
    if not abs(age_s) <= WINDOW_S:
        raise BadSignature("too old or not yet")


def digest_event(value: object) -> str:
    """The identity of an event that its provider gave none: the same for every copy of the same content."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()
