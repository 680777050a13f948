"""A test message to oneself, by the very channel that campaigns leave by."""

from __future__ import annotations

import datetime as dt
import json
import secrets
from typing import Final

from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils.translation import gettext as _

from campaigns.audience.connected import is_sent
from campaigns.content.rendering import RenderedMessage
from customers.ingest.phones import BadPhone, normalise_phone
from customers.models import AuditAction, AuditEntry, Channel, record_audit

from .channels import Envelope, Letter, Reply
from .channels.choice import open_channel
from .mime import BadAddress, Sender, build_content, normalise_address

#: A test costs money and reaches a person: so many of them in an hour by one colleague.
MOST_AN_HOUR: Final = 10


def try_channel(user: User, channel: str, *, number: str = "", now: dt.datetime) -> Reply:
    """Send one test message: to the colleague's own address, to the telephone they name, or to the web hook.

    Raises PermissionDenied, and ValidationError where there is no address, the channel is not connected, or it was tried
    too often. The audit log says that it was done, never to which number.
    """
    if not user.is_active or not user.has_perm("campaigns.control_sending"):
        raise PermissionDenied(_("Your role does not allow this."))
    if not is_sent(channel):
        raise ValidationError(_("This channel is not connected."))
    hour = now - dt.timedelta(hours=1)
    tried = AuditEntry.objects.filter(action=AuditAction.CHANNEL_TRIED, actor_id=user.pk, happened_at__gt=hour)
    if tried.count() >= MOST_AN_HOUR:
        raise ValidationError(_("You have tried %(n)s times within an hour. Try again later.") % {"n": MOST_AN_HOUR})
    envelope = _write_test(user, channel, number, now)
    record_audit(AuditAction.CHANNEL_TRIED, actor=user, about=("channel", channel))
    door = open_channel(channel)
    try:
        return door.deliver(envelope)
    finally:
        door.close()


def _write_test(user: User, channel: str, number: str, now: dt.datetime) -> Envelope:
    name = f"test.{secrets.token_hex(12)}"
    words = _("This is a test. If you can read it, messages arrive.")
    if channel == Channel.SMS:
        try:
            phone = normalise_phone(number)
        except BadPhone:
            phone = ""
        if not phone:
            raise ValidationError(_("Not a telephone number. Write it with + and the country code."))
        return Envelope("", phone, f"{settings.SHOP_NAME}: {words}".encode(), name)
    if channel == Channel.WEBHOOK:
        body = {"type": "message.test", "data": {"id": name, "message": {"message": words}}}
        return Envelope("", "", json.dumps(body, ensure_ascii=False).encode(), name)
    return _write_mail(user, words, name, now)


def _write_mail(user: User, words: str, name: str, now: dt.datetime) -> Envelope:
    try:
        recipient = normalise_address(user.email)
    except BadAddress:
        raise ValidationError(_("Your account has no e-mail address that mail can be sent to.")) from None
    sender = Sender(settings.SHOP_NAME, settings.SHOP_FROM_EMAIL)
    copy = RenderedMessage(_("A test from %(shop)s") % {"shop": settings.SHOP_NAME}, "", f"<p>{words}</p>", words)
    content = build_content(
        copy, sender=sender, recipient=recipient, message_id=f"<{name}@{sender.domain}>",
        unsubscribe_url=f"{settings.SITE_URL}/", sent_at=now,
    )  # fmt: skip
    letter = Letter(sender.name, sender.address, copy.subject, copy.text, copy.html)
    return Envelope(sender.address, recipient, content, name, letter)
