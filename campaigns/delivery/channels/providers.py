"""The providers that send by an HTTP API, and what each needs. Pure: read by the settings.

To add one that django-anymail knows: a line here. `amazon-ses` needs boto3 and speaks no plain HTTP; use its SMTP door.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote

HOUR_S = 3600.0


class BadProviderUrl(ValueError):
    """An EMAIL_URL that names a provider but not what it needs; the sentence is for staff."""


@dataclass(frozen=True)
class Provider:
    """One provider, by the names of anymail's settings without its prefix.

    `key_header`: the HTTP header that carries an idempotency key, or, with `is_key_in_message`, the header of the message.
    `key_window_s` is shorter than the provider promises, because a claim may lie for some minutes before it is sent.
    `signing`: the setting that checks the provider's own signature; "" where only a password in the address protects.
    """

    module: str
    key: str = "API_KEY"
    secret: str = ""
    domain: str = ""
    needs: tuple[str, ...] = ()
    key_header: str = ""
    is_key_in_message: bool = False
    key_window_s: float = 0.0
    signing: str = ""

    @property
    def prefix(self) -> str:
        return self.module.upper()


PROVIDERS: dict[str, Provider] = {
    # Kept for 15 minutes: developers.brevo.com, "Email API now supports idempotency".
    "brevo": Provider("brevo", key_header="idempotencyKey", is_key_in_message=True, key_window_s=600.0),
    "mailersend": Provider("mailersend", key="API_TOKEN", signing="SIGNING_SECRET"),
    "mailgun": Provider("mailgun", domain="SENDER_DOMAIN", signing="WEBHOOK_SIGNING_KEY"),
    "mailjet": Provider("mailjet", secret="SECRET_KEY"),  # noqa: S106 (the name of a setting)
    "mailtrap": Provider("mailtrap", key="API_TOKEN", signing="TRACKING_SECRET"),
    "mandrill": Provider("mandrill", signing="WEBHOOK_KEY"),
    "postal": Provider("postal", needs=("API_URL",), signing="WEBHOOK_KEY"),
    "postmark": Provider("postmark", key="SERVER_TOKEN"),
    # Kept for 24 hours: resend.com/docs, "Idempotency Keys".
    "resend": Provider("resend", key_header="Idempotency-Key", key_window_s=23 * HOUR_S, signing="SIGNING_SECRET"),
    "scaleway": Provider("scaleway", key="SECRET_KEY", needs=("PROJECT_ID",)),
    "sendgrid": Provider("sendgrid", signing="TRACKING_WEBHOOK_VERIFICATION_KEY"),
    "sparkpost": Provider("sparkpost"),
    "unisender-go": Provider("unisender_go", needs=("API_URL",)),
}


def read_provider_url(url: str) -> tuple[str, dict[str, Any]]:
    """(name, settings of anymail) for resend://KEY, mailgun://KEY@mg.shop.example?api_url=…, mailjet://KEY:SECRET.

    Each option of the query is a setting of the provider in anymail. Raises BadProviderUrl; its sentence holds no key.
    """
    name, _mark, rest = url.partition("://")
    if name not in PROVIDERS:
        raise BadProviderUrl(f"EMAIL_URL must start with smtp://, smtps:// or one of {', '.join(PROVIDERS)}.")
    provider = PROVIDERS[name]
    address, _mark, query = rest.partition("?")
    login, _at, domain = address.rstrip("/").rpartition("@") if "@" in address else (address.rstrip("/"), "", "")
    key, _colon, secret = login.partition(":")
    options = {option.upper(): value for option, value in parse_qsl(query)}
    options[provider.key] = unquote(key)
    if provider.secret:
        options[provider.secret] = unquote(secret)
    if provider.domain and domain:
        options[provider.domain] = domain
    wanted = (provider.key, provider.secret, *provider.needs)
    missing = [option for option in wanted if option and not options.get(option)]
    if missing:
        raise BadProviderUrl(f"EMAIL_URL for {name} lacks {', '.join(missing)}; see .env.example.")
    return name, {f"{provider.prefix}_{option}": value for option, value in options.items()}
