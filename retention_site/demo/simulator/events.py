"""The kinds of events the demo shop records and their properties."""

from __future__ import annotations

import json

import numpy as np

from .catalogue import PLAIN_DETAILS
from .crowd import Ints

KINDS: tuple[str, ...] = (
    "product_viewed", "search_performed", "cart_updated", "email_sent", "email_opened", "email_clicked",
    "email_unsubscribed", "ticket_opened", "ticket_closed", "complaint_opened", "complaint_closed",
)  # fmt: skip
KIND: dict[str, int] = {kind: number for number, kind in enumerate(KINDS)}

# Properties with a number in them; "#" becomes the event's number (newsletter, or case within its chunk).
_NUMBERED: tuple[str, ...] = (
    json.dumps({"newsletter": "letter-#"}),
    *(json.dumps({"ticket": "t-#", "topic": topic}) for topic in ("delivery", "damaged", "wrong_item", "question")),
    *(json.dumps({"ticket": "t-#", "topic": topic}) for topic in ("delivery", "damaged", "wrong_item")),
)
NEWSLETTER_DETAIL = len(PLAIN_DETAILS)
TICKET_TOPICS: Ints = NEWSLETTER_DETAIL + np.array([1, 2, 3, 4], dtype=np.int64)
COMPLAINT_TOPICS: Ints = NEWSLETTER_DETAIL + np.array([5, 6, 7], dtype=np.int64)

DETAILS: tuple[str, ...] = PLAIN_DETAILS + _NUMBERED


def describe_campaign_mail(campaign: str) -> str:
    """Properties of opens and clicks of a campaign's message."""
    return json.dumps({"campaign": campaign}, ensure_ascii=False)
