"""What became of the texts of a campaign, told apart, and which text of an archetype does best.

People got one text of their archetype by a stable draw, so the texts of one archetype can be compared.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Avg, Count

from campaigns.audience.archetypes import label_archetype
from campaigns.models import AudienceMember, Campaign, MessageStatus, SkipReason, Variant
from customers.ingest.merged import came_under_sql, holder_join_sql

from .counting import counting_cursor
from .keeping import keep_if_large
from .responses import Responses, count_responses
from .text_shares import list_batches, read_batches
from .text_standing import Standing, TextArm, compare_texts
from .thompson import compare_batches

_HANDED_OVER = (
    MessageStatus.ACCEPTED, MessageStatus.DELIVERED, MessageStatus.BOUNCED, MessageStatus.COMPLAINED,
)  # fmt: skip


@dataclass(frozen=True)
class TextCount:
    """One text: how many people have a message of it, to how many it was handed over, how many of all ordered since.

    A text that a change of the running campaign replaced (`variant.retired_at`) counts for itself, as does what replaced it.
    """

    variant: Variant
    archetype: str
    people: int
    handed_over: int
    ordered: int
    not_connected: int
    responses: Responses

    @property
    def ordered_share(self) -> float:
        """0 to 1, of all people with a message of it; 0 where there are none."""
        return self.ordered / self.people if self.people else 0.0


def count_texts(campaign: Campaign, *, as_of: dt.datetime, anew: bool = False) -> list[TextCount]:
    """The texts that anybody has a message of, by archetype, step and label. Orders count by the rule of `attribution`:
    those of the window from the start of the send on (in a live campaign from the entry on), returns are none. Of a large
    campaign they are those of the last result (`keeping`), unless they are wanted `anew`."""
    if campaign.sending_started_at is None:
        return []
    counts = keep_if_large(campaign, "texts", lambda: _count_messages(campaign, as_of), anew=anew)
    texts = (
        Variant.everything.filter(pk__in=counts)
        .select_related("archetype")
        .order_by("-archetype__size", "archetype", "step", "label", "pk")
    )
    responses = keep_if_large(campaign, "responses", lambda: count_responses(campaign), anew=anew)
    return [
        TextCount(text, label_archetype(text.archetype), *counts[text.pk], responses.get(text.pk, Responses()))
        for text in texts
    ]


def compare_all(
    campaign: Campaign, counts: Sequence[TextCount], *, now: dt.datetime, anew: bool = False
) -> list[tuple[str, TextCount | None, Standing]]:
    """By archetype with several texts of the first step: its label, the text that leads (None: too early for any), and how
    sure that is, which holds for all pairs of texts of all archetypes together. One whose texts were replaced while it ran is
    left out: people of other weeks are no comparison. `anew` as in `count_texts`."""
    found: dict[int, list[TextCount]] = {}
    for row in counts:
        if row.variant.step == 1:
            found.setdefault(row.variant.archetype_id, []).append(row)
    several = {
        place: rows
        for place, rows in found.items()
        if len(rows) > 1 and all(r.variant.retired_at is None for r in rows)
    }
    if not several:
        return []
    expected, pairs = _expect_shares(campaign), count_pairs(campaign)
    is_adaptive = campaign.adapts_texts and campaign.is_live
    followed = _read_followed(campaign, now, anew=anew) if is_adaptive else {}
    told = []
    for place, rows in several.items():
        if is_adaptive:
            rows = sorted(rows, key=lambda row: row.variant.label)
            standing = _compare_adaptive(place, rows, followed.get(place, {}), expected.get(place, 0.5), pairs)
            told.append((rows[0].archetype, None if standing.leader is None else rows[standing.leader], standing))
            continue
        arms = [TextArm(row.people, row.ordered) for row in rows]
        size = rows[0].variant.archetype.size
        standing = compare_texts(
            arms, planned=[size // len(rows)] * len(rows), expected_share=expected.get(place, 0.5), pairs=pairs
        )
        told.append((rows[0].archetype, None if standing.leader is None else rows[standing.leader], standing))
    return told


def count_pairs(campaign: Campaign) -> int:
    """How many pairs of texts there are to be compared, also of archetypes of whom nobody has a message yet: the correction must
    not move as people come."""
    texts = Variant.objects.filter(archetype__campaign=campaign, step=1).order_by()
    counts = texts.values_list("archetype").annotate(texts=Count("pk"))
    return sum(math.comb(number, 2) for _archetype, number in counts)


def _read_followed(campaign: Campaign, now: dt.datetime, *, anew: bool) -> dict[int, dict[int, dict[int, TextArm]]]:
    return keep_if_large(campaign, "followed", lambda: read_batches(campaign, now=now), anew=anew)


def _compare_adaptive(
    archetype: int,
    rows: Sequence[TextCount],
    followed: dict[int, dict[int, TextArm]],
    expected_share: float,
    pairs: int,
) -> Standing:
    """Where shares shift, by the probabilities that were written down: sums per text would compare people of other weeks."""
    batches = list_batches(archetype, [row.variant.pk for row in rows], followed)
    size = rows[0].variant.archetype.size
    return compare_batches(batches, planned=size, expected_share=expected_share, pairs=pairs)


def _expect_shares(campaign: Campaign) -> dict[int, float]:
    """By archetype, the share of the frozen people that was expected to order."""
    members = AudienceMember.objects.filter(campaign=campaign, archetype__isnull=False)
    rows = members.order_by().values_list("archetype_id").annotate(mean=Avg("churn_probability"))
    return {place: 1 - float(mean) for place, mean in rows if mean is not None}


def _count_messages(campaign: Campaign, as_of: dt.datetime) -> Mapping[int, tuple[int, int, int, int]]:
    assert campaign.sending_started_at is not None
    entries, opens = "", "%(start)s::timestamptz"
    if campaign.is_live:
        opens = "e.entered_at"
        entries = (
            "JOIN campaigns_entry e ON e.campaign_id = m.campaign_id AND e.customer_id = m.customer_id"
            " AND e.number = m.entry"
        )
    closes = f"least(%(as_of)s::timestamptz, {opens} + make_interval(days => %(days)s))"
    with counting_cursor() as cursor:
        cursor.execute(
            f"""
            SELECT m.variant_id, count(DISTINCT m.customer_id), count(*) FILTER (WHERE m.status = ANY(%(handed_over)s)),
                   count(DISTINCT m.customer_id) FILTER (WHERE EXISTS (
                       SELECT 1 FROM customers_order o
                       WHERE {came_under_sql("m.customer_id")} AND NOT o.is_return
                         AND o.ordered_at >= {opens} AND o.ordered_at < {closes})),
                   count(*) FILTER (WHERE m.skip_reason = %(no_channel)s)
            FROM campaigns_message m {entries}
            {holder_join_sql("m.customer_id")}
            WHERE m.campaign_id = %(campaign)s GROUP BY m.variant_id
            """,
            {
                "campaign": campaign.pk,
                "start": campaign.sending_started_at,
                "as_of": as_of,
                "days": campaign.attribution_days,
                "handed_over": [status.value for status in _HANDED_OVER],
                "no_channel": SkipReason.NO_CHANNEL.value,
            },
        )
        return {row[0]: (row[1], row[2], row[3], row[4]) for row in cursor.fetchall()}
