"""Signs as Standard Webhooks says: HMAC-SHA256 over id, time and body, in three headers. What we send is signed so, and what
comes back is checked by `campaigns.delivery.signatures`."""

from __future__ import annotations

import base64
import binascii
import hmac


def sign(name: str, stamp: int, body: bytes, *secrets: str) -> dict[str, str]:
    """The headers of one request. `name` is the message's, the same on every try; `stamp` is seconds since 1970.

    While a secret is changed there are two, and so two signatures, separated by a blank. Raises ValueError for a secret that
    is not whsec_ and base64.
    """
    signed = b".".join((name.encode(), str(stamp).encode(), body))
    digests = (hmac.digest(read_key(secret), signed, "sha256") for secret in secrets)
    return {
        "webhook-id": name,
        "webhook-timestamp": str(stamp),
        "webhook-signature": " ".join(f"v1,{base64.b64encode(digest).decode()}" for digest in digests),
    }


def read_key(secret: str) -> bytes:
    """The bytes behind whsec_…. Raises ValueError."""
    try:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError("no signing secret: it is whsec_ and base64") from error
    if len(key) < 16:
        raise ValueError("the signing secret is too short: 24 random bytes, in base64")
    return key
