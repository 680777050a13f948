"""Asks a shop's API over HTTP: what comes back is JSON, or a trouble that says whether it is worth trying again."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

import requests
from urllib3.exceptions import HTTPError

from .addresses import ForbiddenPeer, make_session

#: Of an answer so much is read: a page of a hundred orders has some hundred kilobytes.
LONGEST_ANSWER: Final = 32 * 1024 * 1024
TIMEOUT_S: Final = 30.0
LONGEST_WAIT_S: Final = 3_600.0


class ShopTrouble(Exception):
    """Why the shop's API gave nothing. `code` is one of `reasons.TROUBLES`, `detail` what the shop says of it.

    `is_final`: it will say the same until a person does something. `wait_s`: how long the shop asks to be left alone.
    `is_unknown`: the shop did not recognise anybody (401), and does not say that the keys are wrong.
    """

    def __init__(
        self, code: str, detail: str = "", *, is_final: bool = False, wait_s: float = 0.0, is_unknown: bool = False
    ) -> None:
        super().__init__(code)
        self.code, self.detail, self.is_final, self.wait_s = code, detail[:200], is_final, wait_s
        self.is_unknown = is_unknown


@dataclass(frozen=True)
class Page:
    """One page of things, and where the next one begins (None: there is none). `wait_s`: before the next question.

    `payloads` are in the shape of the webhook `topic`, so that a broken one can be kept and tried again by itself.
    """

    topic: str
    payloads: list[Mapping[str, Any]]
    cursor: dict[str, Any] | None
    total: int | None = None
    wait_s: float = 0.0


@dataclass(frozen=True)
class Found:
    """What a test of the connection found. `missing` are rights that the keys lack."""

    name: str
    currency: str
    public_url: str
    missing: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    content: Any


class Asker:
    """One session with one shop."""

    def __init__(self, address: str) -> None:
        self._address = address.rstrip("/")
        self._session = make_session()

    def close(self) -> None:
        self._session.close()

    def ask(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, Any] | None = None,
        body: Any = None,
        login: tuple[str, str] | None = None,
    ) -> Answer:
        """The answer with its JSON; raises ShopTrouble for every other end, without the address, which may hold keys."""
        given = {"Accept": "application/json", "User-Agent": "Rekindle", **(headers or {})}
        try:
            with self._session.request(
                method, f"{self._address}{path}", headers=given, params=params, json=body, auth=login,
                timeout=TIMEOUT_S, allow_redirects=False, stream=True,
            ) as response:  # fmt: skip
                _judge(response)
                return Answer(response.status_code, response.headers, _read_json(response))
        except (requests.RequestException, HTTPError, OSError) as error:
            raise _explain(error) from None


def _explain(error: BaseException) -> ShopTrouble:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ForbiddenPeer):
            return ShopTrouble("forbidden_peer", is_final=True)
        reason = getattr(cause, "reason", None)
        inner = next((one for one in cause.args if isinstance(one, BaseException)), None)
        cause = cause.__cause__ or (reason if isinstance(reason, BaseException) else inner)
    if isinstance(error, requests.exceptions.SSLError):
        return ShopTrouble("no_tls", is_final=True)
    return ShopTrouble("timeout" if isinstance(error, requests.Timeout) else "unreachable")


def _judge(response: requests.Response) -> None:
    """Raises ShopTrouble for every status but 2xx."""
    code = response.status_code
    if 200 <= code <= 299:
        return
    if code == 429:
        raise ShopTrouble("throttled", wait_s=_read_wait(response.headers) or 2.0)
    if code in {401, 403}:
        raise ShopTrouble("keys_refused", is_final=True, is_unknown=code == 401 and not _says_keys_are_wrong(response))
    if code in {404, 410} or 300 <= code <= 399:
        raise ShopTrouble("no_api", str(code), is_final=True)
    if code >= 500:
        raise ShopTrouble("server_error", str(code), wait_s=_read_wait(response.headers))
    raise ShopTrouble("not_understood", str(code), is_final=True)


def _says_keys_are_wrong(response: requests.Response) -> bool:
    """WooCommerce's word for keys that it read and that do not fit; where it read none, it only says that one may not look."""
    try:
        told = _read_json(response)
    except ShopTrouble:
        return False
    return isinstance(told, Mapping) and told.get("code") == "woocommerce_rest_authentication_error"


def _read_wait(headers: Mapping[str, str]) -> float:
    """Retry-After in seconds; 0 where there is none (a date is not used by either shop)."""
    try:
        return min(max(float(headers.get("Retry-After", "0")), 0.0), LONGEST_WAIT_S)
    except ValueError:
        return 0.0


def _read_json(response: requests.Response) -> Any:
    raw, end = bytearray(), time.monotonic() + 4 * TIMEOUT_S
    for piece in response.iter_content(65_536):
        raw += piece
        if len(raw) > LONGEST_ANSWER:
            raise ShopTrouble("too_long", is_final=True)
        if time.monotonic() > end:
            raise ShopTrouble("timeout")
    try:
        return json.loads(raw, parse_float=Decimal)
    except (ValueError, RecursionError) as error:
        raise ShopTrouble("not_json") from error


__all__ = ["Answer", "Asker", "Found", "Page", "ShopTrouble"]
