"""How a message, or a draft, came about: read from what was stored then, nothing worked out again.

Why this person (the rule as it stood when the audience was frozen, the score of that day with its reasons, the draw of the
arm), which facts in which versions the text rests on, which prompt and model, what was masked, who edited, who approved.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import Q

from campaigns.audience.archetypes import label_archetype
from campaigns.models import Approval, Arm, AudienceMember, Campaign, Message, Variant
from customers.models import ScoreHistory, SegmentRevision
from customers.scoring.explain import describe_reason
from customers.segments.rules import RuleError, parse_rule
from customers.segments.wording import describe_rule
from llm.models import LlmCall
from llm.placeholders import count_placeholders

#: Scores are stored to six decimals.
SAME_SCORE = 1e-6


@dataclass(frozen=True)
class ToldReason:
    """One reason of the score: the sentence, and the share of probability that it adds (negative: takes away)."""

    sentence: str
    share: float


@dataclass(frozen=True)
class Choice:
    """Why the person is in the audience: the rule in words, its revision and whose it is, the day it was asked."""

    rule: str
    revision: int | None
    saved_by: str
    frozen_at: dt.datetime | None


@dataclass(frozen=True)
class Person:
    """What was known of the person when the audience was frozen. `reasons` is empty where none were stored."""

    customer_id: int
    arm: str
    churn_probability: float | None
    expected_value: Decimal | None
    model: str
    scored_at: dt.datetime | None
    reasons: Sequence[ToldReason]


@dataclass(frozen=True)
class Text:
    """Where the words come from. `masked` counts what was replaced, by kind; None where the ledger's time is over."""

    origin: str
    is_template: bool
    prompt: str
    model: str
    drafted_at: dt.datetime | None
    masked: Mapping[str, int] | None
    changed_slots: Sequence[str]
    edited_by: str
    edited_at: dt.datetime | None
    facts: Mapping[str, Any]
    claims: Sequence[Mapping[str, Any]]
    findings: Sequence[Mapping[str, Any]]
    content_hash: str


@dataclass(frozen=True)
class Consent:
    """One part that somebody approved, bound to the hash of how it stood. `is_own`: by a person who wrote the campaign, while
    four eyes were off. `reason` is why the audience was to go out although a group gets less; `fairness` the figures of then."""

    part: str
    who: str
    approved_at: dt.datetime
    part_hash: str
    is_own: bool = False
    reason: str = ""
    fairness: Sequence[Mapping[str, Any]] = ()


@dataclass(frozen=True)
class DecisionCard:
    """`person` is None for a draft, which is written to a kind of customer and to nobody in particular."""

    campaign: Campaign
    archetype: str
    choice: Choice
    person: Person | None
    text: Text
    approvals: Sequence[Consent]


def read_message_card(message: Message) -> DecisionCard:
    """Of one copy to one person, as things stood when it was marked for sending (now, where it has not been)."""
    member = AudienceMember.objects.filter(campaign=message.campaign_id, customer=message.customer_id).first()
    person = _read_person(member, message.campaign) if member is not None else None
    return _read_card(message.variant, person, at=message.sending_at)


def read_draft_card(variant: Variant) -> DecisionCard:
    """Of a text, as things stand now."""
    return _read_card(variant, None, at=None)


def _read_card(variant: Variant, person: Person | None, *, at: dt.datetime | None) -> DecisionCard:
    campaign = variant.archetype.campaign
    return DecisionCard(
        campaign=campaign,
        archetype=label_archetype(variant.archetype),
        choice=_read_choice(campaign),
        person=person,
        text=_read_text(variant),
        approvals=_read_approvals(campaign, at),
    )


def _read_choice(campaign: Campaign) -> Choice:
    """The revision of the segment that was the newest when the audience was frozen."""
    frozen_at = campaign.audience_frozen_at
    revisions = SegmentRevision.objects.filter(segment=campaign.segment_id).select_related("saved_by")
    if frozen_at is not None:
        revisions = revisions.filter(saved_at__lte=frozen_at)
    revision = revisions.order_by("-number").first()
    rule = revision.rule if revision is not None else campaign.segment.rule
    try:
        words = describe_rule(parse_rule(rule))
    except RuleError:  # a rule of an earlier version of the product
        words = json.dumps(rule, ensure_ascii=False)
    return Choice(
        rule=words,
        revision=revision.number if revision is not None else None,
        saved_by=_name(revision.saved_by) if revision is not None else "",
        frozen_at=frozen_at,
    )


def _read_person(member: AudienceMember, campaign: Campaign) -> Person:
    score = _find_score(member, campaign)
    return Person(
        customer_id=member.customer_id,
        arm=str(Arm(member.arm).label),
        churn_probability=member.churn_probability,
        expected_value=member.expected_value,
        model=str(score.model) if score is not None else "",
        scored_at=score.as_of if score is not None else None,
        reasons=[
            ToldReason(describe_reason(reason), float(reason.get("points") or 0) / 100)
            for reason in (score.reasons if score is not None else [])
        ],
    )


def _find_score(member: AudienceMember, campaign: Campaign) -> ScoreHistory | None:
    """The row of the history that says what the frozen audience says."""
    if member.churn_probability is None or campaign.audience_as_of is None:
        return None
    return (
        ScoreHistory.objects.filter(
            customer=member.customer_id,
            as_of__lte=campaign.audience_as_of,
            churn_probability__gte=member.churn_probability - SAME_SCORE,
            churn_probability__lte=member.churn_probability + SAME_SCORE,
        )
        .select_related("model")
        .defer("model__artifact")
        .order_by("-as_of", "-model_id")
        .first()
    )


def _read_text(variant: Variant) -> Text:
    call = LlmCall.objects.filter(request_id=variant.llm_request_id).first() if variant.llm_request_id else None
    changed = [name for name, before in variant.drafted_text.items() if before != getattr(variant, name, before)]
    return Text(
        origin=str(Variant.Origin(variant.origin).label),
        is_template=variant.origin == Variant.Origin.TEMPLATE,
        prompt=f"{variant.prompt_name} v{variant.prompt_version}" if variant.prompt_name else "",
        model=variant.model_label,
        drafted_at=call.created_at if call is not None else None,
        masked=_count_masked(call.masked_request) if call is not None else None,
        changed_slots=changed,
        edited_by=_name(variant.edited_by),
        edited_at=variant.edited_at,
        facts=variant.facts,
        claims=getattr(variant, "claims", []),
        findings=variant.findings,
        content_hash=variant.content_hash,
    )


def _count_masked(request: Any) -> dict[str, int]:
    """How many different values of each kind stand as placeholders in what left."""
    return count_placeholders(json.dumps(request, ensure_ascii=False))


def _read_approvals(campaign: Campaign, at: dt.datetime | None) -> list[Consent]:
    """Those that were valid at that moment; without one, those that are valid now."""
    approvals = Approval.objects.filter(campaign=campaign).select_related("approved_by")
    if at is None:
        approvals = approvals.filter(voided_at__isnull=True)
    else:
        approvals = approvals.filter(Q(voided_at__isnull=True) | Q(voided_at__gt=at), approved_at__lte=at)
    return [
        Consent(
            str(approval.get_part_display()),
            _name(approval.approved_by),
            approval.approved_at,
            approval.part_hash,
            approval.is_own,
            approval.reason,
            approval.fairness,
        )
        for approval in approvals.order_by("approved_at", "pk")
    ]


def _name(user: Any) -> str:
    return (user.get_full_name() or user.get_username()) if user is not None else ""
