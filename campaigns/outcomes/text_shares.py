"""Shifts the shares of texts of live campaigns that allow it, batch by batch, and reads what the batches say.

What counts of a person is whether they ordered within some days of entering, and only people who entered so long ago count: those
of yesterday had no time to order, and a text that was given more lately would look worse for it.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import structlog
from django.db import transaction
from django.db.models import Count

from campaigns.audience.archetypes import label_archetype
from campaigns.models import Archetype, Arm, Campaign, Message, TextShare, Variant
from customers.ingest.merged import came_under_sql, holder_join_sql

from .counting import counting_cursor
from .text_standing import TextArm
from .thompson import Batch, find_shares

log = structlog.get_logger(__name__)

#: A person's orders count for so many days after entering (or the campaign's window, where that is shorter).
FOLLOWED_DAYS = 7
#: Shares of an archetype shift once so many more people have been followed to the end.
PEOPLE_PER_BATCH = 100
_DAY = dt.timedelta(days=1)


def shift_all_shares(*, now: dt.datetime) -> int:
    """One new batch for each archetype that has enough new people; returns how many. At most one a day for each."""
    adapting = Campaign.objects.filter(adapts_texts=True)
    return sum(shift_shares(campaign, now=now) for campaign in adapting if campaign.lets_in(now))


def shift_shares(campaign: Campaign, *, now: dt.datetime) -> int:
    """The same for one campaign. Under its row lock, so that two workers make one batch; people are counted before it, so that
    nobody who would pause or change the campaign waits for that."""
    if not _is_due(campaign, now):
        return 0
    followed, shifted = read_batches(campaign, now=now), 0
    with transaction.atomic():
        Campaign.objects.select_for_update().get(pk=campaign.pk)
        for archetype in Archetype.objects.filter(campaign=campaign):
            texts = list(Variant.objects.filter(archetype=archetype, step=1).order_by("label"))
            if len(texts) > 1:
                shifted += _shift(campaign, archetype, texts, followed.get(archetype.pk, {}), now)
    return shifted


def read_batches(campaign: Campaign, *, now: dt.datetime) -> dict[int, dict[int, dict[int, TextArm]]]:
    """By archetype and batch (0: even shares), who got which text and ordered in time, of those who were followed to the end
    and came in after the last change of the texts."""
    days = min(FOLLOWED_DAYS, campaign.attribution_days)
    with counting_cursor() as cursor:
        cursor.execute(
            f"""
            SELECT e.archetype_id, coalesce(s.batch, 0), m.variant_id, count(*), count(*) FILTER (WHERE EXISTS (
                SELECT 1 FROM customers_order o
                WHERE {came_under_sql("e.customer_id")} AND NOT o.is_return AND o.ordered_at >= e.entered_at
                  AND o.ordered_at < e.entered_at + make_interval(days => %(days)s)))
            FROM (
                SELECT DISTINCT ON (customer_id) * FROM campaigns_entry
                WHERE campaign_id = %(campaign)s AND arm <> %(excluded)s ORDER BY customer_id, number
            ) e
            JOIN campaigns_message m ON m.campaign_id = e.campaign_id AND m.customer_id = e.customer_id
             AND m.entry = e.number AND m.step = 1
            LEFT JOIN campaigns_textshare s ON s.id = m.text_share_id
            {holder_join_sql("e.customer_id")}
            WHERE e.arm = %(treated)s AND e.entered_at <= %(now)s - make_interval(days => %(days)s)
              AND e.entered_at >= coalesce((
                SELECT max(v.retired_at) FROM campaigns_variant v WHERE v.archetype_id = e.archetype_id AND v.step = 1
              ), '-infinity')
            GROUP BY 1, 2, 3
            """,
            {"campaign": campaign.pk, "days": days, "now": now, "excluded": Arm.EXCLUDED, "treated": Arm.TREATMENT},
        )
        found: dict[int, dict[int, dict[int, TextArm]]] = defaultdict(lambda: defaultdict(dict))
        for archetype, batch, variant, people, ordered in cursor.fetchall():
            found[archetype][batch][variant] = TextArm(people, ordered)
    return {archetype: dict(batches) for archetype, batches in found.items()}


def list_batches(archetype: int, texts: list[int], followed: dict[int, dict[int, TextArm]]) -> list[Batch]:
    """In the order in which they were drawn, each with the probabilities that were written down for it; batches of other texts
    than these are left out, and so are people who had none of them."""
    shares: dict[int, dict[int, float]] = {0: dict.fromkeys(texts, 1 / len(texts))}
    for row in TextShare.objects.filter(archetype_id=archetype):
        shares.setdefault(row.batch, {})[row.variant_id] = row.share
    return [
        Batch([shares[batch][text] for text in texts], [followed[batch].get(text, TextArm(0, 0)) for text in texts])
        for batch in sorted(followed)
        if set(shares[batch]) == set(texts) and set(followed[batch]) <= set(texts)
    ]


@dataclass(frozen=True)
class SharedText:
    """A text in one batch: with which probability it is given, and the people who were followed to the end by then."""

    label: str
    share: float
    people: int
    ordered: int


@dataclass(frozen=True)
class ShareChange:
    """One batch of an archetype: from `decided_at` on its texts are given in these shares. `given` is how many people have a text
    that was drawn so."""

    archetype_id: int
    archetype: str
    batch: int
    decided_at: dt.datetime
    given: int
    texts: Sequence[SharedText]


def list_share_history(campaign: Campaign) -> list[ShareChange]:
    """Every batch that was written down, by archetype (the largest first), the newest batch first. Three queries."""
    rows = TextShare.objects.filter(archetype__campaign=campaign).select_related("archetype")
    rows = rows.order_by("-archetype__size", "archetype", "-batch", "variant")
    found: dict[tuple[int, int], list[TextShare]] = {}
    for row in rows:
        found.setdefault((row.archetype_id, row.batch), []).append(row)
    if not found:
        return []
    labels = dict(Variant.everything.filter(archetype__campaign=campaign).values_list("pk", "label"))
    drawn = Message.objects.filter(campaign=campaign, text_share__isnull=False).order_by()
    given = dict(drawn.values_list("text_share").annotate(Count("pk")))
    return [
        ShareChange(
            batch[0].archetype_id, label_archetype(batch[0].archetype), batch[0].batch, batch[0].decided_at,
            sum(given.get(row.pk, 0) for row in batch),
            [SharedText(labels[row.variant_id], row.share, row.people, row.ordered) for row in batch],
        )
        for batch in found.values()
    ]  # fmt: skip


def _is_due(campaign: Campaign, now: dt.datetime) -> bool:
    """Whether any archetype with several texts has no batch of the last day: else nothing can shift, and nobody is counted."""
    texts = Variant.objects.filter(archetype__campaign=campaign, step=1).order_by()
    several = texts.values("archetype").annotate(texts=Count("pk")).filter(texts__gt=1)
    recent = TextShare.objects.filter(archetype__campaign=campaign, decided_at__gt=now - _DAY)
    return several.exclude(archetype__in=recent.values("archetype")).exists()


def _shift(
    campaign: Campaign,
    archetype: Archetype,
    texts: list[Variant],
    followed: dict[int, dict[int, TextArm]],
    now: dt.datetime,
) -> bool:
    batches = list_batches(archetype.pk, [text.pk for text in texts], followed)
    arms = [
        TextArm(sum(batch.arms[place].people for batch in batches), sum(batch.arms[place].ordered for batch in batches))
        for place in range(len(texts))
    ]
    newest = TextShare.objects.filter(archetype=archetype).order_by("-batch").first()
    before = 0
    if newest is not None:
        if now < newest.decided_at + _DAY:
            return False
        last = dict(
            TextShare.objects.filter(archetype=archetype, batch=newest.batch).values_list("variant_id", "people")
        )
        before = sum(last.values()) if set(last) == {text.pk for text in texts} else 0
    if sum(arm.people for arm in arms) < before + PEOPLE_PER_BATCH:
        return False
    number = newest.batch + 1 if newest is not None else 1
    seed = f"{campaign.holdout_seed}:texts:{archetype.pk}:{number}"
    shares = find_shares(arms, seed=seed)
    TextShare.objects.bulk_create(
        TextShare(
            archetype=archetype, batch=number, variant=text, share=share, people=arm.people, ordered=arm.ordered, seed=seed,
            decided_at=now,
        )
        for text, share, arm in zip(texts, shares, arms, strict=True)
    )  # fmt: skip
    log.info("text_shares_shifted", campaign=campaign.pk, archetype=archetype.pk, batch=number)
    return True
