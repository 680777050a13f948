"""Freezes an audience: the people of the segment at this moment, their arm, and why others are left out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
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
from customers.segments.compiler import compile_rule
from customers.segments.rules import parse_rule

from .archetypes import split_into_archetypes
from .eligibility import exclusion_case_sql, exclusion_params
from .holdout import HOLDOUT_SQL

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class AudienceCounts:
    """How many people the segment matched, and where they went. `excluded` is by ExclusionReason."""

    matched: int
    treatment: int
    holdout: int
    excluded: Mapping[str, int]

    def as_json(self) -> dict[str, Any]:
        """What Campaign.audience_counts keeps."""
        return {
            "matched": self.matched,
            "treatment": self.treatment,
            "holdout": self.holdout,
            "excluded": dict(self.excluded),
        }


class EmptyAudience(Exception):
    """Nobody is left to write to; the text says why and what to do. Nothing was changed."""

    def __init__(self, message: str, counts: AudienceCounts) -> None:
        super().__init__(message)
        self.counts = counts


def freeze_audience(campaign: Campaign, *, now: dt.datetime, actor: User | None) -> AudienceCounts:
    """Freeze the people who match the campaign's segment at `now`, and split them into archetypes.

    Only while the campaign is a draft (TransitionConflict otherwise). Freezing again replaces the audience; the kept
    seed puts everybody into the same arm again. Texts of archetypes that are still there stay. Raises EmptyAudience,
    with nothing changed, when the segment matches nobody or nobody of it may be written to.
    """
    with transaction.atomic():
        locked = Campaign.objects.select_for_update().filter(pk=campaign.pk, status=CampaignStatus.DRAFT).first()
        if locked is None:
            raise TransitionConflict(_("The audience can be frozen only while the campaign is a draft."))
        AudienceMember.objects.filter(campaign=locked).delete()
        _insert_members(locked, now)
        counts = _count_members(locked)
        if not counts.treatment:
            raise EmptyAudience(_explain_emptiness(counts), counts)
        explain_scores(_list_unexplained(locked))
        split_into_archetypes(locked, limit=settings.MAX_ARCHETYPES)
        Campaign.objects.filter(pk=locked.pk).update(
            audience_as_of=now, audience_frozen_at=now, audience_counts=counts.as_json(), updated_at=now
        )
    campaign.refresh_from_db()
    log.info("audience frozen", campaign=campaign.pk, actor=actor.pk if actor else None, **counts.as_json())
    return counts


def _insert_members(campaign: Campaign, now: dt.datetime) -> None:
    """One statement for the whole audience: segment, exclusions, and the draw for the hold-out.

    `judged` is materialised because its reason is read twice and would be worked out twice.
    """
    segment = compile_rule(parse_rule(campaign.segment.rule), as_of=read_shop_clock(now))
    sql = f"""
WITH matched AS ({segment.sql}),
judged AS MATERIALIZED (
  SELECT c.id AS customer_id, s.churn_probability, s.expected_value,
         coalesce(nullif({exclusion_case_sql("c", of_everybody=True)}, ''),
                  CASE WHEN s.churn_probability IS NULL THEN '{ExclusionReason.TOO_NEW}' ELSE '' END) AS reason
  FROM (SELECT DISTINCT customer_id FROM matched) AS m
  JOIN customers_customer c ON c.id = m.customer_id
  LEFT JOIN customers_score s ON s.customer_id = c.id
)
INSERT INTO campaigns_audiencemember
  (campaign_id, customer_id, arm, exclusion_reason, churn_probability, expected_value)
SELECT %(campaign_id)s, customer_id,
       CASE WHEN reason <> '' THEN '{Arm.EXCLUDED}'
            WHEN {HOLDOUT_SQL} THEN '{Arm.HOLDOUT}' ELSE '{Arm.TREATMENT}' END,
       reason, churn_probability, expected_value
FROM judged"""
    params = {
        **segment.params,
        **exclusion_params(campaign, now=now),
        "campaign_id": campaign.pk,
        "holdout_seed": campaign.holdout_seed,
        "holdout_share": campaign.holdout_share,
    }
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        # A million rows that the planner does not know of yet would be joined one by one.
        cursor.execute("ANALYZE campaigns_audiencemember")


def _list_unexplained(campaign: Campaign) -> Iterable[int]:
    """Customers of the audience with a score but without its reasons, which decide on their archetype."""
    members = AudienceMember.objects.filter(campaign=campaign).exclude(arm=Arm.EXCLUDED)
    return members.filter(customer__score__reasons=[]).values_list("customer_id", flat=True).iterator()


def _count_members(campaign: Campaign) -> AudienceCounts:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT arm, exclusion_reason, count(*) FROM campaigns_audiencemember WHERE campaign_id = %s"
            " GROUP BY arm, exclusion_reason ORDER BY count(*) DESC, exclusion_reason",
            [campaign.pk],
        )
        rows = cursor.fetchall()
    return AudienceCounts(
        matched=sum(size for _arm, _reason, size in rows),
        treatment=sum(size for arm, _reason, size in rows if arm == Arm.TREATMENT),
        holdout=sum(size for arm, _reason, size in rows if arm == Arm.HOLDOUT),
        excluded={reason: size for arm, reason, size in rows if arm == Arm.EXCLUDED},
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
