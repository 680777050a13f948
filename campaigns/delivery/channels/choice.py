"""By which door each channel leaves: what EMAIL_URL, SMS_URL and WEBHOOK_URL name, else the built-in catcher.

To add a channel: its two functions here, a line in `_DOORS`, and `campaigns.audience.connected`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from django.conf import settings

from . import SMTP_ROUTE, Channel, Route
from .targets import describe_sms_route, describe_webhook_route


def open_channel(kind: str = "email") -> Channel:
    """A channel that connects when it is asked to. KeyError for one that nothing sends."""
    return _DOORS[kind][0]()


def current_route(kind: str = "email") -> Route | None:
    """The route of `open_channel`, without opening anything; None where the channel is not connected."""
    return _DOORS[kind][1]() if kind in _DOORS else None


def current_routes() -> list[Route]:
    """The doors of all connected channels."""
    return [route for route in map(current_route, _DOORS) if route is not None]


def open_mail_channel() -> Channel:
    if settings.EMAIL_PROVIDER:
        from .anymail import AnymailChannel  # 60 modules that a shop with a mail server never needs

        return AnymailChannel(settings.EMAIL_PROVIDER, timeout_s=settings.EMAIL_TIMEOUT)
    from .smtp import SmtpChannel, SmtpServer

    return SmtpChannel(SmtpServer.from_settings())


def _route_mail() -> Route:
    if not settings.EMAIL_PROVIDER:
        return SMTP_ROUTE
    from .anymail import describe_route

    return describe_route(settings.EMAIL_PROVIDER)


def _open_webhook() -> Channel:
    from .webhook import WebhookChannel

    assert settings.WEBHOOK_TARGET is not None, "sent_channels knows who is connected"
    return WebhookChannel(settings.WEBHOOK_TARGET, timeout_s=settings.EMAIL_TIMEOUT)


def _route_webhook() -> Route | None:
    return describe_webhook_route(settings.WEBHOOK_TARGET) if settings.WEBHOOK_TARGET else None


def _open_sms() -> Channel:
    from .sms import SmsChannel  # and with it the provider's client

    assert settings.SMS_TARGET is not None, "sent_channels knows who is connected"
    return SmsChannel(settings.SMS_TARGET, timeout_s=settings.EMAIL_TIMEOUT)


def _route_sms() -> Route | None:
    return describe_sms_route(settings.SMS_TARGET) if settings.SMS_TARGET else None


_DOORS: Final[Mapping[str, tuple[Callable[[], Channel], Callable[[], Route | None]]]] = {
    "email": (open_mail_channel, _route_mail),
    "sms": (_open_sms, _route_sms),
    "webhook": (_open_webhook, _route_webhook),
}
