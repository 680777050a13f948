"""The mail with the link, and the errand that sends it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Final

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from campaigns.content.rendering import RenderedMessage
from campaigns.delivery.asked_look import lay_out
from campaigns.delivery.asked_mails import Errand, send_asked_mails
from campaigns.delivery.channels import Channel
from campaigns.delivery.channels.choice import open_channel as open_door
from campaigns.models import OwnRequest
from customers.models import PrivacyRequest

from .confirming import own_data_url


def mail_own_links(*, seconds: float, open_channel: Callable[[], Channel] = open_door) -> Counter[str]:
    """Mail what waits, for `seconds` at most; returns how many by what became of them."""
    return send_asked_mails(ERRAND, seconds=seconds, open_channel=open_channel)


def write_mail(url: str, kind: str) -> RenderedMessage:
    """The words, in the language that is active. Nothing of the person stands in it: it may only ask."""
    shop, hours = settings.SHOP_NAME, settings.OWN_LINK_HOURS
    if kind == PrivacyRequest.Kind.ERASURE:
        subject = _("Please confirm: erase your data at %(shop)s") % {"shop": shop}
        asked = _("Somebody, we hope you, asked %(shop)s to erase all data that belong to this address.") % {
            "shop": shop
        }
        then = _(
            "The link shows what goes and what stays, and asks once more. Nothing happens until you press its button."
        )
        button = _("See what would be erased")
    else:
        subject = _("Please confirm: a copy of your data at %(shop)s") % {"shop": shop}
        asked = _("Somebody, we hope you, asked %(shop)s for a copy of all data that belong to this address.") % {
            "shop": shop
        }
        then = _("The link leads to a page with one button. Press it, and the copy can be downloaded in that browser.")
        button = _("Get my copy")
    ends = ngettext(
        "The link works once, within %(n)d hour. Do not pass this mail on.",
        "The link works once, within %(n)d hours. Do not pass this mail on.",
        hours,
    ) % {"n": hours}
    ignore = _("If it was not you, do nothing: without your confirmation nothing is given out and nothing is erased.")
    html, text = lay_out(
        subject, [asked, then], url=url, button=button, notes=[ends, ignore, settings.SHOP_POSTAL_ADDRESS]
    )
    return RenderedMessage(subject, "", html, text)


def _write(number: int, kind: str) -> RenderedMessage:
    return write_mail(own_data_url(OwnRequest.objects.get(pk=number).key), kind)


ERRAND: Final = Errand("own-data", OwnRequest, "kind", _write)
