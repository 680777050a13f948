"""Where text messages and web hooks are handed over, read from the settings' addresses. Pure: read by the settings.

SMS_URL=twilio://ACCOUNT:TOKEN@+447700900000        a number, a short code, a name of up to 11 signs, or MG… of a service
WEBHOOK_URL=https://hooks.shop.example/rekindle
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote, urlsplit

from customers.outgoing.addresses import is_internal_host, is_loopback_host

from . import Route

#: Where the provider of text messages says what became of one, below SITE_URL; the name of the message is added.
SMS_HOOK_PATH = "/hooks/sms/"
SMS_PROVIDERS = ("twilio",)
#: A number in E.164, a short code, the id of a messaging service, or a name (GSM 03.40: 11 signs, no reply to it).
_SENDER = re.compile(r"\+[1-9]\d{6,14}|\d{3,8}|MG[0-9a-f]{32}|(?=.*[A-Za-z])[A-Za-z0-9 ]{1,11}")


class BadTarget(ValueError):
    """An address that cannot be sent to; the sentence is for staff and holds no key."""


@dataclass(frozen=True)
class SmsTarget:
    """An account at a provider. `sender` is what phones show; `key` logs in, and with `token` the provider signs."""

    provider: str
    account: str
    token: str
    sender: str
    api_url: str = ""
    key: str = ""
    secret: str = ""

    @property
    def takes_replies(self) -> bool:
        """A name as the sender cannot be answered."""
        return bool(re.fullmatch(r"\+?\d+|MG[0-9a-f]{32}", self.sender))


def read_sms_url(url: str) -> SmsTarget:
    """twilio://ACCOUNT:TOKEN@SENDER; `?key=SK…&secret=…` logs in with an API key, `api_url` is for tests. Raises BadTarget."""
    provider, _mark, rest = url.partition("://")
    if provider not in SMS_PROVIDERS:
        raise BadTarget(f"SMS_URL must start with {' or '.join(f'{name}://' for name in SMS_PROVIDERS)}.")
    address, _mark, query = rest.partition("?")
    login, _at, sender = address.rstrip("/").rpartition("@")
    account, _colon, token = login.partition(":")
    options = dict(parse_qsl(query))
    if not account or not token:
        raise BadTarget("SMS_URL lacks the account or its token: twilio://ACCOUNT:TOKEN@SENDER.")
    if not _SENDER.fullmatch(unquote(sender)):
        raise BadTarget(
            "SMS_URL lacks a sender after the @: +447700900000, a short code, MG…, or a name of up to 11 signs."
        )
    if strange := set(options) - {"key", "secret", "api_url"}:
        raise BadTarget(f"SMS_URL has options that are not known: {', '.join(sorted(strange))}.")
    return SmsTarget(
        provider, unquote(account), unquote(token), unquote(sender), options.get("api_url", ""), options.get("key", ""),
        options.get("secret", ""),
    )  # fmt: skip


def describe_sms_route(target: SmsTarget) -> Route:
    """Another account is another door."""
    return Route(f"{target.provider}/{hashlib.sha256(target.account.encode()).hexdigest()[:8]}")


@dataclass(frozen=True)
class WebhookTarget:
    """One receiver. `secret` signs (Standard Webhooks: whsec_ and base64); `key_window_s` is how long it is known to
    remember the id of a message, 0 where nobody said so. `may_be_loopback`, `may_be_internal`: in development."""

    url: str
    secret: str
    key_window_s: float = 0.0
    may_be_loopback: bool = False
    may_be_internal: bool = False


def describe_webhook_route(target: WebhookTarget) -> Route:
    """Another address or secret is another receiver, which does not know the ids that this one was given."""
    digest = hashlib.sha256(f"{target.url}\0{target.secret}".encode()).hexdigest()[:8]
    return Route(f"webhook/{digest}", target.key_window_s)


def check_webhook_url(url: str, *, may_be_loopback: bool) -> None:
    """Raises BadTarget for what must never get customers' messages: no TLS, an address inside the house, a log-in in it."""
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    if parts.username or parts.password or parts.fragment or not host:
        raise BadTarget("WEBHOOK_URL is https://host/path, without a log-in and without #.")
    is_loopback = is_loopback_host(host)
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback and may_be_loopback):
        raise BadTarget("WEBHOOK_URL must start with https:// (http:// only on this machine, in development).")
    if is_loopback and not may_be_loopback:
        raise BadTarget("WEBHOOK_URL leads to this machine itself.")
    if is_internal_host(host) and not is_loopback:
        raise BadTarget("WEBHOOK_URL leads into an internal network.")
