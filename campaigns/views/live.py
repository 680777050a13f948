"""What pages show of a live campaign: its rule in sentences, what may be expected, how it goes; and the nouns that end or
renew it."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.http import require_POST

from campaigns.approval import policy
from campaigns.approval.renewing import renew_approval
from campaigns.approval.validity import valid_until
from campaigns.audience.entry_rules import EntryRuleError
from campaigns.audience.entry_wording import describe_entering
from campaigns.audience.replay import expect_entries
from campaigns.delivery import control
from campaigns.delivery.entering.figures import read_entries
from campaigns.forms import shop_time
from campaigns.models import Arm, Campaign, ExclusionReason, ExitReason
from customers.segments.rules import RuleError
from customers.views.access import current_user

from .access import carry_out, get_campaign_for
from .reviewing import UNDECIDED


def describe_rule_of_entry(campaign: Campaign, *, now: dt.datetime) -> dict[str, Any]:
    """For the review: the rule in sentences and what the past says of it; {} for one that goes out once."""
    if not campaign.is_live:
        return {}
    context: dict[str, Any] = {
        "entering": describe_entering(campaign),
        "cap_messages": settings.FREQUENCY_CAP_MESSAGES,
        "cap_days": settings.FREQUENCY_CAP_DAYS,
    }
    if campaign.status in UNDECIDED and campaign.audience_frozen_at is not None:
        try:
            context["expected_entries"] = expect_entries(campaign, now=now)
        except (EntryRuleError, RuleError):
            context["expected_entries"] = None
        context["tells_expectation"] = True
    return context


def describe_live(request: HttpRequest, campaign: Campaign, *, now: dt.datetime) -> dict[str, Any]:
    """For the Live page: entries by day, arm and reason, the next occurrence, and what this person may do."""
    if not campaign.is_live:
        return {}
    user, figures = current_user(request), read_entries(campaign, now=now)
    day = pgettext("date format", "j M")
    return {
        "entering": describe_entering(campaign),
        "entries": figures,
        "entry_days": [(date_format(date, day), number) for date, number in figures.days],
        "entry_arms": [(Arm(arm).label, number) for arm, number in sorted(figures.arms.items(), reverse=True)],
        "entry_exclusions": [(ExclusionReason(reason).label, number) for reason, number in figures.excluded.items()],
        "entry_exits": [(ExitReason(reason).label, number) for reason, number in figures.left.items()],
        "next_occurrence": shop_time(figures.next_at),
        "occurrences": [(shop_time(row.due_at), row) for row in figures.occurrences],
        "last_look": shop_time(campaign.entered_until),
        "rule_has_changed": bool(campaign.entry_rule) and campaign.entry_rule != campaign.segment.rule,
        "approval_until": valid_until(campaign),
        "end_decision": policy.may_end(user, campaign),
        "renew_decision": policy.may_renew(user, campaign),
    }


@require_POST
def end(request: HttpRequest, pk: int) -> HttpResponse:
    """Nobody enters any more; what waits goes, or is dropped where that was chosen."""
    campaign, user, now = get_campaign_for(request.user, pk), current_user(request), timezone.now()
    drops = request.POST.get("waiting") == "drop"

    def act() -> Campaign:
        return control.end_campaign(user, campaign, now=now, drops_waiting=drops)

    return carry_out(request, campaign, "live", act, _("Ended: nobody enters any more."))


@require_POST
def renew(request: HttpRequest, pk: int) -> HttpResponse:
    """Approve it once more as it is."""
    campaign, user, now = get_campaign_for(request.user, pk), current_user(request), timezone.now()

    def act() -> Campaign:
        return renew_approval(user, campaign, now=now, seen_hash=request.POST.get("seen", ""))

    return carry_out(request, campaign, "live", act, _("Approved once more."))
