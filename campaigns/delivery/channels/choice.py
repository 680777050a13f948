"""By which door mail leaves: the provider or server that EMAIL_URL names, else the built-in catcher."""

from __future__ import annotations

from django.conf import settings

from . import SMTP_ROUTE, Channel, Route


def open_mail_channel() -> Channel:
    """A channel that connects when it is asked to."""
    if settings.EMAIL_PROVIDER:
        from .anymail import AnymailChannel  # 60 modules that a shop with a mail server never needs

        return AnymailChannel(settings.EMAIL_PROVIDER, timeout_s=settings.EMAIL_TIMEOUT)
    from .smtp import SmtpChannel, SmtpServer

    return SmtpChannel(SmtpServer.from_settings())


def current_route() -> Route:
    """The route of `open_mail_channel`, without opening anything."""
    if not settings.EMAIL_PROVIDER:
        return SMTP_ROUTE
    from .anymail import describe_route

    return describe_route(settings.EMAIL_PROVIDER)
