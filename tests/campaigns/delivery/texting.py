"""A provider of text messages on loopback that speaks Twilio's Messages resource, which knows no idempotency keys."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from tests.provider_server import ProviderServer


class TextingProvider(ProviderServer):
    """`letters` are the forms it took."""

    def parse(self, raw: bytes) -> dict[str, Any]:
        return dict(parse_qsl(raw.decode(), keep_blank_values=True))

    def take(self, path: str, headers: Mapping[str, str], letter: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        with self.lock:
            self.letters.append(letter)
            number = len(self.letters)
        return 201, {"sid": f"SM{number:032d}", "status": "queued", "to": letter.get("To"), "error_code": None}
