"""What the people who got a message did with it, by text: delivered, came back, opened, clicked, left. Counts of people.

Opens can be seen of those alone who agreed to it, so their share is of these people; whether a message was delivered is
known only where a provider or mail server reports it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import astuple, dataclass

from django.db import connection

from campaigns.models import Campaign


@dataclass(frozen=True)
class Responses:
    """People by what became of their message. `followed` are those whose opening may be seen.

    `reported` are those of whom anything but the hand-over is known: without any, "0 delivered" would say nothing.
    """

    handed_over: int = 0
    delivered: int = 0
    bounced: int = 0
    complained: int = 0
    followed: int = 0
    opened: int = 0
    clicked: int = 0
    unsubscribed: int = 0

    def __add__(self, other: Responses) -> Responses:
        return Responses(*(mine + theirs for mine, theirs in zip(astuple(self), astuple(other), strict=True)))

    @property
    def reported(self) -> int:
        return self.delivered + self.bounced


def count_responses(campaign: Campaign) -> Mapping[int, Responses]:
    """By text (the variant's id), in one query. Reported as spam counts as delivered too: it was seen."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT m.variant_id, count(*),
                   count(*) FILTER (WHERE m.status IN ('delivered', 'complained')),
                   count(*) FILTER (WHERE m.status = 'bounced'), count(*) FILTER (WHERE m.status = 'complained'),
                   count(*) FILTER (WHERE m.slots ? 'open_pixel'), count(m.opened_at), count(m.clicked_at),
                   count(*) FILTER (WHERE m.id IN (
                       SELECT message_id FROM campaigns_deliveryevent WHERE kind = 'unsubscribed'))
            FROM campaigns_message m
            WHERE m.campaign_id = %s AND m.status IN ('accepted', 'delivered', 'bounced', 'complained')
            GROUP BY m.variant_id
            """,
            [campaign.pk],
        )
        return {variant: Responses(*counts) for variant, *counts in cursor.fetchall()}


def add_up(responses: Iterable[Responses]) -> Responses:
    """Of all texts together."""
    return sum(responses, Responses())
