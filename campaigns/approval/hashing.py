"""What an approval covers, as one hash per part. Equal hashes mean: exactly this was approved.

What goes in is canonical JSON; the audience, which may be a million people, is hashed by PostgreSQL.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from typing import Any

from django.conf import settings
from django.db import connection
from django.forms.models import model_to_dict

from campaigns.content.steps import FIRST_STEP
from campaigns.models import ApprovalPart, Campaign, FollowUp, Offer, SendMode, Variant
from campaigns.models.campaign import DEFAULT_TOPIC, USUAL_PRIORITY

#: Members are hashed in blocks, then the blocks: no single string grows with the audience beyond this many ids.
MEMBERS_PER_BLOCK = 65_536

#: The shape of this hash. Which composer put a text together is in the text's own hash, so that an approval outlives an
#: upgrade: what is sent is the source that was kept.
HASH_SHAPE = 1
VARIANT_FIELDS = ("label", "subject", "preheader", "opening", "story", "invitation", "button_label", "content_hash")


def part_hashes(campaign: Campaign) -> dict[ApprovalPart, str]:
    """The hash of each part as it stands in the database now (the instance's own fields may be stale).

    messages: texts as composed, offer, what the shop says of itself. audience: segment and its rule (once it has begun, the one
    that it goes by), every member with arm and archetype, the drift allowed, and what lets people into a live campaign, how
    often. timing: when, by
    whose clock, how late at most, how long an approval holds, until when a live campaign runs, and of a sequence the waits,
    conditions and exit rules (what a step is for is told to who drafts it, and approved as its text).
    measurement: hold-out, attribution window, whether shares of texts may shift, and the segments looked at besides.
    """
    fresh = Campaign.objects.select_related("segment").get(pk=campaign.pk)
    return {
        ApprovalPart.MESSAGES: hash_messages(fresh),
        ApprovalPart.AUDIENCE: _hash_audience(fresh),
        ApprovalPart.TIMING: _hash(
            {"send_at": fresh.scheduled_for, "window_hours": fresh.send_window_hours}
            | _where_set(valid_days=fresh.approval_valid_days, sequence=_describe_sequence(fresh))
            | _when_live(fresh)
            # Left out where it is the usual one, so that what was approved before there were others still is.
            | ({"send_mode": fresh.send_mode} if fresh.send_mode != SendMode.TOGETHER else {})
            | ({"priority": fresh.priority} if fresh.priority != USUAL_PRIORITY else {})
        ),
        ApprovalPart.MEASUREMENT: _hash(
            {
                "attribution_days": fresh.attribution_days,
                "holdout_share": fresh.holdout_share,
                "holdout_seed": fresh.holdout_seed,
            }
            # Left out where it does not, so that what was approved before it could still is.
            | ({"adapts_texts": True} if fresh.adapts_texts else {})
            | ({"looked_at": fresh.looked_at, "looks": fresh.looks} if fresh.looked_at else {})
        ),
    }


def content_hash(campaign: Campaign) -> str:
    """One hash over the four parts: what `Campaign.content_hash` keeps from submission on."""
    return combine_hashes(part_hashes(campaign))


def combine_hashes(parts: dict[ApprovalPart, str]) -> str:
    """The campaign's hash from its parts' hashes."""
    return _hash({part.value: parts[part] for part in ApprovalPart})


def hash_messages(campaign: Campaign) -> str:
    """The hash of everything that the bodies are composed from. Cheap: the sender asks it again for every batch."""
    offer = Offer.objects.filter(campaign_id=campaign.pk).first()
    texts = Variant.objects.filter(archetype__campaign_id=campaign.pk).order_by("archetype_id", "step", "label")
    rows = texts.values_list("step", "archetype_id", "archetype__language", *VARIANT_FIELDS)
    return _hash(
        {
            "composer": HASH_SHAPE,
            "shop": [
                settings.SHOP_NAME,
                settings.SHOP_URL,
                settings.SHOP_FROM_EMAIL,
                settings.SHOP_POSTAL_ADDRESS,
            ],
            "offer": model_to_dict(offer, exclude=["id", "campaign"]) if offer else None,
            # The step is left out of the first one's, so that what was approved before there were steps still is.
            "texts": [row if step == FIRST_STEP else [step, *row] for step, *row in rows],
        }
    )


def _hash_audience(campaign: Campaign) -> str:
    return _hash(
        {
            "segment": campaign.segment_id,
            "rule": campaign.approved_rule,
            "frozen_at": campaign.audience_frozen_at,
            "as_of": campaign.audience_as_of,
            "is_test": campaign.is_test_audience,
            "members": _hash_members(campaign.pk),
        }
        # Left out where it is the usual one, so that what was approved before there were topics still is.
        | ({"topic": campaign.topic} if campaign.topic != DEFAULT_TOPIC else {})
        | _where_set(allowed_drift_share=campaign.allowed_drift_share)
        | ({"write": campaign.write_share, "explore": campaign.explore_share} if campaign.write_share else {})
        | ({"trigger": campaign.trigger, "re_entry_days": campaign.re_entry_days} if campaign.is_live else {})
    )


def _when_live(campaign: Campaign) -> dict[str, Any]:
    """Left out where it happens once, so that what was approved before there were kinds still is."""
    if not campaign.is_live:
        return {}
    return {"kind": campaign.kind, "recurrence": campaign.recurrence, "live_until": campaign.live_until}


def _describe_sequence(campaign: Campaign) -> dict[str, Any] | None:
    """None where there are no follow-ups."""
    steps = FollowUp.objects.filter(campaign_id=campaign.pk).order_by("number")
    rows = list(steps.values_list("number", "wait_hours", "only_if"))
    return {"steps": rows, "exit_on": campaign.exit_on} if rows else None


def _where_set(**facts: Any) -> dict[str, Any]:
    """What a campaign left to the shop is no part of the hash: approvals outlive a change of the shop's settings."""
    return {name: value for name, value in facts.items() if value is not None}


def _hash_members(campaign_id: int) -> str:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT coalesce(encode(sha256(convert_to(string_agg(block_hash, '' ORDER BY block), 'UTF8')), 'hex'), '')
            FROM (
                SELECT customer_id / %s AS block,
                       encode(sha256(convert_to(string_agg(
                           customer_id || ':' || arm || ':' || coalesce(archetype_id, 0), ',' ORDER BY customer_id
                       ), 'UTF8')), 'hex') AS block_hash
                FROM campaigns_audiencemember
                WHERE campaign_id = %s
                GROUP BY 1
            ) AS blocks
            """,
            [MEMBERS_PER_BLOCK, campaign_id],
        )
        return str(cursor.fetchone()[0])


def _hash(facts: Any) -> str:
    canonical = json.dumps(facts, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=_to_text)
    return hashlib.sha256(canonical.encode()).hexdigest()


def _to_text(value: Any) -> str:
    """Instants are compared in UTC, so that the zone of the reader changes nothing."""
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).isoformat()
    return str(value)
