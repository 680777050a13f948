"""How it was: asked once, by a signed link in the mail that ends a conversation, and kept once, as a row and as an event."""

from __future__ import annotations

import datetime as dt
from typing import Final

from django.conf import settings
from django.core import signing
from django.core.exceptions import ValidationError
from django.db import transaction
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from customers.ingest.consent import is_suppressed
from customers.ingest.recorder import NewEvent, record_events
from customers.models import EventKind
from support.inbox.complaints import EVENT_SOURCE
from support.inbox.opening import clean_text
from support.models import Rating, Ticket

SALT: Final = "support.rating"
LINK_DAYS: Final = 60
SCORES: Final = range(1, 6)
LONGEST_COMMENT: Final = 2_000
#: Its own name among the events that customers do.
EVENT_NAME: Final = "support_rated"


def may_ask(ticket: Ticket) -> bool:
    """Switched on, not asked before, and there is an address that takes mail of ours."""
    address = ticket.answer_address
    return bool(
        settings.SUPPORT_ASK_RATING and ticket.rating_asked_at is None and address and not is_suppressed(address)
    )


def claim_asking(ticket: Ticket, *, now: dt.datetime) -> str:
    """The words with the link for the mail that is about to leave; "" where nobody is to be asked, or was asked already."""
    if not may_ask(ticket):
        return ""
    if not Ticket.objects.filter(pk=ticket.pk, rating_asked_at=None).update(rating_asked_at=now):
        return ""
    ticket.rating_asked_at = now
    with translation.override(ticket.interface_language):
        return _("How did we do? Tell us here: %(link)s") % {"link": make_rating_link(ticket)}


def make_rating_link(ticket: Ticket) -> str:
    """Signed, for this conversation alone, for `LINK_DAYS`."""
    return f"{settings.SITE_URL}{reverse('support:rating', args=[signing.dumps(ticket.pk, salt=SALT)])}"


def read_rating_token(token: str) -> Ticket | None:
    """The conversation of a link; None for one that is not ours or too old, or whose conversation is gone."""
    try:
        key = signing.loads(token, salt=SALT, max_age=dt.timedelta(days=LINK_DAYS))
    except signing.BadSignature:
        return None
    return Ticket.objects.filter(pk=key).first()


@transaction.atomic
def keep_rating(ticket: Ticket, score: int, comment: str, *, now: dt.datetime) -> bool:
    """Keep what the customer says; False where they said it already: the first stands. Raises ValidationError for no score."""
    if score not in SCORES:
        raise ValidationError(_("Choose one of the five."))
    kept, is_new = Rating.objects.get_or_create(
        ticket=ticket, defaults={"score": score, "comment": clean_text(comment)[:LONGEST_COMMENT], "rated_at": now}
    )
    if is_new and ticket.customer_id is not None:
        event = NewEvent(
            customer_id=ticket.customer_id,
            kind=EventKind.CUSTOM,
            occurred_at=now,
            external_id=f"ticket:{ticket.pk}:rated",
            properties={"name": EVENT_NAME, "score": kept.score, "ticket": str(ticket.pk)},
        )
        record_events([event], source=EVENT_SOURCE)
    return is_new
