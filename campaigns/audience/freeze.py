"""Freezes an audience: the people of the segment at this moment, their arm, and why others are left out."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import structlog
from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.utils.translation import gettext as _

from campaigns.models import (
    Arm,
    AudienceMember,
    Campaign,
    CampaignStatus,
    ExclusionReason,
    TransitionConflict,
)
from customers.ingest.clock import read_shop_clock
from customers.scoring.on_need import explain_scores

from .archetypes import choose_samples, read_groups, store_archetypes, write_cells
from .cells import smallest_size
from .grouping import group_cells
from .kinship import read_nearness
from .looks import freeze_looks, mark_sql
from .narrowing import narrow_people
from .people import PEOPLE, judge_people, list_unexplained, read_reasons

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class AudienceCounts:
    """How many people the segment matched, and where they went. `excluded` is by ExclusionReason; `channels` is how many
    of the treated each channel reaches."""

    matched: int
    treatment: int
    holdout: int
    excluded: Mapping[str, int]
    channels: Mapping[str, int]

    def as_json(self) -> dict[str, Any]:
        """What Campaign.audience_counts keeps."""
        return {
            "matched": self.matched,
            "treatment": self.treatment,
            "holdout": self.holdout,
            "excluded": dict(self.excluded),
            "channels": dict(self.channels),
        }


class EmptyAudience(Exception):
    """Nobody is left to write to; the text says why and what to do. Nothing was changed."""

    def __init__(self, message: str, counts: AudienceCounts) -> None:
        super().__init__(message)
        self.counts = counts


def freeze_audience(campaign: Campaign, *, now: dt.datetime, actor: User | None) -> AudienceCounts:
    """Freeze the people who match the campaign's segment at `now`, and split them into archetypes.

    Only while the campaign is a draft (TransitionConflict otherwise). Freezing again replaces the audience; the kept
    seed puts everybody into the same arm again, and texts of archetypes that are still there stay. Raises EmptyAudience,
    with nothing changed, when the segment matches nobody or nobody of it may be written to.
    """
    with transaction.atomic():
        locked = Campaign.objects.select_for_update().filter(pk=campaign.pk, status=CampaignStatus.DRAFT).first()
        if locked is None:
            raise TransitionConflict(_("The audience can be frozen only while the campaign is a draft."))
        clock = read_shop_clock(now)
        bounds = judge_people(locked, now=now, clock=clock)
        narrow_people(locked)
        counts = _count_people()
        if not counts.treatment:
            raise EmptyAudience(_explain_emptiness(counts), counts)
        explain_scores(list_unexplained())
        read_reasons()
        locked.looks = freeze_looks(locked, as_of=clock)
        _write_audience(locked, clock)
        Campaign.objects.filter(pk=locked.pk).update(
            audience_as_of=now,
            audience_frozen_at=now,
            audience_counts=counts.as_json(),
            value_bounds=bounds,
            looks=locked.looks,
            updated_at=now,
        )
    campaign.refresh_from_db()
    log.info("audience frozen", campaign=campaign.pk, actor=actor.pk if actor else None, **counts.as_json())
    return counts


def _write_audience(campaign: Campaign, clock: dt.datetime) -> None:
    """Archetypes first, so that every member is written once, with theirs."""
    groups, former = read_groups(campaign)
    # Once a person has shaped an archetype the others stay as that person saw them, too.
    kept = groups if any(group.is_shaped for group in groups) else []
    AudienceMember.objects.filter(campaign=campaign).delete()
    sizes = write_cells(campaign)
    found = group_cells(
        sizes,
        read_nearness(sizes),
        limit=campaign.max_archetypes,
        smallest=smallest_size(sum(sizes.values())),
        kept=kept,
    )
    store_archetypes(campaign, found, sizes, former)
    _insert_members(campaign, clock)
    choose_samples(campaign)


def _insert_members(campaign: Campaign, clock: dt.datetime) -> None:
    marks, params = mark_sql(campaign.looks, "p.customer_id", as_of=clock)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
INSERT INTO campaigns_audiencemember
  (campaign_id, customer_id, arm, exclusion_reason, channel, churn_probability, expected_value, is_explored,
   cell_id, archetype_id, in_looks)
SELECT %(campaign)s, p.customer_id, p.arm, p.exclusion_reason, p.channel, p.churn_probability, p.expected_value,
       p.is_explored, c.id, c.archetype_id, {marks}
FROM {PEOPLE} p
LEFT JOIN campaigns_audiencecell c
  ON c.campaign_id = %(campaign)s AND p.arm <> '{Arm.EXCLUDED}' AND c.reason = p.reason AND c.interest = p.interest
 AND c.value_band = p.value_band AND c.language = p.language AND c.channel = p.channel""",
            {"campaign": campaign.pk, **params},
        )
        # A million rows that the planner does not know of yet would be joined one by one.
        cursor.execute("ANALYZE campaigns_audiencemember")


def _count_people() -> AudienceCounts:
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT arm, exclusion_reason, channel, count(*) FROM {PEOPLE} GROUP BY 1, 2, 3 ORDER BY count(*) DESC, 2, 3"
        )
        rows = cursor.fetchall()

    def count(arm: str) -> int:
        return sum(size for found, _reason, _channel, size in rows if found == arm)

    excluded: Counter[str] = Counter()
    channels: Counter[str] = Counter()
    for arm, reason, channel, size in rows:
        if arm == Arm.EXCLUDED:
            excluded[reason] += size
        elif arm == Arm.TREATMENT:
            channels[channel] += size
    return AudienceCounts(
        matched=sum(row[-1] for row in rows),
        treatment=count(Arm.TREATMENT),
        holdout=count(Arm.HOLDOUT),
        excluded=dict(excluded.most_common()),
        channels=dict(channels.most_common()),
    )


def _explain_emptiness(counts: AudienceCounts) -> str:
    if not counts.matched:
        return _("The segment matches nobody at this moment. Widen its rule, or choose another segment.")
    if counts.holdout:
        return _("Everybody who may be written to was drawn into the hold-out. Choose a larger segment.")
    reasons = ", ".join(f"{ExclusionReason(reason).label}: {size:,}" for reason, size in counts.excluded.items())
    told = _("The segment matches %(matched)s people, but none of them may be written to (%(reasons)s).") % {
        "matched": f"{counts.matched:,}",
        "reasons": reasons,
    }
    if counts.excluded.get(ExclusionReason.TEST_ONLY) and settings.USES_MAIL_CATCHER:
        return f"{told} {_('To try the campaign out on test contacts, let them in below.')}"
    return told
