"""Reads the addresses of the engines from the environment."""

from __future__ import annotations

import base64
import hashlib
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured
from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict

from campaigns.delivery.channels.providers import PROVIDERS, BadProviderUrl, read_provider_url
from campaigns.delivery.channels.targets import BadTarget, SmsTarget, WebhookTarget, check_webhook_url, read_sms_url
from customers.outgoing.signing import read_key
from support.mail.imap.target import BadImapUrl, ImapTarget, read_imap_url


def read_database_url(url: str) -> dict[str, Any]:
    """Django's DATABASES entry for a libpq address such as postgresql://user@/name?host=/run/socket.

    Raises ImproperlyConfigured with a sentence for staff where the address is no PostgreSQL one.
    """
    if not url.startswith(("postgresql://", "postgres://")):
        raise ImproperlyConfigured(
            "DATABASE_URL must start with postgresql:// (PostgreSQL is the only database). "
            "Leave it unset and use ./rekindle, which starts one under var/."
        )
    try:
        parts = conninfo_to_dict(url)
    except ProgrammingError as error:
        raise ImproperlyConfigured(f"DATABASE_URL cannot be read: {error}") from error
    known = {"dbname", "user", "password", "host", "port"}
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.get("dbname", "rekindle"),
        "USER": parts.get("user", ""),
        "PASSWORD": parts.get("password", ""),
        "HOST": parts.get("host", ""),
        "PORT": str(parts.get("port", "")),
        "OPTIONS": {key: value for key, value in parts.items() if key not in known},
    }


def read_email_url(url: str) -> dict[str, Any]:
    """Django's e-mail settings for smtp://user:password@host:587/?tls=1, smtps://…:465, or a provider: resend://KEY.

    Raises ImproperlyConfigured for another scheme, a missing host, or a provider that lacks something it needs.
    """
    if not url.startswith(("smtp:", "smtps:")):
        return _read_provider(url)
    parts = urlsplit(url)
    if parts.scheme not in {"smtp", "smtps"} or not parts.hostname:
        raise ImproperlyConfigured("EMAIL_URL must look like smtp://user:password@host:587/?tls=1 or smtps://…:465")
    query = dict(parse_qsl(parts.query))
    return {
        "EMAIL_HOST": parts.hostname,
        "EMAIL_PORT": parts.port or (465 if parts.scheme == "smtps" else 25),
        "EMAIL_HOST_USER": unquote(parts.username or ""),
        "EMAIL_HOST_PASSWORD": unquote(parts.password or ""),
        "EMAIL_USE_SSL": parts.scheme == "smtps",
        "EMAIL_USE_TLS": parts.scheme == "smtp" and query.get("tls", "0") in {"1", "true"},
    }


def _read_provider(url: str) -> dict[str, Any]:
    try:
        name, options = read_provider_url(url)
    except BadProviderUrl as error:
        raise ImproperlyConfigured(str(error)) from None  # the cause would hold the key
    return {
        "EMAIL_PROVIDER": name,
        "EMAIL_BACKEND": f"anymail.backends.{PROVIDERS[name].module}.EmailBackend",
        "ANYMAIL": options,
    }


def read_sms_target(url: str) -> SmsTarget:
    """The account that SMS_URL names. Raises ImproperlyConfigured with a sentence for staff that holds no key."""
    try:
        return read_sms_url(url)
    except BadTarget as error:
        raise ImproperlyConfigured(str(error)) from None


def catch_sms(url: str) -> SmsTarget:
    """The built-in catcher in place of a provider."""
    return SmsTarget("twilio", "AC-caught", "caught", "+447700900000", api_url=url)


def read_webhook_target(url: str, *, secret: str, key_hours: float, is_public: bool) -> WebhookTarget:
    """The receiver that WEBHOOK_URL and WEBHOOK_SECRET name. `is_public`: people reach this site over https, so that nothing
    on this machine can be meant. Raises ImproperlyConfigured with a sentence for staff."""
    try:
        check_webhook_url(url, may_be_loopback=not is_public)
        read_key(secret)
    except BadTarget as error:
        raise ImproperlyConfigured(str(error)) from None
    except ValueError as error:
        raise ImproperlyConfigured(f"WEBHOOK_SECRET is {error}.") from None
    # A claim may lie for some minutes before it is sent.
    window_s = max(key_hours * 3600 - 600, 0.0)
    return WebhookTarget(url, secret, window_s, may_be_loopback=not is_public)


def catch_webhooks(url: str, *, secret_key: str) -> WebhookTarget:
    """The built-in catcher in place of a receiver: it remembers every id."""
    secret = base64.b64encode(hashlib.sha256(f"caught web hooks {secret_key}".encode()).digest()).decode()
    return WebhookTarget(f"{url}/webhook", f"whsec_{secret}", 23 * 3600.0, may_be_loopback=True, may_be_internal=True)


def read_imap_target(url: str) -> ImapTarget:
    """The mailbox that SUPPORT_IMAP_URL names. Raises ImproperlyConfigured with a sentence for staff that holds no password."""
    try:
        return read_imap_url(url)
    except BadImapUrl as error:
        raise ImproperlyConfigured(str(error)) from None
