"""What the Review page shows beside the texts: drift, overlap, cost, fairness, and how it all came about."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from campaigns.approval import policy
from campaigns.approval.group_reach import read_group_reach
from campaigns.approval.outlook import count_capped, days_around, estimate_offer_cost, list_overlaps
from campaigns.approval.text_cost import estimate_text_cost
from campaigns.approval.validity import explain_drift, valid_until
from campaigns.audience.drift import measure_drift
from campaigns.delivery.pace.forecast import forecast_send
from campaigns.models import Approval, Campaign, CampaignStatus, CampaignTransition, ReviewComment
from customers.told import tell
from customers.views.fairness import name_attribute, name_group
from llm.budget import read_limits, read_scope_spend

#: States in which it is still to be decided whether the campaign goes out as it is.
UNDECIDED = {CampaignStatus.DRAFT, CampaignStatus.IN_REVIEW, CampaignStatus.APPROVED, CampaignStatus.SCHEDULED}


@dataclass(frozen=True)
class Happening:
    """One line of the history. `tone` is "good", "bad", "sent" or ""."""

    at: dt.datetime
    tone: str
    what: str
    who: Any
    note: str = ""
    is_own: bool = False


def describe_outlook(campaign: Campaign, *, now: dt.datetime) -> dict[str, Any]:
    """Drift, overlap, cap, cost and fairness of a frozen audience; {} where none is frozen or all is decided."""
    if campaign.audience_frozen_at is None or campaign.status not in UNDECIDED:
        return {}
    drift = measure_drift(campaign, now=now)
    until = valid_until(campaign)
    reports = read_group_reach(campaign)
    return {
        "drift": drift,
        "drift_words": tell(explain_drift(drift, campaign)),
        "valid_until": until,
        "ends_too_soon": until is not None and campaign.scheduled_for is not None and until <= campaign.scheduled_for,
        "overlaps": list_overlaps(campaign),
        "days_around": days_around(),
        "capped": count_capped(campaign),
        "forecast": forecast_send(campaign, now=now),
        "spend": read_scope_spend(f"campaign:{campaign.pk}"),
        "limits": read_limits(),
        "text_cost": estimate_text_cost(campaign),
        "offer_cost": estimate_offer_cost(campaign, now=now),
        "fairness": [name_report(report.to_json()) for report in reports],
        "needs_reason": any(report.fairness.has_low for report in reports),
        "needs_second_person": policy.needs_second_person(),
    }


def name_report(report: dict[str, Any]) -> dict[str, Any]:
    """A report of fairness, as measured now or as kept with an approval, with attribute and groups in the reader's words."""
    key = str(report["attribute"])
    groups = [group | {"name": name_group(key, str(group["name"] or ""))} for group in report["groups"]]
    return report | {"label": name_attribute(key), "groups": groups}


def tell_history(campaign: Campaign) -> list[Happening]:
    """Changes of state, approvals given and taken back, and comments, the newest first. Four queries."""
    changes = CampaignTransition.objects.filter(campaign=campaign).select_related("actor")
    approvals = Approval.objects.filter(campaign=campaign).select_related("approved_by")
    comments = ReviewComment.objects.filter(campaign=campaign).select_related("author", "resolved_by")
    found = [_tell_change(change) for change in changes]
    found += [happening for approval in approvals for happening in _tell_approval(approval)]
    found += [happening for comment in comments for happening in _tell_comment(comment)]
    return sorted(found, key=lambda happening: happening.at, reverse=True)


def _tell_change(change: CampaignTransition) -> Happening:
    tones = {"approved": "good", "sent": "good", "draft": "bad", "cancelled": "bad", "missed": "bad"}
    if change.from_status == change.to_status:
        return Happening(change.happened_at, "sent", _("worked on it"), change.actor, tell(change.reason))
    what = f"{change.get_from_status_display()} → {change.get_to_status_display()}"
    return Happening(change.happened_at, tones.get(change.to_status, "sent"), what, change.actor, tell(change.reason))


def _tell_approval(approval: Approval) -> list[Happening]:
    part = str(approval.get_part_display())
    given = Happening(
        approval.approved_at, "good", _("Approved: %(part)s") % {"part": part}, approval.approved_by, approval.reason,
        approval.is_own,
    )  # fmt: skip
    if approval.voided_at is None:
        return [given]
    void = Happening(approval.voided_at, "bad", _("Void: %(part)s") % {"part": part}, None, tell(approval.void_reason))
    return [given, void]


def _tell_comment(comment: ReviewComment) -> list[Happening]:
    what = _("Commented") if comment.parent_id is None else _("Answered")
    told = [Happening(comment.created_at, "", what, comment.author, comment.body)]
    if comment.resolved_at is not None:
        told.append(
            Happening(comment.resolved_at, "", _("Resolved a comment"), comment.resolved_by, comment.body[:120])
        )
    return told
