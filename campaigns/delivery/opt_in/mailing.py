"""The mail that asks whether it was them: its words, and the errand that sends it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Final

from django.conf import settings
from django.utils.translation import gettext as _

from campaigns.content.rendering import RenderedMessage
from campaigns.delivery.asked_look import lay_out
from campaigns.delivery.asked_mails import Errand, send_asked_mails
from campaigns.delivery.channels import Channel
from campaigns.delivery.channels.choice import open_channel as open_door
from campaigns.models import OptInRequest

from .confirming import confirm_url


def mail_waiting_requests(*, seconds: float, open_channel: Callable[[], Channel] = open_door) -> Counter[str]:
    """Mail what waits, for `seconds` at most; returns how many by what became of them."""
    return send_asked_mails(ERRAND, seconds=seconds, open_channel=open_channel)


def write_mail(url: str, wording: str) -> RenderedMessage:
    """The words, in the language that is active. No offer stands in it: it may only ask."""
    shop, days = settings.SHOP_NAME, settings.OPT_IN_LINK_DAYS
    subject = _("Please confirm: news from %(shop)s") % {"shop": shop}
    asked = _("Somebody, we hope you, asked for mail from %(shop)s at this address.") % {"shop": shop}
    ignore = _(
        "If it was not you, do nothing: without your yes we send you nothing. The link works for %(days)s days."
    ) % {"days": days}
    html, text = lay_out(
        subject,
        [asked],
        url=url,
        button=_("Yes, write to me"),
        quote=wording,
        notes=[ignore, settings.SHOP_POSTAL_ADDRESS],
    )
    return RenderedMessage(subject, "", html, text)


def _find_url(number: int) -> str:
    return confirm_url(OptInRequest.objects.get(pk=number))


ERRAND: Final = Errand(
    "opt-in", OptInRequest, "wording", lambda number, wording: write_mail(_find_url(number), wording)
)
