"""What the demo shop's people do with a campaign, by the functions that their pages call."""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.auth.models import User

from campaigns.approval.editing import create_campaign
from campaigns.approval.sequence import add_follow_up
from campaigns.approval.workflow import approve_campaign, refreeze_audience, schedule_campaign, submit_campaign
from campaigns.content.drafting import draft_archetype, request_drafts
from campaigns.models import Archetype, Campaign
from customers.models import Segment
from customers.segments.editing import save_segment
from retention_site.demo.people import APPROVER, Person

from .plans import SEGMENTS, CampaignPlan, OfferPlan

#: Hours from the first click to the scheduled campaign; a send is planned later than this.
WORK_HOURS = 3


class Stage(enum.IntEnum):
    """How far a campaign is brought."""

    IDEA = 0
    AUDIENCE = 1
    TEXTS = 2
    IN_REVIEW = 3
    APPROVED = 4
    SCHEDULED = 5


@dataclass(frozen=True)
class Office:
    """Who is there, and their segments by name."""

    users: Mapping[Person, User]
    segments: Mapping[str, Segment]


def open_office(users: Mapping[Person, User], *, now: dt.datetime) -> Office:
    """Save the segments, each as its author."""
    return Office(
        users,
        {
            plan.name: save_segment(
                users[plan.author], name=plan.name, rule=plan.rule, description=plan.description, now=now
            )
            for plan in SEGMENTS
        },
    )


def bring_campaign(
    office: Office, plan: CampaignPlan, stage: Stage, *, begun_at: dt.datetime, send_at: dt.datetime
) -> Campaign:
    """Make the campaign and take it as far as `stage`, within WORK_HOURS from `begun_at`.

    Raises what the workflow raises: EmptyAudience, NotReady and so on.
    """
    author = office.users[plan.author]
    campaign = create_campaign(author, _fields(office, plan, send_at), _offer_fields(plan.offer, send_at), now=begun_at)
    for step in plan.follow_ups:
        fields = {"wait_hours": step.wait_hours, "only_if": step.only_if, "purpose": step.purpose}
        add_follow_up(author, campaign, fields, now=begun_at)
    if stage >= Stage.AUDIENCE:
        refreeze_audience(author, campaign, now=begun_at + dt.timedelta(minutes=10))
    if stage >= Stage.TEXTS:
        write_texts(campaign, author, plan.instruction, now=begun_at + dt.timedelta(minutes=20))
    if stage >= Stage.IN_REVIEW:
        submit_campaign(author, campaign, now=begun_at + dt.timedelta(minutes=50))
    if stage >= Stage.APPROVED:
        approve_campaign(office.users[APPROVER], campaign, now=begun_at + dt.timedelta(minutes=130))
    if stage >= Stage.SCHEDULED:
        schedule_campaign(author, campaign, now=begun_at + dt.timedelta(minutes=140))
    return campaign


def write_texts(campaign: Campaign, author: User, instruction: str, *, now: dt.datetime) -> None:
    """Have every archetype drafted at once, as the worker does it, but never by a model: see docs/demo-shop.md."""
    request_drafts(campaign, user=author, instruction=instruction, now=now)
    for archetype in Archetype.objects.filter(campaign=campaign).values_list("pk", flat=True):
        draft_archetype(archetype, now=now, with_model=False)
    campaign.refresh_from_db()


def at_shop_time(moment: dt.datetime, *, days: int = 0, hour: int = 9) -> dt.datetime:
    """That hour of the shop's day, `days` after the day of `moment`."""
    local = moment.astimezone(ZoneInfo(settings.SHOP_TIME_ZONE)) + dt.timedelta(days=days)
    return local.replace(hour=hour, minute=0, second=0, microsecond=0).astimezone(dt.UTC)


def _fields(office: Office, plan: CampaignPlan, send_at: dt.datetime) -> dict[str, Any]:
    return {
        "name": plan.name,
        "goal": plan.goal,
        "instruction": plan.instruction,
        "tone": plan.tone,
        "avoid": plan.avoid,
        "talking_points": "\n".join(plan.talking_points),
        "segment": office.segments[plan.segment.name],
        "holdout_share": plan.holdout_share,
        "attribution_days": plan.attribution_days,
        "send_window_hours": plan.send_window_hours,
        "scheduled_for": send_at,
        **plan.entering,
    }


def _offer_fields(offer: OfferPlan, send_at: dt.datetime) -> dict[str, Any]:
    fields: dict[str, Any] = {"kind": offer.kind, "currency": settings.SHOP_CURRENCY}
    if offer.kind == "none":
        return fields
    first_day = send_at.astimezone(ZoneInfo(settings.SHOP_TIME_ZONE)).date()
    return fields | {
        "value": Decimal(offer.value) if offer.value else None,
        "code": offer.code,
        "min_basket": Decimal(offer.min_basket) if offer.min_basket else None,
        "valid_from": first_day,
        "valid_until": first_day + dt.timedelta(days=offer.days),
        "url": settings.SHOP_URL,
    }
