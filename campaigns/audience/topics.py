"""What mail may be about, so that a person can take some of it and leave the rest."""

from __future__ import annotations

from typing import Final

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

#: Every topic there is, with its name and what stands beside it in the preference centre. A key that was used never changes.
TOPICS: Final[dict[str, tuple[Promise, Promise]]] = {
    "promotions": (_("Offers"), _("Discounts, codes and free shipping")),
    "news": (_("News"), _("What is new in the shop")),
    "advice": (_("Advice"), _("How to choose, use and care for things")),
    "events": (_("Events"), _("Openings, workshops and competitions")),
    "service": (_("Service"), _("About what you have bought: care, safety, opening hours")),
    "surveys": (_("Your opinion"), _("A short question now and then")),
}


def list_topics() -> list[tuple[str, str, str]]:
    """The topics that this shop writes about (MESSAGE_TOPICS): key, name, what it means."""
    return [(key, str(TOPICS[key][0]), str(TOPICS[key][1])) for key in TOPICS if key in settings.MESSAGE_TOPICS]


def topic_choices() -> list[tuple[str, str]]:
    """For a form."""
    return [(key, name) for key, name, _meaning in list_topics()]
