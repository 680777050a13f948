"""The outbox in pages by key, and how many messages stand in each state, at the same cost for a thousand and for a million.

Every count ends at `COUNTED`, and is read from the index by campaign and state. A state of few messages is looked up in that
index; one of many is found soon by going back from the newest message.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from django.db import connection
from django.db.models import Exists, OuterRef, QuerySet

from campaigns.models import Campaign, Message, MessageStatus

#: So many messages of a state are counted; for more it is said that there are more.
COUNTED: Final = 1_000
_BY_STATUS: Final = """
FROM campaigns_campaign c CROSS JOIN LATERAL (
  SELECT m.id FROM campaigns_message m WHERE m.campaign_id = c.id AND m.status = {status} LIMIT {most}) m"""


@dataclass(frozen=True)
class MessagePage:
    """Messages, newest first, and the keys of the neighbouring pages ("" where there is none)."""

    messages: Sequence[Message]
    later: str
    earlier: str


def count_by_status() -> dict[str, int]:
    """Messages in each state; a number above `COUNTED` means that there are more than that. One query."""
    rows = _BY_STATUS.format(status="s.status", most=COUNTED + 1)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT s.status, (SELECT count(*) FROM (SELECT 1 {rows} LIMIT {COUNTED + 1}) n) FROM unnest(%s::text[]) s(status)",
            [MessageStatus.values],
        )
        return dict(cursor.fetchall())


def list_campaigns_with_messages() -> QuerySet[Campaign]:
    """Campaigns of which there is a message."""
    return Campaign.objects.filter(Exists(Message.objects.filter(campaign=OuterRef("pk")))).only("pk", "name")


def browse_messages(
    found: QuerySet[Message], *, status: str, counts: Mapping[str, int], older_than: str, newer_than: str, size: int
) -> MessagePage:
    """One page of `found` in a state ("" for any): those older than a key, newer than one, or the newest."""
    if status:
        found = found.filter(status=status)
        if counts.get(status, 0) <= COUNTED:
            found = found.filter(pk__in=_list_ids(status))
    is_backward, place = bool(newer_than), _read_key(newer_than or older_than)
    if place is not None:
        found = found.filter(pk__gt=place) if is_backward else found.filter(pk__lt=place)
    taken = list(found.order_by("pk" if is_backward else "-pk")[: size + 1])
    has_more, taken = len(taken) > size, taken[:size]
    if is_backward:
        taken.reverse()
    later = str(taken[-1].pk) if taken and (has_more or is_backward) else ""
    earlier = str(taken[0].pk) if taken and (has_more if is_backward else place is not None) else ""
    return MessagePage(taken, later, earlier)


def _list_ids(status: str) -> list[int]:
    with connection.cursor() as cursor:
        rows = _BY_STATUS.format(status="%s", most=COUNTED + 1)
        cursor.execute(f"SELECT m.id {rows} LIMIT {COUNTED + 1}", [status])
        return [row[0] for row in cursor.fetchall()]


def _read_key(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else None
