"""The slots by which we learn of clicks and opens: of whom, and with whose consent."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from django.conf import settings
from django.db import connection

from campaigns.content.rendering import MessageSource
from customers.ingest.tracking import is_tracked_sql
from customers.models import Channel

from .links import click_url, open_url
from .short_links import short_url


def read_tracked(customer_ids: Sequence[int]) -> frozenset[int]:
    """Those of the customers who agreed that we see when they open a message."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT who.id FROM unnest(%s::bigint[]) AS who(id) WHERE {is_tracked_sql('who.id')}", [list(customer_ids)]
        )
        return frozenset(row[0] for row in cursor.fetchall())


def follow_slots(
    source: MessageSource, *, message_id: int, customer_id: int, tracked: Collection[int]
) -> dict[str, str]:
    """What takes the place of the plain links of a source, for one message; {} where nobody is followed.

    The picture is for those who agreed to it; links count for everybody, for the same people, or for nobody, as
    settings.CLICK_TRACKING says. A source of before links had numbers has none to take the place of.
    """
    agreed, slots = customer_id in tracked, dict[str, str]()
    if not source.links:
        return slots
    is_short = source.channel == Channel.SMS
    if settings.CLICK_TRACKING == "all" or (settings.CLICK_TRACKING == "consent" and agreed):
        slots = {
            f"link_{number}": short_url(message_id, number) if is_short else click_url(message_id, number, url)
            for number, url in enumerate(source.links, start=1)
        }
    return slots | ({"open_pixel": open_url(message_id)} if agreed and source.channel == Channel.EMAIL else {})
