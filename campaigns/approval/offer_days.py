"""Whether an offer is still valid on the day on which its messages go out."""

from __future__ import annotations

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from campaigns.models import Campaign, Offer
from customers.ingest.clock import shop_day


def find_offer_obstacles(campaign: Campaign) -> list[str]:
    """An offer that is over before the day of sending: just before each send its message would be passed over."""
    offer = Offer.objects.filter(campaign=campaign).exclude(kind=Offer.Kind.NONE).first()
    if offer is None or offer.valid_until is None or campaign.scheduled_for is None:
        return []
    sent_on = shop_day(campaign.scheduled_for)
    if offer.valid_until >= sent_on:
        return []
    sentence = _("The offer ends on %(last)s, before the messages go out on %(sent)s. Change one of the two days.")
    shape = pgettext("date format", "j M Y")
    return [sentence % {"last": date_format(offer.valid_until, shape), "sent": date_format(sent_on, shape)}]
