"""Which channels are sent: those that have a provider, or the built-in catcher in its place."""

from __future__ import annotations

from django.conf import settings


def sent_channels() -> frozenset[str]:
    """E-mail always. Texts for the others are prepared, approved and queued as skipped (SkipReason.NO_CHANNEL), never sent."""
    targets = {"email": True, "sms": settings.SMS_TARGET, "webhook": settings.WEBHOOK_TARGET}
    return frozenset(channel for channel, target in targets.items() if target)


def is_sent(channel: str) -> bool:
    """Whether anything sends this channel."""
    return channel in sent_channels()
