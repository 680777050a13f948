"""A receiver of web hooks on loopback: it checks signatures with code of its own, takes each id once, misbehaves by script."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any

from tests.provider_server import ProviderServer

SECRET = "whsec_" + base64.b64encode(b"0123456789abcdef01234567").decode()


class Receiver(ProviderServer):
    """`letters` are those it took; `forgets` makes it take a known id again."""

    forgets = False

    def take(self, path: str, headers: Mapping[str, str], letter: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        key = headers["webhook-id"]
        with self.lock:
            if key in self.ids and not self.forgets:
                return (200, {}) if self.ids[key][1] == json.dumps(letter) else (422, {"error": "same id, other body"})
            self.letters.append(letter)
            self.ids[key] = ("", json.dumps(letter))
        return 202, {}


def is_signed(headers: Mapping[str, str], body: bytes, secret: str = SECRET) -> bool:
    """As the specification of Standard Webhooks says, written down a second time."""
    key = base64.b64decode(secret.split("_", 1)[1])
    told = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    wanted = base64.b64encode(hmac.new(key, told, hashlib.sha256).digest()).decode()
    return headers["webhook-signature"] == f"v1,{wanted}"
